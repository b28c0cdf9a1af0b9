//! Backups that are put back under a running system: a credential, a list of digests, a state, or all of
//! it. Nothing that was spent becomes good again, and the log says why a login is refused.
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

use std::path::{Path, PathBuf};
use std::process::Command;

use command::{log_in, machine, on_terminal, phone_of, recovery_codes_on, run};
use planting::{Phone, Planted, RECOVERY_CODES};
use sandbox::{Running, Sandbox, wait_until_opened};

/// Ways in which people put a file back. Each is given the backup and the place.
const WAYS: [&str; 5] = [
    "cp \"$0\" \"$1\"",
    "cp -a \"$0\" \"$1\"",
    "cp -a --remove-destination \"$0\" \"$1\"",
    "rm \"$1\" && mv \"$0\" \"$1\"",
    "tar -C \"${0%/*}\" -c \"${0##*/}\" | tar -C \"${1%/*}\" -x",
];

/// Runs a shell command on two paths.
fn shell(command: &str, from: &Path, to: &Path) {
    let done = Command::new("sh").args(["-c", command]).args([from, to]).status();
    assert!(done.expect("a shell").success(), "{command}");
}

/// Copies a file of the store, under its own name, to a place for backups.
fn back_up(sandbox: &Sandbox, name: &str) -> PathBuf {
    let folder = sandbox.path().join("backup");
    let _ = std::fs::create_dir(&folder);
    shell("cp -a \"$0\" \"$1\"", &users(sandbox).join(name), &folder);
    folder.join(name)
}

fn users(sandbox: &Sandbox) -> PathBuf {
    sandbox.store().join("users/alice")
}

/// Alice with an unused phone at her door.
fn with_alice() -> (Sandbox, Planted, Phone) {
    let sandbox = machine();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    (sandbox, alice, phone)
}

#[test]
fn an_old_state_put_back_makes_no_spent_code_good_and_the_log_says_so() {
    for way in WAYS {
        let (sandbox, _, phone) = with_alice();
        let backup = back_up(&sandbox, "state");
        assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_SUCCESS");
        assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS");
        sandbox.log_lines();
        shell(way, &backup, &users(&sandbox).join("state"));

        assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_AUTH_ERR", "{way}");
        assert_eq!(log_in(&sandbox, &phone.same_code()), "PAM_AUTH_ERR", "{way}");
        let log = sandbox.log_lines().join("\n");
        assert!(log.contains("reason=unvouched_recovery_codes") && log.contains("state=put_back"), "{log}");
        assert!(log.contains("reason=spent_code"), "{log}");
        // Nor after a restart, of which the witness knows nothing.
        sandbox.restart();
        assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_AUTH_ERR", "{way}");
    }
}

/// The first look at it is kept, also where nothing else changes.
#[test]
fn files_that_are_replaced_while_a_login_waits_for_their_lock_are_the_ones_it_is_judged_by() {
    let (sandbox, alice, phone) = with_alice();
    let code = phone.code(0);
    let before = alice.state_in_store(&sandbox.store());
    let state = users(&sandbox).join("state");
    let locked = std::fs::File::open(&state).expect("the state");
    locked.lock().expect("the lock of the state");
    let mut client = sandbox.client();
    client.args(["--service", "door", "--user", "alice", "--hold", &format!("--reply={code}")]);
    let mut login = Running::start(client);
    assert!(login.wait_until_ready());
    login.release();
    wait_until_opened(&state);
    // The same enrolment, in other files.
    shell("mv \"$0\" \"$1\" && cp -a \"$1\" \"$0\"", &users(&sandbox), &sandbox.path().join("former"));
    locked.unlock().expect("the lock of the state");
    let login = login.finish();
    assert_eq!(login.authenticate(), "PAM_SUCCESS", "{}", login.raw);
    // It was spent in the files that are there now, which do not count as put back from a backup.
    assert!(alice.state_in_store(&sandbox.store()).keys[0].next > before.keys[0].next);
    assert_eq!(log_in(&sandbox, &code), "PAM_AUTH_ERR");
    let log = sandbox.log_lines().join("\n");
    assert!(log.contains("reason=spent_code") && !log.contains("put_back"), "{log}");
}

