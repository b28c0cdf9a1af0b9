//! The flow of a login against a script: a prompt too many fails, and so does one too few.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::*;
use crate::config::{PolicyFile, RawArguments, Texts, resolve::resolve};
use crate::credential::record::tests::alice;
use crate::credential::{
    Credential, CredentialStore, Failures, KeyRecord, RecoverySet, State, StoreError, Updated,
};
use crate::otp::{Code, RecoveryCode, RecoverySalt};
use crate::policy::rules::LocalTime;
use crate::policy::source_of;
use crate::user::UserName;
use crate::verifier::{Clock, ClockError, LocalVerifier};

const NOW: u64 = 1_800_000_000;

/// A store in memory that can fail at any of its steps.
#[derive(Default)]
struct Memory {
    kept: RefCell<Option<(Credential, State)>>,
    fail_reading: bool,
    fail_updating: bool,
}

impl CredentialStore for Memory {
    fn read(&self, _: &User) -> Result<Option<Credential>, StoreError> {
        if self.fail_reading {
            return Err(StoreError::NoStore);
        }
        Ok(self.kept.borrow().as_ref().map(|(credential, _)| credential.clone()))
    }

    fn update<T>(
        &self,
        _: &User,
        mut decide: impl FnMut(&Credential, &mut State) -> T,
    ) -> Result<Option<Updated<T>>, StoreError> {
        if self.fail_updating {
            return Err(StoreError::Locked);
        }
        let mut kept = self.kept.borrow_mut();
        Ok(kept.as_mut().map(|(credential, state)| Updated {
            value: decide(credential, state),
            health: StateHealth::Whole,
        }))
    }
}

struct Fixed(Result<u64, ClockError>);

impl Clock for Fixed {
    fn now(&self) -> Result<u64, ClockError> {
        self.0
    }

    fn booted(&self) -> Result<u64, ClockError> {
        self.0.map(|now| now - 90_000)
    }
}

/// The replies to give in order, and what was said.
#[derive(Default)]
struct Script {
    replies: VecDeque<Vec<u8>>,
    prompts: usize,
    told: Vec<String>,
    noted: Vec<(Denial, u8)>,
    becomes_other_user: bool,
    asked: Vec<(String, Typing)>,
    first_pass: Option<String>,
    forwarded: Vec<String>,
    silent: bool,
    kept_noted: usize,
}

impl Script {
    fn of(replies: &[&str]) -> Self {
        let replies = replies.iter().map(|reply| reply.as_bytes().to_vec()).collect();
        Self { replies, ..Self::default() }
    }
}

impl Conversation for Script {
    fn ask(&mut self, prompt: &str, typing: Typing) -> Result<Zeroizing<Vec<u8>>, ConversationError> {
        self.asked.push((prompt.to_owned(), typing));
        self.prompts += 1;
        self.replies.pop_front().map(Zeroizing::new).ok_or(ConversationError)
    }

    fn first_pass(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        self.first_pass.clone().map(|password| Zeroizing::new(password.into_bytes()))
    }

    fn can_tell(&self) -> bool {
        !self.silent
    }

    fn forward(&mut self, password: &[u8]) -> Result<(), ConversationError> {
        self.forwarded.push(String::from_utf8_lossy(password).into_owned());
        Ok(())
    }

    fn tell(&mut self, _: Tone, text: &str) {
        self.told.push(text.to_owned());
    }

    fn note(&mut self, report: Report) {
        if matches!(report.outcome, Outcome::EnrolmentKept) {
            assert!(self.told.iter().all(|text| !text.contains("0123-4567")), "before the codes are shown");
            self.kept_noted += 1;
            return;
        }
        let Outcome::Denied(denial) = report.outcome else { panic!("{report:?}") };
        self.noted.push((denial, report.attempts));
    }

    fn is_still_about(&mut self, _: &User) -> bool {
        !self.becomes_other_user
    }
}

fn enrolled() -> Memory {
    let mut state = State::new([5; 16], NOW);
    let key = alice().authenticators[0].key_name();
    state.put_key(KeyRecord { key, next: 0, drift: 0, lean: 0 }, &[]);
    Memory { kept: RefCell::new(Some((alice(), state))), ..Memory::default() }
}

fn code(steps_ahead: u64) -> String {
    alice().authenticators[0].generator().code(NOW / 30 + steps_ahead).to_text().to_string()
}

/// Where it is Wednesday noon, and bob is in all groups.
struct Nearby;

impl Surroundings for Nearby {
    fn is_member(&self, user: &User, _: &UserName) -> Option<bool> {
        Some(user.name.as_str() == "bob")
    }

    fn local_time(&self) -> Option<LocalTime> {
        Some(LocalTime { weekday: 2, minute: 12 * 60 })
    }
}

impl World for Nearby {
    fn now(&self) -> Option<u64> {
        Some(NOW)
    }

    fn moment(&self) -> Duration {
        Duration::ZERO
    }

    fn wait_until(&self, _: Duration) {}

    fn account(&self, uid: u32) -> io::Result<Option<User>> {
        let name = match uid {
            0 => &b"root"[..],
            1000 => b"alice",
            1001 => b"bob",
            _ => return Ok(None),
        };
        Ok(Some(User { name: UserName::new(name).unwrap(), uid: Some(uid) }))
    }
}

/// Who enrols nobody.
struct Nobody;

impl Enroller for Nobody {
    fn prove_password(&mut self, _: &User, _: &[u8]) -> Result<bool, VerifierError> {
        panic!("nobody was to enrol");
    }

    fn begin(&mut self, _: &User) -> Result<Option<NewDevice>, VerifierError> {
        panic!("nobody was to enrol");
    }

