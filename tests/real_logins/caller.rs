//! People who call su and trouble it, by `troubled-su` inside of the machine.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout};
use std::time::Duration;

use crate::installed::Guarded;

/// What everybody wants who calls su.
pub(crate) const SU: &str = "exec su alice -c 'echo in as alice.'";
/// The same, to another account.
pub(crate) const SU_TO_DAVE: &str = "exec su dave -c 'echo in as dave.'";
/// Where the program is, inside of the machine.
pub(crate) const PROGRAM: &str = "/usr/local/bin/troubled-su";

/// Somebody who calls su in one way, again and again.
pub(crate) struct Caller {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// How a su ended.
#[derive(Debug, Clone)]
pub(crate) struct End {
    /// `in`, `wrong`, `refused`, `nothing`, `silent`.
    pub(crate) told: String,
    /// `at_once`, `later` (the lock was held), `gone`.
    pub(crate) sent: String,
    /// From the code to the verdict.
    pub(crate) took: Duration,
    /// All that was said.
    pub(crate) text: String,
}

/// What comes of a round, so far.
pub(crate) enum Report {
    Stopped,
    End(End),
}

impl Caller {
    /// Puts the program into a machine, before anybody calls.
    pub(crate) fn install(guarded: &Guarded) {
        guarded.copy_in(&program(), PROGRAM, 0o755);
    }

    /// A user with pipes for a terminal, who starts this script of the shell.
    pub(crate) fn at_a_pipe(guarded: &Guarded, user: &str, script: &str) -> Self {
        Self::start(guarded, &["runuser", "-u", user, "--", PROGRAM, "sh", "-c", script])
    }

    /// A user at a terminal of his own.
    pub(crate) fn at_a_terminal(guarded: &Guarded, user: &str, script: &str) -> Self {
        Self::start(guarded, &["runuser", "-u", user, "--", PROGRAM, "--terminal", "sh", "-c", script])
    }

    /// Whatever command this is, it starts [`PROGRAM`] as somebody.
    pub(crate) fn start(guarded: &Guarded, command: &[&str]) -> Self {
        let mut child = guarded.start(command);
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, input, output }
    }

    /// Starts a round: the trouble comes so long after the code.
    pub(crate) fn call(&mut self, after: Duration, trouble: &str, code: &str) {
        writeln!(self.input, "{} {trouble} {code}", after.as_micros()).expect("it reads on");
    }

    /// Lets a su go on that was stopped.
    pub(crate) fn go_on(&mut self) {
        writeln!(self.input).expect("it reads on");
    }

    /// What has come of the round.
    pub(crate) fn report(&mut self) -> Report {
        let mut line = String::new();
        let length = self.output.read_line(&mut line).expect("it reports");
        assert!(length > 0, "troubled-su has ended: {:?}", self.child.wait());
        if line == "stopped\n" {
            return Report::Stopped;
        }
        let mut words = line.trim_end().splitn(4, ' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        let (told, sent) = (word(), word());
        let took = Duration::from_micros(word().parse().unwrap_or_else(|_| panic!("{line}")));
        Report::End(End { told, sent, took, text: word() })
    }

    /// The end of a round in which nothing stops.
    pub(crate) fn end(&mut self) -> End {
        match self.report() {
            Report::End(end) => end,
            Report::Stopped => panic!("it was stopped"),
        }
    }

    /// A whole su without any trouble.
    pub(crate) fn calls(&mut self, code: &str) -> End {
        self.call(Duration::ZERO, "none", code);
        self.end()
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl End {
    pub(crate) fn is_in(&self) -> bool {
        self.told == "in"
    }

    pub(crate) fn is_wrong(&self) -> bool {
        self.told == "wrong"
    }
}

/// `troubled-su`, built for the same profile as this test.
fn program() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this test");
    let profile = own.ancestors().nth(2).expect("a directory of the profile");
    let path = profile.join("examples/troubled-su");
    assert!(path.exists(), "{} is missing: run `cargo build --examples`", path.display());
    path
}
