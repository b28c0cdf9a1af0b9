//! The log of what administrators do: one line a change, facility AUTHPRIV.

use super::terminal::Terminal;
use crate::credential::Unreadable;
use crate::enrol::{Confirmed, Purpose};
use crate::service::journal;
pub(super) use crate::service::journal::Change;
use crate::sys;
use crate::user::User;

/// Writes one line about a change that has been made. The change stands even where the log is away,
/// but then the person is told.
pub(super) fn log(change: Change, user: &User, terminal: &mut Terminal) {
    log_device(change, user, None, terminal);
}

/// Writes one line about a new device.
pub(super) fn log_new(confirmed: &Confirmed, user: &User, terminal: &mut Terminal) {
    tell_unless_logged(note_new(confirmed, user), terminal);
}

/// Writes one line about a new device, or says why it could not be written.
pub(super) fn note_new(confirmed: &Confirmed, user: &User) -> Result<(), syslog::Error> {
    let device = match confirmed.purpose {
        Purpose::First | Purpose::InPlaceOfAll if confirmed.is_proven() => None,
        _ => Some(confirmed.id()),
    };
    let change = if confirmed.is_proven() { confirmed.purpose.into() } else { Change::DevicePending };
    journal::note(change, user, sys::user::real_uid(), device)
}

/// Like [`log`], about one device.
pub(super) fn log_device(change: Change, user: &User, device: Option<&str>, terminal: &mut Terminal) {
    tell_unless_logged(journal::note(change, user, sys::user::real_uid(), device), terminal);
}

/// Like [`log`], about a user who is no longer enrolled.
pub(super) fn log_removed(user: &User, unreadable: &Unreadable, terminal: &mut Terminal) {
    tell_unless_logged(journal::note_removed(user, sys::user::real_uid(), unreadable), terminal);
}

/// Says that a change stands, but could not be logged.
pub(super) fn tell_unless_logged(logged: Result<(), syslog::Error>, terminal: &mut Terminal) {
    if let Err(error) = logged {
        terminal.say(format_args!("warning: the change was made, but could not be logged: {error}"));
    }
}