    fn confirm(&mut self, _: &Code) -> Result<Option<Enrolled>, VerifierError> {
        panic!("nobody was to enrol");
    }
}

fn request(name: &str, uid: Option<u32>) -> Request<'static> {
    Request {
        user: User { name: UserName::new(name.as_bytes()).unwrap(), uid },
        facts: Facts { service: "sshd".to_owned(), rhost: Some("192.0.2.7".to_owned()), ..Facts::default() },
        world: &Nearby,
    }
}

fn of_alice() -> Request<'static> {
    request("alice", Some(1000))
}

fn config(arguments: &[&str]) -> Config {
    with_file("", arguments)
}

/// What a policy file and a line mean together.
fn with_file(file: &str, arguments: &[&str]) -> Config {
    let raw = RawArguments::parse(arguments.iter().map(|argument| argument.as_bytes())).unwrap();
    resolve(raw, PolicyFile::parse(file).unwrap())
}

/// Runs a login and checks that it asked exactly as often as there were replies.
fn run(memory: Memory, request: &Request, arguments: &[&str], script: &mut Script) -> Outcome {
    let scripted = script.replies.len();
    let verifier = LocalVerifier::new(memory, Fixed(Ok(NOW)));
    let report = login(request, &config(arguments), &verifier, &mut Nobody, script);
    assert_eq!(script.prompts, scripted, "prompts");
    assert_eq!(usize::from(report.attempts), scripted, "attempts");
    report.outcome
}

#[test]
fn the_right_code_lets_in_with_one_prompt() {
    let mut script = Script::of(&[&code(0)]);
    assert!(matches!(run(enrolled(), &of_alice(), &[], &mut script), Outcome::Accepted(_)));
    assert!(script.told.is_empty());
}

#[test]
fn a_wrong_code_is_asked_for_again_up_to_three_times() {
    let mut script = Script::of(&["000000", "correct horse", &code(0)]);
    assert!(matches!(run(enrolled(), &of_alice(), &[], &mut script), Outcome::Accepted(_)));
    assert_eq!(script.told, ["Wrong code.", "Wrong code."]);
    assert_eq!(script.noted, [(Denial::WrongCode, 1), (Denial::Malformed, 2)]);
    let mut script = Script::of(&["000000", "000001", "000002"]);
    let outcome = run(enrolled(), &of_alice(), &[], &mut script);
    assert!(matches!(outcome, Outcome::Denied(Denial::WrongCode)));
}

#[test]
fn two_consecutive_codes_in_one_conversation_resynchronise() {
    let mut script = Script::of(&[&code(7), &code(8)]);
    let Outcome::Accepted(accepted) = run(enrolled(), &of_alice(), &[], &mut script) else {
        panic!("refused")
    };
    assert!(matches!(accepted.proof(), Proof::Code { drift: 8, resynchronised: true, .. }));
    // Others do not, nor do these in two conversations.
    let mut script = Script::of(&[&code(7), &code(9), &code(11)]);
    assert!(matches!(run(enrolled(), &of_alice(), &[], &mut script), Outcome::Denied(Denial::WrongCode)));
    let verifier = LocalVerifier::new(enrolled(), Fixed(Ok(NOW)));
    for steps in [7, 8] {
        let mut script = Script::of(&[&code(steps)]);
        let report = login(&of_alice(), &config(&["attempts=1"]), &verifier, &mut Nobody, &mut script);
        assert!(matches!(report.outcome, Outcome::Denied(Denial::WrongCode)));
    }
}

#[test]
fn a_single_attempt_ends_with_its_own_reason() {
    let outcome = run(enrolled(), &of_alice(), &["attempts=1"], &mut Script::of(&["000000"]));
    assert!(matches!(outcome, Outcome::Denied(Denial::WrongCode)));
}

#[test]
fn a_spent_code_is_told_apart_and_the_next_one_lets_in() {
    let memory = enrolled();
    let verifier = LocalVerifier::new(memory, Fixed(Ok(NOW)));
    let first = login(&of_alice(), &config(&[]), &verifier, &mut Nobody, &mut Script::of(&[&code(0)]));
    assert!(matches!(first.outcome, Outcome::Accepted(_)));
    let mut script = Script::of(&[&code(0), &code(1)]);
    let second = login(&of_alice(), &config(&[]), &verifier, &mut Nobody, &mut script);
    assert!(matches!(second.outcome, Outcome::Accepted(_)));
    assert_eq!(script.told, ["This code was already used; wait for the next one."]);
}

#[test]
fn unknown_unenrolled_disabled_and_wrong_see_the_same() {
    let wrong = ["000000", "", "0123456789ABCDEF"];
    let mut disabled = alice();
    disabled.disabled = true;
    let memory_of = |credential| Memory {
        kept: RefCell::new(Some((credential, State::new([5; 16], NOW)))),
        ..Memory::default()
    };
    let cases = [
        (Memory::default(), request("nobody", None)),
        (Memory::default(), request("bob", Some(1001))),
        (memory_of(disabled), of_alice()),
        (enrolled(), of_alice()),
    ];
    for (memory, request) in cases {
        let mut script = Script::of(&wrong);
        let outcome = run(memory, &request, &[], &mut script);
        assert!(matches!(outcome, Outcome::Denied(_)), "{outcome:?}");
        assert_eq!(script.told, ["Wrong code."; 3], "{}", request.user.name);
    }
}

