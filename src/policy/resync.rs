//! Resynchronisation (RFC 4226 §7.4, RFC 6238 §6): a device whose clock or counter is off by more than
//! the window shows that it is the right one by two consecutive codes.
//!
//! Both must lie above everything that was used, so codes noted from a borrowed phone before the last
//! login never count, and a pair counts once.

use std::ops::RangeInclusive;

use subtle::ConstantTimeEq as _;

use crate::credential::state::{LAST_COUNTER, MOST_DRIFT};
use crate::credential::{Authenticator, KeyRecord, Kind};
use crate::otp::Code;

/// How far a device's clock may be off, in time steps to either side.
pub const MOST_STEPS: u64 = 20;
/// How far a device's counter may be ahead.
pub const MOST_COUNTERS: u64 = 50;

/// The time step or counter of the second of two consecutive codes, if the authenticator makes them.
pub fn second_of_pair(
    authenticator: &Authenticator,
    record: &KeyRecord,
    codes: (&Code, &Code),
    now: u64,
) -> Option<u64> {
    let (lowest, highest) = reach(authenticator.kind, record, now);
    second_in(&(lowest.saturating_add(1)..=highest), authenticator, codes)
}

/// The lowest time step or counter that the first of two codes may belong to, and the highest of the second.
pub fn reach(kind: Kind, record: &KeyRecord, now: u64) -> (u64, u64) {
    match kind {
        Kind::Totp(period) => {
            let step = period.step_at(now);
            (step.saturating_sub(MOST_STEPS).max(record.next), step.saturating_add(MOST_STEPS))
        }
        Kind::Hotp => (record.next, record.next.saturating_add(MOST_COUNTERS).min(LAST_COUNTER)),
    }
}

/// The time step or counter of the second code, if it is one of `seconds` and the first code belongs to
/// the one before.
pub fn second_in(
    seconds: &RangeInclusive<u64>,
    authenticator: &Authenticator,
    codes: (&Code, &Code),
) -> Option<u64> {
    let generator = authenticator.generator();
    let mut found = None;
    // None is left out and nothing ends early, as with a single code.
    for second in seconds.clone() {
        let first = generator.code(second.saturating_sub(1)).ct_eq(codes.0);
        if bool::from(first & generator.code(second).ct_eq(codes.1)) {
            found = found.or(Some(second));
        }
    }
    found
}

/// Uses up everything to the second code, and takes over how far the device is off, as far as that may
/// be learned.
pub fn take_over(kind: Kind, record: &mut KeyRecord, second: u64, now: u64) {
    record.next = record.next.max(second.saturating_add(1));
    if let Kind::Totp(period) = kind {
        let off = second.cast_signed().saturating_sub(period.step_at(now).cast_signed());
        let most = i64::from(MOST_DRIFT);
        record.drift = i8::try_from(off.clamp(-most, most)).unwrap_or(0);
        record.lean = 0;
    }
}
