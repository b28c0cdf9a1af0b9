//! The log of what administrators do: one line a change, facility AUTHPRIV.

use syslog::{Facility, Formatter3164};

use super::terminal::Terminal;
use crate::user::User;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Enrolled,
    Replaced,
    Removed,
    Adopted,
    Unlocked,
    Repaired,
}

/// Writes one line about a change that has been made. The change stands even where the log is away,
/// but then the person is told.
pub(super) fn log(change: Change, user: &User, terminal: &mut Terminal) {
    let event = match change {
        Change::Enrolled => "enrolled",
        Change::Replaced => "replaced",
        Change::Removed => "removed",
        Change::Adopted => "adopted",
        Change::Unlocked => "unlocked",
        Change::Repaired => "repaired",
    };
    let by = crate::sys::user::real_uid();
    let line = format!("event={event} by=uid:{by} user=\"{}\"", user.name.as_str().escape_default());
    let formatter = Formatter3164 {
        facility: Facility::LOG_AUTHPRIV,
        hostname: None,
        process: "countersign".to_owned(),
        pid: std::process::id(),
    };
    // A logger for this one message: one that is kept would not notice when the daemon restarts.
    let written = syslog::unix(formatter).and_then(|mut logger| logger.notice(line));
    if let Err(error) = written {
        terminal.say(format_args!("warning: the change was made, but could not be logged: {error}"));
    }
}
