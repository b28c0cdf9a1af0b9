//! The command, on a terminal as a person has it: enrolling, replacing, looking, removing.
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
#[path = "screen/mod.rs"]
mod screen;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use command::{
    QUESTION, after, log_in, machine, nothing_is_kept, on_terminal, phone_of, recovery_codes_on, run, start,
};
use container::Terminal;
use planting::{Phone, Planted, RECOVERY_CODES};
use sandbox::Sandbox;

/// Enrols alice and returns her phone and what was on the screen.
fn enrol(sandbox: &Sandbox, words: &[&str]) -> (Phone, String) {
    let mut terminal = on_terminal(sandbox, &[&["enroll", "alice"], words].concat());
    let phone = phone_of(&mut terminal);
    terminal.send_line(&phone.code(0));
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    (phone, terminal.transcript())
}

#[test]
fn the_qr_code_on_the_terminal_is_the_exact_uri() {
    let sandbox = machine();
    let mut terminal = on_terminal(&sandbox, &["enroll", "alice", "--issuer", "web1.example.org"]);
    terminal.expect("key for typing in: ");
    let key = terminal.expect("\n").replace(' ', "").trim().to_owned();
    assert_eq!(key.len(), 32, "160 bits");
    let uri = format!("otpauth://totp/web1.example.org:alice?secret={key}&issuer=web1.example.org");
    assert_eq!(screen::read_qr_code(&terminal.transcript()), uri);
    terminal.expect(QUESTION);
    terminal.send_control('c');
    terminal.wait();
    assert!(nothing_is_kept(&sandbox));
}

#[test]
fn a_first_code_activates_and_is_spent_by_it() {
    let sandbox = machine();
    let (phone, screen) = enrol(&sandbox, &[]);
    assert_eq!(log_in(&sandbox, &phone.same_code()), "PAM_AUTH_ERR", "the first code is used up");
    assert_eq!(log_in(&sandbox, &phone.code(1)), "PAM_SUCCESS");
    let codes = recovery_codes_on(&screen);
    assert_eq!(codes.len(), 10, "{screen}");
    assert_eq!(log_in(&sandbox, &codes[9]), "PAM_SUCCESS");
    assert_eq!(log_in(&sandbox, &codes[9]), "PAM_AUTH_ERR");
    let log = sandbox.log_lines().join("\n");
    assert!(log.contains("event=enrolled by=uid:0 user=\"alice\""), "{log}");
}

#[test]
fn until_the_first_code_is_right_nothing_is_kept() {
    let sandbox = machine();
    let mut terminal = on_terminal(&sandbox, &["enroll", "alice"]);
    let phone = phone_of(&mut terminal);
    for reply in [phone.wrong_code().as_str(), "", "no idea", RECOVERY_CODES[0]] {
        terminal.send_line(reply);
        terminal.expect("that is not the code; wait for the next one and try again");
        terminal.expect(QUESTION);
        assert!(nothing_is_kept(&sandbox));
    }
    terminal.send_line(&phone.wrong_code());
    terminal.expect("countersign: no code was right");
    assert_eq!(terminal.wait(), 3);
    assert!(nothing_is_kept(&sandbox));
}

