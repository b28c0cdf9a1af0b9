//! What all callers of the service share: the seats, and the failures of passwords.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::root_door::RootDoor;
use super::seats::Seats;
use crate::password::Failures;
use crate::sys;

/// What all callers share.
#[derive(Debug, Default)]
pub(super) struct Office {
    /// At the public socket.
    pub(super) seats: Seats,
    /// At root's own socket.
    pub(super) seats_of_root: Seats,
    pub(super) root_door: RootDoor,
    failures: Mutex<Failures>,
}

impl Office {
    /// The failures of passwords. A thread that panicked while it counted has not left half a count.
    pub(super) fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no caller is here, and nothing would be forgotten if the service ended.
    pub(super) fn is_idle(&self) -> bool {
        self.seats.are_free()
            && self.seats_of_root.are_free()
            && sys::clock::now().is_some_and(|now| self.failures().is_idle(now))
    }
}
