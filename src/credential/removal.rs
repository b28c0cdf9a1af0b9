//! What comes of removing an enrolment.

use std::fmt;

/// What came of [`remove_if`](super::EnrolmentStore::remove_if).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The credential was not to go.
    Kept,
    /// All is removed.
    Done(Unreadable),
}

/// The uids whose entries in `by-uid` a removal could not read, and so has left as they are. They concern other
/// users, unless the user's own account is among them: that one is refused until the entry is removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable(pub Vec<u32>);

impl Unreadable {
    /// How many are named at once.
    const MOST_SHOWN: usize = 8;
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, uid) in self.0.iter().take(Self::MOST_SHOWN).enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(out, "{comma}by-uid/{uid}")?;
        }
        match self.0.len().saturating_sub(Self::MOST_SHOWN) {
            0 => Ok(()),
            more => write!(out, ",+{more}"),
        }
    }
}
