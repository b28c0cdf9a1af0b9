//! What holds of every decision whatever the model says, and what a decision is called.

use pam_countersign::credential::{KeyRecord, State};
use pam_countersign::policy::{Denial, Proof};

/// What holds whatever the model says: it could be wrong in the same way.
pub fn plain_rules(
    before: &State,
    after: &State,
    verdict: &Result<Proof, Denial>,
    now: u64,
) -> Result<(), String> {
    let failures = |state: &State| -> u64 {
        let known = state.known.iter().map(|known| u64::from(known.failures.count));
        known.chain(state.counters.iter().map(|counter| u64::from(counter.count))).sum()
    };
    let (was, is) = (failures(before), failures(after));
    let used = |record: &KeyRecord| after.key(record.key).is_some_and(|after| after.next >= record.next);
    let is_charged = matches!(verdict, Err(Denial::WrongCode | Denial::WrongRecoveryCode));
    let brought_back = matches!(verdict, Ok(Proof::Recovery { brought_back: true, .. }));
    let rules = [
        ("an acceptance charges nothing", verdict.is_err() || is <= was),
        ("a wrong code is charged, once", !is_charged || is == was + 1),
        ("nothing else is charged", is_charged || is <= was),
        ("a denial forgives nothing", verdict.is_ok() || is >= was),
        ("a failure evicts nobody", verdict.is_ok() || after.known.len() == before.known.len()),
        ("nobody waits longer", !matches!(verdict, Err(Denial::BackedOff { seconds }) if *seconds > 900)),
        ("a used code stays used", brought_back || before.keys.iter().all(used)),
        ("what is written is dated", after.written == if before == after { before.written } else { now }),
    ];
    rules.iter().find(|(_, holds)| !holds).map_or(Ok(()), |(rule, _)| Err((*rule).to_owned()))
}

/// The verdict's word: an event or a reason, as in the log.
pub fn word(verdict: &Result<Proof, Denial>) -> &'static str {
    match verdict {
        Ok(Proof::Code { resynchronised: false, .. }) => "accepted",
        Ok(Proof::Code { resynchronised: true, .. }) => "resynchronised",
        Ok(Proof::Recovery { brought_back: false, .. }) => "recovered",
        Ok(Proof::Recovery { brought_back: true, .. }) => "brought_back",
        Ok(Proof::Remembered { .. }) => "remembered",
        Ok(Proof::Enrolled { .. }) => "enrolled",
        Err(denial) => denial.reason(),
    }
}
