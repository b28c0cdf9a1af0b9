//! One user in a list: what is told of him in a line, and in JSON. Never a secret.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;

use crate::credential::StoreError;
use crate::credential::format::datetime_of;
use crate::status::{Phase, Status};
use crate::store::Entry;

/// The width of the names' column, beyond which a name pushes the others aside.
pub(super) const WIDEST_NAME: usize = 32;

/// One user.
#[derive(Serialize)]
pub(super) struct Row {
    /// The name; for something strange that of its directory.
    pub(super) user: String,
    #[serde(flatten)]
    pub(super) found: Found,
}

/// What is found under a name.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Found {
    Kept(Summary),
    Damaged { state: &'static str, problem: Problem },
}

/// What is told of a user.
#[derive(Serialize)]
pub(super) struct Summary {
    pub(super) state: Phase,
    devices: usize,
    recovery_codes_made: usize,
    pub(super) recovery_codes_left: usize,
    pub(super) failures: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_login: Option<u64>,
    pub(super) locked: bool,
    pub(super) needs_repair: bool,
}

/// Why it cannot be read, in the words of the log.
#[derive(Serialize)]
pub(super) struct Problem {
    reason: &'static str,
    cause: Cow<'static, str>,
    mend: &'static str,
}

impl Row {
    /// The row of what is kept under the name of a directory; none where nothing is.
    pub(super) fn of(directory: &[u8], entry: Entry, now: Option<u64>) -> Option<Self> {
        Some(match entry {
            Entry::Nothing => return None,
            Entry::Kept(kept) => {
                let (credential, state) = *kept;
                let status = Status::of(&credential, state.as_ref(), now);
                Self { found: Found::Kept(Summary::of(&status)), user: status.user }
            }
            Entry::Unreadable(user, error) => {
                Self { user: user.to_string(), found: Found::damaged(Problem::of(&error)) }
            }
            Entry::Strange => Self {
                user: String::from_utf8_lossy(directory).into_owned(),
                found: Found::damaged(Problem::STRANGE),
            },
        })
    }

    /// What is told of the user, unless it cannot be read.
    pub(super) fn summary(&self) -> Option<&Summary> {
        match &self.found {
            Found::Kept(summary) => Some(summary),
            Found::Damaged { .. } => None,
        }
    }

    /// The line, with the name in a column of this width.
    pub(super) fn line(&self, width: usize) -> String {
        let name = shown(&self.user);
        match &self.found {
            Found::Damaged { state, problem } => format!("{name:width$}  {state:<8}  {}", problem.cause),
            Found::Kept(summary) => format!("{name:width$}  {}", summary.columns()),
        }
    }
}

/// The line above all others.
pub(super) fn heading(width: usize) -> String {
    format!(
        "{:width$}  {:<8}  {:>7}  {:>5}  {:>8}  {:<20}  {}",
        "USER", "STATE", "DEVICES", "CODES", "FAILURES", "LAST LOGIN", "NOTES"
    )
}

impl Found {
    fn damaged(problem: Problem) -> Self {
        Self::Damaged { state: "damaged", problem }
    }
}

impl Problem {
    const STRANGE: Self = Self {
        reason: "strange_directory",
        cause: Cow::Borrowed("no account has a directory of this name"),
        mend: "move it out of /var/lib/countersign/users: no login looks at it",
    };

    fn of(error: &StoreError) -> Self {
        Self { reason: error.reason(), cause: Cow::Owned(error.to_string()), mend: error.mend() }
    }
}

impl Summary {
    fn of(status: &Status) -> Self {
        let records = status.records.as_ref();
        Self {
            state: status.phase(),
            devices: status.authenticators.len(),
            recovery_codes_made: status.recovery_codes_made,
            recovery_codes_left: status.recovery_codes_left,
            failures: records.map_or(0, crate::status::Records::failures),
            last_login: records.and_then(crate::status::Records::last_login),
            locked: records.is_some_and(crate::status::Records::is_refused_somewhere),
            needs_repair: status.needs_repair,
        }
    }

    fn columns(&self) -> String {
        let Self { state, devices, recovery_codes_left: left, recovery_codes_made: made, failures, .. } =
            self;
        let (state, codes) = (state.word(), format!("{left}/{made}"));
        let login = self.last_login.and_then(datetime_of);
        let login = login.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let mut text = format!("{state:<8}  {devices:>7}  {codes:>5}  {failures:>8}  {login:<20}");
        let notes = [(self.needs_repair, "needs repair"), (self.locked, "locked")];
        let notes: Vec<&str> = notes.into_iter().filter_map(|(is, note)| is.then_some(note)).collect();
        if notes.is_empty() {
            text.truncate(text.trim_end().len());
        } else {
            let _ = write!(text, "  {}", notes.join(", "));
        }
        text
    }
}

/// A name as it may go to a terminal: what is not to be seen, or turns the direction of what follows, is
/// escaped, and a backslash in a name stays the one that it is.
fn shown(name: &str) -> String {
    let escaped = |letter: char| match letter {
        '\\' | '"' | '\'' => letter.to_string(),
        other => other.escape_debug().to_string(),
    };
    name.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_write_to_the_terminal() {
        assert_eq!(shown("DOM\\zoë"), "DOM\\zoë");
        assert_eq!(shown("al\u{1b}[2J\u{202e}ice\n"), "al\\u{1b}[2J\\u{202e}ice\\n");
    }
}
