//! Once, whatever is done at the same time: separate processes, the real module, a real disk.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests stop at surprises")]

#[path = "crowd/mod.rs"]
mod crowd;
#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use crowd::{Crowd, rounds};
use pam_countersign::credential::Failures;
use planting::{Planted, RECOVERY_CODES};
use sandbox::{Sandbox, module};

/// The command, which is the service.
const COUNTERSIGN: &str = env!("CARGO_BIN_EXE_countersign");
/// How many race, and for how many rounds: usually, and in the full form.
const RACES: [(usize, u32, u32); 3] = [(2, 200, 6000), (8, 100, 3000), (64, 30, 1000)];

fn door() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.service("door", &format!("auth required {} attempts=1\n", module().display()));
    sandbox
}

/// Everyone is let in or told that the code was used: nobody waits in vain for the lock.
fn race(sandbox: &Sandbox, reply_of_round: impl FnMut(u32) -> String) {
    race_of(Crowd::in_sandbox(sandbox), sandbox, reply_of_round);
}

fn race_of(mut crowd: Crowd, sandbox: &Sandbox, mut reply_of_round: impl FnMut(u32) -> String) {
    let mut round = 0;
    for (processes, usual, soak) in RACES {
        let last = round + rounds(usual, soak);
        while round < last {
            let ends = crowd.log_in(processes, "192.0.2.7", &reply_of_round(round));
            assert_eq!(ends.accepted(), 1, "{processes} processes, round {round}: {ends:?}");
            assert_eq!(ends.with("was already used"), processes - 1, "round {round}: {ends:?}");
            sandbox.log_lines();
            round += 1;
        }
        println!("{processes} processes: one let in, in each of {} rounds", rounds(usual, soak));
    }
}

#[test]
fn one_code_in_many_processes_lets_exactly_one_in() {
    let sandbox = door();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    race(&sandbox, |_| {
        alice.put_state_into(&sandbox.store());
        phone.code(0)
    });
}

#[test]
fn one_recovery_code_in_many_processes_lets_exactly_one_in() {
    let sandbox = door();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    race(&sandbox, |round| {
        let number = round as usize % RECOVERY_CODES.len();
        if number == 0 {
            alice.put_state_into(&sandbox.store());
        }
        RECOVERY_CODES.get(number).copied().unwrap_or_default().to_owned()
    });
}

#[test]
fn one_code_of_a_counter_in_many_processes_lets_exactly_one_in() {
    let sandbox = door();
    let (alice, device) = Planted::counting("alice", 1000);
    alice.put_into(&sandbox.store());
    race(&sandbox, |round| device.code(u64::from(round)));
}

#[test]
fn through_the_service_one_code_in_many_processes_lets_exactly_one_in() {
    let sandbox = door();
    let (alice, device) = Planted::counting("alice", 1000);
    alice.put_into(&sandbox.store());
    let mut crowd = Crowd::through_the_service(&sandbox, COUNTERSIGN);
    assert_eq!(crowd.log_in(1, "192.0.2.7", &device.code(0)).accepted(), 1);
    let log = sandbox.log_lines();
    assert!(log.iter().any(|line| line.contains(" door=socket caller=0 ")), "{log:?}");
    race_of(crowd, &sandbox, |round| device.code(1 + u64::from(round)));
}

#[test]
fn through_the_service_one_recovery_code_lets_exactly_one_in() {
    let sandbox = door();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    race_of(Crowd::through_the_service(&sandbox, COUNTERSIGN), &sandbox, |round| {
        let number = round as usize % RECOVERY_CODES.len();
        if number == 0 {
            alice.put_state_into(&sandbox.store());
        }
        RECOVERY_CODES.get(number).copied().unwrap_or_default().to_owned()
    });
}

/// Guesses until a thousand were judged. A wait hides the verdict of those who come too late, so what was
/// counted is taken down each time, and begins anew.
fn guess_a_thousand_times(rhost: &str, follow: usize) {
    const GUESSES: usize = 1000;
    let sandbox = door();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let mut crowd = Crowd::in_sandbox(&sandbox);
    let (mut judged, mut charged, mut refused) = (0, 0, 0);
    // The first crowd has a thousand; those that follow are about as many as can be judged.
    let mut size = GUESSES;
    while judged < GUESSES {
        alice.put_state_into(&sandbox.store());
        let ends = crowd.log_in(size, rhost, &phone.wrong_code());
        let told = ends.with("Wrong code.");
        let waiting = ends.with("Too many wrong codes");
        // On a slow disk some wait for the lock in vain: denied, and not charged.
        let busy = ends.with("PAM_AUTHINFO_UNAVAIL");
        assert_eq!(told + waiting + busy, size, "{ends:?}");
        let counters = alice.state_in_store(&sandbox.store()).counters;
        let counted: u32 = counters.iter().map(|Failures { count, .. }| *count).sum();
        assert_eq!(usize::try_from(counted).expect("a small number"), told, "{ends:?}");
        judged += told;
        charged += counted;
        refused += waiting + busy;
        size = follow;
        sandbox.log_lines();
    }
    println!("{rhost}: {judged} guesses judged, {charged} charged, {refused} refused without a verdict");
}

#[test]
fn a_thousand_parallel_guesses_from_one_source_are_charged_a_thousand_times() {
    guess_a_thousand_times("192.0.2.7", 8);
}

#[test]
fn a_thousand_parallel_guesses_from_a_thousand_sources_are_charged_a_thousand_times() {
    guess_a_thousand_times("198.51.{}", 100);
}
