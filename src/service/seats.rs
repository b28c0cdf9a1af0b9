//! How many callers there may be at once: each user has a few seats, and root has its own.
//!
//! A caller without a seat is sent away at once, so that whoever holds many keeps nobody else waiting. The uids
//! that are lent to a user share seats, for he may act as any of them.

use std::io::{self, Read as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a caller rests who has caused a line of the log that costs him nothing: so nobody fills the log
/// or has it drop the lines of others.
const REST: Duration = Duration::from_secs(1);
/// Seats of a user who is not root.
const OF_A_USER: usize = 8;
/// Seats of all users but root.
const OF_USERS: usize = 256;
/// Seats of root, who asks for all logins.
const OF_ROOT: usize = 512;

/// Who sits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Guest {
    /// Root.
    Root,
    /// A user, by his uid.
    User(u32),
    /// Somebody whose uid is lent to this user.
    Of(String),
}

/// A caller at his connection.
#[derive(Debug)]
pub(super) struct Visit {
    guest: Guest,
    stream: UnixStream,
    /// Whether it is his turn to say something.
    is_silent: AtomicBool,
    /// Whether something was begun that he will want to end.
    has_begun: AtomicBool,
    /// Whether he has to rest before anything else.
    is_tired: AtomicBool,
}

impl Visit {
    /// Of a caller who has just come.
    pub(super) fn new(guest: Guest, stream: UnixStream) -> Self {
        let (is_silent, has_begun) = (AtomicBool::new(true), AtomicBool::new(false));
        Self { guest, stream, is_silent, has_begun, is_tired: AtomicBool::new(false) }
    }

    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Takes down that he has begun something, and so may be silent for longer.
    pub(super) fn begin(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// Has him rest once he has his answer.
    pub(super) fn tire(&self) {
        self.is_tired.store(true, Ordering::Relaxed);
    }

    /// Rests, if he has to. His seat stays taken, whether he is still there or not.
    pub(super) fn rest(&self) {
        if self.is_tired.swap(false, Ordering::Relaxed) {
            thread::sleep(REST);
        }
    }

    /// Waits for what the caller says, and reads it.
    pub(super) fn listen(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.is_silent.store(true, Ordering::Relaxed);
        let mut stream = &self.stream;
        let length = stream.read(buffer);
        self.is_silent.store(false, Ordering::Relaxed);
        length
    }
}

/// Who sits, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats(Arc<Mutex<Vec<Arc<Visit>>>>);

/// A seat, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    visit: Arc<Visit>,
}

impl Seats {
    /// A seat for a caller, if there is one, or if one of root's is free for him now.
    pub(super) fn take(&self, visit: &Arc<Visit>) -> Option<Seat> {
        let mut taken = self.taken();
        let own = taken.iter().filter(|other| other.guest == visit.guest).count();
        let of_users = taken.iter().filter(|other| other.guest != Guest::Root).count();
        let is_free = match visit.guest {
            Guest::Root => own < OF_ROOT || ends_oldest_silence_of_root(&mut taken),
            Guest::User(_) | Guest::Of(_) => own < OF_A_USER && of_users < OF_USERS,
        };
        is_free.then(|| {
            taken.push(Arc::clone(visit));
            Seat { seats: self.clone(), visit: Arc::clone(visit) }
        })
    }

    /// Whether nobody sits.
    pub(super) fn are_free(&self) -> bool {
        self.taken().is_empty()
    }

    /// A thread that panicked while it counted has not left half a count.
    fn taken(&self) -> MutexGuard<'_, Vec<Arc<Visit>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hangs up on that caller of root's who is silent and came first, if one is.
///
/// A su is root, but whoever has called it may stop or freeze it at its connection, and so hundreds.
fn ends_oldest_silence_of_root(taken: &mut Vec<Arc<Visit>>) -> bool {
    let is_silent =
        |visit: &Arc<Visit>| visit.guest == Guest::Root && visit.is_silent.load(Ordering::Relaxed);
    let Some(place) = taken.iter().position(is_silent) else { return false };
    let visit = taken.remove(place);
    // Where it is gone already, so is he.
    let _ = visit.stream.shutdown(Shutdown::Both);
    true
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().retain(|visit| !Arc::ptr_eq(visit, &self.visit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A caller's visit and his end of the connection.
    fn visit_of(uid: u32) -> (Arc<Visit>, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let guest = if uid == 0 { Guest::Root } else { Guest::User(uid) };
        (Arc::new(Visit::new(guest, ours)), theirs)
    }

    fn seat_for(uid: u32, seats: &Seats) -> Option<Seat> {
        seats.take(&visit_of(uid).0)
    }

    #[test]
    fn a_user_has_a_few_seats_and_takes_nobody_elses() {
        let seats = Seats::default();
        let mut taken: Vec<_> = (0..OF_A_USER).map(|_| seat_for(1000, &seats).expect("a seat")).collect();
        assert!(seat_for(1000, &seats).is_none());
        assert!(seat_for(1001, &seats).is_some());
        taken.pop();
        taken.push(seat_for(1000, &seats).expect("the seat that became free"));
        assert!(seat_for(1000, &seats).is_none());
        drop(taken);
        assert!(seats.are_free());
    }

    #[test]
    fn uids_that_are_lent_to_one_user_share_his_seats() {
        let seats = Seats::default();
        let of = |name: &str| {
            Arc::new(Visit::new(Guest::Of(name.to_owned()), visit_of(1).0.stream.try_clone().unwrap()))
        };
        let taken: Vec<_> = (0..OF_A_USER).map(|_| seats.take(&of("alice")).expect("a seat")).collect();
        assert!(seats.take(&of("alice")).is_none());
        assert!(seats.take(&of("bob")).is_some());
        drop(taken);
        assert!(seats.are_free());
    }

    #[test]
    fn all_users_together_take_none_of_roots() {
        let seats = Seats::default();
        let uids = (1..).flat_map(|uid| [uid; OF_A_USER]);
        let users: Vec<_> = uids.map_while(|uid| seat_for(uid, &seats)).collect();
        assert_eq!(users.len(), OF_USERS);
        let root: Vec<_> = (0..OF_ROOT).map(|_| seat_for(0, &seats).expect("a seat")).collect();
        assert!(seat_for(60_000, &seats).is_none());
        drop((users, root));
        assert!(seats.are_free());
    }

    #[test]
    fn of_roots_callers_the_first_who_is_silent_makes_room() {
        let seats = Seats::default();
        let user = seat_for(1000, &seats);
        let (visits, mut ends): (Vec<_>, Vec<_>) = (0..OF_ROOT).map(|_| visit_of(0)).unzip();
        let mut taken: Vec<_> = visits.iter().map(|visit| seats.take(visit).expect("a seat")).collect();
        // The first is being judged, and the second has had his answer.
        for (visit, end) in visits.iter().zip(&mut ends) {
            io::Write::write_all(end, b"?").unwrap();
            assert_eq!(visit.listen(&mut [0; 8]).unwrap(), 1);
        }
        assert!(seat_for(0, &seats).is_none(), "all are being judged");
        visits[1].is_silent.store(true, Ordering::Relaxed);
        visits[2].is_silent.store(true, Ordering::Relaxed);
        let newcomer = seat_for(0, &seats).expect("the seat of the second");
        assert_eq!(ends[1].read(&mut [0; 8]).unwrap(), 0, "he is still there");
        // His thread leaves the seat that is another's by now.
        drop(taken.remove(1));
        drop(newcomer);
        assert!(seat_for(0, &seats).is_some());
        drop((taken, user));
        assert!(seats.are_free());
    }
}
