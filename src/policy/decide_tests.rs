//! What is accepted, once, and what each refusal leaves behind.

use super::*;
use crate::credential::record::tests::{alice, phone};
use crate::credential::{Failures, RecoverySet};
use crate::otp::{Digits, RecoveryCode};

const NOW: u64 = 1_800_000_000;
const STEP: u64 = NOW / 30;

fn home() -> SourceName {
    SourceName::new("addr:192.0.2.7".to_owned()).unwrap()
}

/// Alice's state just after she enrolled, some time ago.
fn state() -> State {
    let mut state = State::new([5; 16], NOW - 3600);
    for authenticator in &alice().authenticators {
        state.put_key(burned(authenticator.key_name(), authenticator.kind, NOW - 3600).unwrap(), &[]);
    }
    state
}

fn code_at(credential: &Credential, factor: u64) -> Code {
    credential.authenticators[0].generator().code(factor)
}

fn typed(code: Code) -> Attempt {
    Attempt { presented: Presented::Code { code, previous: None }, source: home() }
}

fn try_step(state: &mut State, factor: u64, now: u64) -> Result<Accepted, Denial> {
    decide(&alice(), state, &typed(code_at(&alice(), factor)), now)
}

fn wrong_code() -> Attempt {
    let good: Vec<Code> = (STEP - 2..=STEP + 2).map(|step| code_at(&alice(), step)).collect();
    let wrong = (0..).map(|value| Code::new(value, Digits::Six));
    let wrong = wrong.into_iter().find(|code| !good.iter().any(|other| bool::from(other.ct_eq(code))));
    typed(wrong.unwrap())
}

#[test]
fn the_present_code_and_its_neighbours_are_accepted() {
    for step in [STEP - 1, STEP, STEP + 1] {
        assert!(try_step(&mut state(), step, NOW).is_ok());
    }
    for step in [STEP - 2, STEP + 2] {
        assert_eq!(try_step(&mut state(), step, NOW), Err(Denial::WrongCode));
    }
}

#[test]
fn a_code_is_refused_the_second_time() {
    let mut state = state();
    assert!(try_step(&mut state, STEP, NOW).is_ok());
    let after = state.clone();
    assert_eq!(try_step(&mut state, STEP, NOW), Err(Denial::SpentCode));
    assert_eq!(try_step(&mut state, STEP - 1, NOW), Err(Denial::SpentCode));
    assert_eq!(state, after, "a spent code is no guess: nothing is charged");
    assert!(try_step(&mut state, STEP + 1, NOW).is_ok());
}

#[test]
fn a_code_is_refused_the_second_time_after_the_clock_went_back() {
    let mut state = state();
    assert!(try_step(&mut state, STEP, NOW).is_ok());
    assert_eq!(try_step(&mut state, STEP, NOW - 20), Err(Denial::SpentCode));
    assert_eq!(try_step(&mut state, STEP - 20, NOW - 600), Err(Denial::SpentCode));
}

#[test]
fn a_key_without_a_record_starts_with_its_window_burned() {
    let mut state = State::new([5; 16], NOW);
    for step in [STEP - 1, STEP, STEP + 1] {
        assert_eq!(try_step(&mut state, step, NOW), Err(Denial::SpentCode));
    }
    // Nor is any code that a phone as far ahead as may be learned could have shown.
    assert_eq!(try_step(&mut state, STEP + 11, NOW + 10 * 30), Err(Denial::SpentCode));
    assert!(try_step(&mut state, STEP + 12, NOW + 12 * 30).is_ok());
}

#[test]
fn a_removed_secret_that_is_put_back_meets_its_own_record() {
    let mut state = state();
    assert!(try_step(&mut state, STEP, NOW).is_ok());
    let mut other = alice();
    other.authenticators = vec![phone(b"09876543210987654321")];
    let _ = decide(&other, &mut state, &typed(code_at(&other, STEP)), NOW);
    assert_eq!(try_step(&mut state, STEP, NOW), Err(Denial::SpentCode));
}

#[test]
fn a_wrong_code_is_charged_to_its_source() {
    let mut state = state();
    for failures in 1..=5_u32 {
        assert_eq!(decide(&alice(), &mut state, &wrong_code(), NOW), Err(Denial::WrongCode));
        assert_eq!(state.counters.iter().map(|counter| counter.count).sum::<u32>(), failures);
    }
    assert_eq!(try_step(&mut state, STEP, NOW), Err(Denial::BackedOff { seconds: 30 }));
    assert!(try_step(&mut state, STEP + 1, NOW + 30).is_ok());
    assert_eq!(state.counters, [Failures::default(); 16]);
}

