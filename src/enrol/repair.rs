//! Repairing: what a lost state or a wrong clock has left refused becomes good again, and nothing that
//! was used does.

use std::ops::RangeInclusive;

use crate::credential::{Authenticator, Credential, KeyName, KeyRecord, Kind, RecoverySet, State};
use crate::otp::Code;
use crate::policy::replay::{burn_those_ahead, burned, is_ahead};
use crate::policy::resync::second_in;

/// The counters that are searched for one of which nothing is known. A pair of codes is met by chance
/// with a probability below one in a million.
const COUNTERS: RangeInclusive<u64> = 1..=100_000;

/// Something of a user that is refused until it is repaired.
#[derive(Clone, Copy, Debug)]
pub enum Finding<'a> {
    /// A time-based authenticator without a record.
    NoRecord(&'a Authenticator),
    /// A time-based authenticator that was used with a clock far ahead of the present one.
    Ahead(&'a Authenticator),
    /// A counter of which nobody knows where it stands.
    NoCounter(&'a Authenticator),
    /// A set of recovery codes of which nobody knows what is used.
    RecoveryCodes,
}

/// What is to be repaired of a user, whose state may be lost.
pub fn examine<'a>(credential: &'a Credential, state: Option<&State>, now: u64) -> Vec<Finding<'a>> {
    let of_authenticator = |authenticator: &'a Authenticator| {
        let record = state.and_then(|state| state.key(authenticator.key_name()));
        match (authenticator.kind, record) {
            (Kind::Totp(_), None) => Some(Finding::NoRecord(authenticator)),
            (Kind::Hotp, None) => Some(Finding::NoCounter(authenticator)),
            (kind, Some(record)) => is_ahead(record, kind, now).then_some(Finding::Ahead(authenticator)),
        }
    };
    let usable = credential.authenticators.iter().filter(|authenticator| authenticator.confirmed.is_some());
    let mut findings: Vec<_> = usable.filter_map(of_authenticator).collect();
    let set = credential.recovery.as_ref();
    let vouched = |set: &RecoverySet| state.is_some_and(|state| state.recovery.set(set.name()).is_some());
    if set.is_some_and(|set| !vouched(set)) {
        findings.push(Finding::RecoveryCodes);
    }
    findings
}

/// The record of a counter, found by two consecutive codes of it.
pub fn counter_record(authenticator: &Authenticator, codes: (&Code, &Code)) -> Option<KeyRecord> {
    let second = second_in(&COUNTERS, authenticator, codes)?;
    let key = authenticator.key_name();
    Some(KeyRecord { key, next: second.saturating_add(1), drift: 0, lean: 0 })
}

/// What a repair brings that is not known otherwise.
#[derive(Debug, Default)]
pub struct Mending {
    /// Counters that were found.
    pub counters: Vec<KeyRecord>,
    /// The set in place of one that cannot be vouched for.
    pub recovery: Option<RecoverySet>,
    /// Somebody has said that the clock is right. Only then what is ahead of it is brought back: were the
    /// clock behind, old codes would become good again.
    pub clock_is_right: bool,
}

impl Mending {
    /// Whether [`mend`] makes this good again.
    pub fn mends(&self, finding: &Finding<'_>) -> bool {
        match finding {
            Finding::NoRecord(_) => true,
            Finding::Ahead(_) => self.clock_is_right,
            Finding::NoCounter(authenticator) => {
                let key = authenticator.key_name();
                self.counters.iter().any(|record| record.key == key)
            }
            Finding::RecoveryCodes => self.recovery.is_some(),
        }
    }
}

/// Mends a state, and returns the credential that goes with it. Records that are there and not ahead of
/// the clock stay.
pub fn mend(credential: &Credential, state: &mut State, mending: &Mending, now: u64) -> Credential {
    if mending.clock_is_right {
        burn_those_ahead(credential, state, now);
    }
    let in_use: Vec<KeyName> = credential.authenticators.iter().map(Authenticator::key_name).collect();
    for (authenticator, key) in credential.authenticators.iter().zip(&in_use) {
        if state.key(*key).is_none() {
            let found = mending.counters.iter().find(|record| record.key == *key).copied();
            let record = burned(*key, authenticator.kind, now).or(found);
            if let Some(record) = record {
                state.put_key(record, &in_use);
            }
        }
    }
    let mut mended = credential.clone();
    if let Some(set) = &mending.recovery {
        state.recovery.vouch_for(set.name());
        state.recovery.failures = 0;
        mended.recovery = Some(set.clone());
    }
    state.forget_logins();
    state.written = now;
    mended
}

#[cfg(test)]
mod tests {
    use super::super::RecoveryCodes;
    use super::super::tests::Counting;
    use super::*;
    use crate::credential::SourceName;
    use crate::credential::record::tests::{alice, phone};
    use crate::policy::{Attempt, Denial, Presented, decide};

    const NOW: u64 = 1_800_000_000;

    /// Alice with a phone, a counter and recovery codes.
    fn alice_with_a_counter() -> (Credential, RecoveryCodes) {
        let mut entropy = Counting::default();
        let codes = RecoveryCodes::make(&mut entropy).unwrap();
        let mut credential = alice();
        let counter =
            Authenticator { id: "token".to_owned(), kind: Kind::Hotp, ..phone(b"09876543210987654321") };
        credential.authenticators.push(counter);
        credential.recovery = Some(codes.to_set());
        (credential, RecoveryCodes::make(&mut entropy).unwrap())
    }

    fn attempt(presented: Presented) -> Attempt {
        Attempt { presented, source: SourceName::nowhere() }
    }

    fn code(authenticator: &Authenticator, factor: u64) -> Attempt {
        let code = authenticator.generator().code(factor);
        attempt(Presented::Code { code, previous: None })
    }