#[test]
fn that_a_state_was_put_back_outlives_a_restart() {
    let (sandbox, _, _) = with_alice();
    let backup = back_up(&sandbox, "state");
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS");
    shell(WAYS[0], &backup, &users(&sandbox).join("state"));
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_AUTH_ERR");
    sandbox.restart();
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_AUTH_ERR");
}

#[test]
fn a_state_put_back_before_a_restart_is_as_good_as_it_was_and_no_better() {
    let (sandbox, _, phone) = with_alice();
    assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_SUCCESS");
    sandbox.restart();
    assert_eq!(log_in(&sandbox, &phone.same_code()), "PAM_AUTH_ERR");
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS");
}

#[test]
fn repair_makes_a_state_that_was_put_back_whole() {
    let (sandbox, _, phone) = with_alice();
    let backup = back_up(&sandbox, "state");
    assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_SUCCESS");
    shell(WAYS[1], &backup, &users(&sandbox).join("state"));
    let mut terminal = on_terminal(&sandbox, &["repair", "alice"]);
    terminal.expect("- phone: what was used of it is not known");
    terminal.expect("repair this for alice? [y/N] ");
    terminal.send_line("y");
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_AUTH_ERR");
    sandbox.log_lines();
    assert_eq!(log_in(&sandbox, &recovery_codes_on(&terminal.transcript())[0]), "PAM_SUCCESS");
    assert!(!sandbox.log_lines().join("\n").contains("state="));
}

#[test]
fn an_old_credential_put_back_brings_back_no_spent_code() {
    for way in WAYS {
        let (sandbox, _, old) = with_alice();
        assert_eq!(log_in(&sandbox, &old.code(0)), "PAM_SUCCESS");
        assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS");
        let backup = back_up(&sandbox, "credential.toml");
        let mut terminal = on_terminal(&sandbox, &["enroll", "--replace", "alice"]);
        let new = phone_of(&mut terminal);
        terminal.send_line(&new.code(0));
        assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
        shell(way, &backup, &users(&sandbox).join("credential.toml"));

        let login = sandbox.login("door", "alice", &[&old.same_code()]);
        assert!(login.raw.contains("This code was already used"), "{way}: {}", login.raw);
        let login = sandbox.login("door", "alice", &[RECOVERY_CODES[0]]);
        assert!(login.raw.contains("This recovery code was already used"), "{way}: {}", login.raw);
        // It is the enrolment of before, for good and bad.
        assert_eq!(log_in(&sandbox, &old.code(1)), "PAM_SUCCESS", "{way}");
    }
}

/// A list of digests in which codes that were used stand again, under the salt of the present set.
#[test]
fn an_old_list_of_digests_put_back_brings_back_no_used_code() {
    let (sandbox, mut alice, _) = with_alice();
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS");
    let whole = alice.credential.recovery.clone();
    if let Some(set) = alice.credential.recovery.as_mut() {
        set.digests.remove(0);
    }
    let text = |alice: &Planted| pam_countersign::credential::format::write(&alice.credential).expect("text");
    planting::write(&users(&sandbox).join("credential.toml"), text(&alice).as_bytes());
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_AUTH_ERR", "not on the list");
    alice.credential.recovery = whole;
    planting::write(&users(&sandbox).join("credential.toml"), text(&alice).as_bytes());
    let login = sandbox.login("door", "alice", &[RECOVERY_CODES[0]]);
    assert!(login.raw.contains("This recovery code was already used"), "{}", login.raw);
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[1]), "PAM_SUCCESS");
}