/// Credentials of which each gives another reason to refuse a wrong code, and the logins of their users.
fn refused_for_every_reason() -> Vec<(Memory, Request<'static>)> {
    let kept = |change: fn(&mut Credential, &mut State)| {
        let memory = enrolled();
        if let Some((credential, state)) = memory.kept.borrow_mut().as_mut() {
            change(credential, state);
        }
        (memory, of_alice())
    };
    vec![
        (Memory::default(), request("nobody", None)),
        (Memory::default(), request("bob", Some(1001))),
        kept(|_, _| {}),
        kept(|credential, _| credential.disabled = true),
        kept(|credential, _| credential.authenticators[0].confirmed = None),
        kept(|_, state| state.counters = [Failures { count: 5, last: NOW }; 16]),
        kept(|_, state| state.counters = [Failures { count: 50, last: NOW }; 16]),
    ]
}

#[test]
fn with_tell_never_every_refused_user_sees_as_many_prompts() {
    let verifiers = refused_for_every_reason().into_iter();
    for (number, (memory, request)) in verifiers.enumerate() {
        let verifier = LocalVerifier::new(memory, Fixed(Ok(NOW)));
        // Six wrong codes are more than are free.
        for round in 0..3 {
            let mut script = Script::of(&["000000", "000001", "0123456789ABCDEF"]);
            let config = with_file("tell = \"never\"\n", &[]);
            let report = login(&request, &config, &verifier, &mut Nobody, &mut script);
            assert!(matches!(report.outcome, Outcome::Denied(_)), "{number}: {report:?}");
            assert_eq!((script.prompts, script.replies.len()), (3, 0), "{number}, round {round}");
            assert_eq!(script.told, ["Wrong code."; 3], "{number}, round {round}");
        }
    }
}

/// A world with a watch: each look at it takes a millisecond, and what was waited for is kept.
#[derive(Default)]
struct Watched {
    looks: Cell<u64>,
    waits: RefCell<Vec<Duration>>,
}

impl Surroundings for Watched {
    fn is_member(&self, user: &User, group: &UserName) -> Option<bool> {
        Nearby.is_member(user, group)
    }

    fn local_time(&self) -> Option<LocalTime> {
        Nearby.local_time()
    }
}

impl World for Watched {
    fn now(&self) -> Option<u64> {
        Nearby.now()
    }

    fn moment(&self) -> Duration {
        self.looks.set(self.looks.get() + 1);
        Duration::from_millis(self.looks.get())
    }

    fn wait_until(&self, moment: Duration) {
        self.waits.borrow_mut().push(moment);
    }

    fn account(&self, uid: u32) -> io::Result<Option<User>> {
        Nearby.account(uid)
    }
}

#[test]
fn every_refusal_waits_for_the_same_time_after_the_answer() {
    for (number, (memory, request)) in refused_for_every_reason().into_iter().enumerate() {
        let world = Watched::default();
        let request = Request { world: &world, ..request };
        let verifier = LocalVerifier::new(memory, Fixed(Ok(NOW)));
        let mut script = Script::of(&["000000", "000001", "0123456789ABCDEF"]);
        let config = with_file("tell = \"never\"\n", &[]);
        login(&request, &config, &verifier, &mut Nobody, &mut script);
        let expected = [1, 2, 3].map(|answer| Duration::from_millis(250 + answer));
        assert_eq!(*world.waits.borrow(), expected, "{number}");
    }
    let world = Watched::default();
    let verifier = LocalVerifier::new(enrolled(), Fixed(Ok(NOW)));
    let request = Request { world: &world, ..of_alice() };
    let report = login(&request, &config(&[]), &verifier, &mut Nobody, &mut Script::of(&[&code(0)]));
    assert!(matches!(report.outcome, Outcome::Accepted(_)));
    assert!(world.waits.borrow().is_empty(), "a right code waits for nothing");
}

#[test]
fn the_log_tells_unknown_users_from_unenrolled_ones() {
    let outcome =
        run(Memory::default(), &request("nobody", None), &["attempts=1"], &mut Script::of(&["000000"]));
    assert!(matches!(outcome, Outcome::Denied(Denial::UnknownUser)));
    let outcome =
        run(Memory::default(), &request("bob", Some(1001)), &["attempts=1"], &mut Script::of(&["000000"]));
    assert!(matches!(outcome, Outcome::Denied(Denial::NotEnrolled)));
}

#[test]
fn nullok_lets_through_known_unenrolled_users_only() {
    let outcome = run(Memory::default(), &request("bob", Some(1001)), &["nullok"], &mut Script::default());
    assert!(matches!(outcome, Outcome::NotEnrolledAllowed));
    let mut script = Script::of(&["", "", ""]);
    let outcome = run(Memory::default(), &request("nobody", None), &["nullok"], &mut script);
    assert!(matches!(outcome, Outcome::Denied(_)));
    let outcome = run(enrolled(), &of_alice(), &["nullok", "attempts=1"], &mut Script::of(&["000000"]));
    assert!(matches!(outcome, Outcome::Denied(Denial::WrongCode)));
}

#[test]
fn a_store_that_cannot_be_read_denies_even_under_nullok() {
    let memory = Memory { fail_reading: true, ..Memory::default() };
    let outcome = run(memory, &request("bob", Some(1001)), &["nullok"], &mut Script::default());
    assert!(matches!(outcome, Outcome::Unavailable(VerifierError::Store(StoreError::NoStore))));
}

#[test]
fn a_state_that_cannot_be_written_denies_the_right_code() {
    let memory = Memory { fail_updating: true, ..enrolled() };
    let outcome = run(memory, &of_alice(), &[], &mut Script::of(&[&code(0)]));
    assert!(matches!(outcome, Outcome::Unavailable(VerifierError::Store(StoreError::Locked))));
}