#[test]
fn refused_attempts_do_not_extend_the_wait() {
    let mut state = state();
    for _ in 0..5 {
        let _ = decide(&alice(), &mut state, &wrong_code(), NOW);
    }
    let before = state.clone();
    for second in 0..30 {
        let denied = decide(&alice(), &mut state, &wrong_code(), NOW + second);
        assert_eq!(denied, Err(Denial::BackedOff { seconds: 30 - second }));
    }
    assert_eq!(state, before);
}

#[test]
fn a_disabled_credential_refuses_whatever_was_typed() {
    let mut credential = alice();
    credential.disabled = true;
    let mut state = state();
    let before = state.clone();
    let denied = decide(&credential, &mut state, &typed(code_at(&credential, STEP)), NOW);
    assert_eq!(denied, Err(Denial::Disabled));
    assert_eq!(state, before);
}

#[test]
fn an_authenticator_that_was_never_proven_is_not_accepted() {
    let mut credential = alice();
    credential.authenticators[0].confirmed = None;
    let denied = decide(&credential, &mut state(), &typed(code_at(&credential, STEP)), NOW);
    assert_eq!(denied, Err(Denial::NoUsableAuthenticator));
}

#[test]
fn each_of_two_authenticators_has_its_own_record() {
    let mut credential = alice();
    let mut tablet = phone(b"09876543210987654321");
    tablet.id = "tablet".to_owned();
    credential.authenticators.push(tablet.clone());
    let mut state = state();
    state.put_key(burned(tablet.key_name(), tablet.kind, NOW - 3600).unwrap(), &[]);
    assert!(decide(&credential, &mut state, &typed(code_at(&credential, STEP)), NOW).is_ok());
    let of_tablet = tablet.generator().code(STEP);
    let accepted = decide(&credential, &mut state, &typed(of_tablet.clone()), NOW).unwrap();
    assert_eq!(
        *accepted.proof(),
        Proof::Code { authenticator: "tablet".to_owned(), digits: 6, drift: 0, resynchronised: false }
    );
    assert_eq!(decide(&credential, &mut state, &typed(of_tablet), NOW), Err(Denial::SpentCode));
}

#[test]
fn a_counter_moves_past_the_code_that_was_used() {
    let mut credential = alice();
    credential.authenticators[0].kind = Kind::Hotp;
    let key = credential.authenticators[0].key_name();
    let mut state = State::new([5; 16], NOW);
    let attempt = |factor| typed(code_at(&credential, factor));
    assert_eq!(decide(&credential, &mut state, &attempt(7), NOW), Err(Denial::NoUsableAuthenticator));
    state.put_key(KeyRecord { key, next: 5, drift: 0, lean: 0 }, &[key]);
    assert_eq!(decide(&credential, &mut state, &attempt(3), NOW), Err(Denial::WrongCode));
    assert_eq!(decide(&credential, &mut state, &attempt(4), NOW), Err(Denial::SpentCode));
    assert_eq!(decide(&credential, &mut state, &attempt(15), NOW), Err(Denial::WrongCode));
    assert!(decide(&credential, &mut state, &attempt(7), NOW).is_ok());
    assert_eq!(decide(&credential, &mut state, &attempt(7), NOW), Err(Denial::SpentCode));
    assert_eq!(decide(&credential, &mut state, &attempt(6), NOW), Err(Denial::WrongCode));
    assert!(decide(&credential, &mut state, &attempt(8), NOW).is_ok());
}

/// A second code, typed after a wrong one in the same conversation.
fn after(previous: Code, code: Code) -> Attempt {
    Attempt { presented: Presented::Code { code, previous: Some(previous) }, source: home() }
}

fn pair(credential: &Credential, first: u64, second: u64) -> Attempt {
    after(code_at(credential, first), code_at(credential, second))
}

