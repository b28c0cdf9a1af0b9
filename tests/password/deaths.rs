//! One of the two sides is gone before the end.

use std::io::Read as _;

use crate::ground::{CLIENT, Ground, Held, Way};
use crate::installed::password_of;

#[test]
#[ignore = "needs root: boots a container"]
fn a_password_process_that_is_killed_has_proven_nothing() {
    let ground = Ground::boot("bookworm");
    for way in [Way::Unit, Way::Child] {
        ground.go(way);
        let mut held = Held::start(&ground, "alice", &[&password_of("alice")]);
        held.wait_until_held();
        let [(process, _)] = ground.processes()[..] else { panic!("not one process") };
        ground.machine.must(&["kill", "-KILL", &process.to_string()]);
        held.go_on();
        assert_eq!(held.line(), "unavailable", "{way:?}");
        assert_eq!(held.line(), "Failed", "{way:?}");
        ground.wait_until_none_is_left();
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_password_process_ends_when_the_service_is_gone() {
    let ground = Ground::boot("bookworm");
    for way in [Way::Unit, Way::Child] {
        ground.go(way);
        let mut held = Held::start(&ground, "alice", &[]);
        held.wait_until_held();
        assert_eq!(ground.processes().len(), 1, "{way:?}");
        ground.machine.must(&["pkill", "-KILL", "-x", "-f", &format!("{CLIENT} ask --hold alice")]);
        ground.wait_until_none_is_left();
    }
    // Anybody can do that, and nobody need hear of it.
    let journal = ground.machine.journal();
    assert!(!journal.contains("Failed with result"), "{journal}");
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_child_that_hangs_in_a_module_is_gone_when_the_proof_is_dropped() {
    let ground = Ground::boot("bookworm");
    ground.install_questions();
    ground.stack("auth required pam_questions.so info=hello hang\naccount required pam_permit.so\n");
    ground.go(Way::Child);
    // A child that is left would hold standard error, and the test with it.
    let command = format!("exec {CLIENT} ask --leave-after 1 alice 2>/dev/null");
    let left = ground.machine.must(&["sh", "-c", &command]);
    assert_eq!(left, "tell info hello\nUnasked\n");
    assert_eq!(ground.processes(), []);
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_guess_that_is_given_up_counts() {
    let ground = Ground::boot("bookworm");
    ground.go(Way::Unit);
    let mut given_up = ground.machine.command(&[CLIENT, "ask", "--leave-after", "1", "alice", "wrong"]);
    let output = given_up.output().expect("the client");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ask hidden Password: \nFailed\n");
    ground.wait_until_none_is_left();
    let mut unanswered = ground.machine.start(&[CLIENT, "ask", "alice"]);
    let mut seen = String::new();
    unanswered.stdout.take().expect("a pipe").read_to_string(&mut seen).expect("text");
    assert_eq!(seen, "ask hidden Password: \nUntried\n");
    let _ = unanswered.wait();
}
