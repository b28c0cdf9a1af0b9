//! What the module does to its host process besides its own business: nothing. Its system calls are
//! listed by strace(1) and looked at.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests stop at surprises")]

#[path = "injection/mod.rs"]
mod injection;
#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use injection::{Step, recording_to, steps};
use planting::{Planted, RECOVERY_CODES};
use sandbox::{Conversation, Sandbox, example, module};

/// Calls that would change the host process, or another one.
const NEVER: [&str; 27] = [
    "chdir",
    "fchdir",
    "chroot",
    "umask",
    "rt_sigaction",
    "sigaltstack",
    "kill",
    "tgkill",
    "clone",
    "clone3",
    "fork",
    "vfork",
    "execve",
    "prctl",
    "setitimer",
    "timer_create",
    "alarm",
    "setpriority",
    "setrlimit",
    "setsid",
    "setpgid",
    "dup",
    "dup2",
    "dup3",
    "pipe2",
    "personality",
    "unshare",
];

/// The steps of a login, from the loading of the module to the last word of its verdict.
fn steps_of_a_login(reply: impl Fn(&planting::Phone) -> String, arguments: &str) -> Vec<Step> {
    let sandbox = Sandbox::new();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    sandbox.service("door", &format!("auth required {} {arguments}\n", module().display()));
    let trace = sandbox.path().join("trace");
    let mut command = sandbox.command("strace");
    command.args(recording_to(&trace)).arg(example("pam-client"));
    command.args(["--confdir", "/etc/pam.d", "--service", "door", "--user", "alice"]);
    command.arg(format!("--reply={}", reply(&phone)));
    let login = Conversation::of(command);
    assert!(login.raw.contains("authenticate PAM_"), "{}{}", login.raw, login.stderr);
    steps(&trace, "libpam_countersign.so", "write(1, \"authenticate ")
}

fn all_kinds_of_logins() -> Vec<Vec<Step>> {
    vec![
        steps_of_a_login(|phone| phone.code(0), ""),
        steps_of_a_login(planting::Phone::wrong_code, "attempts=1"),
        steps_of_a_login(|_| RECOVERY_CODES[0].to_owned(), "debug"),
        steps_of_a_login(|_| "correct horse".to_owned(), "attempts=1"),
        steps_of_a_login(|_| String::new(), "no such argument"),
    ]
}

#[test]
fn a_login_changes_nothing_of_its_host_process() {
    for steps in all_kinds_of_logins() {
        let changes: Vec<String> =
            steps.iter().filter(|step| step.is_one_of(&NEVER)).map(ToString::to_string).collect();
        assert!(changes.is_empty(), "{changes:#?}");
    }
}

/// A kill between a write and its flush would leave something that others see and no disk holds
/// (`docs/decisions/0006-write-and-flush-in-one-call.md`).
#[test]
fn a_login_writes_and_flushes_the_state_in_one_call() {
    let steps = steps_of_a_login(|phone| phone.code(0), "");
    let writes: Vec<&Step> = steps.iter().filter(|step| step.mentions("countersign-state 2")).collect();
    let writes: Vec<&&Step> = writes.iter().filter(|step| !step.is_one_of(&["pread64"])).collect();
    let [write] = writes[..] else { panic!("{writes:?}") };
    assert!(write.begins_with("pwritev2(") && write.mentions("65536, RWF_DSYNC) = 4096"), "{write}");
}

#[test]
fn a_login_writes_to_no_standard_stream() {
    for steps in all_kinds_of_logins() {
        for step in steps {
            let to_a_stream = ["write(0,", "write(1,", "write(2,", "writev(1,", "writev(2,", "pwrite64(1,"];
            let writes = to_a_stream.iter().any(|start| step.begins_with(start));
            // What the client shows of the conversation is its own.
            let is_shown = ["\"prompt_", "\"error ", "\"info "].iter().any(|said| step.mentions(said));
            assert!(!writes || is_shown, "{step}");
        }
    }
}

#[test]
fn every_file_that_a_login_opens_is_closed_on_exec() {
    for steps in all_kinds_of_logins() {
        let opened = steps.iter().filter(|step| step.is_one_of(&["open", "openat", "openat2", "creat"]));
        // libpam opens its own files before and after.
        for step in opened.filter(|step| !step.mentions("/pam.d/")) {
            assert!(step.mentions("O_CLOEXEC"), "{step}");
        }
    }
}
