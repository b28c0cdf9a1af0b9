//! How often passwords were guessed by way of the service, by uid. Computes only: time is a parameter.
//!
//! One proof at a time and uid, one start a second, and the waits of `policy::throttle` after failures and after
//! proofs that were begun and never answered. The memory is bounded, and nothing in it makes room for another: when it is full, newcomers are refused.

use std::collections::BTreeMap;

use crate::policy::throttle::{LONGEST_WAIT, wait_after};

/// How many uids are remembered at most.
pub const MOST_UIDS: usize = 1024;
/// How long a uid is remembered after its last failure, in seconds.
pub const REMEMBERED_FOR: u64 = 4 * LONGEST_WAIT;

/// Why no proof may be begun now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another one of the same uid is not over.
    Running,
    /// There were failures: not for this many seconds, at least one.
    Wait(u64),
    /// Another one of the same uid was begun within this second.
    TooSoon,
    /// Too many others have failed of late or are at it.
    Full,
}

/// How a proof that was begun has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The password was right: earlier failures are forgotten.
    Proven,
    /// It was not, or it was tried and nobody knows: this counts.
    Failed,
    /// It was asked for a password and got none: this counts as a failure too, because each costs a process.
    Untried,
    /// It never asked for a password: nothing was tried, and not because of the user.
    Unasked,
}

/// What is remembered of all uids.
#[derive(Debug, Default)]
pub struct Failures {
    uids: BTreeMap<u32, Record>,
}

/// What is remembered of one.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    is_running: bool,
    count: u32,
    last: u64,
    begun: Option<u64>,
}

impl Failures {
    /// Begins a proof of a uid at `now`, in seconds on any clock. What comes of it must be told to
    /// [`Failures::end`], or the uid can never begin another one.
    pub fn begin(&mut self, uid: u32, now: u64) -> Result<(), Refusal> {
        self.forget_the_old(now);
        let record = self.uids.get(&uid).copied().unwrap_or_default();
        if record.is_running {
            return Err(Refusal::Running);
        }
        let left = wait_after(record.count).saturating_sub(now.saturating_sub(record.last));
        if left > 0 {
            return Err(Refusal::Wait(left));
        }
        if record.begun == Some(now) {
            return Err(Refusal::TooSoon);
        }
        if !self.uids.contains_key(&uid) && self.uids.len() >= MOST_UIDS {
            return Err(Refusal::Full);
        }
        self.uids.insert(uid, Record { is_running: true, begun: Some(now), ..record });
        Ok(())
    }

    /// Takes down what came of a proof that was begun. Of one that was not, nothing is kept.
    pub fn end(&mut self, uid: u32, ended: Ended, now: u64) {
        let Some(record) = self.uids.get_mut(&uid).filter(|record| record.is_running) else { return };
        record.is_running = false;
        match ended {
            Ended::Proven => record.count = 0,
            Ended::Failed | Ended::Untried => {
                record.count = record.count.saturating_add(1);
                record.last = now;
            }
            Ended::Unasked => {}
        }
        self.forget_the_old(now);
    }

    /// Whether nothing is remembered at `now`, so that nothing is lost when the service ends.
    pub fn is_idle(&self, now: u64) -> bool {
        self.uids.values().all(|record| record.is_forgotten(now))
    }

    fn forget_the_old(&mut self, now: u64) {
        for record in self.uids.values_mut() {
            // A clock that went back makes nobody wait longer than he would have.
            record.last = record.last.min(now);
            record.begun = record.begun.map(|begun| begun.min(now));
        }
        self.uids.retain(|_, record| !record.is_forgotten(now));
    }
}

