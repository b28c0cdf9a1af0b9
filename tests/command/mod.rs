//! The command `countersign`, run in a sandbox, and the logins of those whom it enrolled.
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]

use std::ffi::OsString;
use std::fs;
use std::process::{Command, Output, Stdio};

use crate::container::Terminal;
use crate::planting::Phone;
use crate::sandbox::{Sandbox, module};

/// What enroll asks last.
pub const QUESTION: &str = "code that the app shows: ";

/// A sandbox with the service `door`, which the module guards alone.
pub fn machine() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.service("door", &format!("auth required {} attempts=1\n", module().display()));
    sandbox
}

/// `countersign` with these words, run to its end without a terminal.
pub fn run(sandbox: &Sandbox, words: &[&str]) -> Output {
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_countersign"));
    command.args(words).stdin(Stdio::null()).output().expect("the command runs")
}

/// Runs it so and expects it to succeed.
pub fn must(sandbox: &Sandbox, words: &[&str]) {
    let output = run(sandbox, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// `countersign` with these words on a terminal.
pub fn on_terminal(sandbox: &Sandbox, words: &[&str]) -> Terminal {
    start(sandbox.command(env!("CARGO_BIN_EXE_countersign")).args(words))
}

/// A command on a terminal.
pub fn start(command: &Command) -> Terminal {
    let mut words: Vec<OsString> = vec![command.get_program().to_owned()];
    words.extend(command.get_args().map(OsString::from));
    Terminal::start(&words)
}

/// The command after a line of shell, such as one that sizes the terminal.
pub fn after(sandbox: &Sandbox, line: &str, words: &[&str]) -> Terminal {
    let script = format!("{line}; exec \"$0\" \"$@\"");
    alone_with_signals(sandbox, &[&["sh", "-c", &script, env!("CARGO_BIN_EXE_countersign")], words].concat())
}

/// A program on a terminal, in a sandbox whose own processes hear no signal: they would take it along.
pub fn alone_with_signals(sandbox: &Sandbox, words: &[&str]) -> Terminal {
    const SIGNALS: &str = "signal=INT,TERM,HUP,QUIT";
    let mut inside = sandbox.command("env");
    inside.arg(format!("--default-{SIGNALS}")).args(words);
    let mut deaf = Command::new("env");
    deaf.arg(format!("--ignore-{SIGNALS}")).arg(inside.get_program()).args(inside.get_args());
    start(&deaf)
}

/// What came of an enrolment.
pub struct Enrolled {
    /// The exit status.
    pub status: i32,
    /// The phone that was shown the secret.
    pub phone: Phone,
    /// All that was on the screen.
    pub screen: String,
}

/// `countersign enroll` with these words, as a person does it. Calls `when_told` as soon as the screen says
/// that it is done, if it ever does.
pub fn enroll(sandbox: &Sandbox, words: &[&str], when_told: impl FnOnce()) -> Enrolled {
    let mut terminal = on_terminal(sandbox, &[&["enroll"], words].concat());
    let phone = phone_of(&mut terminal);
    terminal.send_line(&phone.code(0));
    if terminal.expect_any_or_end(&["is enrolled. Keep these codes"]).is_some() {
        when_told();
    }
    Enrolled { status: terminal.wait(), phone, screen: terminal.transcript() }
}

/// A login of alice at the door, and what came of it.
pub fn log_in(sandbox: &Sandbox, code: &str) -> String {
    sandbox.login("door", "alice", &[code]).authenticate().to_owned()
}

/// The recovery codes among the lines of a text.
pub fn recovery_codes_on(screen: &str) -> Vec<String> {
    let is_code = |line: &&str| line.len() == 19 && line.split('-').all(|group| group.len() == 4);
    screen.lines().map(str::trim).filter(is_code).map(str::to_owned).collect()
}

/// Whether a store is as empty as a new one.
pub fn nothing_is_kept(sandbox: &Sandbox) -> bool {
    let empty =
        |part: &str| fs::read_dir(sandbox.store().join(part)).is_ok_and(|mut names| names.next().is_none());
    empty("users") && empty("by-uid")
}

/// Reads the key that is shown for typing in.
pub fn phone_of(terminal: &mut Terminal) -> Phone {
    terminal.expect("key for typing in: ");
    let shown = terminal.expect("\n");
    terminal.expect(QUESTION);
    Phone::new(shown.replace(' ', "").trim())
}