    fn token_at(credential: &Credential, counter: u64) -> KeyRecord {
        let generator = credential.authenticators[1].generator();
        let codes = (generator.code(counter), generator.code(counter + 1));
        counter_record(&credential.authenticators[1], (&codes.0, &codes.1)).unwrap()
    }

    #[test]
    #[cfg_attr(miri, ignore = "a hundred thousand counters take hours under Miri")]
    fn of_a_lost_state_everything_is_found_and_mended() {
        let (credential, new_codes) = alice_with_a_counter();
        let findings = examine(&credential, None, NOW);
        assert!(
            matches!(findings[..], [Finding::NoRecord(_), Finding::NoCounter(_), Finding::RecoveryCodes]),
            "{findings:?}"
        );
        let mending = Mending {
            counters: vec![token_at(&credential, 4711)],
            recovery: Some(new_codes.to_set()),
            clock_is_right: false,
        };
        assert!(findings.iter().all(|finding| mending.mends(finding)));
        let mut state = State::new([1; 16], NOW);
        let mended = mend(&credential, &mut state, &mending, NOW);
        assert!(examine(&mended, Some(&state), NOW).is_empty());

        let [phone, token] = &credential.authenticators[..] else { panic!("two authenticators") };
        let mut decide = |attempt: &Attempt, now| decide(&mended, &mut state, attempt, now);
        assert_eq!(decide(&code(phone, NOW / 30), NOW), Err(Denial::SpentCode));
        assert_eq!(decide(&code(token, 4712), NOW), Err(Denial::SpentCode));
        assert!(decide(&code(token, 4713), NOW).is_ok());
        assert!(decide(&code(phone, NOW / 30 + 12), NOW + 360).is_ok());
        let salt = new_codes.to_set().salt;
        let digest = new_codes.codes()[0].digest(&salt);
        assert!(decide(&attempt(Presented::Recovery { salt, digest, previous: None }), NOW).is_ok());
        let salt = credential.recovery.as_ref().unwrap().salt;
        let digest = credential.recovery.as_ref().unwrap().digests[0];
        let former = attempt(Presented::Recovery { salt, digest, previous: None });
        assert_eq!(decide(&former, NOW), Err(Denial::WrongRecoveryCode));
    }

    #[test]
    #[cfg_attr(miri, ignore = "a hundred thousand counters take hours under Miri")]
    fn what_is_known_is_not_touched() {
        let (credential, new_codes) = alice_with_a_counter();
        let mut state = State::new([1; 16], NOW);
        let known = KeyRecord { drift: 3, ..token_at(&credential, 50) };
        state.put_key(known, &[]);
        state.put_key(KeyRecord { key: credential.authenticators[0].key_name(), ..known }, &[]);
        state.recovery.vouch_for(credential.recovery.as_ref().unwrap().name());
        assert!(examine(&credential, Some(&state), NOW).is_empty());
        let before = state.keys.clone();
        let mending = Mending { counters: vec![token_at(&credential, 1)], ..Mending::default() };
        let mended = mend(&credential, &mut state, &mending, NOW);
        assert_eq!(state.keys, before);
        assert_eq!(mended.recovery, credential.recovery);
        drop(new_codes);
    }

    #[test]
    fn what_a_mending_does_not_mend_is_found_again() {
        let (mut credential, _) = alice_with_a_counter();
        let ahead = Authenticator { id: "ahead".to_owned(), ..phone(b"another secret of 20") };
        let mut state = State::new([1; 16], NOW);
        state.put_key(KeyRecord { key: ahead.key_name(), next: NOW, drift: 0, lean: 0 }, &[]);
        credential.authenticators.push(ahead);
        let nothing_known = Mending::default();
        let found: Vec<_> = examine(&credential, Some(&state), NOW)
            .into_iter()
            .filter(|finding| !nothing_known.mends(finding))
            .map(|finding| format!("{finding:?}"))
            .collect();
        mend(&credential, &mut state, &nothing_known, NOW);
        let again: Vec<_> =
            examine(&credential, Some(&state), NOW).iter().map(|finding| format!("{finding:?}")).collect();
        assert_eq!(again, found);
        assert_eq!(again.len(), 3);
    }

    #[test]
    fn a_record_from_the_future_is_found_and_brought_back() {
        let credential = alice();
        let key = credential.authenticators[0].key_name();
        let mut state = State::new([1; 16], NOW);
        state.put_key(KeyRecord { key, next: NOW, drift: 3, lean: 1 }, &[]);
        assert!(matches!(examine(&credential, Some(&state), NOW)[..], [Finding::Ahead(_)]));
        mend(&credential, &mut state, &Mending::default(), NOW);
        assert!(matches!(examine(&credential, Some(&state), NOW)[..], [Finding::Ahead(_)]), "nobody said so");
        mend(&credential, &mut state, &Mending { clock_is_right: true, ..Mending::default() }, NOW);
        assert!(examine(&credential, Some(&state), NOW).is_empty());
        assert_eq!(state.key(key).copied(), burned(key, credential.authenticators[0].kind, NOW));
    }

    #[test]
    #[cfg_attr(miri, ignore = "a hundred thousand counters take hours under Miri")]
    fn a_counter_needs_two_consecutive_codes_of_its_own() {
        let (credential, _) = alice_with_a_counter();
        let token = &credential.authenticators[1];
        let generator = token.generator();
        let of = |first, second| counter_record(token, (&generator.code(first), &generator.code(second)));
        assert_eq!(of(0, 1).map(|record| record.next), Some(2));
        assert_eq!(of(99_999, 100_000).map(|record| record.next), Some(100_001));
        assert!(of(100_000, 100_001).is_none());
        assert!(of(7, 9).is_none());
        assert!(of(8, 7).is_none());
    }
}