#[test]
fn two_consecutive_codes_beyond_the_window_resynchronise() {
    for (first, drift) in [(STEP + 5, 6), (STEP + 18, 10), (STEP - 8, -7), (STEP - 20, -10)] {
        let mut state = state();
        assert_eq!(try_step(&mut state, first, NOW), Err(Denial::WrongCode));
        let accepted = decide(&alice(), &mut state, &pair(&alice(), first, first + 1), NOW).unwrap();
        let id = "phone".to_owned();
        assert_eq!(
            *accepted.proof(),
            Proof::Code { authenticator: id, digits: 6, drift, resynchronised: true }
        );
        assert_eq!(state.counters, [Failures::default(); 16], "the first one is forgiven");
    }
}

#[test]
fn after_resynchronising_the_drift_is_known_and_the_pair_is_used_up() {
    let mut state = state();
    let phone_is_ahead = pair(&alice(), STEP + 5, STEP + 6);
    assert!(decide(&alice(), &mut state, &phone_is_ahead, NOW).is_ok());
    assert_eq!(decide(&alice(), &mut state, &phone_is_ahead, NOW), Err(Denial::SpentCode));
    assert_eq!(try_step(&mut state, STEP + 6, NOW), Err(Denial::SpentCode));
    assert!(try_step(&mut state, STEP + 7, NOW).is_ok());
}

#[test]
fn what_is_no_pair_does_not_resynchronise() {
    let mut used = state();
    assert!(try_step(&mut used, STEP, NOW).is_ok());
    let cases = [
        (state(), pair(&alice(), STEP + 5, STEP + 7)),
        (state(), pair(&alice(), STEP + 6, STEP + 5)),
        (state(), pair(&alice(), STEP + 5, STEP + 5)),
        (state(), pair(&alice(), STEP + 20, STEP + 21)),
        (state(), pair(&alice(), STEP - 21, STEP - 20)),
        // Noted from a borrowed phone before the last login.
        (used.clone(), pair(&alice(), STEP - 6, STEP - 5)),
    ];
    for (mut state, attempt) in cases {
        let counted = |state: &State| -> u32 {
            let known: u32 = state.known.iter().map(|known| known.failures.count).sum();
            known + state.counters.iter().map(|counter| counter.count).sum::<u32>()
        };
        let before = counted(&state);
        assert_eq!(decide(&alice(), &mut state, &attempt, NOW), Err(Denial::WrongCode), "{attempt:?}");
        assert_eq!(counted(&state), before + 1, "and is charged");
    }
}

#[test]
fn a_pair_does_not_help_against_a_wait() {
    let mut state = state();
    for _ in 0..5 {
        let _ = decide(&alice(), &mut state, &wrong_code(), NOW);
    }
    let attempt = pair(&alice(), STEP + 5, STEP + 6);
    assert_eq!(decide(&alice(), &mut state, &attempt, NOW), Err(Denial::BackedOff { seconds: 30 }));
}

#[test]
fn a_counter_resynchronises_within_fifty() {
    let mut credential = alice();
    credential.authenticators[0].kind = Kind::Hotp;
    let key = credential.authenticators[0].key_name();
    let mut state = State::new([5; 16], NOW);
    state.put_key(KeyRecord { key, next: 5, drift: 0, lean: 0 }, &[key]);
    let refused = decide(&credential, &mut state.clone(), &pair(&credential, 55, 56), NOW);
    assert_eq!(refused, Err(Denial::WrongCode));
    assert!(decide(&credential, &mut state, &pair(&credential, 54, 55), NOW).is_ok());
    assert_eq!(state.key(key).unwrap().next, 56);
}

/// Alice with three recovery codes, and the state that vouches for them.
fn with_recovery() -> (Credential, State, Vec<Attempt>) {
    let salt = RecoverySalt([9; 16]);
    let digests: Vec<_> = (1..=3).map(|n| RecoveryCode::from_random([n; 10]).digest(&salt)).collect();
    let mut credential = alice();
    credential.recovery = Some(RecoverySet { salt, digests: digests.clone() });
    let mut state = state();
    state.recovery.vouch_for([9; 8]);
    let attempts = digests
        .into_iter()
        .map(|digest| Attempt {
            presented: Presented::Recovery { salt, digest, previous: None },
            source: home(),
        })
        .collect();
    (credential, state, attempts)
}

#[test]
fn recovery_codes_work_once() {
    let (credential, mut state, attempts) = with_recovery();
    for (attempt, left) in attempts.iter().zip([2, 1, 0]) {
        let accepted = decide(&credential, &mut state, attempt, NOW).unwrap();
        assert_eq!(*accepted.proof(), Proof::Recovery { left, brought_back: false });
        assert_eq!(decide(&credential, &mut state, attempt, NOW), Err(Denial::SpentRecoveryCode));
    }
}

