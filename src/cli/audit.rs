//! The log of what administrators do: one line a change, facility AUTHPRIV.

use super::terminal::Terminal;
use crate::log::{Level, Line};
use crate::service::journal;
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
    let text = format!("event={event} by=uid:{by} user=\"{}\"", user.name.as_str().escape_default());
    let written = journal::write(&Line { level: Level::Notice, text });
    if let Err(error) = written {
        terminal.say(format_args!("warning: the change was made, but could not be logged: {error}"));
    }
}