#[test]
fn a_missing_clock_denies() {
    let verifier = LocalVerifier::new(enrolled(), Fixed(Err(ClockError)));
    let report = login(&of_alice(), &config(&[]), &verifier, &mut Nobody, &mut Script::of(&[&code(0)]));
    assert!(matches!(report.outcome, Outcome::Unavailable(VerifierError::Clock)));
}

#[test]
fn a_conversation_that_fails_denies() {
    let verifier = LocalVerifier::new(enrolled(), Fixed(Ok(NOW)));
    let report = login(&of_alice(), &config(&[]), &verifier, &mut Nobody, &mut Script::default());
    assert!(matches!(report.outcome, Outcome::ConversationFailed));
    assert_eq!(report.attempts, 0);
}

#[test]
fn another_user_after_the_prompt_denies_and_spends_nothing() {
    let verifier = LocalVerifier::new(enrolled(), Fixed(Ok(NOW)));
    let mut script = Script { becomes_other_user: true, ..Script::of(&[&code(0)]) };
    let report = login(&of_alice(), &config(&[]), &verifier, &mut Nobody, &mut script);
    assert!(matches!(report.outcome, Outcome::OtherUser));
    let report = login(&of_alice(), &config(&[]), &verifier, &mut Nobody, &mut Script::of(&[&code(0)]));
    assert!(matches!(report.outcome, Outcome::Accepted(_)));
}

#[test]
fn a_public_key_counts_only_when_sshd_has_seen_it_proven() {
    let key = "publickey ssh-ed25519 AAAA\n";
    let cases = [
        ("sshd", Some(key), true),
        ("sshd", Some("password\npublickey ssh-rsa AAAA"), true),
        ("sshd", Some("password\n"), false),
        ("sshd", Some("x-publickey ssh-rsa AAAA"), false),
        ("sshd", Some("publickey"), false),
        ("sshd", None, false),
        ("su", Some(key), false),
    ];
    for (service, info, proven) in cases {
        let mut request = of_alice();
        request.facts.service = service.to_owned();
        request.facts.ssh_auth_info = info.map(str::to_owned);
        let outcome = run(enrolled(), &request, &["first_factor=publickey"], &mut Script::default());
        assert_eq!(matches!(outcome, Outcome::FirstFactorProven), proven, "{service} {info:?}");
    }
}

#[test]
fn the_command_s_own_service_is_refused() {
    let mut request = of_alice();
    request.facts.service = "countersign".to_owned();
    let outcome = run(enrolled(), &request, &["nullok"], &mut Script::default());
    assert!(matches!(outcome, Outcome::OwnService));
}

#[test]
fn one_recovery_code_at_most_is_tried_in_a_transaction() {
    let mut script = Script::of(&["0123456789ABCDEF", "0123456789ABCDEG", "0123456789ABCDEH"]);
    let outcome = run(enrolled(), &of_alice(), &[], &mut script);
    assert!(matches!(outcome, Outcome::Denied(Denial::SecondRecoveryCode)));
}

#[test]
fn a_source_that_guessed_too_often_is_told_how_long_to_wait() {
    let verifier = LocalVerifier::new(enrolled(), Fixed(Ok(NOW)));
    for _ in 0..5 {
        login(&of_alice(), &config(&["attempts=1"]), &verifier, &mut Nobody, &mut Script::of(&["000000"]));
    }
    let mut script = Script::of(&[&code(0)]);
    let report = login(&of_alice(), &config(&[]), &verifier, &mut Nobody, &mut script);
    assert!(matches!(report.outcome, Outcome::Denied(Denial::BackedOff { seconds: 30 })));
    assert_eq!(script.told, ["Too many wrong codes; try again in 30 s, or use a recovery code."]);
}

#[test]
fn strangers_and_the_source_name_agree_on_the_address() {
    assert_eq!(source_of(&of_alice().facts), SourceName::new("addr:192.0.2.7".to_owned()).unwrap());
}

#[test]
fn few_recovery_codes_left_are_warned_of() {
    let told = |left| words::for_recovery(left, &Texts::default());
    assert_eq!(told(3), "Recovery code accepted; 3 are left.");
    assert_eq!(told(2), "Recovery code accepted; 2 are left: get new ones soon.");
    assert_eq!(told(1), "Recovery code accepted; 1 is left: get new ones soon.");
    assert_eq!(told(0), "That was your last recovery code; get new ones now.");
}

#[test]
fn a_clock_that_went_back_is_told_to_the_person_and_to_the_log() {
    let recovery = RecoveryCode::from_random([7; 10]);
    let memory = enrolled();
    if let Some((credential, state)) = memory.kept.borrow_mut().as_mut() {
        let salt = RecoverySalt([9; 16]);
        credential.recovery = Some(RecoverySet { salt, digests: vec![recovery.digest(&salt)] });
        state.recovery.vouch_for([9; 8]);
        state.keys[0].next = 2 * NOW / 30;
        state.written = NOW + 3600;
    }
    let verifier = LocalVerifier::new(memory, Fixed(Ok(NOW)));
    let mut script = Script::of(&[&code(0), &recovery.to_text()]);
    let report = login(&of_alice(), &config(&[]), &verifier, &mut Nobody, &mut script);
    assert!(matches!(report.outcome, Outcome::Accepted(_)));
    assert_eq!(report.clock_back, 3600);
    assert_eq!(script.noted, [(Denial::ClockWentBack, 1)]);
    assert_eq!(
        script.told,
        [
            "The clock of this machine went back; use a recovery code now, or ask your administrator.",
            "That was your last recovery code; get new ones now.",
            "Codes of the app are taken again in a few minutes.",
        ]
    );
}

