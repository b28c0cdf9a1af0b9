//! Only root is believed, and only root is answered.

use std::io::{BufRead as _, BufReader};

use crate::ground::{CLIENT, Ground, SOCKET, Way};
use crate::installed::password_of;

#[test]
#[ignore = "needs root: boots a container"]
fn a_process_that_is_not_roots_is_not_believed() {
    let ground = Ground::boot("bookworm");
    for (user, expected) in [("alice", "error PermissionDenied\n"), ("root", "proven alice\nProven\n")] {
        let socket = format!("/tmp/of-{user}");
        let claimed = ["runuser", "-u", user, "--", CLIENT, "claim", &socket];
        let mut claiming = ground.machine.start(&claimed);
        let mut line = String::new();
        let output = claiming.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("it prints");
        assert_eq!(line, "listening\n");
        let steps = ground.machine.must(&[CLIENT, "ask", "--socket", &socket, "alice"]);
        assert_eq!(steps, expected, "{user}");
        let _ = claiming.wait();
    }
    // Nobody listens there any more, so a child does it.
    let right = password_of("alice");
    let steps = ground.machine.must(&[CLIENT, "ask", "--socket", "/tmp/of-root", "alice", &right]);
    assert_eq!(steps, "ask hidden Password: \nproven alice\nProven\n");
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_service_that_is_not_roots_is_not_answered() {
    let ground = Ground::boot("bookworm");
    let right = password_of("alice");
    let ask_as = |uid: u32| {
        let uid = uid.to_string();
        ground.machine.must(&[CLIENT, "foreign", &uid, "/usr/bin/countersign", "alice", &right])
    };
    assert_eq!(ask_as(ground.machine.uid_of("alice")), "exit Some(1)\n");
    let of_root = ask_as(0);
    assert!(of_root.contains("{\"end\":\"proven\"}\nexit Some(0)\n"), "{of_root}");
}

#[test]
#[ignore = "needs root: boots a container"]
fn an_ordinary_user_reaches_neither_the_socket_nor_the_verb() {
    let ground = Ground::boot("bookworm");
    ground.go(Way::Unit);
    let as_alice = ["runuser", "-u", "alice", "--"];
    let steps = ground.machine.must(&[&as_alice[..], &[CLIENT, "ask", "alice", "x"]].concat());
    assert_eq!(steps, "error PermissionDenied\n");
    let verb = ground.machine.run(&[&as_alice[..], &["countersign", "prove-password"]].concat());
    assert_eq!(verb.status, 3, "{verb:?}");
    let mode = ground.machine.must(&["stat", "-c", "%a %U", SOCKET, "/run/countersign"]);
    assert_eq!(mode, "600 root\n755 root\n");
    let help = ground.machine.must(&["countersign", "--help"]);
    assert!(!help.contains("prove-password"), "{help}");
}