#[test]
fn a_former_set_that_is_put_back_brings_back_no_used_code() {
    let (credential, mut state, attempts) = with_recovery();
    assert!(decide(&credential, &mut state, &attempts[0], NOW).is_ok());
    state.recovery.vouch_for([1; 8]);
    state.recovery.vouch_for([9; 8]);
    assert_eq!(decide(&credential, &mut state, &attempts[0], NOW), Err(Denial::SpentRecoveryCode));
    // It is the newest again, so two others do not drive it out.
    state.recovery.vouch_for([2; 8]);
    state.recovery.vouch_for([3; 8]);
    assert_eq!(decide(&credential, &mut state, &attempts[0], NOW), Err(Denial::SpentRecoveryCode));
    for name in 4..7 {
        state.recovery.vouch_for([name; 8]);
    }
    assert_eq!(decide(&credential, &mut state, &attempts[0], NOW), Err(Denial::UnvouchedRecoveryCodes));
}

#[test]
fn a_recovery_code_works_when_codes_are_blocked_and_lifts_the_cap() {
    let (credential, mut state, attempts) = with_recovery();
    for number in 0..200 {
        charge(&mut state, &SourceName::new(format!("addr:198.51.100.{number}")).unwrap(), NOW);
    }
    assert_eq!(try_step(&mut state, STEP, NOW), Err(Denial::Capped));
    assert!(decide(&credential, &mut state, &attempts[0], NOW).is_ok());
    assert!(try_step(&mut state, STEP, NOW).is_ok());
}

#[test]
fn a_failure_that_is_dated_ahead_is_waited_for_from_now_on() {
    let mut state = state();
    state.counters = [Failures { count: 5, last: NOW + 1_000_000 }; 16];
    assert_eq!(decide(&alice(), &mut state, &wrong_code(), NOW), Err(Denial::BackedOff { seconds: 30 }));
    assert_eq!(decide(&alice(), &mut state, &wrong_code(), NOW + 30), Err(Denial::WrongCode));
}

/// A recovery code of the set in force that is not one of its codes.
fn wrong_recovery_code(attempts: &[Attempt], source: SourceName) -> Attempt {
    let Presented::Recovery { salt, .. } = attempts[0].presented else { panic!("a recovery code") };
    let digest = RecoveryCode::from_random([0xee; 10]).digest(&salt);
    Attempt { presented: Presented::Recovery { salt, digest, previous: None }, source }
}

#[test]
fn wrong_recovery_codes_back_off_and_are_charged_to_their_source() {
    let (credential, mut state, attempts) = with_recovery();
    let wrong = wrong_recovery_code(&attempts, home());
    for _ in 0..5 {
        assert_eq!(decide(&credential, &mut state, &wrong, NOW), Err(Denial::WrongRecoveryCode));
    }
    let before = state.clone();
    assert_eq!(decide(&credential, &mut state, &wrong, NOW), Err(Denial::BackedOff { seconds: 30 }));
    assert_eq!(decide(&credential, &mut state, &wrong_code(), NOW), Err(Denial::BackedOff { seconds: 30 }));
    assert_eq!(state, before, "what is refused for its source is not charged");
    assert_eq!(decide(&credential, &mut state, &wrong, NOW + 30), Err(Denial::WrongRecoveryCode));
    assert_eq!(decide(&credential, &mut state, &wrong, NOW + 89), Err(Denial::BackedOff { seconds: 1 }));
    assert_eq!(state.recovery.failures, 6);
    state.counters = [Failures { count: 50, last: NOW }; 16];
    assert_eq!(decide(&credential, &mut state, &wrong, NOW + 3600), Err(Denial::Capped));
}

