//! Every system call of the command fails once, by injection. Whatever it was doing is whole or has not
//! happened, nobody is locked out by it, and the next run finds all well.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "command/mod.rs"]
mod command;
#[path = "container/mod.rs"]
mod container;
#[path = "injection/mod.rs"]
mod injection;
#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;
#[path = "screen/mod.rs"]
mod screen;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use command::{log_in, machine, nothing_is_kept, recovery_codes_on, run, start};
use container::Terminal;
use injection::{STOPPED, Step, recording_to, steps};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pam_countersign::otp::SharedSecret;
use planting::{CountingDevice, Phone, Planted, RECOVERY_CODES};
use sandbox::Sandbox;

/// A run of the command on a terminal, under strace.
struct Run {
    exit: i32,
    screen: String,
    /// The phone that it showed a key for, if it came so far.
    phone: Option<Phone>,
}

impl Run {
    fn of(sandbox: &Sandbox, options: &[String], words: &[&str]) -> Self {
        let mut command = sandbox.command("strace");
        command.args(options).arg(env!("CARGO_BIN_EXE_countersign")).args(words);
        let mut terminal = start(&command);
        let phone = answer(&mut terminal);
        Self { exit: terminal.wait(), screen: terminal.transcript(), phone }
    }
}

/// Types the first code, if the command comes so far as to ask for it.
fn answer(terminal: &mut Terminal) -> Option<Phone> {
    // Not the question: that is what may have failed.
    terminal.expect_any_or_end(&["key for typing in: "])?;
    let key = terminal.expect("\n");
    let phone = Phone::new(key.replace(' ', "").trim());
    terminal.send_line(&phone.code(0));
    Some(phone)
}

/// Makes each step of the command fail, each time after `plant`, and lets `look` see what it left.
fn fail_every_step(
    words: &[&str],
    plant: impl Fn(&Sandbox) -> Planted,
    look: impl Fn(&Sandbox, &Planted, &Step, &Run),
) {
    let sandbox = machine();
    plant(&sandbox);
    let trace = sandbox.path().join("trace");
    let run = Run::of(&sandbox, &recording_to(&trace), words);
    assert_eq!(run.exit, 0, "{}", run.screen);
    let steps = steps(&trace, "/var/lib/countersign", "exit_group(");
    let (count, mut failed) = (steps.len(), 0);
    for step in steps {
        let sandbox = machine();
        let planted = plant(&sandbox);
        let run = Run::of(&sandbox, &step.failing_with("EIO"), words);
        failed += usize::from(run.exit != 0);
        look(&sandbox, &planted, &step, &run);
    }
    println!("countersign {}: {count} steps failed, {failed} of them ended it", words.join(" "));
    assert!(failed > 20, "only {failed} of {count} ended it");
}

fn with_alice(sandbox: &Sandbox) -> Planted {
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    alice
}

fn without_state(sandbox: &Sandbox) -> Planted {
    let alice = with_alice(sandbox);
    fs::remove_file(alice.directory(&sandbox.store()).join("state")).expect("the state");
    alice
}

fn with_nobody(_: &Sandbox) -> Planted {
    Planted::new("alice", 1000).0
}

/// Nothing but the enrolment of alice is in the store.
fn nothing_is_left_over(sandbox: &Sandbox, alice: &Planted, step: &Step) {
    let names = |path: &Path| -> Vec<_> {
        fs::read_dir(path).expect("a directory").flatten().map(|entry| entry.file_name()).collect()
    };
    assert_eq!(names(&alice.directory(&sandbox.store())).len(), 2, "{step}");
    assert_eq!(names(&sandbox.store().join("users")), ["alice"], "{step}");
    assert_eq!(names(&sandbox.store().join("by-uid")), ["1000"], "{step}");
}

fn must_succeed(sandbox: &Sandbox, words: &[&str], step: &Step) {
    let run = Run::of(sandbox, &harmless(), words);
    assert_eq!(run.exit, 0, "{} after {step}", run.screen);
}