#[test]
fn the_end_of_the_input_leaves_nothing() {
    let sandbox = machine();
    let output = run(&sandbox, &["enroll", "alice", "--force"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("countersign: given up\nhint: nothing was changed\n"), "{errors}");
    assert_eq!(output.status.code(), Some(3));
    assert!(nothing_is_kept(&sandbox));
}

#[test]
fn a_secret_is_not_shown_where_there_is_no_terminal() {
    let sandbox = machine();
    let output = run(&sandbox, &["enroll", "alice"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("hint: run it in a terminal, or use --force"), "{errors}");
}

#[test]
fn an_enrolment_is_not_overwritten_and_replacing_keeps_the_old_until_confirmed() {
    let sandbox = machine();
    let (alice, old) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let refused = run(&sandbox, &["enroll", "alice", "--force"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("countersign enroll --replace"));

    let mut given_up = on_terminal(&sandbox, &["enroll", "alice", "--replace"]);
    phone_of(&mut given_up);
    assert_eq!(log_in(&sandbox, &old.code(0)), "PAM_SUCCESS", "in force while the new one is shown");
    given_up.send_control('c');
    given_up.wait();
    assert_eq!(log_in(&sandbox, &old.code(1)), "PAM_SUCCESS", "in force after it was given up");

    let (new, _) = enrol(&sandbox, &["--replace"]);
    // As far ahead as the old phone could be; the text of a login would be the same for a used code.
    let login = sandbox.login("door", "alice", &[&old.code(2)]);
    assert!(
        login.messages.iter().any(|text| text == "error Wrong code."),
        "no longer in force: {}",
        login.raw
    );
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_AUTH_ERR", "nor its recovery codes");
    assert_eq!(log_in(&sandbox, &new.code(1)), "PAM_SUCCESS");
}

#[test]
fn recovery_codes_are_saved_for_root_alone_and_never_over_a_file() {
    let sandbox = machine();
    let path = sandbox.path().join("codes.txt");
    let shown = path.to_string_lossy().into_owned();
    fs::write(&path, "precious").expect("a file");
    let refused = run(&sandbox, &["enroll", "alice", "--force", "--recovery-file", &shown]);
    assert_eq!(refused.status.code(), Some(3));
    assert_eq!(fs::read_to_string(&path).expect("the file"), "precious");
    assert!(nothing_is_kept(&sandbox));

    fs::remove_file(&path).expect("the file");
    let (_, screen) = enrol(&sandbox, &["--recovery-file", &shown]);
    let saved = fs::read_to_string(&path).expect("the file");
    assert_eq!(recovery_codes_on(&saved), recovery_codes_on(&screen));
    assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn where_the_recovery_codes_cannot_be_saved_nothing_is_activated() {
    let sandbox = machine();
    let mut terminal = on_terminal(&sandbox, &["enroll", "alice", "--recovery-file", "/proc/nowhere/codes"]);
    let phone = phone_of(&mut terminal);
    terminal.send_line(&phone.code(0));
    terminal.expect("countersign: cannot write /proc/nowhere/codes");
    assert_eq!(terminal.wait(), 1);
    assert!(nothing_is_kept(&sandbox));
}

#[test]
fn the_first_enrolment_makes_the_store() {
    let sandbox = machine();
    for part in ["users", "by-uid"] {
        fs::remove_dir(sandbox.store().join(part)).expect("a part of the store");
    }
    let (phone, _) = enrol(&sandbox, &[]);
    assert_eq!(log_in(&sandbox, &phone.code(1)), "PAM_SUCCESS");
    for part in ["users", "users/alice", "by-uid"] {
        let mode = fs::metadata(sandbox.store().join(part)).expect("a directory").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{part}");
    }
    for file in ["users/alice/credential.toml", "users/alice/state", "by-uid/1000"] {
        let mode = fs::metadata(sandbox.store().join(file)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(fs::read_dir(sandbox.store().join("users/alice")).expect("a directory").count(), 2);
}

/// Every file and directory below a path, with its mode.
fn modes_below(path: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).expect("a directory").flatten() {
        let mode = entry.metadata().expect("its mode").permissions().mode() & 0o7777;
        found.push((entry.path().to_string_lossy().into_owned(), mode));
        if entry.path().is_dir() {
            found.extend(modes_below(&entry.path()));
        }
    }
    found
}

#[test]
fn whatever_the_umask_all_that_an_enrolment_makes_has_its_mode() {
    let sandbox = machine();
    for part in ["users", "by-uid"] {
        fs::remove_dir(sandbox.store().join(part)).expect("a part of the store");
    }
    let codes = sandbox.path().join("codes.txt");
    let saved = codes.to_string_lossy().into_owned();
    let mut terminal = after(&sandbox, "umask 0777", &["enroll", "alice", "--recovery-file", &saved]);
    let phone = phone_of(&mut terminal);
    terminal.send_line(&phone.code(0));
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    let mut modes = modes_below(&sandbox.store());
    modes.extend(modes_below(&sandbox.path().join("run")));
    modes.push((saved, fs::metadata(&codes).expect("the file").permissions().mode() & 0o7777));
    assert!(modes.len() >= 8, "{modes:?}");
    for (path, mode) in modes {
        let right = if Path::new(&path).is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, right, "{path}: {mode:o}");
    }
    assert_eq!(log_in(&sandbox, &phone.code(1)), "PAM_SUCCESS");
}

/// A kill between making a directory and setting its mode leaves one that the service cannot read.
#[test]
fn directories_of_the_store_without_permissions_get_theirs_at_the_next_enrolment() {
    let sandbox = machine();
    let parts = ["users", "by-uid", ""].map(|part| sandbox.store().join(part));
    for part in &parts {
        fs::set_permissions(part, fs::Permissions::from_mode(0o000)).expect("a mode");
    }
    enrol(&sandbox, &[]);
    for part in &parts {
        let mode = fs::metadata(part).expect("a directory").permissions().mode();
        assert_eq!(mode & 0o7777, 0o700, "{}", part.display());
    }
}

#[test]
fn a_removal_passes_over_entries_that_cannot_be_read_and_says_so() {
    let sandbox = machine();
    enrol(&sandbox, &[]);
    let strange = sandbox.store().join("by-uid/1001");
    planting::write(&strange, b"bob\n");
    fs::set_permissions(&strange, fs::Permissions::from_mode(0o644)).expect("a mode");
    let removed = run(&sandbox, &["remove", "alice", "--yes"]);
    let told = String::from_utf8_lossy(&removed.stderr);
    assert_eq!(removed.status.code(), Some(0), "{told}");
    assert!(told.contains("warning: cannot read by-uid/1001"), "{told}");
    assert!(
        sandbox
            .log_lines()
            .join("\n")
            .contains("event=removed by=uid:0 unreadable=by-uid/1001 user=\"alice\"")
    );
    assert!(strange.exists() && !sandbox.store().join("by-uid/1000").exists());
}

#[test]
fn an_enrolment_whose_number_cannot_be_noted_is_not_made() {
    let sandbox = machine();
    // A directory in the place of the entry: the file cannot be put there.
    fs::create_dir(sandbox.store().join("by-uid/1000")).expect("a directory");
    let output = run(&sandbox, &["enroll", "alice", "--force"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::read_dir(sandbox.store().join("users")).expect("users").next().is_none());
}

/// The entry may stand for an enrolment that was lost: an enrolment that fails must not open the account.
#[test]
fn an_enrolment_that_fails_takes_back_nothing_that_was_there_before() {
    let sandbox = machine();
    planting::write(&sandbox.store().join("by-uid/1000"), b"alice\n");
    let mut limited = sandbox.command("prlimit");
    limited.args(["--fsize=0", env!("CARGO_BIN_EXE_countersign"), "enroll", "alice"]);
    let mut terminal = start(&limited);
    let phone = phone_of(&mut terminal);
    terminal.send_line(&phone.code(0));
    terminal.expect("countersign: cannot write");
    assert_eq!(terminal.wait(), 1);
    assert!(sandbox.store().join("by-uid/1000").exists());
    assert_eq!(log_in(&sandbox, &phone.code(1)), "PAM_AUTHINFO_UNAVAIL");
}

/// No lock is held while the command writes to its terminal, which Control and S stops.
#[test]
fn a_terminal_that_is_stopped_before_the_last_word_keeps_nobody_out() {
    let sandbox = machine();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let credential = alice.directory(&sandbox.store()).join("credential.toml");
    let before = fs::read(&credential).expect("the credential");
    let mut terminal = on_terminal(&sandbox, &["enroll", "--replace", "alice"]);
    let phone = phone_of(&mut terminal);
    terminal.send_control('s');
    terminal.send_line(&phone.code(0));
    let deadline = Instant::now() + Duration::from_secs(20);
    while fs::read(&credential).expect("the credential") == before {
        assert!(Instant::now() < deadline, "never replaced: {}", terminal.transcript());
    }
    assert_eq!(log_in(&sandbox, &phone.code(1)), "PAM_SUCCESS");
    assert!(!terminal.has_ended() && !terminal.transcript().contains("is enrolled"), "not stopped");
    terminal.send_control('q');
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    assert_eq!(recovery_codes_on(&terminal.transcript()).len(), 10);
}

#[test]
fn what_a_killed_replacement_left_is_cleared_away_by_the_next() {
    let sandbox = machine();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    planting::write(&alice.directory(&sandbox.store()).join(".credential-0123456789abcdef"), b"a secret");
    enrol(&sandbox, &["--replace"]);
    assert_eq!(fs::read_dir(alice.directory(&sandbox.store())).expect("the directory").count(), 2);
}

#[test]
fn an_enrolment_that_a_crash_cut_off_after_its_number_was_noted_can_be_made_anew() {
    let sandbox = machine();
    planting::write(&sandbox.store().join("by-uid/1000"), b"alice\n");
    let (phone, _) = enrol(&sandbox, &[]);
    assert_eq!(log_in(&sandbox, &phone.code(1)), "PAM_SUCCESS");
}

#[test]
fn what_a_killed_enrolment_or_removal_left_is_cleared_away_by_the_next() {
    let sandbox = machine();
    for name in [".new-0123456789abcdef", ".removed-0123456789abcdef"] {
        let directory = sandbox.store().join("users").join(name);
        fs::create_dir(&directory).expect("a directory");
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).expect("its mode");
        planting::write(&directory.join("credential.toml"), b"a secret");
    }
    enrol(&sandbox, &[]);
    let names: Vec<_> = fs::read_dir(sandbox.store().join("users")).expect("users").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn enrolled_by_two_at_once_a_user_is_enrolled_once() {
    let sandbox = machine();
    let mut terminals: Vec<Terminal> = (0..8).map(|_| on_terminal(&sandbox, &["enroll", "alice"])).collect();
    let phones: Vec<Phone> = terminals.iter_mut().map(phone_of).collect();
    for (terminal, phone) in terminals.iter_mut().zip(&phones) {
        terminal.send_line(&phone.code(0));
    }
    let ends: Vec<i32> = terminals.iter_mut().map(Terminal::wait).collect();
    assert_eq!(ends.iter().filter(|end| **end == 0).count(), 1, "{ends:?}");
    assert_eq!(ends.iter().filter(|end| **end == 3).count(), 7, "{ends:?}");
    let winner = ends.iter().position(|end| *end == 0).expect("one");
    assert_eq!(log_in(&sandbox, &phones[winner].code(1)), "PAM_SUCCESS");
}

#[test]
fn a_directory_without_a_credential_is_named_and_can_be_removed() {
    let sandbox = machine();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    fs::remove_file(alice.directory(&sandbox.store()).join("credential.toml")).expect("the credential");
    let mut terminal = on_terminal(&sandbox, &["enroll", "alice"]);
    let phone = phone_of(&mut terminal);
    terminal.send_line(&phone.code(0));
    terminal.expect("countersign: the user's directory holds no credential");
    terminal.expect("run `countersign remove` and enrol again");
    assert_eq!(terminal.wait(), 1);
    assert_eq!(run(&sandbox, &["remove", "alice", "--yes"]).status.code(), Some(0));
    enrol(&sandbox, &[]);
}

#[test]
fn a_disabled_user_stays_disabled_with_a_new_phone() {
    let sandbox = machine();
    let (mut alice, _) = Planted::new("alice", 1000);
    alice.credential.disabled = true;
    alice.put_into(&sandbox.store());
    let (phone, _) = enrol(&sandbox, &["--replace"]);
    assert_eq!(log_in(&sandbox, &phone.code(1)), "PAM_AUTH_ERR");
}

#[test]
fn status_tells_what_is_kept_and_never_a_secret() {
    let sandbox = machine();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS");
    assert_eq!(log_in(&sandbox, &phone.wrong_code()), "PAM_AUTH_ERR");
    let output = run(&sandbox, &["status", "alice"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "alice: enrolled\n\
         \x20 authenticator   phone: totp SHA1, 6 digits, 30 s, confirmed 2026-09-21T14:13:20Z\n\
         \x20                 no code is known to be used\n\
         \x20 recovery codes  2 of 3 left\n\
         \x20 failures        1 from other sources\n"
    );
    let output = run(&sandbox, &["status", "bob"]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "countersign: bob is not enrolled\nhint: enrol with: countersign enroll USER\n"
    );
}

#[test]
fn remove_asks_and_then_forgets() {
    let sandbox = machine();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let mut terminal = on_terminal(&sandbox, &["remove", "alice"]);
    terminal.expect("remove the authenticators and recovery codes of alice? [y/N] ");
    terminal.send_line("");
    assert_eq!(terminal.wait(), 3);
    assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_SUCCESS");
    let removed = run(&sandbox, &["remove", "alice", "--yes"]);
    assert_eq!(removed.status.code(), Some(0), "{}", String::from_utf8_lossy(&removed.stderr));
    assert!(nothing_is_kept(&sandbox));
    assert_eq!(run(&sandbox, &["remove", "alice", "--yes"]).status.code(), Some(4));
}

#[test]
fn remove_works_on_a_damaged_enrolment_and_on_one_of_a_former_account() {
    let sandbox = machine();
    let (mut alice, _) = Planted::new("alice", 1000);
    alice.credential.uid = Some(4242);
    alice.put_into(&sandbox.store());
    assert_eq!(run(&sandbox, &["remove", "alice", "--yes"]).status.code(), Some(0));
    assert!(nothing_is_kept(&sandbox));
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    planting::write(&alice.directory(&sandbox.store()).join("credential.toml"), b"damaged");
    planting::write(&alice.directory(&sandbox.store()).join("state"), b"damaged");
    assert_eq!(run(&sandbox, &["remove", "alice", "--yes"]).status.code(), Some(0));
    assert!(nothing_is_kept(&sandbox));
    let (mut gone, _) = Planted::new("gone", 4242);
    gone.credential.user = pam_countersign::user::UserName::new(b"gone").expect("a name");
    gone.put_into(&sandbox.store());
    planting::write(&gone.directory(&sandbox.store()).join("credential.toml"), b"damaged");
    assert_eq!(run(&sandbox, &["remove", "gone", "--yes"]).status.code(), Some(0));
    assert!(nothing_is_kept(&sandbox), "nor the entry of an account that is gone");
}

#[test]
fn what_cannot_be_understood_is_wrong_usage() {
    let sandbox = machine();
    let misspelt = run(&sandbox, &["enrol1"]);
    assert_eq!(misspelt.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&misspelt.stderr).contains("enroll"));
    assert_eq!(run(&sandbox, &["enroll", "no-such-user"]).status.code(), Some(1));
    assert_eq!(run(&sandbox, &["--help"]).status.code(), Some(0));
    assert_eq!(run(&sandbox, &["--version"]).status.code(), Some(0));
}

/// The commit is whole or has not happened, whenever the process is killed.
#[test]
fn killed_at_any_moment_an_enrolment_is_whole_or_absent() {
    let mut whole = 0;
    for round in 0..40_u32 {
        let sandbox = machine();
        let mut terminal = on_terminal(&sandbox, &["enroll", "alice"]);
        let phone = phone_of(&mut terminal);
        terminal.send_line(&phone.code(0));
        // From the first thing that is made in the store on, later and later: 0.1 ms to 100 ms.
        while nothing_is_kept(&sandbox) && !terminal.has_ended() {}
        std::thread::sleep(Duration::from_micros(100 << (round / 4)));
        terminal.kill();
        drop(terminal);
        let directory = sandbox.store().join("users/alice");
        if !directory.exists() {
            continue;
        }
        whole += 1;
        for name in ["credential.toml", "state"] {
            assert!(directory.join(name).exists(), "round {round}: {name}");
        }
        assert_eq!(log_in(&sandbox, &phone.code(1)), "PAM_SUCCESS", "round {round}");
    }
    assert!(whole > 0, "killed too early each time");
}