#[test]
fn a_right_recovery_code_passes_wherever_codes_and_wrong_recovery_codes_are_refused() {
    let (credential, mut state, attempts) = with_recovery();
    let wrong = wrong_recovery_code(&attempts, home());
    for _ in 0..20 {
        decide(&credential, &mut state, &wrong, NOW).unwrap_err();
    }
    assert_eq!(decide(&credential, &mut state, &wrong_code(), NOW), Err(Denial::BackedOff { seconds: 30 }));
    assert!(decide(&credential, &mut state, &attempts[0], NOW).is_ok());
    assert_eq!(state.recovery.failures, 0);
    for _ in 0..5 {
        decide(&credential, &mut state, &wrong_code(), NOW).unwrap_err();
    }
    assert_eq!(decide(&credential, &mut state, &wrong, NOW), Err(Denial::BackedOff { seconds: 30 }));
    assert!(decide(&credential, &mut state, &attempts[1], NOW).is_ok());
}

#[test]
fn a_recovery_code_of_another_set_is_never_good() {
    let (credential, mut state, attempts) = with_recovery();
    state.recovery.sets[0].name = [8; 8];
    assert_eq!(decide(&credential, &mut state, &attempts[0], NOW), Err(Denial::UnvouchedRecoveryCodes));
    let digest = RecoveryDigest([0; 32]);
    let wrong = Attempt {
        presented: Presented::Recovery { salt: RecoverySalt::FOR_UNKNOWN_USERS, digest, previous: None },
        source: home(),
    };
    assert_eq!(decide(&credential, &mut state, &wrong, NOW), Err(Denial::WrongRecoveryCode));
    assert_eq!(state.recovery.failures, 1);
}

/// A state in which codes were spent while the clock was ten years ahead.
fn used_in_the_future(credential: &Credential, state: &mut State) -> u64 {
    let future = NOW + 10 * 365 * 24 * 3600;
    let code = code_at(credential, future / 30);
    assert!(decide(credential, state, &typed(code), future).is_ok());
    future
}

fn recovery_after(attempt: &Attempt, previous: Option<Code>) -> Attempt {
    let Presented::Recovery { salt, digest, .. } = attempt.presented else { panic!("a recovery code") };
    Attempt { presented: Presented::Recovery { salt, digest, previous }, source: home() }
}

#[test]
fn a_record_from_years_ahead_is_brought_back_by_a_code_and_a_recovery_code() {
    let (credential, mut state, attempts) = with_recovery();
    used_in_the_future(&credential, &mut state);
    let present = code_at(&credential, STEP);
    let denied = decide(&credential, &mut state, &typed(present.clone()), NOW);
    assert_eq!(denied, Err(Denial::ClockWentBack));
    let accepted =
        decide(&credential, &mut state, &recovery_after(&attempts[0], Some(present)), NOW).unwrap();
    assert_eq!(*accepted.proof(), Proof::Recovery { left: 2, brought_back: true });
    for step in STEP - 1..=STEP + 11 {
        let refused = decide(&credential, &mut state, &typed(code_at(&credential, step)), step * 30);
        assert_eq!(refused, Err(Denial::SpentCode), "the present window is burned");
    }
    let step = STEP + 12;
    assert!(decide(&credential, &mut state, &typed(code_at(&credential, step)), step * 30).is_ok());
}

/// The clock is behind now, and the phone is not: a code noted long ago must not become good again.
#[test]
fn a_recovery_code_alone_brings_nothing_back() {
    let (credential, mut state, attempts) = with_recovery();
    let noted = code_at(&credential, STEP);
    let real_now = used_in_the_future(&credential, &mut state);
    let of_the_phone = code_at(&credential, real_now / 30 + 1);
    for (attempt, previous) in attempts.iter().zip([None, Some(of_the_phone)]) {
        let attempt = recovery_after(attempt, previous);
        let accepted = decide(&credential, &mut state, &attempt, NOW).unwrap();
        assert!(matches!(accepted.proof(), Proof::Recovery { brought_back: false, .. }));
        let denied = decide(&credential, &mut state, &typed(noted.clone()), NOW);
        assert_eq!(denied, Err(Denial::ClockWentBack));
    }
}

#[test]
fn a_source_known_since_the_future_ages_like_any_other() {
    let mut state = state();
    used_in_the_future(&alice(), &mut state);
    welcome(&mut state, &SourceName::new("addr:192.0.2.8".to_owned()).unwrap(), NOW);
    let month = 31 * 24 * 3600;
    welcome(&mut state, &SourceName::new("addr:192.0.2.9".to_owned()).unwrap(), NOW + month);
    assert_eq!(state.known.len(), 1, "{:?}", state.known);
}