#[test]
fn a_whole_enrolment_put_back_after_its_removal_brings_back_no_spent_code() {
    let (sandbox, _, old) = with_alice();
    shell("cp -a \"$0\" \"$1\"", &users(&sandbox), &sandbox.path().join("backup"));
    assert_eq!(log_in(&sandbox, &old.code(0)), "PAM_SUCCESS");
    assert_eq!(run(&sandbox, &["remove", "--yes", "alice"]).status.code(), Some(0));
    let mut terminal = on_terminal(&sandbox, &["enroll", "alice"]);
    let new = phone_of(&mut terminal);
    terminal.send_line(&new.code(0));
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    shell("rm -r \"$1\" && mv \"$0\" \"$1\"", &sandbox.path().join("backup"), &users(&sandbox));
    assert_eq!(log_in(&sandbox, &old.same_code()), "PAM_AUTH_ERR");
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_AUTH_ERR");
    assert!(sandbox.log_lines().join("\n").contains("state=put_back"));
}

/// Nobody is kept out for it: it is a witness of an accident, and `/run` may be full or not to be written.
#[test]
fn where_the_number_cannot_be_kept_a_login_works_and_the_log_says_so() {
    let (sandbox, _, phone) = with_alice();
    let must_work = |what: &str, periods: i64| {
        assert_eq!(log_in(&sandbox, &phone.code(periods)), "PAM_SUCCESS", "{what}");
        let log = sandbox.log_lines().join("\n");
        assert!(log.contains("state=not_noted"), "{what}: {log}");
    };
    let directory = sandbox.path().join("run/countersign-seen");
    std::fs::write(&directory, "a file in place of the directory").expect("a file");
    must_work("a file in place of the directory", 0);
    std::fs::remove_file(&directory).expect("the file");
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS");
    assert!(!sandbox.log_lines().join("\n").contains("state="));
    // As a kill, or a full file system, in the middle of the first note leaves it.
    std::fs::write(directory.join("alice"), "").expect("a file");
    must_work("an empty file", 1);
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[1]), "PAM_SUCCESS");
    assert!(!sandbox.log_lines().join("\n").contains("state="), "noted again");
}

/// Taken for a number, it would be the last one, after which no state can be written.
#[test]
fn a_noted_number_that_no_history_reaches_stops_no_write() {
    for number in ["18446744073709551615", "18446744073709551614", "00010000000000000001"] {
        let (sandbox, alice, phone) = with_alice();
        assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS", "makes the note");
        sandbox.log_lines();
        let note = sandbox.path().join("run/countersign-seen/alice");
        let before = alice.current_in_store(&sandbox.store()).sequence;
        std::fs::write(&note, format!("{number}\n")).expect("the note");

        assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_SUCCESS", "{number}");
        let log = sandbox.log_lines().join("\n");
        assert!(log.contains("state=not_noted"), "{number}: {log}");
        assert_eq!(alice.current_in_store(&sandbox.store()).sequence, before + 1, "{number}");
        assert_eq!(log_in(&sandbox, RECOVERY_CODES[1]), "PAM_SUCCESS", "{number}");
        assert!(!sandbox.log_lines().join("\n").contains("state="), "{number}: noted again");

        std::fs::write(&note, format!("{number}\n")).expect("the note");
        std::fs::remove_file(users(&sandbox).join("state")).expect("the state");
        assert_eq!(log_in(&sandbox, RECOVERY_CODES[2]), "PAM_AUTH_ERR", "{number}");
        let made = alice.current_in_store(&sandbox.store()).sequence;
        assert!(made <= planting::now() + 1, "{made} begins with the time, whatever was noted");
    }
}

#[test]
fn where_nothing_can_be_written_to_run_a_login_works_and_the_log_says_so() {
    let (sandbox, _, phone) = with_alice();
    let mut read_only = sandbox.command("sh");
    read_only.args(["-c", "mount -t tmpfs -o ro none /run && exec \"$@\"", "sh"]);
    read_only.arg(sandbox::example("pam-client")).args(["--confdir", "/etc/pam.d", "--service", "door"]);
    read_only.args(["--user", "alice", &format!("--reply={}", phone.code(0))]);
    let login = sandbox::Conversation::of(read_only);
    assert_eq!(login.authenticate(), "PAM_SUCCESS", "{}{}", login.raw, login.stderr);
    assert!(sandbox.log_lines().join("\n").contains("state=not_noted"));
}
