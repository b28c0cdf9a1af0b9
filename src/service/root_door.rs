//! Root's own door: whether it is open, and how often somebody came by it.
//!
//! The service must not end between taking a caller of root's in and giving that caller a seat: then the login
//! would be denied. So both are done behind one lock, which no other caller waits for.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The door.
#[derive(Debug, Default)]
pub(super) struct RootDoor(Mutex<Passage>);

/// Who goes through it.
#[derive(Debug, Default)]
struct Passage {
    is_closed: bool,
    arrivals: u64,
}

impl RootDoor {
    /// Takes a caller in, unless it is closed: then systemd, which holds the socket, starts the service again for
    /// that caller. Whether it is open.
    pub(super) fn pass(&self, take_in: impl FnOnce()) -> bool {
        let mut passage = self.passage();
        if passage.is_closed {
            return false;
        }
        passage.arrivals = passage.arrivals.wrapping_add(1);
        take_in();
        true
    }

    /// How often somebody came.
    pub(super) fn arrivals(&self) -> u64 {
        self.passage().arrivals
    }

    /// Closes it for good if no caller came since there were so many arrivals, and the service is idle.
    pub(super) fn close_if(&self, arrivals: u64, is_idle: impl FnOnce() -> bool) -> bool {
        let mut passage = self.passage();
        passage.is_closed = passage.arrivals == arrivals && is_idle();
        passage.is_closed
    }

    fn passage(&self) -> MutexGuard<'_, Passage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_closes_only_while_nobody_comes_or_is_here() {
        let door = RootDoor::default();
        let before = door.arrivals();
        let mut taken_in = 0;
        assert!(door.pass(|| taken_in += 1));
        assert!(!door.close_if(before, || true), "somebody came");
        assert!(!door.close_if(door.arrivals(), || false), "somebody is here");
        assert!(door.pass(|| taken_in += 1));
        assert!(door.close_if(door.arrivals(), || true));
        assert!(!door.pass(|| taken_in += 1));
        assert_eq!(taken_in, 2);
    }
}
