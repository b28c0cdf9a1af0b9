//! The command that looks after people: unlock, adopt, repair.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "command/mod.rs"]
mod command;
#[path = "container/mod.rs"]
mod container;
#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::fs;

use command::{log_in, machine, on_terminal, recovery_codes_on, run};
use pam_countersign::credential::{Authenticator, KeyRecord, Kind};
use pam_countersign::otp::SharedSecret;
use planting::{CountingDevice, Planted, RECOVERY_CODES};
use sandbox::Sandbox;

#[test]
fn unlock_asks_and_then_codes_are_taken_again() {
    let sandbox = machine();
    let (mut alice, phone) = Planted::new("alice", 1000);
    alice.state.counters.iter_mut().for_each(|counter| counter.count = 100);
    alice.put_into(&sandbox.store());
    assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_AUTH_ERR", "capped");
    let mut terminal = on_terminal(&sandbox, &["unlock", "alice"]);
    terminal.expect("forget all wrong codes that were typed for alice? [y/N] ");
    terminal.send_line("no");
    assert_eq!(terminal.wait(), 3);
    assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_AUTH_ERR", "still");
    assert_eq!(run(&sandbox, &["unlock", "alice", "--yes"]).status.code(), Some(0));
    assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_SUCCESS");
    assert_eq!(log_in(&sandbox, &phone.same_code()), "PAM_AUTH_ERR", "what was used stays used");
    assert!(sandbox.log_lines().join("\n").contains("event=unlocked by=uid:0 user=\"alice\""));
    assert_eq!(run(&sandbox, &["unlock", "bob", "--yes"]).status.code(), Some(4));
}

#[test]
fn adopt_makes_the_state_and_leaves_the_credential_alone() {
    let sandbox = machine();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let directory = alice.directory(&sandbox.store());
    fs::remove_file(directory.join("state")).expect("the state");
    fs::remove_file(sandbox.store().join("by-uid/1000")).expect("the entry");
    let text = fs::read(directory.join("credential.toml")).expect("the credential");
    assert_eq!(run(&sandbox, &["adopt", "alice"]).status.code(), Some(0));
    assert_eq!(fs::read(directory.join("credential.toml")).expect("the credential"), text);
    assert_eq!(fs::read_to_string(sandbox.store().join("by-uid/1000")).expect("the entry"), "alice\n");
    assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_AUTH_ERR", "the present window is burned");
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS", "the recovery codes are vouched for");
    assert_eq!(run(&sandbox, &["adopt", "bob"]).status.code(), Some(4));
}

/// Adds a token that counts to an enrolment. Nobody knows where it stands.
fn add_token(planted: &mut Planted) -> CountingDevice {
    let secret = SharedSecret::from_bytes(b"the secret of a token").expect("a secret");
    let token = CountingDevice::new(&secret.to_base32());
    let phone = planted.credential.authenticators[0].clone();
    let token_of_hers = Authenticator { id: "token".to_owned(), secret, kind: Kind::Hotp, ..phone };
    planted.credential.authenticators.push(token_of_hers);
    token
}

fn damage_the_state(sandbox: &Sandbox, alice: &Planted, content: Option<&[u8]>) {
    let state = alice.directory(&sandbox.store()).join("state");
    match content {
        Some(content) => planting::write(&state, content),
        None => fs::remove_file(&state).expect("the state"),
    }
}