#[test]
fn an_enrolment_of_which_any_step_fails_is_whole_or_absent() {
    fail_every_step(&["enroll", "alice"], with_nobody, |sandbox, alice, step, run| {
        let is_kept = alice.directory(&sandbox.store()).exists();
        if run.exit == 0 {
            assert_eq!(recovery_codes_on(&run.screen).len(), 10, "{step}: {}", run.screen);
        }
        assert!(is_kept || run.exit != 0, "{step}: {}", run.screen);
        if is_kept {
            let phone = run.phone.as_ref().expect("a phone");
            assert_eq!(log_in(sandbox, &phone.code(1)), "PAM_SUCCESS", "{step}: {}", run.screen);
            must_succeed(sandbox, &["enroll", "--replace", "alice"], step);
        } else {
            must_succeed(sandbox, &["enroll", "alice"], step);
        }
        nothing_is_left_over(sandbox, alice, step);
    });
}

/// Directories that are not whole yet, or no longer.
fn half_made(sandbox: &Sandbox) -> Vec<String> {
    let names = fs::read_dir(sandbox.store().join("users")).expect("users").flatten();
    names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.'))
        .collect()
}

/// The flushes of an enrolment, except those of the entry in by-uid.
fn flushes_of_an_enrolment() -> Vec<Step> {
    let sandbox = machine();
    let trace = sandbox.path().join("trace");
    let run = Run::of(&sandbox, &recording_to(&trace), &["enroll", "alice"]);
    assert_eq!(run.exit, 0, "{}", run.screen);
    let steps = steps(&trace, "/var/lib/countersign", "exit_group(");
    let is_entry = |step: &Step| step.mentions(".new-") && step.mentions("O_CREAT");
    let entry = steps.iter().position(is_entry).expect("the entry in by-uid");
    let in_place = steps.iter().position(|step| step.begins_with("renameat2(")).expect("a rename");
    let (before, after) = (&steps[..entry], &steps[in_place..]);
    let all = before.iter().chain(after).cloned();
    all.filter(|step| step.is_one_of(&["fsync", "fdatasync"])).collect()
}

/// An enrolment of alice that is stopped when it begins a step; its process.
fn stopped_at(sandbox: &Sandbox, step: &Step) -> (Terminal, Stopped) {
    let mark = format!("STOPPED_IN={}", sandbox.path().display());
    let mut command = sandbox.command("env");
    let trace = sandbox.path().join("trace");
    command.arg(&mark).arg("strace").args(step.stopping(&trace));
    let mut terminal = start(command.args([env!("CARGO_BIN_EXE_countersign"), "enroll", "alice"]));
    answer(&mut terminal).expect("a phone");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if fs::read_to_string(&trace).is_ok_and(|trace| trace.contains(STOPPED)) {
            return (terminal, Stopped(process_with(&mark).expect("the process that was stopped")));
        }
        assert!(Instant::now() < deadline, "never stopped at {step}: {}", terminal.transcript());
    }
}

/// A stopped process, which ends when this is dropped: nothing else would end it.
struct Stopped(Pid);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGKILL);
    }
}

/// The process of the command whose environment holds this.
fn process_with(mark: &str) -> Option<Pid> {
    let is_it = |process: &Path| {
        let read =
            |name| fs::read(process.join(name)).map(|text| String::from_utf8_lossy(&text).into_owned());
        let starts = |line: String| line.starts_with(env!("CARGO_BIN_EXE_countersign"));
        read("cmdline").is_ok_and(starts)
            && read("environ").is_ok_and(|environ| environ.split('\0').any(|one| one == mark))
    };
    let mut processes = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    let found = processes.find(|process| is_it(process))?;
    found.file_name()?.to_str()?.parse().ok().map(Pid::from_raw)
}

#[test]
fn an_enrolment_held_inside_its_flushes_keeps_no_other_out_and_its_leftover_is_cleared_away_once_it_is_dead()
{
    let flushes = flushes_of_an_enrolment();
    assert!(flushes.len() >= 5, "{flushes:?}");
    for step in flushes {
        let sandbox = machine();
        let (mut held, stopped) = stopped_at(&sandbox, &step);
        let in_progress = half_made(&sandbox);
        must_succeed(&sandbox, &["enroll", "bob"], &step);
        assert_eq!(half_made(&sandbox), in_progress, "work in progress was taken for a leftover: {step}");
        drop(stopped);
        held.wait();
        assert_eq!(half_made(&sandbox), in_progress, "{step}");
        must_succeed(&sandbox, &["enroll", "carol"], &step);
        assert_eq!(half_made(&sandbox), [""; 0], "{step}");
    }
}

