//! What the module is to the process that loads it: six symbols, few libraries, and nothing left
//! behind when it is gone.
#![allow(missing_docs, reason = "the names of the tests say it")]

#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::process::Command;

use planting::Planted;
use sandbox::{Conversation, Sandbox, example, module};

fn output_of(command: &mut Command) -> String {
    let output = command.output().expect("the program is installed");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_module_exports_the_entry_points_and_nothing_else() {
    let symbols =
        output_of(Command::new("nm").args(["-D", "--defined-only", "--format=just-symbols"]).arg(module()));
    let mut symbols: Vec<&str> = symbols.lines().collect();
    symbols.sort_unstable();
    assert_eq!(
        symbols,
        [
            "pam_sm_acct_mgmt",
            "pam_sm_authenticate",
            "pam_sm_chauthtok",
            "pam_sm_close_session",
            "pam_sm_open_session",
            "pam_sm_setcred",
        ]
    );
}

#[test]
fn the_module_needs_few_libraries() {
    let dynamic = output_of(Command::new("readelf").args(["-d", "--wide"]).arg(module()));
    let needed: Vec<&str> = dynamic
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split_once('[')?.1.split_once(".so").map(|(name, _)| name))
        // The dynamic loader itself, for thread-local storage.
        .filter(|name| !name.starts_with("ld-linux"))
        .collect();
    assert_eq!(needed, ["libpam", "libgcc_s", "libc"]);
}

/// The two numbers of a line `name BEFORE AFTER`.
fn before_and_after(report: &str, name: &str) -> (u64, u64) {
    let line = report.lines().find(|line| line.starts_with(name)).expect("a line of that name");
    let mut numbers = line.split(' ').skip(1).map(|number| number.parse().expect("a number"));
    (numbers.next().expect("before"), numbers.next().expect("after"))
}

#[test]
fn a_thousand_loads_leave_descriptors_threads_and_memory_where_they_were() {
    let report = output_of(Command::new(example("pam-client")).arg("--load-check").arg(module()).arg("1000"));
    for name in ["descriptors", "threads"] {
        let (before, after) = before_and_after(&report, name);
        assert_eq!(before, after, "{name}");
    }
    let (before, after) = before_and_after(&report, "memory_kb");
    assert!(after < before + 256, "{before} kB became {after} kB");
    assert!(report.contains("mapped no"), "{report}");
}

/// As `login`, which asks up to three times on one handle, and as a locker, which lives for weeks.
#[test]
fn a_hundred_logins_in_one_process_leave_nothing_mapped() {
    let sandbox = Sandbox::new();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    sandbox.service("door", &format!("auth required {} attempts=1\n", module().display()));
    let mut client = sandbox.client();
    client.args(["--service", "door", "--user", "alice", "--repeat", "100", "--reply", &phone.code(0)]);
    let logins = Conversation::of(client);
    let codes: Vec<&str> = logins
        .results
        .iter()
        .filter(|(call, _)| call == "authenticate")
        .map(|(_, code)| code.as_str())
        .collect();
    assert_eq!(codes.len(), 100);
    assert_eq!(codes.iter().filter(|code| **code == "PAM_SUCCESS").count(), 1, "{codes:?}");
}
