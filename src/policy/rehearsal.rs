//! What a login would make of a passcode, found out without making it so: [`decide`] judges on a copy.
//!
//! It answers any number of guesses and counts none: only whoever may read the secrets anyway may be told.

use serde::Serialize;
use subtle::ConstantTimeEq as _;

use super::decide::{Attempt, Denial, Presented, Proof, decide};
use super::resync::{MOST_COUNTERS, MOST_STEPS, reach};
use super::throttle::unlock;
use crate::credential::{Authenticator, Credential, KeyRecord, Kind, State};
use crate::otp::Code;

/// What a login would make of a passcode.
#[derive(Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// What it would be told. The proof lets nobody in: it is no [`super::Accepted`].
    pub verdict: Result<Proof, Denial>,
    /// What it would be told, were the user not disabled and had nobody failed, where that was decisive.
    pub otherwise: Option<Result<Proof, Denial>>,
    /// What else is known of a wrong code.
    pub clue: Option<Clue>,
}

/// Where a code belongs that none is taken of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clue {
    /// The authenticator that makes it.
    pub authenticator: String,
    /// Whether a first code has proven that.
    pub confirmed: bool,
    /// How many periods or counters it is ahead of the one that is expected, or behind it.
    pub off: i64,
    /// Whether this code and the next one, typed in one login, would let it in.
    pub would_resynchronise: bool,
}

/// Judges an attempt at `now` on copies of what is kept.
pub fn rehearse(credential: &Credential, state: &State, attempt: &Attempt, now: u64) -> Rehearsal {
    let verdict = on_a_copy(credential, state, attempt, now);
    let is_kept_out = matches!(verdict, Err(Denial::Disabled | Denial::BackedOff { .. } | Denial::Capped));
    let otherwise = is_kept_out.then(|| {
        let enabled = Credential { disabled: false, ..credential.clone() };
        let mut unlocked = state.clone();
        unlock(&mut unlocked);
        on_a_copy(&enabled, &unlocked, attempt, now)
    });
    let is_wrong = matches!(
        otherwise.as_ref().unwrap_or(&verdict),
        Err(Denial::WrongCode | Denial::NoUsableAuthenticator)
    );
    let clue = match &attempt.presented {
        Presented::Code { code, .. } if is_wrong => clue_to(credential, state, code, now),
        _ => None,
    };
    Rehearsal { verdict, otherwise, clue }
}

fn on_a_copy(credential: &Credential, state: &State, attempt: &Attempt, now: u64) -> Result<Proof, Denial> {
    decide(credential, &mut state.clone(), attempt, now).map(|accepted| accepted.proof().clone())
}

/// The authenticator that makes this code somewhere near, and where.
fn clue_to(credential: &Credential, state: &State, code: &Code, now: u64) -> Option<Clue> {
    credential.authenticators.iter().find_map(|authenticator| {
        let key = authenticator.key_name();
        let nothing_used = KeyRecord { key, next: 0, drift: 0, lean: 0 };
        clue_in(authenticator, state.key(key).copied().unwrap_or(nothing_used), code, now)
    })
}