#[test]
fn a_replacement_of_which_any_step_fails_leaves_the_old_or_the_new_phone_in_force() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = &directory.path().join("codes");
    let words = ["enroll", "--replace", "--recovery-file", file.to_str().expect("a path"), "alice"];
    fail_every_step(
        &words,
        |sandbox| {
            let _ = fs::remove_file(file);
            with_alice(sandbox)
        },
        |sandbox, alice, step, run| {
            let text = fs::read_to_string(alice.directory(&sandbox.store()).join("credential.toml"));
            let planted = pam_countersign::credential::format::write(&alice.credential).expect("its text");
            let is_old = text.expect("a credential") == planted.as_str();
            if is_old {
                assert_ne!(run.exit, 0, "{step}: {}", run.screen);
                assert_eq!(log_in(sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS", "{step}: {}", run.screen);
            } else {
                let phone = run.phone.as_ref().expect("a phone");
                assert_eq!(log_in(sandbox, &phone.code(1)), "PAM_SUCCESS", "{step}: {}", run.screen);
                let saved = fs::read_to_string(file).expect("the saved codes, for they are in force");
                let code = &recovery_codes_on(&saved)[0];
                assert_eq!(log_in(sandbox, code), "PAM_SUCCESS", "{step}: {}", run.screen);
            }
            must_succeed(sandbox, &["enroll", "--replace", "alice"], step);
            nothing_is_left_over(sandbox, alice, step);
            let _ = fs::remove_file(file);
        },
    );
}

#[test]
fn a_qr_code_in_a_file_of_which_any_step_fails_is_whole_or_gone() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = &directory.path().join("code.png");
    let plant = |sandbox: &Sandbox| {
        let _ = fs::remove_file(file);
        with_nobody(sandbox)
    };
    let words = ["enroll", "--png", file.to_str().expect("a path"), "alice"];
    fail_every_step(&words, plant, |sandbox, _, step, run| {
        if run.exit == 0 {
            assert!(screen::read_picture(file).starts_with("otpauth://totp/"), "{step}");
        } else if nothing_is_kept(sandbox) {
            assert!(!file.exists(), "{step}: {}", run.screen);
        }
    });
}

/// A token whose first code comes with `confirm`, which nobody is shown a key for.
#[test]
fn a_confirmation_of_which_any_step_fails_is_made_or_can_be_made_again() {
    let token = CountingDevice::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    let waiting = || {
        let sandbox = machine();
        let (mut alice, _) = Planted::counting("alice", 1000);
        let secret = SharedSecret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").expect("a secret");
        alice.credential.authenticators[0].secret = secret;
        alice.credential.authenticators[0].confirmed = None;
        alice.state.keys[0].key = alice.credential.authenticators[0].key_name();
        alice.put_into(&sandbox.store());
        (sandbox, alice)
    };
    let confirm = |sandbox: &Sandbox, options: &[String], counter: u64| {
        let mut command = sandbox.command("strace");
        command.args(options).args([env!("CARGO_BIN_EXE_countersign"), "confirm", "alice"]);
        let mut terminal = start(&command);
        terminal.send_line(&token.code(counter));
        (terminal.wait(), terminal.transcript())
    };
    let (sandbox, _) = waiting();
    let trace = sandbox.path().join("trace");
    assert_eq!(confirm(&sandbox, &recording_to(&trace), 0).0, 0);
    let steps = steps(&trace, "/var/lib/countersign", "exit_group(");
    assert!(steps.len() > 20, "only {} steps", steps.len());
    let mut failed = 0;
    for step in steps {
        let (sandbox, alice) = waiting();
        let (exit, screen) = confirm(&sandbox, &step.failing_with("EIO"), 0);
        failed += usize::from(exit != 0);
        let text = fs::read_to_string(alice.directory(&sandbox.store()).join("credential.toml"));
        let is_confirmed = text.expect("a credential").contains("confirmed = ");
        assert!(is_confirmed || exit != 0, "{step}: {screen}");
        if !is_confirmed {
            assert_eq!(log_in(&sandbox, &token.code(1)), "PAM_AUTH_ERR", "{step}: {screen}");
            assert_eq!(confirm(&sandbox, &harmless(), 1).0, 0, "{step}: {screen}");
        }
        assert_eq!(log_in(&sandbox, &token.code(0)), "PAM_AUTH_ERR", "{step}: it is spent");
        assert_eq!(log_in(&sandbox, &token.code(2)), "PAM_SUCCESS", "{step}: {screen}");
        nothing_is_left_over(&sandbox, &alice, &step);
    }
    assert!(failed > 10, "only {failed} ended it");
}

