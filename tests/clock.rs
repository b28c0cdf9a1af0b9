//! The clock, wrong in every way: the real module under libfaketime, which tells a process another time.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::path::PathBuf;

use planting::{Phone, Planted, RECOVERY_CODES, now};
use sandbox::{Conversation, Running, Sandbox, example, module, wait_until_opened};

const HOUR: u64 = 3600;
const YEAR: u64 = 365 * 24 * HOUR;

/// Alice's door, with three attempts.
struct Door {
    sandbox: Sandbox,
    alice: Planted,
    phone: Phone,
}

impl Door {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let (alice, phone) = Planted::new("alice", 1000);
        alice.put_into(&sandbox.store());
        sandbox.service("door", &format!("auth required {}\n", module().display()));
        Self { sandbox, alice, phone }
    }

    /// A login while the clock says `time`, in seconds since 1970.
    fn log_in_at(&self, time: u64, replies: &[&str]) -> Conversation {
        let mut command = self.sandbox.command("env");
        command.arg(format!("LD_PRELOAD={}", library().display()));
        command.args([&format!("FAKETIME=@{time}"), "FAKETIME_FMT=%s"]);
        command.arg(example("pam-client"));
        command.args(["--confdir", "/etc/pam.d", "--service", "door", "--user", "alice", "--delay-report"]);
        command.args(replies.iter().map(|reply| format!("--reply={reply}")));
        Conversation::of(command)
    }

    fn log(&self) -> String {
        self.sandbox.log_lines().join("\n")
    }
}

/// What tells a process another time: `faketime` of Debian.
fn library() -> PathBuf {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    let path = PathBuf::from(format!("/usr/lib/{triplet}/faketime/libfaketime.so.1"));
    assert!(path.exists(), "{} is missing (package faketime)", path.display());
    path
}

/// What a process under libfaketime reads the time from, in seconds since 1970.
struct SetClock(PathBuf);

impl SetClock {
    fn at(door: &Door, time: u64) -> Self {
        let clock = Self(door.sandbox.path().join("time"));
        clock.set(time);
        clock
    }

    fn set(&self, time: u64) {
        // Whole at any moment.
        let next = self.0.with_extension("next");
        std::fs::write(&next, format!("@{time}")).expect("the clock");
        std::fs::rename(&next, &self.0).expect("the clock");
    }
}

impl Door {
    /// A login that has its reply and waits for the lock of the state.
    fn log_in_behind(&self, locked: &std::fs::File, clock: &SetClock, reply: &str) -> Running {
        let mut command = self.sandbox.command("env");
        command.arg(format!("LD_PRELOAD={}", library().display()));
        command.arg(format!("FAKETIME_TIMESTAMP_FILE={}", clock.0.display()));
        command.args(["FAKETIME_FMT=%s", "FAKETIME_NO_CACHE=1", "DONT_FAKE_MONOTONIC=1"]);
        command.arg(example("pam-client"));
        command.args(["--confdir", "/etc/pam.d", "--service", "door", "--user", "alice", "--hold"]);
        command.arg(format!("--reply={reply}"));
        locked.lock().expect("the lock of the state");
        let mut login = Running::start(command);
        assert!(login.wait_until_ready());
        login.release();
        wait_until_opened(&self.state());
        login
    }

    fn state(&self) -> PathBuf {
        self.alice.directory(&self.sandbox.store()).join("state")
    }
}

/// The caller of su could stop it between its look at the clock and the lock, for as long as they like.
#[test]
fn a_code_is_judged_by_the_time_at_which_the_lock_is_had() {
    let door = Door::new();
    let typed_at = now();
    let code = door.phone.code_at(typed_at);
    let locked = std::fs::File::open(door.state()).expect("the state");
    for (had_at, result) in [(typed_at + 300, "PAM_CONV_ERR"), (typed_at, "PAM_SUCCESS")] {
        let clock = SetClock::at(&door, typed_at);
        let login = door.log_in_behind(&locked, &clock, &code);
        clock.set(had_at);
        locked.unlock().expect("the lock of the state");
        let login = login.finish();
        assert_eq!(login.authenticate(), result, "{}", login.raw);
        door.log();
    }
}

