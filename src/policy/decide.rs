//! The decision on one typed passcode, and what it leaves in the state.

use subtle::{Choice, ConstantTimeEq};

pub use super::attempt::{Attempt, Presented};
pub use super::denial::Denial;
use super::replay::{burn_those_ahead, burned, is_ahead, is_fresh, spend};
use super::resync::{second_of_pair, take_over};
use super::throttle::{charge, forget_future, lift_cap, standing, welcome};
use super::window::{Candidate, candidates};
use super::{notice, recovery};
use crate::credential::{Authenticator, Credential, KeyName, KeyRecord, Kind, SourceName, State};
use crate::otp::{Code, RecoveryDigest, RecoverySalt};

/// The proof that lets a person in. Only [`decide`] makes one, with what it spent, a login that is remembered
/// ([`super::remembered::recall`]), a first code that an enrolment has spent, and the reply of a verifier that runs
/// as root ([`Accepted::by_word_of_root`]).
#[derive(Debug, PartialEq, Eq)]
pub struct Accepted {
    proof: Proof,
}

/// What was proven, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A code, now spent.
    Code {
        /// The authenticator's name.
        authenticator: String,
        /// How long the code is.
        digits: u8,
        /// The drift that is now known of it, in time steps.
        drift: i8,
        /// Whether it took two consecutive codes, for the device was off by more than the window.
        resynchronised: bool,
    },
    /// A recovery code, now spent.
    Recovery {
        /// How many of the set are left.
        left: usize,
        /// Whether records from a clock that was ahead were brought back to the present.
        brought_back: bool,
    },
    /// The first code of a device that is kept since, now spent.
    Enrolled {
        /// The authenticator's name.
        authenticator: String,
    },
    /// A code before, from the same place.
    Remembered {
        /// When that was taken, in seconds since 1970.
        since: u64,
    },
}

impl Accepted {
    fn by_code(authenticator: &Authenticator, drift: i8, resynchronised: bool) -> Self {
        let Authenticator { id, digits, .. } = authenticator;
        Self {
            proof: Proof::Code { authenticator: id.clone(), digits: digits.number(), drift, resynchronised },
        }
    }

    fn by_recovery_code(left: usize, brought_back: bool) -> Self {
        Self { proof: Proof::Recovery { left, brought_back } }
    }

    /// Only for an enrolment inside of a login that is kept: `crate::enrol::keep_at_login` makes it.
    pub(crate) fn by_first_code(authenticator: String) -> Self {
        Self { proof: Proof::Enrolled { authenticator } }
    }

    /// Only for a login that [`super::remembered::recall`] has found.
    pub(super) fn by_memory(since: u64) -> Self {
        Self { proof: Proof::Remembered { since } }
    }

    /// What a verifier that runs as root says that it has decided and spent. Nobody else is believed:
    /// `tests/layers.rs` knows the one place that calls this.
    pub fn by_word_of_root(proof: Proof) -> Self {
        Self { proof }
    }

    /// What was proven.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }
}

/// Decides on one attempt at `now` and writes into `state` what follows from it.
///
/// The caller holds the user's lock and tells the verdict only once the state is on disk.
pub fn decide(
    credential: &Credential,
    state: &mut State,
    attempt: &Attempt,
    now: u64,
) -> Result<Accepted, Denial> {
    let before = state.clone();
    let verdict = judge(credential, state, attempt, now);
    notice::note(state, &verdict, &attempt.source, now);
    if *state != before {
        state.written = now;
    }
    verdict
}

fn judge(
    credential: &Credential,
    state: &mut State,
    attempt: &Attempt,
    now: u64,
) -> Result<Accepted, Denial> {
    if credential.disabled {
        return Err(Denial::Disabled);
    }
    forget_future(state, now);
    let accepted = match &attempt.presented {
        Presented::Code { code, previous } => {
            by_code(credential, state, (std::slice::from_ref(code), previous.as_ref()), &attempt.source, now)?
        }
        // Of a line that ends in no code nobody can say that it was meant for one.
        Presented::Ending { codes, recovery: None } if codes.is_empty() => return Err(Denial::Malformed),
        Presented::Ending { codes, recovery: Some((salt, digest)) } if codes.is_empty() => {
            by_recovery_ending(credential, state, (*salt, digest), attempt, Denial::Malformed)?
        }
        Presented::Ending { codes, recovery } => {
            let by_code = by_code(credential, state, (codes, None), &attempt.source, now);
            by_code.or_else(|denial| match recovery {
                Some((salt, digest)) => {
                    by_recovery_ending(credential, state, (*salt, digest), attempt, denial)
                }
                None => Err(denial),
            })?
        }
        Presented::Recovery { salt, digest, previous } => {
            let left = recovery::spend(credential, state, (*salt, digest), &attempt.source, now)?;
            lift_cap(state, &attempt.source);
            let brought_back = bring_back(credential, state, previous.as_ref(), now);
            Accepted::by_recovery_code(left, brought_back)
        }
    };
    welcome(state, &attempt.source, now);
    Ok(accepted)
}

