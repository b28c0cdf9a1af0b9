//! Every system call of a login and of the command fails once, by injection into the real module and the
//! real command. Each run denies or has done the whole of it, says why, and leaves both files whole and
//! the lock free.
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

use std::fs;

use command::machine;
use injection::{Step, recording_to, steps};
use pam_countersign::credential::{State, format};
use planting::{Phone, Planted, RECOVERY_CODES};
use sandbox::{Conversation, Sandbox, example};

/// Calls on the store of which a failure keeps a login from being judged.
const NEEDED: [&str; 16] = [
    "openat",
    "newfstatat",
    "statx",
    "read",
    "pread64",
    "flock",
    "prlimit64",
    "pwritev2",
    "getresuid",
    "getrandom",
    "write",
    "fsync",
    "renameat2",
    "mkdirat",
    "fchmod",
    "unlinkat",
];

/// A kind of login: what is typed, and what shows afterwards that all is well.
struct Login {
    has_state: bool,
    reply: fn(&Phone) -> String,
    /// What is typed next without a fault, and what comes of it.
    next: (fn(&Phone) -> String, &'static str),
}

/// Alice's door.
struct Door {
    sandbox: Sandbox,
    alice: Planted,
    phone: Phone,
    login: Login,
}

/// What a login under a fault came to.
struct Faulty {
    step: Step,
    conversation: Conversation,
    log: String,
    before: Option<State>,
    after: Option<State>,
}

impl Door {
    fn new(login: Login) -> Self {
        let (alice, phone) = Planted::new("alice", 1000);
        Self { sandbox: machine(), alice, phone, login }
    }

    fn plant(&self) {
        self.alice.put_into(&self.sandbox.store());
        if !self.login.has_state {
            fs::remove_file(self.alice.directory(&self.sandbox.store()).join("state")).expect("the state");
        }
    }

    fn log_in(&self, options: &[String]) -> Conversation {
        let mut command = self.sandbox.command("strace");
        command.args(options).arg(example("pam-client"));
        command.args(["--confdir", "/etc/pam.d", "--service", "door", "--user", "alice"]);
        command.arg(format!("--reply={}", (self.login.reply)(&self.phone)));
        Conversation::of(command)
    }

    fn steps(&self) -> Vec<Step> {
        // Once before, so that each run finds the number of a last state.
        self.plant();
        self.log_in(&recording_to(std::path::Path::new("/dev/null")));
        self.plant();
        let trace = self.sandbox.path().join("trace");
        let login = self.log_in(&recording_to(&trace));
        assert!(login.raw.contains("authenticate PAM_"), "{}{}", login.raw, login.stderr);
        let mut steps = steps(&trace, "/var/lib/countersign", "write(1, \"authenticate ");
        // The number of the last state is a witness of its own: where it is silent, that is only told.
        injection::set_aside(
            &mut steps,
            "/run/countersign-seen",
            &["flock(", "renameat2(", "statx(", "prlimit64("],
        );
        steps
    }

    fn state(&self) -> Option<State> {
        let state = self.alice.directory(&self.sandbox.store()).join("state");
        state.exists().then(|| self.alice.state_in_store(&self.sandbox.store()))
    }

    /// Logs in while this step fails, and looks at what that leaves.
    fn fail(&self, step: Step, error: &str) -> Faulty {
        self.plant();
        self.sandbox.log_lines();
        let before = self.state();
        let conversation = self.log_in(&step.failing_with(error));
        let log = self.sandbox.log_lines().join("\n");
        let after = self.state();
        Faulty { step, conversation, log, before, after }
    }

    /// The credential is as it was, nothing else is left, and whoever comes next finds all well.
    fn must_be_whole_after(&self, step: &Step) {
        let directory = self.alice.directory(&self.sandbox.store());
        let credential = fs::read(directory.join("credential.toml")).expect("the credential");
        let planted = format::write(&self.alice.credential).expect("its text");
        assert_eq!(credential, planted.as_bytes(), "{step}");
        let names = fs::read_dir(&directory).expect("her directory").flatten().map(|entry| entry.file_name());
        let left: Vec<_> = names.filter(|name| name != "credential.toml" && name != "state").collect();
        assert!(left.is_empty(), "{left:?} after {step}");
        let (reply, result) = self.login.next;
        let next = self.sandbox.login("door", "alice", &[&reply(&self.phone)]);
        assert_eq!(next.authenticate(), result, "after {step}: {}", next.raw);
    }
}

impl Faulty {
    fn result(&self) -> &str {
        let found = self.conversation.results.iter().find(|(call, _)| call == "authenticate");
        found.map_or("none", |(_, result)| result)
    }

