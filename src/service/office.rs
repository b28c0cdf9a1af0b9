//! What all callers of the service share: the seats, and the failures of passwords.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::seats::Seats;
use crate::password::Failures;
use crate::sys;

/// What all callers share.
#[derive(Debug, Default)]
pub(super) struct Office {
    pub(super) seats: Seats,
    failures: Mutex<Failures>,
}

impl Office {
    /// The failures of passwords. A thread that panicked while it counted has not left half a count.
    pub(super) fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody is here, and nothing would be forgotten if the service ended.
    pub(super) fn is_idle(&self) -> bool {
        self.seats.are_free() && sys::clock::now().is_some_and(|now| self.failures().is_idle(now))
    }
}
