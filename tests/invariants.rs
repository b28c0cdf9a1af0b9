//! What holds of every decision, whatever is typed from wherever, whatever the clock does: thousands of
//! random histories against the plainest possible book-keeping.
#![allow(missing_docs, reason = "the names of the tests say it")]

use std::collections::HashSet;

use pam_countersign::credential::slot::{self, Sequenced, Slot};
use pam_countersign::credential::{
    Authenticator, Credential, KeyRecord, Kind, RecoverySet, SourceName, State,
};
use pam_countersign::otp::{Algorithm, Code, Digits, Period, RecoveryDigest, RecoverySalt, SharedSecret};
use pam_countersign::policy::throttle::{CAP, LONGEST_WAIT};
use pam_countersign::policy::{Attempt, Denial, Presented, Proof, decide};
use pam_countersign::user::UserName;
use proptest::prelude::*;

const START: u64 = 1_800_000_000;
const PERIOD: u64 = 30;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Event {
    /// Time passes, or the clock is set back.
    Clock(i64),
    /// The code of a time step so far from now, by one of two devices.
    Code { device: usize, steps: i64, source: u8 },
    /// Two consecutive codes, the second after the first was wrong.
    Pair { device: usize, steps: i64, source: u8 },
    /// A code that is nobody's.
    Wrong { source: u8 },
    /// One of three recovery codes.
    Recovery { number: u8, source: u8 },
}

fn event() -> impl Strategy<Value = Event> {
    let device = 0..2_usize;
    prop_oneof![
        2 => (-300_i64..1200).prop_map(Event::Clock),
        6 => (device.clone(), -4_i64..=4, 0..6_u8).prop_map(|(device, steps, source)| Event::Code { device, steps, source }),
        1 => (device, -25_i64..=25, 0..6_u8).prop_map(|(device, steps, source)| Event::Pair { device, steps, source }),
        6 => (0..40_u8).prop_map(|source| Event::Wrong { source }),
        1 => (0..3_u8, 0..6_u8).prop_map(|(number, source)| Event::Recovery { number, source }),
    ]
}

fn device(id: &str, secret: &[u8]) -> Authenticator {
    Authenticator {
        id: id.to_owned(),
        secret: SharedSecret::from_bytes(secret).unwrap(),
        kind: Kind::Totp(Period::new(PERIOD).unwrap()),
        algorithm: Algorithm::Sha1,
        // Eight digits: no two codes of a history are alike by chance.
        digits: Digits::Eight,
        confirmed: Some(START),
    }
}

fn credential() -> Credential {
    Credential {
        user: UserName::new(b"alice").unwrap(),
        uid: Some(1000),
        disabled: false,
        authenticators: vec![
            device("phone", b"12345678901234567890"),
            device("tablet", b"09876543210987654321"),
        ],
        recovery: Some(RecoverySet {
            salt: RecoverySalt([7; 16]),
            digests: (0..3).map(|number| RecoveryDigest([number; 32])).collect(),
        }),
    }
}

fn source(number: u8) -> SourceName {
    SourceName::new(format!("addr:192.0.2.{number}")).unwrap()
}

fn failures(state: &State) -> u64 {
    let known = state.known.iter().map(|known| u64::from(known.failures.count));
    let strangers = state.counters.iter().map(|counter| u64::from(counter.count));
    known.chain(strangers).sum()
}

/// The plain book: what was ever accepted, and the state that is judged.
struct Book {
    credential: Credential,
    state: State,
    now: u64,
    accepted: HashSet<String>,
}

impl Book {
    fn new() -> Self {
        let credential = credential();
        let mut state = State::new([5; 16], START);
        for authenticator in &credential.authenticators {
            state.put_key(KeyRecord { key: authenticator.key_name(), next: 0, drift: 0, lean: 0 }, &[]);
        }
        state.recovery.vouch_for([7; 8]);
        Self { credential, state, now: START, accepted: HashSet::new() }
    }

