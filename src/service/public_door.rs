//! The public door: who a caller is there, and whether that caller comes too often. It is the first that is
//! looked at, and costs little, so that a user who connects and closes in a loop keeps few others waiting.

use std::collections::HashMap;

use super::seats::Guest;
use crate::sys::clock;
use crate::sys::subordinate::Borrowers;

/// How often a user is let in within a second: more often than programs of one user ask.
const MOST_A_SECOND: u32 = 256;

/// What is known of those who came within this second.
#[derive(Debug)]
pub(super) struct PublicDoor {
    borrowers: Borrowers,
    second: u64,
    came: HashMap<Guest, u32>,
}

impl PublicDoor {
    pub(super) fn new() -> Self {
        Self { borrowers: Borrowers::of_this_machine(), second: 0, came: HashMap::new() }
    }

    /// Who a caller of this uid is. `None` where that caller has come too often.
    pub(super) fn admit(&mut self, uid: u32) -> Option<Guest> {
        // Without a clock all come within one second.
        self.admit_at(uid, clock::since_boot().unwrap_or_default())
    }

    fn admit_at(&mut self, uid: u32, second: u64) -> Option<Guest> {
        if uid == 0 {
            return Some(Guest::Root);
        }
        if second != self.second {
            self.second = second;
            self.came.clear();
        }
        let own = self.counted(Guest::User(uid))?;
        match self.borrowers.of(uid).map(str::to_owned) {
            Some(borrower) => self.counted(Guest::Of(borrower)),
            None => Some(own),
        }
    }

    fn counted(&mut self, guest: Guest) -> Option<Guest> {
        let came = self.came.entry(guest.clone()).or_default();
        *came = came.saturating_add(1);
        (*came <= MOST_A_SECOND).then_some(guest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_let_in_so_often_a_second_and_root_always() {
        let mut door = PublicDoor::new();
        for _ in 0..MOST_A_SECOND {
            assert_eq!(door.admit_at(1000, 7), Some(Guest::User(1000)));
        }
        assert_eq!(door.admit_at(1000, 7), None);
        assert_eq!(door.admit_at(1001, 7), Some(Guest::User(1001)));
        for _ in 0..=MOST_A_SECOND {
            assert_eq!(door.admit_at(0, 7), Some(Guest::Root));
        }
        assert_eq!(door.admit_at(1000, 8), Some(Guest::User(1000)));
    }
}
