//! Which codes of an authenticator are good now (RFC 4226 §7.4, RFC 6238 §5.2 and §6).

use crate::credential::state::{LAST_COUNTER, MOST_DRIFT};
use crate::credential::{KeyRecord, Kind};

/// Time steps to either side of the device's own time that are still taken (RFC 6238 §5.2).
pub const WINDOW: i8 = 1;
/// Counter values from the next one on that are tried (RFC 4226 §7.4).
pub const LOOK_AHEAD: u64 = 10;

/// A time step or counter that a code may belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The time step (RFC 6238) or the counter (RFC 4226).
    pub factor: u64,
    /// How far from the device's expected time step; 0 for a counter.
    pub offset: i8,
}

/// All candidates at a moment, in a fixed order. Some may be used up.
pub fn candidates(kind: Kind, record: &KeyRecord, now: u64) -> Vec<Candidate> {
    match kind {
        Kind::Totp(period) => {
            let centre = period.step_at(now).saturating_add_signed(i64::from(record.drift));
            (-WINDOW..=WINDOW)
                .filter_map(|offset| {
                    let factor = centre.checked_add_signed(i64::from(offset))?;
                    Some(Candidate { factor, offset })
                })
                .collect()
        }
        // The last one that was used is looked at too, so that typing it twice is told as what it is.
        Kind::Hotp => {
            let highest = record.next.saturating_add(LOOK_AHEAD - 1).min(LAST_COUNTER);
            let factors = record.next.saturating_sub(1)..=highest;
            factors.map(|factor| Candidate { factor, offset: 0 }).collect()
        }
    }
}

/// Learns from an accepted code how far the device's clock is off: one step at a time, and only
/// when two accepted codes in a row were off to the same side.
pub fn learn_drift(record: &mut KeyRecord, offset: i8) {
    if offset == 0 || offset != record.lean {
        record.lean = offset;
        return;
    }
    let drift = record.drift.saturating_add(offset);
    if drift.unsigned_abs() <= MOST_DRIFT {
        record.drift = drift;
    }
    record.lean = 0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::KeyName;
    use crate::otp::Period;

    fn record() -> KeyRecord {
        KeyRecord { key: KeyName([0; 8]), next: 0, drift: 0, lean: 0 }
    }

    fn factors(kind: Kind, record: &KeyRecord, now: u64) -> Vec<u64> {
        candidates(kind, record, now).iter().map(|candidate| candidate.factor).collect()
    }

    #[test]
    fn one_step_to_either_side_of_the_drifted_time_is_taken() {
        let kind = Kind::Totp(Period::RECOMMENDED);
        assert_eq!(factors(kind, &record(), 3000), [99, 100, 101]);
        assert_eq!(factors(kind, &KeyRecord { drift: -3, ..record() }, 3029), [96, 97, 98]);
        assert_eq!(factors(kind, &record(), 0), [0, 1]);
    }

    #[test]
    fn ten_counters_from_the_next_one_on_are_looked_at_and_the_last_used_one() {
        assert_eq!(factors(Kind::Hotp, &record(), 0), (0..10).collect::<Vec<_>>());
        let record = KeyRecord { next: 5, ..record() };
        assert_eq!(factors(Kind::Hotp, &record, 0), (4..15).collect::<Vec<_>>());
    }

    #[test]
    fn beyond_the_last_counter_nothing_is_looked_at() {
        let at = |next| factors(Kind::Hotp, &KeyRecord { next, ..record() }, 0);
        assert_eq!(at(LAST_COUNTER - 1), [LAST_COUNTER - 2, LAST_COUNTER - 1, LAST_COUNTER]);
        assert_eq!(at(LAST_COUNTER + 1), [LAST_COUNTER], "it is used up, and told so");
        assert!(at(u64::MAX).is_empty());
    }

    #[test]
    fn drift_needs_two_codes_to_the_same_side_for_each_step() {
        let mut record = record();
        for (offset, drift) in
            [(1, 0), (-1, 0), (1, 0), (0, 0), (1, 0), (1, 1), (1, 1), (1, 2), (-1, 2), (-1, 1)]
        {
            learn_drift(&mut record, offset);
            assert_eq!(record.drift, drift, "after {offset}");
        }
    }

    #[test]
    fn drift_stays_within_its_bounds() {
        let mut record = record();
        for _ in 0..100 {
            learn_drift(&mut record, -1);
        }
        assert_eq!(record.drift, -10);
    }
}