#[test]
fn repair_makes_a_lost_state_anew_and_nothing_used_good_again() {
    let both_slots_damaged = vec![b'x'; 65_536 + 4096];
    let too_long = vec![b'\n'; 70_000];
    for content in [None, Some(&b""[..]), Some(&both_slots_damaged), Some(&too_long)] {
        let sandbox = machine();
        let (mut alice, phone) = Planted::new("alice", 1000);
        let token = add_token(&mut alice);
        alice.put_into(&sandbox.store());
        damage_the_state(&sandbox, &alice, content);

        let mut terminal = on_terminal(&sandbox, &["repair", "alice"]);
        terminal
            .expect("- phone: what was used of it is not known; its codes will be taken again in 6 minutes");
        terminal.expect("- token: where its counter stands is not known; two codes of it in a row will tell");
        terminal.expect("- recovery codes: which are used is not known; new ones will take their place");
        terminal.expect("repair this for alice? [y/N] ");
        terminal.send_line("y");
        terminal.expect("a code of token (empty to leave it refused): ");
        terminal.send_line(&token.code(40));
        terminal.expect("the next code of token: ");
        terminal.send_line(&token.code(42));
        terminal.expect("these are not two codes in a row; try again");
        terminal.expect("a code of token");
        terminal.send_line(&token.code(4711));
        terminal.expect("the next code of token: ");
        terminal.send_line(&token.code(4712));
        assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
        let codes = recovery_codes_on(&terminal.transcript());
        assert_eq!(codes.len(), 10, "{}", terminal.transcript());
        assert!(sandbox.log_lines().join("\n").contains("event=repaired by=uid:0 user=\"alice\""));

        assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_AUTH_ERR", "the present window is burned");
        assert_eq!(log_in(&sandbox, &token.code(4712)), "PAM_AUTH_ERR");
        assert_eq!(log_in(&sandbox, &token.code(4713)), "PAM_SUCCESS");
        assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_AUTH_ERR", "the former ones are void");
        assert_eq!(log_in(&sandbox, &codes[3]), "PAM_SUCCESS");
        assert_eq!(fs::read_dir(alice.directory(&sandbox.store())).expect("the directory").count(), 2);
        let again = run(&sandbox, &["repair", "alice"]);
        assert_eq!(String::from_utf8_lossy(&again.stderr), "nothing of alice needs repair\n");
        assert_eq!(again.status.code(), Some(0));
    }
}

/// Alice with a phone and a token of which nothing is known, and recovery codes that are good.
fn with_an_unknown_token(sandbox: &Sandbox) -> (Planted, CountingDevice) {
    let (mut alice, _) = Planted::new("alice", 1000);
    let token = add_token(&mut alice);
    alice.put_into(&sandbox.store());
    (alice, token)
}

#[test]
fn repair_says_what_it_has_left_refused_and_its_status_too() {
    let sandbox = machine();
    let (alice, token) = with_an_unknown_token(&sandbox);
    damage_the_state(&sandbox, &alice, None);
    let mut terminal = on_terminal(&sandbox, &["repair", "alice"]);
    terminal.expect("repair this for alice? [y/N] ");
    terminal.send_line("y");
    terminal.expect("a code of token (empty to leave it refused): ");
    terminal.send_line("");
    terminal.expect("keep these codes");
    terminal.expect("- token stays refused until two codes of it in a row tell where its counter stands");
    terminal.expect("countersign: something of alice is still refused");
    terminal.expect("hint: with what it takes at hand: countersign repair USER");
    assert_eq!(terminal.wait(), 3, "{}", terminal.transcript());
    assert!(!terminal.transcript().contains("is repaired"), "{}", terminal.transcript());
    assert!(sandbox.log_lines().join("\n").contains("event=repaired"), "the rest is");
    let codes = recovery_codes_on(&terminal.transcript());
    assert_eq!(log_in(&sandbox, &token.code(0)), "PAM_AUTH_ERR");
    assert_eq!(log_in(&sandbox, &codes[0]), "PAM_SUCCESS");
}

#[test]
fn repair_that_can_mend_nothing_changes_nothing_and_says_so() {
    let sandbox = machine();
    let (alice, _) = with_an_unknown_token(&sandbox);
    let before = alice.current_in_store(&sandbox.store());
    let output = run(&sandbox, &["repair", "--yes", "alice"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("- token stays refused until") && !said.contains("is repaired"), "{said}");
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert_eq!(alice.current_in_store(&sandbox.store()), before);
    assert!(!sandbox.log_lines().join("\n").contains("event=repaired"));
}

#[test]
fn recovery_codes_of_a_repair_that_cannot_be_shown_are_told_to_be_in_force_and_where_they_are() {
    let sandbox = machine();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    damage_the_state(&sandbox, &alice, None);
    let file = sandbox.path().join("codes");
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_countersign"));
    command.args(["repair", "--yes", "--force", "alice", "--recovery-file"]).arg(&file);
    command.stdout(fs::File::options().write(true).open("/dev/full").expect("a full device"));
    let output = command.stderr(std::process::Stdio::piped()).output().expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("they are in {}\n", file.display())), "{said}");
    assert!(said.contains("hint: they are in force all the same; for others"), "{said}");
    let codes = recovery_codes_on(&fs::read_to_string(&file).expect("the file"));
    assert_eq!(log_in(&sandbox, &codes[0]), "PAM_SUCCESS");
}