/// One login after the other with one store, each with what is typed; what came of them.
fn one_after_the_other(arguments: &[&str], logins: &[(&Request<'_>, &[&str])]) -> Vec<Outcome> {
    let verifier = LocalVerifier::new(enrolled(), Fixed(Ok(NOW)));
    let run = |(request, replies): &(&Request<'_>, &[&str])| {
        let mut script = Script::of(replies);
        let report = login(request, &config(arguments), &verifier, &mut Nobody, &mut script);
        assert_eq!(script.prompts, replies.len(), "prompts");
        report.outcome
    };
    logins.iter().map(run).collect()
}

fn is_remembered(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted(accepted) if matches!(accepted.proof(), Proof::Remembered { .. }))
}

#[test]
fn after_a_code_the_same_place_is_not_asked_where_logins_are_remembered() {
    let code = code(0);
    let again: [(&Request<'_>, &[&str]); 2] = [(&of_alice(), &[&code]), (&of_alice(), &[])];
    assert!(is_remembered(&one_after_the_other(&["remember=12h"], &again)[1]));
    let mut elsewhere = of_alice();
    elsewhere.facts.rhost = Some("192.0.2.8".to_owned());
    let elsewhere: [(&Request<'_>, &[&str]); 2] = [(&of_alice(), &[&code]), (&elsewhere, &["1", "2", "3"])];
    assert!(matches!(one_after_the_other(&["remember=12h"], &elsewhere)[1], Outcome::Denied(_)));
    let unasked: [(&Request<'_>, &[&str]); 2] = [(&of_alice(), &[&code]), (&of_alice(), &["1", "2", "3"])];
    assert!(matches!(one_after_the_other(&[], &unasked)[1], Outcome::Denied(_)), "not without remember=");
}

#[test]
fn a_wrong_code_and_a_recovery_code_are_not_remembered() {
    let wrong: [(&Request<'_>, &[&str]); 2] =
        [(&of_alice(), &["000000", "1", "2"]), (&of_alice(), &["1", "2", "3"])];
    let outcomes = one_after_the_other(&["remember=12h"], &wrong);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Denied(_))), "{outcomes:?}");

    let salt = RecoverySalt([9; 16]);
    let recovery_code = RecoveryCode::from_random([3; 10]);
    let memory = enrolled();
    if let Some((credential, state)) = memory.kept.borrow_mut().as_mut() {
        let set = RecoverySet { salt, digests: vec![recovery_code.digest(&salt)] };
        state.recovery.vouch_for(set.name());
        credential.recovery = Some(set);
    }
    let verifier = LocalVerifier::new(memory, Fixed(Ok(NOW)));
    let mut script = Script::of(&[&recovery_code.to_text()]);
    let first = login(&of_alice(), &config(&["remember=12h"]), &verifier, &mut Nobody, &mut script);
    assert!(matches!(first.outcome, Outcome::Accepted(_)));
    let mut script = Script::of(&["1", "2", "3"]);
    let second = login(&of_alice(), &config(&["remember=12h"]), &verifier, &mut Nobody, &mut script);
    assert!(matches!(second.outcome, Outcome::Denied(_)), "{second:?}");
}

/// One login with a policy file and a line; the outcome, and what was asked, told and forwarded.
fn by_policy(file: &str, arguments: &[&str], request: &Request<'_>, script: &mut Script) -> Outcome {
    let verifier = LocalVerifier::new(enrolled(), Fixed(Ok(NOW)));
    let scripted = script.replies.len();
    let report = login(request, &with_file(file, arguments), &verifier, &mut Nobody, script);
    assert_eq!(script.prompts, scripted, "prompts: {:?}", script.asked);
    report.outcome
}

#[test]
fn who_is_exempt_is_not_asked_and_the_rule_is_named() {
    let file = "[[rule]]\nname = \"lan\"\nfrom = [\"192.0.2.0/24\"]\nthen = \"exempt\"\n[[rule]]\nthen = \"exempt\"\n";
    let outcome = by_policy(file, &[], &of_alice(), &mut Script::default());
    assert!(matches!(outcome, Outcome::Exempt { rule } if rule == "lan"));
    let mut elsewhere = of_alice();
    elsewhere.facts.rhost = Some("198.51.100.4".to_owned());
    let outcome = by_policy(file, &[], &elsewhere, &mut Script::default());
    assert!(matches!(outcome, Outcome::Exempt { rule } if rule == "2"));
    let outcome = by_policy(file, &["first_factor=publickey"], &of_alice(), &mut Script::default());
    assert!(matches!(outcome, Outcome::FirstFactorMissing), "an exempt user still needs the key");
}

#[test]
fn a_rule_that_requires_a_code_goes_before_nullok() {
    let verifier = || LocalVerifier::new(Memory::default(), Fixed(Ok(NOW)));
    let run = |file: &str, replies: &[&str]| {
        let mut script = Script::of(replies);
        let outcome =
            login(&of_alice(), &with_file(file, &["nullok"]), &verifier(), &mut Nobody, &mut script).outcome;
        assert_eq!(script.prompts, replies.len());
        outcome
    };
    assert!(matches!(run("", &[]), Outcome::NotEnrolledAllowed));
    let required = "[[rule]]\nthen = \"require\"\n";
    assert!(matches!(run(required, &["1", "2", "3"]), Outcome::Denied(_)));
    let past = "required_from = 2020-01-01\n";
    assert!(matches!(run(past, &["1", "2", "3"]), Outcome::Denied(_)));
    assert!(matches!(run("required_from = 2100-01-01\n", &[]), Outcome::NotEnrolledAllowed));
}

#[test]
fn the_caller_s_code_is_asked_for_where_a_rule_says_so() {
    let file = "[[rule]]\nservices = [\"su\"]\nwhose = \"caller\"\n";
    let to_root = |uid| {
        let mut request = request("root", Some(0));
        request.facts = Facts { service: "su".to_owned(), real_uid: uid, ..Facts::default() };
        request
    };
    let outcome = by_policy(file, &[], &to_root(1000), &mut Script::of(&[&code(0)]));
    assert!(matches!(outcome, Outcome::Accepted(_)));
    let outcome = by_policy(file, &[], &to_root(1005), &mut Script::default());
    assert!(matches!(outcome, Outcome::CallerUnknown));
    // Who calls nobody knows, or from afar: never root by default.
    let mut unnamed = to_root(0);
    let outcome = by_policy(file, &["nullok"], &unnamed, &mut Script::default());
    assert!(matches!(outcome, Outcome::CallerUnknown), "{outcome:?}");
    unnamed.facts.ruser_uid = Some(1000);
    unnamed.facts.rhost = Some("192.0.2.7".to_owned());
    let outcome = by_policy(file, &["nullok"], &unnamed, &mut Script::default());
    assert!(matches!(outcome, Outcome::CallerUnknown), "{outcome:?}");
    // Where there is no remote host, an application may set PAM_RHOST to nothing.
    for host in [None, Some(String::new())] {
        let mut local = to_root(1000);
        local.facts.rhost = host;
        let outcome = by_policy(file, &[], &local, &mut Script::of(&[&code(0)]));
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    // A caller who is not enrolled is no way around the code of others.
    let verifier = LocalVerifier::new(Memory::default(), Fixed(Ok(NOW)));
    let mut script = Script::of(&["1", "2", "3"]);
    let report = login(&to_root(1001), &with_file(file, &["nullok"]), &verifier, &mut Nobody, &mut script);
    assert!(matches!(report.outcome, Outcome::Denied(_)), "{report:?}");
}

#[test]
fn every_word_can_be_set_and_with_tell_never_all_are_the_same() {
    let mut script = Script::of(&["000000", "x", &code(0)]);
    by_policy("[texts]\nprompt = \"Zahl: \"\nwrong = \"Falsch.\"\n", &["echo"], &of_alice(), &mut script);
    assert_eq!(script.told, ["Falsch.", "Falsch."]);
    assert_eq!(script.asked[0], ("Zahl: ".to_owned(), Typing::Shown));
    let verifier = LocalVerifier::new(enrolled(), Fixed(Ok(NOW)));
    let silent = with_file("tell = \"never\"\n", &["attempts=1"]);
    login(&of_alice(), &silent, &verifier, &mut Nobody, &mut Script::of(&[&code(0)]));
    let mut script = Script::of(&[&code(0)]);
    let report = login(&of_alice(), &silent, &verifier, &mut Nobody, &mut script);
    assert!(matches!(report.outcome, Outcome::Denied(Denial::SpentCode)));
    assert_eq!(script.told, ["Wrong code."]);
}

#[test]
fn a_password_and_a_code_in_one_are_parted_whatever_the_password_ends_in() {
    for password in ["", "correct horse", "hunter2", "hunter123456", "99999999", "p\u{e4}ss w\u{f6}rt 7"] {
        let mut script = Script::of(&[&format!("{password}{}", code(0))]);
        let outcome = by_policy("", &["forward_pass"], &of_alice(), &mut script);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{password}");
        assert_eq!(script.forwarded, [password]);
        assert_eq!(script.asked, [("Password & verification code: ".to_owned(), Typing::Hidden)]);
    }
    let mut script = Script::of(&["correct horse", "hunter2000000", &format!("x{}", code(0))]);
    let outcome = by_policy("", &["forward_pass", "echo"], &of_alice(), &mut script);
    assert!(matches!(outcome, Outcome::Accepted(_)));
    assert_eq!(script.noted, [(Denial::Malformed, 1), (Denial::WrongCode, 2)]);
    assert!(script.asked.iter().all(|(_, typing)| *typing == Typing::Hidden), "a password is never shown");
}

#[test]
fn where_no_code_is_asked_for_the_password_goes_on_as_it_was_typed() {
    let exempt = "[[rule]]\nthen = \"exempt\"\n";
    let mut typed_before = Script { first_pass: Some("hunter2".to_owned()), ..Script::default() };
    by_policy(exempt, &["forward_pass", "try_first_pass"], &of_alice(), &mut typed_before);
    let mut nothing_before = Script::of(&["hunter2"]);
    by_policy(exempt, &["forward_pass", "try_first_pass"], &of_alice(), &mut nothing_before);
    assert_eq!((typed_before.forwarded.len(), nothing_before.forwarded), (0, vec!["hunter2".to_owned()]));
    let mut script = Script::of(&["hunter123456"]);
    let outcome = by_policy(exempt, &["forward_pass"], &of_alice(), &mut script);
    assert!(matches!(outcome, Outcome::Exempt { .. }));
    assert_eq!(
        (script.forwarded, script.asked[0].0.as_str()),
        (vec!["hunter123456".to_owned()], "Password: ")
    );

    let verifier = LocalVerifier::new(enrolled(), Fixed(Ok(NOW)));
    let config = config(&["forward_pass", "remember=1h"]);
    login(&of_alice(), &config, &verifier, &mut Nobody, &mut Script::of(&[&format!("hunter2{}", code(0))]));
    let mut script = Script::of(&["hunter2"]);
    let report = login(&of_alice(), &config, &verifier, &mut Nobody, &mut script);
    assert!(is_remembered(&report.outcome), "{report:?}");
    assert_eq!(script.forwarded, ["hunter2"]);
}

#[test]
fn a_password_that_was_typed_before_may_end_in_the_code() {
    let with = |typed: Option<&str>, replies: &[&str]| Script {
        first_pass: typed.map(str::to_owned),
        ..Script::of(replies)
    };
    let both = format!("hunter2{}", code(0));
    let mut script = with(Some(&both), &[]);
    let outcome = by_policy("", &["use_first_pass", "forward_pass"], &of_alice(), &mut script);
    assert!(matches!(outcome, Outcome::Accepted(_)));
    assert_eq!(script.forwarded, ["hunter2"]);
    let outcome = by_policy("", &["use_first_pass"], &of_alice(), &mut with(Some("hunter2"), &[]));
    assert!(matches!(outcome, Outcome::Denied(Denial::Malformed)));
    let outcome = by_policy("", &["use_first_pass"], &of_alice(), &mut with(None, &[]));
    assert!(matches!(outcome, Outcome::FirstPassMissing));
    let outcome = by_policy("", &["try_first_pass"], &of_alice(), &mut with(Some("hunter2"), &[&code(0)]));
    assert!(matches!(outcome, Outcome::Accepted(_)));
    let outcome = by_policy("", &["try_first_pass"], &of_alice(), &mut with(Some(&both), &[]));
    assert!(matches!(outcome, Outcome::Accepted(_)));
}

/// A long password of letters and digits looks like one that ends in a recovery code.
#[test]
fn a_password_that_looks_like_a_recovery_code_costs_nothing() {
    let salt = RecoverySalt([9; 16]);
    let recovery_code = RecoveryCode::from_random([3; 10]);
    let memory = enrolled();
    if let Some((credential, state)) = memory.kept.borrow_mut().as_mut() {
        let set = RecoverySet { salt, digests: vec![recovery_code.digest(&salt)] };
        state.recovery.vouch_for(set.name());
        credential.recovery = Some(set);
    }
    let verifier = LocalVerifier::new(memory, Fixed(Ok(NOW)));
    let config = config(&["try_first_pass"]);
    let with = |replies: &[&str]| Script {
        first_pass: Some("correcthorsebatterystaple9".to_owned()),
        ..Script::of(replies)
    };
    for _ in 0..20 {
        let report = login(&of_alice(), &config, &verifier, &mut Nobody, &mut with(&[]));
        assert!(matches!(report.outcome, Outcome::ConversationFailed));
    }
    let mut script = with(&[&recovery_code.to_text()]);
    let report = login(&of_alice(), &config, &verifier, &mut Nobody, &mut script);
    assert!(matches!(report.outcome, Outcome::Accepted(_)), "{report:?}");
    let report = login(&of_alice(), &config, &verifier, &mut Nobody, &mut with(&[&code(0)]));
    assert!(matches!(report.outcome, Outcome::Accepted(_)), "nothing was charged: {report:?}");
}

#[test]
fn a_wrong_code_behind_a_password_that_was_typed_before_is_in_the_log() {
    let mut script = Script { first_pass: Some("hunter2000000".to_owned()), ..Script::of(&[&code(0)]) };
    let outcome = by_policy("", &["try_first_pass"], &of_alice(), &mut script);
    assert!(matches!(outcome, Outcome::Accepted(_)));
    assert_eq!(script.noted, [(Denial::WrongCode, 0)]);
}

#[test]
fn nobody_is_let_in_without_a_code_whose_account_changed_at_the_prompt() {
    for (file, arguments) in
        [("[[rule]]\nthen = \"exempt\"\n", &["forward_pass"][..]), ("", &["forward_pass", "remember=1h"])]
    {
        let verifier = LocalVerifier::new(enrolled(), Fixed(Ok(NOW)));
        let config = with_file(file, arguments);
        let first = format!("hunter2{}", code(0));
        login(&of_alice(), &config, &verifier, &mut Nobody, &mut Script::of(&[&first]));
        let mut script = Script { becomes_other_user: true, ..Script::of(&["hunter2"]) };
        let report = login(&of_alice(), &config, &verifier, &mut Nobody, &mut script);
        assert!(matches!(report.outcome, Outcome::OtherUser), "{report:?}");
    }
}

/// Who enrols people whose password is "password", by the code 123456.
#[derive(Default)]
struct Desk {
    can_enrol: bool,
    begun: usize,
    kept: bool,
}

impl Enroller for Desk {
    fn prove_password(&mut self, _: &User, password: &[u8]) -> Result<bool, VerifierError> {
        Ok(password == b"password")
    }

    fn begin(&mut self, _: &User) -> Result<Option<NewDevice>, VerifierError> {
        self.begun += 1;
        let (qr, key) = ("QR\n".to_owned(), "GEZD GNBV".to_owned());
        Ok(self.can_enrol.then(|| NewDevice { qr: Some(Zeroizing::new(qr)), key: Zeroizing::new(key) }))
    }

    fn confirm(&mut self, code: &Code) -> Result<Option<Enrolled>, VerifierError> {
        self.kept = code.to_text().as_str() == "123456";
        Ok(self.kept.then(|| Enrolled {
            accepted: Accepted::by_word_of_root(Proof::Enrolled { authenticator: "phone".to_owned() }),
            recovery_codes: vec![Zeroizing::new("0123-4567-89AB-CDEF".to_owned())],
        }))
    }
}

/// One login of a user without a device, who must have one; the outcome, and whether a device was begun and kept.
fn enrolling(request: &Request<'_>, desk: Desk, script: &mut Script) -> (Outcome, usize, bool) {
    let mut desk = desk;
    let scripted = script.replies.len();
    let verifier = LocalVerifier::new(Memory::default(), Fixed(Ok(NOW)));
    let config = with_file("unenrolled = \"enroll\"\n", &[]);
    let report = login(request, &config, &verifier, &mut desk, script);
    assert_eq!(script.prompts, scripted, "prompts: {:?}", script.asked);
    (report.outcome, desk.begun, desk.kept)
}

fn able() -> Desk {
    Desk { can_enrol: true, ..Desk::default() }
}

#[test]
fn who_has_proven_himself_enrols_inside_of_the_login() {
    let with_key = |request: &mut Request<'_>| {
        request.facts.ssh_auth_info = Some("publickey ssh-ed25519 AAAA\n".to_owned());
    };
    let mut by_key = of_alice();
    with_key(&mut by_key);
    let with_password =
        || Script { first_pass: Some("password".to_owned()), ..Script::of(&["000000", "x", "123456", ""]) };
    for (request, mut script) in
        [(by_key, Script::of(&["000000", "x", "123456", ""])), (of_alice(), with_password())]
    {
        let (outcome, begun, kept) = enrolling(&request, able(), &mut script);
        assert!(
            matches!(&outcome, Outcome::Accepted(accepted) if matches!(accepted.proof(), Proof::Enrolled { .. }))
        );
        assert_eq!((begun, kept, script.kept_noted), (1, true, 1));
        let [shown, wrong, also_wrong, codes] = &script.told[..] else { panic!("{:?}", script.told) };
        assert!(shown.contains("\nQR\nOr type this key into it: GEZD GNBV"), "{shown}");
        assert!(wrong == also_wrong && codes.ends_with("\n0123-4567-89AB-CDEF"), "{codes}");
    }
}

/// A QR code on the screen of somebody who has not proven who he is would be his own second factor.
#[test]
fn nobody_is_shown_a_qr_code_who_has_not_proven_who_he_is() {
    let mut of_other_service = of_alice();
    of_other_service.facts.service = "su".to_owned();
    of_other_service.facts.ssh_auth_info = Some("publickey ssh-ed25519 AAAA\n".to_owned());
    let mut by_password_method = of_alice();
    by_password_method.facts.ssh_auth_info = Some("password\n".to_owned());
    let mut with_a_key = of_alice();
    with_a_key.facts.ssh_auth_info = Some("publickey ssh-ed25519 AAAA\n".to_owned());
    let all = [of_alice(), of_other_service, by_password_method, request("nobody", None), with_a_key.clone()];
    for request in all {
        let is_proven_by_key =
            request.facts.service == "sshd" && request.facts.ssh_auth_info == with_a_key.facts.ssh_auth_info;
        for first_pass in [None, Some("wrong".to_owned()), Some(String::new())] {
            if is_proven_by_key && first_pass.is_none() {
                continue;
            }
            let mut script = Script { first_pass, ..Script::of(&["123456", "123456", "123456"]) };
            let (outcome, begun, _) = enrolling(&request, able(), &mut script);
            assert!(matches!(outcome, Outcome::Denied(_)), "{outcome:?}");
            assert_eq!((begun, script.told), (0, vec!["Wrong code.".to_owned(); 3]));
        }
    }
    let mut unknown = Script { first_pass: Some("password".to_owned()), ..Script::of(&["1", "2", "3"]) };
    let (outcome, begun, _) = enrolling(&request("nobody", None), able(), &mut unknown);
    assert!(matches!(outcome, Outcome::Denied(Denial::Malformed)) && begun == 0);
}

#[test]
fn the_caller_of_su_does_not_enrol_with_the_password_of_the_target() {
    let file = "unenrolled = \"enroll\"\n[[rule]]\nwhose = \"caller\"\n";
    let mut to_root = request("root", Some(0));
    to_root.facts = Facts { service: "su".to_owned(), real_uid: 1001, ..Facts::default() };
    let mut desk = able();
    let mut script = Script { first_pass: Some("password".to_owned()), ..Script::of(&["1", "2", "3"]) };
    let verifier = LocalVerifier::new(Memory::default(), Fixed(Ok(NOW)));
    let report = login(&to_root, &with_file(file, &[]), &verifier, &mut desk, &mut script);
    assert!(matches!(report.outcome, Outcome::Denied(_)) && desk.begun == 0, "{report:?}");
}

#[test]
fn where_no_qr_code_can_be_shown_a_prompt_says_what_to_do() {
    let cases = [(able(), true, 0), (Desk::default(), false, 1)];
    for (desk, silent, expected) in cases {
        let mut script = Script { first_pass: Some("password".to_owned()), silent, ..Script::of(&[""]) };
        let (outcome, begun, kept) = enrolling(&of_alice(), desk, &mut script);
        assert!(matches!(outcome, Outcome::EnrolmentImpossible), "{outcome:?}");
        assert_eq!((begun, kept), (expected, false));
        assert!(script.asked[0].0.contains("countersign enroll"), "{:?}", script.asked);
    }
}

#[test]
fn who_never_types_a_right_code_is_not_enrolled() {
    let mut script = Script { first_pass: Some("password".to_owned()), ..Script::of(&["000000"; 5]) };
    let (outcome, begun, kept) = enrolling(&of_alice(), able(), &mut script);
    assert!(matches!(outcome, Outcome::NeverConfirmed), "{outcome:?}");
    assert_eq!((begun, kept), (1, false));
}