#[test]
fn a_removal_of_which_any_step_fails_opens_nothing_and_can_be_done_again() {
    fail_every_step(&["remove", "--yes", "alice"], with_alice, |sandbox, _, step, run| {
        // `nullok` would let in whoever is positively not enrolled.
        if !nothing_is_kept(sandbox) {
            let login = log_in(sandbox, "000000");
            assert!(["PAM_AUTH_ERR", "PAM_AUTHINFO_UNAVAIL"].contains(&login.as_str()), "{login}: {step}");
            must_succeed(sandbox, &["remove", "--yes", "alice"], step);
        }
        assert!(nothing_is_kept(sandbox), "{step}: {}", run.screen);
    });
}

#[test]
fn a_repair_of_which_any_step_fails_can_be_done_again() {
    let words = ["repair", "--yes", "--force", "alice"];
    fail_every_step(&words, without_state, |sandbox, alice, step, run| {
        let again = Run::of(sandbox, &harmless(), &words);
        assert_eq!(again.exit, 0, "{} after {step}", again.screen);
        // The first run may have put its codes in force without showing them; then they are nowhere.
        let shown = if again.screen.contains("needs repair") { &run.screen } else { &again.screen };
        if let Some(code) = recovery_codes_on(shown).first() {
            assert_eq!(log_in(sandbox, code), "PAM_SUCCESS", "{step}: {}{}", run.screen, again.screen);
        }
        nothing_is_left_over(sandbox, alice, step);
    });
}

#[test]
fn an_adoption_of_which_any_step_fails_can_be_done_again() {
    fail_every_step(&["adopt", "alice"], without_state, |sandbox, alice, step, _| {
        must_succeed(sandbox, &["adopt", "alice"], step);
        assert_eq!(log_in(sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS", "{step}");
        nothing_is_left_over(sandbox, alice, step);
    });
}

#[test]
fn an_unlocking_of_which_any_step_fails_leaves_what_was_used() {
    fail_every_step(&["unlock", "--yes", "alice"], with_alice, |sandbox, alice, step, _| {
        assert_eq!(run(sandbox, &["unlock", "--yes", "alice"]).status.code(), Some(0), "{step}");
        assert_eq!(alice.state_in_store(&sandbox.store()).keys, alice.state.keys, "{step}");
        nothing_is_left_over(sandbox, alice, step);
    });
}

/// What pam_oath keeps of alice, in the sandbox.
const USERS: &str = "HOTP alice - 3132333435363738393031323334353637383930 41 123456\n";

fn with_a_users_file(sandbox: &Sandbox) -> Planted {
    planting::write(&sandbox.path().join("run/users.oath"), USERS.as_bytes());
    with_nobody(sandbox)
}

#[test]
fn an_import_of_which_any_step_fails_is_whole_or_absent_and_leaves_its_source() {
    let words = ["import", "oath", "/run/users.oath", "--apply", "--recovery-dir", "/run/pages"];
    fail_every_step(&words, with_a_users_file, |sandbox, alice, step, run| {
        let source = fs::read_to_string(sandbox.path().join("run/users.oath"));
        assert_eq!(source.expect("the source"), USERS, "{step}");
        let is_kept = alice.directory(&sandbox.store()).exists();
        assert!(is_kept || run.exit != 0, "{step}: {}", run.screen);
        let page = fs::read_to_string(sandbox.path().join("run/pages/alice.txt"));
        assert_eq!(page.is_ok(), is_kept, "{step}: {}", run.screen);
        if let Ok(page) = page {
            assert_eq!(log_in(sandbox, &recovery_codes_on(&page)[3]), "PAM_SUCCESS", "{step}");
        }
        must_succeed(sandbox, &words, step);
        let token = CountingDevice::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(log_in(sandbox, &token.code(41)), "PAM_AUTH_ERR", "{step}");
        assert_eq!(log_in(sandbox, &token.code(42)), "PAM_SUCCESS", "{step}");
        nothing_is_left_over(sandbox, alice, step);
    });
}

/// Options of strace that change nothing.
fn harmless() -> Vec<String> {
    recording_to(Path::new("/dev/null"))
}