fn by_code(
    credential: &Credential,
    state: &mut State,
    (codes, previous): (&[Code], Option<&Code>),
    source: &SourceName,
    now: u64,
) -> Result<Accepted, Denial> {
    standing(state, source, now).admits()?;
    let usable = usable_keys(credential, state, now);
    if usable.is_empty() {
        return Err(Denial::NoUsableAuthenticator);
    }
    let matches = matches_of(&usable, codes, now);
    if !matches.is_empty() {
        return spend_all(state, &matches).ok_or_else(|| {
            let ahead = |found: &Match<'_>| is_ahead(&found.record, found.authenticator.kind, now);
            let ahead = matches.iter().any(ahead);
            if ahead { Denial::ClockWentBack } else { Denial::SpentCode }
        });
    }
    let pair = previous.zip(codes.first());
    let pair = pair.and_then(|pair| by_pair(state, &usable, pair, now));
    pair.ok_or_else(|| {
        charge(state, source, now);
        Denial::WrongCode
    })
}

/// A recovery code at the end of a line that no code is at the end of.
fn by_recovery_ending(
    credential: &Credential,
    state: &mut State,
    (salt, digest): (RecoverySalt, &RecoveryDigest),
    attempt: &Attempt,
    denial: Denial,
) -> Result<Accepted, Denial> {
    match recovery::spend_if_good(credential, state, salt, digest) {
        Ok(left) => {
            lift_cap(state, &attempt.source);
            Ok(Accepted::by_recovery_code(left, false))
        }
        Err(Denial::SpentRecoveryCode) => Err(Denial::SpentRecoveryCode),
        Err(_) => Err(denial),
    }
}

/// Two consecutive codes of an authenticator that is off by more than the window.
fn by_pair(state: &mut State, usable: &[Usable<'_>], codes: (&Code, &Code), now: u64) -> Option<Accepted> {
    let (Usable { authenticator, record }, second) = usable.iter().find_map(|usable| {
        let second = second_of_pair(usable.authenticator, &usable.record, codes, now)?;
        Some((usable, second))
    })?;
    let record = state.key_mut(record.key)?;
    take_over(authenticator.kind, record, second, now);
    Some(Accepted::by_code(authenticator, record.drift, true))
}

/// An authenticator that may log in, and what is known of its key.
struct Usable<'a> {
    authenticator: &'a Authenticator,
    record: KeyRecord,
}

/// The confirmed authenticators with their records. A key without a record gets one in which the
/// window is burned; a counter without a record is left out.
fn usable_keys<'a>(credential: &'a Credential, state: &mut State, now: u64) -> Vec<Usable<'a>> {
    let in_use: Vec<KeyName> = credential.authenticators.iter().map(Authenticator::key_name).collect();
    let mut usable = Vec::with_capacity(in_use.len());
    for (authenticator, key) in credential.authenticators.iter().zip(&in_use) {
        if authenticator.confirmed.is_none() {
            continue;
        }
        let record = state.key(*key).copied().or_else(|| {
            let record = burned(*key, authenticator.kind, now)?;
            state.put_key(record, &in_use);
            Some(record)
        });
        usable.extend(record.map(|record| Usable { authenticator, record }));
    }
    usable
}

/// A candidate that makes the typed code.
struct Match<'a> {
    authenticator: &'a Authenticator,
    record: KeyRecord,
    candidate: Candidate,
}

/// Compares the codes with every candidate of every authenticator, each in constant time and none
/// left out. Of several codes each authenticator makes one at the most, for they differ in length.
fn matches_of<'a>(usable: &[Usable<'a>], codes: &[Code], now: u64) -> Vec<Match<'a>> {
    let mut matches = Vec::new();
    for Usable { authenticator, record } in usable {
        let generator = authenticator.generator();
        for candidate in candidates(authenticator.kind, record, now) {
            let made = generator.code(candidate.factor);
            let is_typed = codes.iter().fold(Choice::from(0), |found, code| found | made.ct_eq(code));
            if bool::from(is_typed) {
                matches.push(Match { authenticator, record: *record, candidate });
            }
        }
    }
    matches
}

/// Spends the code on every authenticator that makes it. `None` when each had spent it before.
fn spend_all(state: &mut State, matches: &[Match<'_>]) -> Option<Accepted> {
    let mut accepted = None;
    for Match { authenticator, record, candidate } in matches {
        if !is_fresh(record, *candidate) {
            continue;
        }
        let record = state.key_mut(record.key)?;
        spend(record, *candidate);
        accepted = accepted.or_else(|| Some(Accepted::by_code(authenticator, record.drift, false)));
    }
    accepted
}

/// Brings records from a clock that was ahead back to the present, with its window burned. A code of
/// now must have been typed before: that shows that the clock is right now, and not merely behind,
/// when old codes would become good again (`docs/decisions/0009-back-to-the-present.md`).
fn bring_back(credential: &Credential, state: &mut State, previous: Option<&Code>, now: u64) -> bool {
    let Some(code) = previous else { return false };
    let usable = usable_keys(credential, state, now);
    // A counter says nothing about the time.
    let vouches = |found: &Match<'_>| matches!(found.authenticator.kind, Kind::Totp(_));
    if !matches_of(&usable, std::slice::from_ref(code), now).iter().any(vouches) {
        return false;
    }
    burn_those_ahead(credential, state, now)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