fn clue_in(authenticator: &Authenticator, record: KeyRecord, code: &Code, now: u64) -> Option<Clue> {
    let (expected, most) = match authenticator.kind {
        Kind::Totp(period) => {
            (period.step_at(now).saturating_add_signed(i64::from(record.drift)), MOST_STEPS)
        }
        Kind::Hotp => (record.next, MOST_COUNTERS),
    };
    let generator = authenticator.generator();
    let mut near = expected.saturating_sub(most)..=expected.saturating_add(most);
    let factor = near.find(|factor| bool::from(generator.code(*factor).ct_eq(code)))?;
    let confirmed = authenticator.confirmed.is_some();
    let (lowest, highest) = reach(authenticator.kind, &record, now);
    Some(Clue {
        authenticator: authenticator.id.clone(),
        confirmed,
        off: factor.cast_signed().saturating_sub(expected.cast_signed()),
        would_resynchronise: confirmed && (lowest..highest).contains(&factor),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::SourceName;
    use crate::credential::record::tests::{alice, phone};
    use crate::policy::throttle::charge;

    const NOW: u64 = 1_800_000_000;

    /// Alice, whose phone has been used a while ago.
    fn alice_and_state() -> (Credential, State) {
        let credential = alice();
        let mut state = State::new([1; 16], NOW - 9000);
        let key = credential.authenticators[0].key_name();
        state.put_key(KeyRecord { key, next: (NOW - 9000) / 30, drift: 0, lean: 0 }, &[]);
        (credential, state)
    }

    fn code_at(credential: &Credential, time: u64) -> Attempt {
        let code = credential.authenticators[0].generator().code(time / 30);
        Attempt { presented: Presented::Code { code, previous: None }, source: SourceName::nowhere() }
    }

    #[test]
    fn what_is_rehearsed_is_what_a_login_is_told_and_nothing_is_spent() {
        let (credential, mut state) = alice_and_state();
        let before = state.clone();
        let attempt = code_at(&credential, NOW);
        for _ in 0..2 {
            let rehearsal = rehearse(&credential, &state, &attempt, NOW);
            assert!(matches!(rehearsal.verdict, Ok(Proof::Code { .. })), "{rehearsal:?}");
            assert_eq!((rehearsal.otherwise, rehearsal.clue), (None, None));
        }
        assert_eq!(state, before);
        assert!(decide(&credential, &mut state, &attempt, NOW).is_ok());
        let spent = rehearse(&credential, &state, &attempt, NOW);
        assert_eq!(spent, Rehearsal { verdict: Err(Denial::SpentCode), otherwise: None, clue: None });
    }

    #[test]
    fn guesses_are_not_counted() {
        let (credential, state) = alice_and_state();
        let before = state.clone();
        for _ in 0..200 {
            let verdict = rehearse(&credential, &state, &code_at(&credential, NOW / 2), NOW).verdict;
            assert_eq!(verdict, Err(Denial::WrongCode));
        }
        assert_eq!(state, before);
    }

    #[test]
    fn what_keeps_a_right_code_out_is_told_apart_from_the_code() {
        let (mut credential, mut state) = alice_and_state();
        let attempt = code_at(&credential, NOW);
        for _ in 0..6 {
            charge(&mut state, &SourceName::nowhere(), NOW);
        }
        let waiting = rehearse(&credential, &state, &attempt, NOW);
        assert_eq!(waiting.verdict, Err(Denial::BackedOff { seconds: 60 }));
        assert!(matches!(waiting.otherwise, Some(Ok(Proof::Code { .. }))), "{waiting:?}");
        credential.disabled = true;
        let disabled = rehearse(&credential, &state, &code_at(&credential, NOW / 2), NOW);
        assert_eq!(disabled.verdict, Err(Denial::Disabled));
        assert_eq!(disabled.otherwise, Some(Err(Denial::WrongCode)));
    }

    #[test]
    fn a_wrong_code_is_found_where_its_device_makes_it() {
        let (mut credential, mut state) = alice_and_state();
        let clue = |credential: &Credential, state: &State, time: u64| {
            let clue = rehearse(credential, state, &code_at(credential, time), NOW).clue?;
            Some((clue.off, clue.confirmed, clue.would_resynchronise))
        };
        assert_eq!(clue(&credential, &state, NOW + 300), Some((10, true, true)));
        assert_eq!(clue(&credential, &state, NOW - 90), Some((-3, true, true)));
        assert_eq!(clue(&credential, &state, NOW + 20 * 30), Some((20, true, false)), "its next is too far");
        assert_eq!(clue(&credential, &state, NOW + 21 * 30), None);
        state.keys[0].next = NOW / 30;
        assert_eq!(clue(&credential, &state, NOW - 90), Some((-3, true, false)), "below what was used");
        credential.authenticators[0].confirmed = None;
        assert_eq!(clue(&credential, &state, NOW), Some((0, false, false)));
    }

    #[test]
    fn a_counter_that_ran_ahead_is_found_too() {
        let mut credential = alice();
        credential.authenticators =
            vec![Authenticator { kind: Kind::Hotp, ..phone(b"09876543210987654321") }];
        let mut state = State::new([1; 16], NOW);
        let key = credential.authenticators[0].key_name();
        state.put_key(KeyRecord { key, next: 100, drift: 0, lean: 0 }, &[]);
        let clue =
            |counter: u64| rehearse(&credential, &state, &code_at(&credential, counter * 30), NOW).clue;
        assert_eq!(clue(130).map(|clue| (clue.off, clue.would_resynchronise)), Some((30, true)));
        assert_eq!(clue(90).map(|clue| (clue.off, clue.would_resynchronise)), Some((-10, false)));
        assert_eq!(clue(109), None, "that one is taken");
    }
}
