//! Once: a time step or a counter value is good for one login (RFC 6238 §5.2, RFC 4226 §7.2).

use super::resync::MOST_STEPS;
use super::window::{Candidate, WINDOW, learn_drift};
use crate::credential::state::MOST_DRIFT;
use crate::credential::{Authenticator, Credential, KeyName, KeyRecord, Kind, State};

/// Whether a time step or counter can still be accepted.
pub fn is_fresh(record: &KeyRecord, candidate: Candidate) -> bool {
    candidate.factor >= record.next
}

/// Uses up a candidate and everything before it.
pub fn spend(record: &mut KeyRecord, candidate: Candidate) {
    record.next = record.next.max(candidate.factor.saturating_add(1));
    learn_drift(record, candidate.offset);
}

/// The record of a key about which nothing is known: every code that could have been accepted by now
/// counts as used, also from a device whose clock is as far ahead as may be learned. `None` for a
/// counter, of which nobody can say where it stands.
pub fn burned(key: KeyName, kind: Kind, now: u64) -> Option<KeyRecord> {
    let Kind::Totp(period) = kind else { return None };
    let last =
        period.step_at(now).saturating_add(u64::from(MOST_DRIFT)).saturating_add_signed(i64::from(WINDOW));
    Some(KeyRecord { key, next: last.saturating_add(1), drift: 0, lean: 0 })
}

/// How many seconds after `now` the first code is taken from an authenticator whose window is burned at
/// `now`, if its clock is right; 0 for a counter.
pub fn seconds_until_taken(kind: Kind, now: u64) -> u64 {
    let (Kind::Totp(period), Some(record)) = (kind, burned(KeyName([0; 8]), kind, now)) else { return 0 };
    record.next.saturating_mul(period.seconds()).saturating_sub(now)
}

/// Whether a record lies further ahead than any code of today could have put it: the clock was ahead
/// when the record was made, or it is behind now. Never of a counter, which knows no clock.
pub fn is_ahead(record: &KeyRecord, kind: Kind, now: u64) -> bool {
    match kind {
        Kind::Totp(period) => record.next > period.step_at(now).saturating_add(MOST_STEPS).saturating_add(1),
        Kind::Hotp => false,
    }
}

/// Which codes of a key count as used, as far as its record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsedUp {
    /// None.
    Nothing,
    /// Those up to the one that was shown at this time, in seconds since 1970.
    Since(u64),
    /// Those up to this time, which is still to come: the window was burned, or the clock was ahead.
    Until(u64),
    /// Those below this counter.
    Below(u64),
}

/// Which codes of a key count as used, told in the time of this machine.
pub fn used_up(record: &KeyRecord, kind: Kind, now: u64) -> UsedUp {
    let period = match kind {
        Kind::Hotp => return UsedUp::Below(record.next),
        Kind::Totp(_) if record.next == 0 => return UsedUp::Nothing,
        Kind::Totp(period) => period,
    };
    let drift = i64::from(record.drift);
    let time_of = |step: u64| period.start_of(step.saturating_add_signed(-drift));
    let last = record.next.saturating_sub(1);
    // A device may be ahead by the window beyond its drift, and its code of today is no code of tomorrow.
    let furthest = period.step_at(now).saturating_add_signed(drift + i64::from(WINDOW));
    if last <= furthest { UsedUp::Since(time_of(last).min(now)) } else { UsedUp::Until(time_of(record.next)) }
}

/// Burns the present window in place of every record that is ahead of the clock, and tells whether
/// there was one.
pub fn burn_those_ahead(credential: &Credential, state: &mut State, now: u64) -> bool {
    let present = |authenticator: &Authenticator| {
        let record = state.key(authenticator.key_name())?;
        is_ahead(record, authenticator.kind, now).then(|| burned(record.key, authenticator.kind, now))?
    };
    let brought_back: Vec<KeyRecord> = credential.authenticators.iter().filter_map(present).collect();
    for record in &brought_back {
        state.put_key(*record, &[]);
    }
    !brought_back.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::window::candidates;
    use super::*;
    use crate::otp::Period;

    const TOTP: Kind = Kind::Totp(Period::RECOMMENDED);

    #[test]
    fn a_burned_window_leaves_nothing_good_until_it_has_passed() {
        let record = burned(KeyName([0; 8]), TOTP, 3000).unwrap();
        assert!(candidates(TOTP, &record, 3000).iter().all(|candidate| !is_fresh(&record, *candidate)));
        // Eleven steps ahead: a drift of ten and the window.
        let fresh_at =
            |now| candidates(TOTP, &record, now).iter().any(|candidate| is_fresh(&record, *candidate));
        assert!(!fresh_at(3000 + 10 * 30));
        assert!(fresh_at(3000 + 11 * 30));
        assert!(burned(KeyName([0; 8]), Kind::Hotp, 3000).is_none());
    }

    #[test]
    fn only_what_no_code_of_today_can_leave_is_ahead() {
        let burned = burned(KeyName([0; 8]), TOTP, 3000).unwrap();
        assert!(!is_ahead(&burned, TOTP, 3000));
        let furthest = KeyRecord { next: 100 + MOST_STEPS + 1, ..burned };
        assert!(!is_ahead(&furthest, TOTP, 3000));
        assert!(is_ahead(&furthest, TOTP, 2999));
        assert!(!is_ahead(&KeyRecord { next: u64::MAX, ..burned }, Kind::Hotp, 3000));
    }

    #[test]
    fn what_is_used_up_is_told_in_the_time_of_this_machine() {
        let record = |next, drift| KeyRecord { key: KeyName([0; 8]), next, drift, lean: 0 };
        assert_eq!(used_up(&record(0, 0), TOTP, 3010), UsedUp::Nothing);
        assert_eq!(used_up(&record(101, 0), TOTP, 3010), UsedUp::Since(3000));
        assert_eq!(used_up(&record(91, 0), TOTP, 3010), UsedUp::Since(2700));
        assert_eq!(used_up(&record(101, 5), TOTP, 3010), UsedUp::Since(2850), "its clock is ahead");
        assert_eq!(used_up(&record(102, 0), TOTP, 3010), UsedUp::Since(3010), "a code of the window");
        let burned = burned(KeyName([0; 8]), TOTP, 3010).unwrap();
        assert_eq!(used_up(&burned, TOTP, 3010), UsedUp::Until(3360));
        assert_eq!(3010 + seconds_until_taken(TOTP, 3010), 3360);
        assert_eq!(used_up(&record(u64::MAX, -10), TOTP, 3010), UsedUp::Until(u64::MAX));
        assert_eq!(used_up(&record(7, 0), Kind::Hotp, 3010), UsedUp::Below(7));
    }

    #[test]
    fn spending_uses_up_everything_before() {
        let mut record = burned(KeyName([0; 8]), TOTP, 0).unwrap();
        spend(&mut record, Candidate { factor: 100, offset: 0 });
        assert!(!is_fresh(&record, Candidate { factor: 100, offset: 0 }));
        assert!(!is_fresh(&record, Candidate { factor: 99, offset: -1 }));
        assert!(is_fresh(&record, Candidate { factor: 101, offset: 1 }));
        spend(&mut record, Candidate { factor: 50, offset: 0 });
        assert!(!is_fresh(&record, Candidate { factor: 100, offset: 0 }), "never goes back");
    }
}