impl Record {
    fn is_forgotten(&self, now: u64) -> bool {
        let is_of_this_second = self.begun.is_some_and(|begun| begun >= now);
        !self.is_running
            && !is_of_this_second
            && (self.count == 0 || now.saturating_sub(self.last) >= REMEMBERED_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: u32 = 1000;
    const BOB: u32 = 1001;

    /// A proof that was begun a second ago and fails now.
    fn fail(failures: &mut Failures, uid: u32, now: u64) {
        come_to(Ended::Failed, failures, uid, now);
    }

    fn come_to(ended: Ended, failures: &mut Failures, uid: u32, now: u64) {
        failures.begin(uid, now).unwrap();
        failures.end(uid, ended, now);
        // The second is over.
        failures.uids.values_mut().for_each(|record| record.begun = None);
    }

    #[test]
    fn the_waits_double_from_half_a_minute_to_a_quarter_of_an_hour() {
        let mut failures = Failures::default();
        let mut now = 1000;
        for _ in 0..5 {
            fail(&mut failures, ALICE, now);
        }
        for wait in [30, 60, 120, 240, 480, 900, 900] {
            assert_eq!(failures.begin(ALICE, now), Err(Refusal::Wait(wait)));
            assert_eq!(failures.begin(ALICE, now + wait - 1), Err(Refusal::Wait(1)));
            now += wait;
            fail(&mut failures, ALICE, now);
        }
    }

    #[test]
    fn a_wait_is_the_own_ones_and_asking_does_not_make_it_longer() {
        let mut failures = Failures::default();
        for _ in 0..5 {
            fail(&mut failures, ALICE, 1000);
        }
        assert_eq!(failures.begin(BOB, 1000), Ok(()));
        assert_eq!(failures.begin(ALICE, 1029), Err(Refusal::Wait(1)));
        assert_eq!(failures.begin(ALICE, 1030), Ok(()));
    }

    #[test]
    fn one_proof_at_a_time_and_uid() {
        let mut failures = Failures::default();
        assert_eq!(failures.begin(ALICE, 0), Ok(()));
        assert_eq!(failures.begin(ALICE, 0), Err(Refusal::Running));
        assert_eq!(failures.begin(ALICE, REMEMBERED_FOR * 2), Err(Refusal::Running));
        assert_eq!(failures.begin(BOB, 0), Ok(()));
        failures.end(ALICE, Ended::Untried, 0);
        assert_eq!(failures.begin(ALICE, 1), Ok(()));
    }

    #[test]
    fn one_start_a_second_and_uid_however_it_ended() {
        for ended in [Ended::Proven, Ended::Failed, Ended::Untried, Ended::Unasked] {
            let mut failures = Failures::default();
            failures.begin(ALICE, 100).unwrap();
            failures.end(ALICE, ended, 100);
            assert!(!failures.is_idle(100), "{ended:?}");
            assert_eq!(failures.begin(ALICE, 100), Err(Refusal::TooSoon), "{ended:?}");
            assert_eq!(failures.begin(BOB, 100), Ok(()), "{ended:?}");
            assert_eq!(failures.begin(ALICE, 101), Ok(()), "{ended:?}");
        }
    }

    #[test]
    fn a_proof_that_is_never_answered_rests_as_a_failed_one_does() {
        for (ended, refused) in [(Ended::Untried, true), (Ended::Failed, true), (Ended::Unasked, false)] {
            let mut failures = Failures::default();
            for _ in 0..5 {
                come_to(ended, &mut failures, ALICE, 1000);
            }
            assert_eq!(failures.begin(ALICE, 1029).is_err(), refused, "{ended:?}");
            assert_eq!(failures.begin(ALICE, 1030).is_ok(), refused, "{ended:?}");
        }
    }

    #[test]
    fn a_proof_forgets_failures() {
        let mut failures = Failures::default();
        for _ in 0..5 {
            fail(&mut failures, ALICE, 0);
        }
        assert_eq!(failures.begin(ALICE, 0), Err(Refusal::Wait(30)));
        failures.begin(ALICE, 30).unwrap();
        failures.end(ALICE, Ended::Proven, 30);
        assert!(failures.is_idle(31));
        for _ in 0..5 {
            fail(&mut failures, ALICE, 31);
        }
    }

    #[test]
    fn an_end_without_a_beginning_says_nothing() {
        let mut failures = Failures::default();
        failures.end(ALICE, Ended::Failed, 0);
        assert!(failures.is_idle(0));
        for _ in 0..5 {
            fail(&mut failures, ALICE, 0);
        }
        failures.end(ALICE, Ended::Proven, 0);
        assert_eq!(failures.begin(ALICE, 0), Err(Refusal::Wait(30)));
    }

    #[test]
    fn a_full_memory_refuses_newcomers_and_forgets_nobody() {
        let mut failures = Failures::default();
        for uid in (2000..).take(MOST_UIDS) {
            fail(&mut failures, uid, 10);
        }
        assert_eq!(failures.begin(ALICE, 11), Err(Refusal::Full));
        assert_eq!(failures.begin(2000, 11), Ok(()));
        failures.end(2000, Ended::Proven, 11);
        assert_eq!(failures.begin(ALICE, 11), Err(Refusal::Full), "within the same second");
        assert_eq!(failures.begin(ALICE, 12), Ok(()));
        assert_eq!(failures.begin(BOB, 12), Err(Refusal::Full));
        assert_eq!(failures.begin(BOB, 10 + REMEMBERED_FOR), Ok(()));
    }

    #[test]
    fn the_service_is_idle_once_all_is_forgotten() {
        let mut failures = Failures::default();
        assert!(failures.is_idle(0));
        failures.begin(ALICE, 0).unwrap();
        assert!(!failures.is_idle(0));
        failures.end(ALICE, Ended::Failed, 5);
        assert!(!failures.is_idle(5 + REMEMBERED_FOR - 1));
        assert!(failures.is_idle(5 + REMEMBERED_FOR));
    }

    #[test]
    fn a_clock_that_goes_back_makes_no_wait_longer() {
        let mut failures = Failures::default();
        for _ in 0..5 {
            fail(&mut failures, ALICE, 1_000_000);
        }
        assert_eq!(failures.begin(ALICE, 1000), Err(Refusal::Wait(30)));
        assert_eq!(failures.begin(ALICE, 1030), Ok(()));
    }

    #[test]
    fn who_waits_longest_is_still_remembered_when_he_may_try_again() {
        let mut failures = Failures::default();
        let mut now = 0;
        for _ in 0..41 {
            match failures.begin(ALICE, now) {
                Ok(()) => failures.end(ALICE, Ended::Failed, now),
                Err(Refusal::Wait(wait)) => now += wait,
                Err(Refusal::TooSoon) => now += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(failures.begin(ALICE, now), Err(Refusal::Wait(LONGEST_WAIT)));
    }
}
