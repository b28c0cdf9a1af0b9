//! Recovery codes: each is good once (SP 800-63B §5.1.2), and only of a set that the state vouches for.

use subtle::ConstantTimeEq as _;

use super::denial::Denial;
use super::throttle::{CAP, charge, standing};
use crate::credential::{Credential, RecoverySet, SourceName, State};
use crate::otp::{RecoveryDigest, RecoverySalt};

/// Spends a recovery code and tells how many are left. It is judged also where codes from its source are refused, since
/// a right one is what helps there. A wrong one is refused there as a code is; elsewhere it is charged as a code is.
pub(super) fn spend(
    credential: &Credential,
    state: &mut State,
    (salt, digest): (RecoverySalt, &RecoveryDigest),
    source: &SourceName,
    now: u64,
) -> Result<usize, Denial> {
    let spent = spend_if_good(credential, state, salt, digest);
    if spent == Err(Denial::WrongRecoveryCode) {
        standing(state, source, now).admits()?;
        charge(state, source, now);
        count_failure(state);
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
    state.recovery.failures = 0;
    Ok(codes_left(set, state))
}

/// Counts a wrong recovery code. More than the cap tell nothing, and each would be a write under the lock.
fn count_failure(state: &mut State) {
    state.recovery.failures = state.recovery.failures.saturating_add(1).min(CAP);
}

/// Fewer recovery codes than this are few: their owner is warned.
pub const FEW_CODES: usize = 3;

/// How many recovery codes of the set in force can still be used.
pub fn codes_left(set: &RecoverySet, state: &State) -> usize {
    let Some(vouched) = state.recovery.set(set.name()) else { return 0 };
    set.digests.iter().filter(|digest| !vouched.used.contains(&digest.name())).count()
}
