//! Recovery codes: each is good once (SP 800-63B §5.1.2), and only of a set that the state vouches for.

use subtle::ConstantTimeEq as _;

use super::denial::Denial;
use super::throttle::{CAP, Standing, charge, standing, standing_after};
use crate::credential::{Credential, Failures, RecoverySet, SourceName, State};
use crate::otp::{RecoveryDigest, RecoverySalt};

/// Whether a recovery code from `source` is judged at `now`.
///
/// It is where a code from there would be. Where codes from there are refused it is judged all the same, for a recovery
/// code is what helps then, unless the wrong recovery codes of all sources together have earned a wait.
pub fn standing_of_recovery(state: &State, source: &SourceName, now: u64) -> Standing {
    match standing(state, source, now) {
        Standing::Free => Standing::Free,
        Standing::Wait(_) | Standing::Capped => standing_after(state.recovery.failures, now),
    }
}

/// Spends a recovery code and tells how many are left. A wrong one is charged to its source, as a wrong code is.
pub(super) fn spend(
    credential: &Credential,
    state: &mut State,
    (salt, digest): (RecoverySalt, &RecoveryDigest),
    source: &SourceName,
    now: u64,
) -> Result<usize, Denial> {
    let spent = spend_if_good(credential, state, salt, digest);
    if spent == Err(Denial::WrongRecoveryCode) {
        charge(state, source, now);
        let Failures { count, .. } = state.recovery.failures;
        state.recovery.failures = Failures { count: count.saturating_add(1).min(CAP), last: now };
    }
    spent
}

/// As [`spend`], but a wrong one counts as nothing: of the end of a line nobody can say that it was meant for one.
pub(super) fn spend_if_good(
    credential: &Credential,
    state: &mut State,
    salt: RecoverySalt,
    digest: &RecoveryDigest,
) -> Result<usize, Denial> {
    let set = credential.recovery.as_ref().filter(|set| set.salt == salt);
    let set = set.ok_or(Denial::WrongRecoveryCode)?;
    let vouched = state.recovery.set_mut(set.name()).ok_or(Denial::UnvouchedRecoveryCodes)?;
    let known = set.digests.iter().fold(subtle::Choice::from(0), |found, kept| found | kept.ct_eq(digest));
    if !bool::from(known) {
        return Err(Denial::WrongRecoveryCode);
    }
    if vouched.used.contains(&digest.name()) {
        return Err(Denial::SpentRecoveryCode);
    }
    vouched.used.push(digest.name());
    state.recovery.failures = Failures::default();
    Ok(codes_left(set, state))
}

/// Fewer recovery codes than this are few: their owner is warned.
pub const FEW_CODES: usize = 3;

/// How many recovery codes of the set in force can still be used.
pub fn codes_left(set: &RecoverySet, state: &State) -> usize {
    let Some(vouched) = state.recovery.set(set.name()) else { return 0 };
    set.digests.iter().filter(|digest| !vouched.used.contains(&digest.name())).count()
}
