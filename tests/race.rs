//! Once, whatever is done at the same time: separate processes, the real module, a real disk.
#![allow(missing_docs, reason = "the names of the tests say it")]

#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::process::Command;

use planting::{Planted, RECOVERY_CODES};
use sandbox::{Conversation, Sandbox, all_at_once, module};

/// Processes released together.
const PROCESSES: usize = 64;
/// Rounds of a race for a code.
const ROUNDS: u32 = 200;

fn door() -> (Sandbox, Planted, planting::Phone) {
    let sandbox = Sandbox::new();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    sandbox.service("door", &format!("auth required {} attempts=1\n", module().display()));
    (sandbox, alice, phone)
}

fn held_login(sandbox: &Sandbox, reply: &str, rhost: &str) -> Command {
    let mut client = sandbox.client();
    client.args(["--service", "door", "--user", "alice", "--reply", reply, "--rhost", rhost, "--hold"]);
    client
}

fn accepted(logins: &[Conversation]) -> usize {
    logins.iter().filter(|login| login.authenticate() == "PAM_SUCCESS").count()
}

/// Everyone is let in or told that the code was used: nobody waits in vain for the lock.
fn race(sandbox: &Sandbox, reply: &str) {
    let logins = all_at_once((0..PROCESSES).map(|_| held_login(sandbox, reply, "192.0.2.7")));
    assert_eq!(logins.len(), PROCESSES);
    assert_eq!(
        accepted(&logins),
        1,
        "{:?}",
        logins.iter().map(Conversation::authenticate).collect::<Vec<_>>()
    );
    let refused = logins.iter().filter(|login| login.raw.contains("was already used")).count();
    assert_eq!(refused, PROCESSES - 1);
}

#[test]
fn one_code_in_many_processes_lets_exactly_one_in() {
    let (sandbox, alice, phone) = door();
    for _ in 0..ROUNDS {
        alice.put_state_into(&sandbox.store());
        race(&sandbox, &phone.code(0));
        sandbox.log_lines();
    }
}

#[test]
fn one_recovery_code_in_many_processes_lets_exactly_one_in() {
    let (sandbox, _, _) = door();
    for code in RECOVERY_CODES {
        race(&sandbox, code);
        sandbox.log_lines();
    }
}

#[test]
fn parallel_guesses_are_charged_one_by_one() {
    let (sandbox, alice, phone) = door();
    let wrong = phone.wrong_code();
    // From sources that fall into different counters, so that no wait hides a charge.
    for round in 1..=4_u32 {
        alice.put_state_into(&sandbox.store());
        let logins = all_at_once(
            (0..PROCESSES).map(|number| held_login(&sandbox, &wrong, &format!("198.51.{round}.{number}"))),
        );
        let judged = logins.iter().filter(|login| login.raw.contains("Wrong code.")).count();
        let waited = logins.iter().filter(|login| login.raw.contains("Too many wrong codes")).count();
        // On a slow disk some wait for the lock in vain: denied, and not charged.
        let busy = logins.iter().filter(|login| login.authenticate() == "PAM_AUTHINFO_UNAVAIL").count();
        assert_eq!(judged + waited + busy, PROCESSES);
        let state = alice.state_in_store(&sandbox.store());
        let charged: u32 = state.counters.iter().map(|counter| counter.count).sum();
        assert_eq!(usize::try_from(charged).expect("a small number"), judged);
        sandbox.log_lines();
    }
}