#[test]
fn a_clock_that_was_never_set_denies_and_says_so() {
    let door = Door::new();
    let before = door.alice.state_in_store(&door.sandbox.store());
    for time in [0, 20 * YEAR, 1_577_836_799] {
        let login = door.log_in_at(time, &[&door.phone.code_at(time)]);
        assert_eq!(login.authenticate(), "PAM_AUTHINFO_UNAVAIL", "{}", login.raw);
        let log = door.log();
        assert!(log.contains("event=error reason=clock_missing"), "{log}");
        assert!(log.contains("mend=\"set the clock\""), "{log}");
    }
    assert_eq!(door.alice.state_in_store(&door.sandbox.store()), before);
}

/// It would begin with the number 1, below that of every state that was ever backed up.
#[test]
fn a_clock_that_was_never_set_makes_no_state() {
    let door = Door::new();
    let state = door.alice.directory(&door.sandbox.store()).join("state");
    std::fs::remove_file(&state).expect("the state");
    assert_eq!(door.log_in_at(0, &[&door.phone.code_at(0)]).authenticate(), "PAM_AUTHINFO_UNAVAIL");
    let log = door.log();
    assert!(log.contains("event=error reason=clock_missing"), "{log}");
    assert!(log.contains("cause=\"the clock is not set\" mend=\"set the clock\""), "{log}");
    assert!(!state.exists());
}

#[test]
fn after_2038_a_code_is_accepted_once() {
    // The last second of 32 bits, the first beyond, and beyond the 32 bits without a sign.
    for time in [0x7fff_ffff, 0x8000_0000, 0x1_0000_0010_u64] {
        let door = Door::new();
        let code = door.phone.code_at(time);
        assert_eq!(door.log_in_at(time, &[&code]).authenticate(), "PAM_SUCCESS", "at {time}");
        let again = door.log_in_at(time, &[&code, &code, &code]);
        assert_eq!(again.authenticate(), "PAM_AUTH_ERR", "at {time}");
        assert!(again.raw.contains("This code was already used"), "{}", again.raw);
    }
}

#[test]
fn a_clock_that_goes_back_makes_no_spent_code_good_again_and_is_logged() {
    let door = Door::new();
    let start = now();
    assert_eq!(door.log_in_at(start, &[&door.phone.code_at(start)]).authenticate(), "PAM_SUCCESS");
    assert!(!door.log().contains("clock_back"));
    for back in [60, HOUR, YEAR] {
        let time = start - back;
        let code = door.phone.code_at(time);
        let login = door.log_in_at(time, &[&code, &code, &code]);
        assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "{back} s back: {}", login.raw);
    }
    let log = door.log();
    assert!(log.contains("clock_back="), "{log}");
    // Nor when it goes forward again.
    let again = door.log_in_at(start, &[&door.phone.code_at(start)]);
    assert!(again.raw.contains("This code was already used"), "{}", again.raw);
}

#[test]
fn a_login_from_years_ahead_locks_nobody_out() {
    let door = Door::new();
    let (future, present) = (now() + 10 * YEAR, now());
    assert_eq!(door.log_in_at(future, &[&door.phone.code_at(future)]).authenticate(), "PAM_SUCCESS");
    let login = door.log_in_at(present, &[&door.phone.code_at(present), RECOVERY_CODES[0]]);
    assert_eq!(login.authenticate(), "PAM_SUCCESS", "{}", login.raw);
    assert!(login.raw.contains("The clock of this machine went back; use a recovery code now"));
    let log = door.log();
    assert!(log.contains("recovery_codes_left=2 records=brought_back attempts=2 clock_back="), "{log}");

    let burned = door.log_in_at(present, &[&door.phone.code_at(present)]);
    assert!(burned.raw.contains("This code was already used"), "{}", burned.raw);
    let soon = present + 6 * 60;
    assert_eq!(door.log_in_at(soon, &[&door.phone.code_at(soon)]).authenticate(), "PAM_SUCCESS");
}

#[test]
fn a_wait_is_never_longer_than_a_quarter_of_an_hour_whatever_the_clock_did() {
    let door = Door::new();
    let (future, present) = (now() + YEAR, now());
    let wrong = door.phone.wrong_code();
    for failure in 0..20 {
        // Each after the longest wait, so that each is judged.
        door.log_in_at(future + failure * 900, &[&wrong]);
    }
    let state = door.alice.state_in_store(&door.sandbox.store());
    assert_eq!(state.counters.iter().map(|counter| counter.count).sum::<u32>(), 20);
    let refused = door.log_in_at(present, &[&door.phone.code_at(present)]);
    assert!(refused.raw.contains("try again in 900 s"), "{}", refused.raw);
    let later = present + 900;
    assert_eq!(door.log_in_at(later, &[&door.phone.code_at(later)]).authenticate(), "PAM_SUCCESS");
}