/// What a line could end in: the codes of these lengths and a recovery code.
fn ending(codes: Vec<Code>, recovery: Option<(RecoverySalt, RecoveryDigest)>) -> Attempt {
    Attempt { presented: Presented::Ending { codes, recovery }, source: home() }
}

#[test]
fn of_the_ends_of_a_line_each_device_takes_that_of_its_own_length() {
    let mut credential = alice();
    let token =
        Authenticator { id: "token".to_owned(), digits: Digits::Eight, ..phone(b"09876543210987654321") };
    credential.authenticators.push(token.clone());
    let mut state = state();
    state.put_key(burned(token.key_name(), token.kind, NOW - 3600).unwrap(), &[]);
    let other = |digits| Code::new(0, digits);
    let of_token = ending(vec![other(Digits::Six), other(Digits::Seven), token.generator().code(STEP)], None);
    let accepted = decide(&credential, &mut state, &of_token, NOW).unwrap();
    assert!(
        matches!(accepted.proof(), Proof::Code { authenticator, digits: 8, .. } if authenticator == "token")
    );
    assert_eq!(decide(&credential, &mut state, &of_token, NOW), Err(Denial::SpentCode));
    let of_phone = ending(vec![code_at(&credential, STEP), other(Digits::Eight)], None);
    let accepted = decide(&credential, &mut state, &of_phone, NOW).unwrap();
    assert!(
        matches!(accepted.proof(), Proof::Code { authenticator, digits: 6, .. } if authenticator == "phone")
    );
}

#[test]
fn a_line_that_ends_in_nothing_good_is_one_failure() {
    let mut state = state();
    let Presented::Code { code, .. } = wrong_code().presented else { panic!("no code") };
    let digest = (RecoverySalt([1; 16]), RecoveryCode::from_random([1; 10]).digest(&RecoverySalt([1; 16])));
    let attempt = ending(vec![code, Code::new(1, Digits::Seven), Code::new(1, Digits::Eight)], Some(digest));
    assert_eq!(decide(&alice(), &mut state, &attempt, NOW), Err(Denial::WrongCode));
    let charged: u32 = state.counters.iter().map(|counter| counter.count).sum();
    assert_eq!((charged, state.recovery.failures), (1, 0));
}

#[test]
fn a_recovery_code_at_the_end_of_a_line_passes_a_wait_and_is_spent() {
    let (salt, code) = (RecoverySalt([9; 16]), RecoveryCode::from_random([3; 10]));
    let mut credential = alice();
    let set = RecoverySet { salt, digests: vec![code.digest(&salt)] };
    let mut state = state();
    state.recovery.vouch_for(set.name());
    credential.recovery = Some(set);
    for _ in 0..20 {
        charge(&mut state, &home(), NOW);
    }
    let attempt = ending(vec![code_at(&credential, STEP)], Some((salt, code.digest(&salt))));
    let accepted = decide(&credential, &mut state, &attempt, NOW).unwrap();
    assert_eq!(*accepted.proof(), Proof::Recovery { left: 0, brought_back: false });
    let again = ending(Vec::new(), Some((salt, code.digest(&salt))));
    assert_eq!(decide(&credential, &mut state, &again, NOW), Err(Denial::SpentRecoveryCode));
    let before = state.clone();
    let wrong = RecoveryCode::from_random([4; 10]).digest(&salt);
    let wrong = ending(Vec::new(), Some((salt, wrong)));
    assert_eq!(decide(&credential, &mut state, &wrong, NOW), Err(Denial::Malformed));
    assert_eq!(state, before, "a password is no guess");
}

#[test]
fn wrong_codes_before_a_login_are_told_after_it() {
    let mut state = state();
    let elsewhere =
        Attempt { source: SourceName::new("addr:198.51.100.4".to_owned()).unwrap(), ..wrong_code() };
    for seconds in [10, 20] {
        assert_eq!(decide(&alice(), &mut state, &elsewhere, NOW + seconds), Err(Denial::WrongCode));
    }
    assert_eq!((state.refused.count, state.refused.first), (2, NOW + 10));
    assert_eq!(state.refused.last_from.as_str(), "addr:198.51.100.4");
    assert!(try_step(&mut state, STEP + 1, NOW + 30).is_ok());
    assert_eq!((state.refused.count, state.refused_before.count), (0, 2));
    assert!(try_step(&mut state, STEP + 3, NOW + 90).is_ok());
    assert_eq!(state.refused_before.count, 0);
}