#[test]
fn repair_that_is_given_up_changes_nothing() {
    let sandbox = machine();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    damage_the_state(&sandbox, &alice, Some(b"damaged"));
    let mut terminal = on_terminal(&sandbox, &["repair", "alice"]);
    terminal.expect("repair this for alice? [y/N] ");
    terminal.send_line("");
    terminal.expect("countersign: given up");
    assert_eq!(terminal.wait(), 3);
    let state = fs::read(alice.directory(&sandbox.store()).join("state")).expect("the state");
    assert_eq!(state, b"damaged");
    let without_a_terminal = run(&sandbox, &["repair", "alice", "--yes"]);
    assert_eq!(without_a_terminal.status.code(), Some(3), "new recovery codes are secrets");
    assert_eq!(run(&sandbox, &["repair", "bob", "--yes"]).status.code(), Some(4));
}

#[test]
fn a_login_names_repair_where_the_state_is_damaged() {
    let sandbox = machine();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    damage_the_state(&sandbox, &alice, Some(b"damaged"));
    assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_AUTHINFO_UNAVAIL");
    let log = sandbox.log_lines().join("\n");
    assert!(log.contains("reason=state_damaged"), "{log}");
    assert!(log.contains("mend=\"run `countersign repair`\""), "{log}");
}

#[test]
fn repair_brings_a_record_from_the_future_back_and_leaves_recovery_codes_alone() {
    let sandbox = machine();
    let (mut alice, phone) = Planted::new("alice", 1000);
    let next = (planting::now() + 10 * 365 * 24 * 3600) / 30;
    alice.state.keys[0] = KeyRecord { next, ..alice.state.keys[0] };
    alice.put_into(&sandbox.store());
    let refused = sandbox.login("door", "alice", &[&phone.code(0)]);
    assert!(refused.raw.contains("The clock of this machine went back"), "{}", refused.raw);
    assert!(sandbox.log_lines().join("\n").contains("reason=clock_went_back"));
    let status = run(&sandbox, &["status", "alice"]);
    assert!(String::from_utf8_lossy(&status.stdout).contains("countersign repair"));
    let credential = fs::read(alice.directory(&sandbox.store()).join("credential.toml")).expect("a file");

    let unasked = run(&sandbox, &["repair", "alice", "--yes"]);
    let said = String::from_utf8_lossy(&unasked.stderr);
    assert!(said.contains("- phone stays refused until somebody with a watch says"), "{said}");
    assert_eq!(unasked.status.code(), Some(3), "{said}");
    let mut terminal = on_terminal(&sandbox, &["repair", "alice"]);
    terminal.expect("repair this for alice? [y/N] ");
    terminal.send_line("y");
    terminal.expect(" (UTC) now? [y/N] ");
    terminal.send_line("y");
    terminal.expect("alice is repaired");
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    let after = fs::read(alice.directory(&sandbox.store()).join("credential.toml")).expect("a file");
    assert_eq!(after, credential);
    let login = sandbox.login("door", "alice", &[&phone.code(0)]);
    assert!(login.raw.contains("This code was already used"), "burned: {}", login.raw);
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS");
}

#[test]
fn callers_names_each_line_and_takes_a_missing_directory_for_an_error() {
    let sandbox = machine();
    let clean = run(&sandbox, &["callers"]);
    let before = String::from_utf8_lossy(&clean.stdout).into_owned();
    let directory = sandbox.path().join("run/stacks");
    fs::create_dir(&directory).expect("a directory");
    fs::write(directory.join("of-the-admin"), "# ours\nauth required pam_countersign.so\n").expect("a stack");
    let found = run(&sandbox, &["callers", "--with", "/run/stacks"]);
    assert_eq!(found.status.code(), Some(3));
    let new = String::from_utf8_lossy(&found.stdout).replace(&before, "");
    assert_eq!(new, "/etc/pam.d/of-the-admin:2\n");
    assert_eq!(run(&sandbox, &["callers", "--with", "/run/nowhere"]).status.code(), Some(1));
}