    fn code(&self, device: usize, steps: i64) -> (u64, Code) {
        let step = (self.now / PERIOD).saturating_add_signed(steps);
        (step, self.credential.authenticators[device].generator().code(step))
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Clock(seconds) => self.now = self.now.saturating_add_signed(*seconds),
            Event::Code { device, steps, source } => {
                let (step, code) = self.code(*device, *steps);
                self.attempt(&format!("{device} {step}"), Presented::Code { code, previous: None }, *source);
            }
            Event::Pair { device, steps, source } => {
                let (_, first) = self.code(*device, *steps);
                let (step, code) = self.code(*device, steps + 1);
                let presented = Presented::Code { code, previous: Some(first) };
                self.attempt(&format!("{device} {step}"), presented, *source);
            }
            Event::Wrong { source } => {
                let code = Code::new(0, Digits::Six);
                let denied = self.attempt("wrong", Presented::Code { code, previous: None }, *source);
                assert!(denied.is_some(), "a code of six digits is nobody's here");
            }
            Event::Recovery { number, source } => {
                let digest = RecoveryDigest([*number; 32]);
                let presented = Presented::Recovery { salt: RecoverySalt([7; 16]), digest, previous: None };
                let denied = self.attempt(&format!("recovery {number}"), presented, *source);
                assert!(
                    matches!(denied, None | Some(Denial::SpentRecoveryCode)),
                    "waits and caps do not count"
                );
            }
        }
    }

    /// Decides and checks everything that must hold; the denial, if there was one.
    fn attempt(&mut self, what: &str, presented: Presented, number: u8) -> Option<Denial> {
        let attempt = Attempt { presented, source: source(number) };
        let before = self.state.clone();
        let verdict = decide(&self.credential, &mut self.state, &attempt, self.now);
        self.must_read_back();
        match verdict {
            Ok(accepted) => {
                assert!(self.accepted.insert(what.to_owned()), "{what} was accepted a second time");
                assert!(failures(&self.state) <= failures(&before), "a success charges nothing");
                if let Proof::Code { drift, .. } = accepted.proof() {
                    assert!(drift.unsigned_abs() <= 10);
                }
                None
            }
            Err(denial) => {
                let charged = u64::from(matches!(denial, Denial::WrongCode));
                assert_eq!(failures(&self.state), failures(&before) + charged, "{denial}");
                assert_eq!(self.state.known.len(), before.known.len(), "a failure evicts nobody");
                if let Denial::BackedOff { seconds } = denial {
                    assert!((1..=LONGEST_WAIT).contains(&seconds), "{seconds}");
                }
                if denial == Denial::Capped {
                    assert!(failures(&before) >= u64::from(CAP));
                }
                Some(denial)
            }
        }
    }

    fn must_read_back(&self) {
        let current = Sequenced { sequence: 1, state: self.state.clone() };
        let slot = slot::encode(&self.credential.user, &current).expect("every state can be written");
        assert_eq!(slot::decode(&self.credential.user, &slot), Slot::Valid(current));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_accepted_twice_and_every_wrong_code_is_charged(
        history in proptest::collection::vec(event(), 1..120)
    ) {
        let mut book = Book::new();
        for event in &history {
            book.happen(event);
        }
    }
}

/// The histories reach what they are meant to: a check that never sees an acceptance cannot fail.
#[test]
fn histories_reach_acceptance_replay_waits_and_the_cap() {
    let mut book = Book::new();
    book.happen(&Event::Code { device: 0, steps: 0, source: 1 });
    book.happen(&Event::Code { device: 1, steps: 1, source: 1 });
    book.happen(&Event::Pair { device: 0, steps: 7, source: 1 });
    book.happen(&Event::Recovery { number: 0, source: 1 });
    assert_eq!(book.accepted.len(), 4);
    let again = Presented::Code { code: book.code(1, 1).1, previous: None };
    assert_eq!(book.attempt("replay", again, 1), Some(Denial::SpentCode));
    for _ in 0..400 {
        for number in 2..40 {
            book.happen(&Event::Wrong { source: number });
        }
        book.happen(&Event::Clock(900));
    }
    let good = Presented::Code { code: book.code(1, 0).1, previous: None };
    assert_eq!(book.attempt("capped", good, 3), Some(Denial::Capped));
}
