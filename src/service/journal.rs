//! The log of the command and the service: facility AUTHPRIV, one logger a line.
//!
//! A logger that is kept would not notice when the daemon restarts.

use syslog::{Facility, Formatter3164};

use crate::credential::Unreadable;
use crate::enrol::Purpose;
use crate::log::{Level, Line};
use crate::user::User;

/// A change that was made to what is kept of a user, or a look at it that must not go unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// He is enrolled.
    Enrolled,
    /// All his devices made room for a new one.
    Replaced,
    /// He is no longer enrolled.
    Removed,
    /// A credential that was placed from outside has its state.
    Adopted,
    /// A passcode was tried for him without being spent or counted.
    Tested,
    /// He is refused whatever he types.
    Disabled,
    /// He is no longer refused.
    Enabled,
    /// His failures are forgotten.
    Unlocked,
    /// His remembered logins are forgotten.
    LoginsForgotten,
    /// What was refused without need is good again.
    Repaired,
    /// He has another device.
    DeviceAdded,
    /// A device made room for a new one of its name.
    DeviceReplaced,
    /// He has a device that waits for its first code.
    DevicePending,
    /// A device that waited for its first code has given it.
    DeviceConfirmed,
    /// He has a device less.
    DeviceRemoved,
    /// He has new recovery codes.
    RecoveryRenewed,
    /// He is enrolled with what another program kept of him.
    Imported,
    /// His secrets were shown.
    Exported,
}

impl From<Purpose> for Change {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::First => Self::Enrolled,
            Purpose::InPlaceOfAll => Self::Replaced,
            Purpose::Beside => Self::DeviceAdded,
            Purpose::InPlaceOfOne => Self::DeviceReplaced,
        }
    }
}

impl Change {
    fn event(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::Replaced => "replaced",
            Self::Removed => "removed",
            Self::Adopted => "adopted",
            Self::Tested => "tested",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Unlocked => "unlocked",
            Self::LoginsForgotten => "logins_forgotten",
            Self::Repaired => "repaired",
            Self::DeviceAdded => "device_added",
            Self::DeviceReplaced => "device_replaced",
            Self::DevicePending => "device_pending",
            Self::DeviceConfirmed => "device_confirmed",
            Self::DeviceRemoved => "device_removed",
            Self::RecoveryRenewed => "recovery_renewed",
            Self::Imported => "imported",
            Self::Exported => "exported",
        }
    }
}

/// Writes one line about a change that has been made by a uid, which stands even where the log is away.
pub fn note(change: Change, user: &User, by: u32, device: Option<&str>) -> Result<(), syslog::Error> {
    // The name of a device needs no quotes: it holds nothing but letters, digits and a few marks.
    let device = device.map(|device| format!(" authenticator={device}")).unwrap_or_default();
    note_with(change, user, by, &device)
}

/// Like [`note`], about a user who is no longer enrolled; names the entries that could not be read.
pub fn note_removed(user: &User, by: u32, unreadable: &Unreadable) -> Result<(), syslog::Error> {
    let passed_over =
        if unreadable.0.is_empty() { String::new() } else { format!(" unreadable={unreadable}") };
    note_with(Change::Removed, user, by, &passed_over)
}

fn note_with(change: Change, user: &User, by: u32, more: &str) -> Result<(), syslog::Error> {
    let (event, user) = (change.event(), user.name.as_str().escape_default());
    let text = format!("event={event} by=uid:{by}{more} user=\"{user}\"");
    write(&Line { level: Level::Notice, text })
}

/// Writes one line.
pub fn write(line: &Line) -> Result<(), syslog::Error> {
    let formatter = Formatter3164 {
        facility: Facility::LOG_AUTHPRIV,
        hostname: None,
        process: "countersign".to_owned(),
        pid: std::process::id(),
    };
    let mut logger = syslog::unix(formatter)?;
    match line.level {
        Level::Info => logger.info(&line.text),
        Level::Notice => logger.notice(&line.text),
        Level::Error => logger.err(&line.text),
    }
}
