//! How many callers there may be at once: each uid has a few seats, and root has its own.
//!
//! A caller without a seat is sent away at once, so that whoever holds many keeps nobody else waiting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Seats of a user who is not root.
const OF_A_USER: usize = 8;
/// Seats of all users but root.
const OF_USERS: usize = 256;
/// Seats of root, who asks for all logins.
const OF_ROOT: usize = 512;

/// Who sits where.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats(Arc<Mutex<BTreeMap<u32, usize>>>);

/// A seat, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    uid: u32,
}

impl Seats {
    /// A seat for a uid, if there is one.
    pub(super) fn take(&self, uid: u32) -> Option<Seat> {
        let mut taken = self.taken();
        let own = taken.get(&uid).copied().unwrap_or(0);
        let of_users: usize = taken.iter().filter(|(uid, _)| **uid != 0).map(|(_, count)| count).sum();
        let is_free = if uid == 0 { own < OF_ROOT } else { own < OF_A_USER && of_users < OF_USERS };
        is_free.then(|| {
            taken.insert(uid, own.saturating_add(1));
            Seat { seats: self.clone(), uid }
        })
    }

    /// Whether nobody sits.
    pub(super) fn are_free(&self) -> bool {
        self.taken().is_empty()
    }

    /// A thread that panicked while it counted has not left half a count.
    fn taken(&self) -> MutexGuard<'_, BTreeMap<u32, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        match taken.get_mut(&self.uid) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.remove(&self.uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_few_seats_and_takes_nobody_elses() {
        let seats = Seats::default();
        let mut taken: Vec<_> = (0..OF_A_USER).map(|_| seats.take(1000).expect("a seat")).collect();
        assert!(seats.take(1000).is_none());
        assert!(seats.take(1001).is_some());
        taken.pop();
        taken.push(seats.take(1000).expect("the seat that became free"));
        assert!(seats.take(1000).is_none());
        drop(taken);
        assert!(seats.are_free());
    }

    #[test]
    fn all_users_together_take_none_of_roots() {
        let seats = Seats::default();
        let uids = (1..).flat_map(|uid| [uid; OF_A_USER]);
        let users: Vec<_> = uids.map_while(|uid| seats.take(uid)).collect();
        assert_eq!(users.len(), OF_USERS);
        let root: Vec<_> = std::iter::from_fn(|| seats.take(0)).collect();
        assert_eq!(root.len(), OF_ROOT);
        assert!(seats.take(60_000).is_none());
    }
}