    /// A failure of what a verdict needs denies and says its cause; whatever fails, nothing is granted
    /// without its trace.
    fn must_be_sound(&self) {
        let Self { step, log, before, after, .. } = self;
        if step.is_aside() {
            assert_ne!(self.result(), "PAM_AUTHINFO_UNAVAIL", "{step}: {log}");
            return;
        }
        // What the client itself writes and reads is not the module's.
        let of_the_client = step.mentions("write(1, ") || step.mentions("read(0, ");
        let needed = step.is_one_of(&NEEDED) || step.mentions("SIG_BLOCK");
        if needed && !of_the_client && !step.mentions("/etc/localtime") && !step.mentions("getrandom(\"\"") {
            assert_eq!(self.result(), "PAM_AUTHINFO_UNAVAIL", "{step}: {log}");
            assert!(log.contains("event=error reason=") && log.contains(" cause="), "{step}: {log}");
            assert!(log.contains(" mend="), "{step}: {log}");
        }
        if self.result() == "PAM_SUCCESS" {
            assert_ne!(after, before, "granted without a trace: {step}");
        }
    }
}

/// Makes every step of such a login fail, and says how many denied.
fn fail_every_step(login: Login, error: &str) {
    let door = Door::new(login);
    let steps = door.steps();
    let (count, mut denied) = (steps.len(), 0);
    for step in steps {
        let faulty = door.fail(step, error);
        faulty.must_be_sound();
        door.must_be_whole_after(&faulty.step);
        denied += usize::from(faulty.result() != "PAM_SUCCESS");
    }
    println!("{count} steps failed with {error}; {denied} denied");
    assert!(denied > 30, "only {denied} of {count} denied");
}

fn present_code(phone: &Phone) -> String {
    phone.code(0)
}

fn next_code(phone: &Phone) -> String {
    phone.code(1)
}

fn wrong_code(phone: &Phone) -> String {
    phone.wrong_code()
}

fn recovery_code(_: &Phone) -> String {
    RECOVERY_CODES[0].to_owned()
}

fn another_recovery_code(_: &Phone) -> String {
    RECOVERY_CODES[1].to_owned()
}

const WITH_A_CODE: Login = Login { has_state: true, reply: present_code, next: (next_code, "PAM_SUCCESS") };

#[test]
fn a_login_of_which_any_step_fails_denies_and_leaves_all_whole() {
    fail_every_step(WITH_A_CODE, "EIO");
}

#[test]
fn a_login_on_a_full_disk_at_any_step_denies_and_leaves_all_whole() {
    fail_every_step(WITH_A_CODE, "ENOSPC");
}

#[test]
fn a_login_with_a_recovery_code_of_which_any_step_fails_denies_and_leaves_all_whole() {
    let login = Login { has_state: true, reply: recovery_code, next: (another_recovery_code, "PAM_SUCCESS") };
    fail_every_step(login, "EIO");
}

#[test]
fn a_login_that_makes_the_state_and_fails_at_any_step_leaves_all_whole() {
    // The window is burned, so the next code is told to be used.
    let login = Login { has_state: false, reply: present_code, next: (next_code, "PAM_AUTH_ERR") };
    fail_every_step(login, "EIO");
}

/// Root that is confined is another cause than a caller that is not root, with another mend.
#[test]
fn a_caller_that_is_kept_from_what_the_lock_needs_is_told_so() {
    let door = Door::new(WITH_A_CODE);
    let is_of_the_lock = |step: &Step| step.mentions("SIG_BLOCK") || step.is_one_of(&["getresuid"]);
    let steps: Vec<Step> = door.steps().into_iter().filter(is_of_the_lock).collect();
    assert!(steps.len() >= 2, "{steps:?}");
    for step in steps {
        let faulty = door.fail(step, "EPERM");
        assert_eq!(faulty.result(), "PAM_AUTHINFO_UNAVAIL", "{}", faulty.step);
        let log = &faulty.log;
        assert!(log.contains("reason=caller_confined"), "{}: {log}", faulty.step);
        assert!(log.contains("mend=\"look for what confines the caller"), "{}: {log}", faulty.step);
    }
}

/// A wrong code is charged, or its verdict is not told.
#[test]
fn no_fault_makes_a_guess_free() {
    let login = Login { has_state: true, reply: wrong_code, next: (present_code, "PAM_SUCCESS") };
    let door = Door::new(login);
    for step in door.steps() {
        let faulty = door.fail(step, "EIO");
        let step = &faulty.step;
        let told = faulty.conversation.raw.contains("Wrong code");
        let charged = |state: &Option<State>| {
            let state = state.as_ref().expect("a state");
            state.counters.iter().map(|counter| counter.count).sum::<u32>()
        };
        assert_eq!(charged(&faulty.before), 0);
        assert!(!told || charged(&faulty.after) == 1, "told and not charged: {step}");
        door.must_be_whole_after(step);
    }
}
