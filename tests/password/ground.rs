//! A machine with people and their passwords, and the service's side of a proof in it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command};
use std::time::{Duration, Instant};

use crate::installed::{Guarded, password_of};

/// The program that plays the service, inside of the machine.
pub(crate) const CLIENT: &str = "/usr/local/bin/password-client";
/// The unit's socket.
pub(crate) const SOCKET: &str = "/run/countersign/password.socket";
/// The stack.
pub(crate) const STACK: &str = "/etc/pam.d/countersign";
const PATIENCE: Duration = Duration::from_secs(20);

/// How the password process comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Unit,
    Child,
}

/// The machine.
pub(crate) struct Ground {
    pub(crate) machine: Guarded,
}

impl Ground {
    /// Boots a machine with alice in it, in which the units are installed and not started.
    pub(crate) fn boot(suite: &str) -> Self {
        let machine = Guarded::boot(suite);
        machine.add_person("alice");
        machine.copy_in(&example("password-client"), CLIENT, 0o755);
        machine.must(&["systemctl", "daemon-reload"]);
        Self { machine }
    }

    /// Lets every proof from now on go this way.
    pub(crate) fn go(&self, way: Way) {
        let verb = if way == Way::Unit { "start" } else { "stop" };
        self.machine.must(&["systemctl", verb, "countersign-password.socket"]);
        let is_there = self.machine.run(&["test", "-S", SOCKET]).status == 0;
        assert_eq!(is_there, way == Way::Unit);
    }

    /// The steps of a proof with these answers, and how it counts.
    pub(crate) fn prove(&self, user: &str, answers: &[&str]) -> Vec<String> {
        let words = [&[CLIENT, "ask", user][..], answers].concat();
        self.machine.must(&words).lines().map(str::to_owned).collect()
    }

    /// The last step of a proof with this one answer.
    pub(crate) fn verdict(&self, user: &str, answer: &str) -> String {
        let mut steps = self.prove(user, &[answer]);
        steps.pop();
        steps.pop().expect("a step")
    }

    /// The last step of a proof with the right password.
    pub(crate) fn verdict_of_right(&self, user: &str) -> String {
        self.verdict(user, &password_of(user))
    }

    /// Puts these lines in place of the stack; the test's own module is `pam_questions.so`.
    pub(crate) fn stack(&self, lines: &str) {
        self.machine.write(STACK, 0o644, lines);
    }

    /// Compiles the module that asks what its arguments say, and installs it.
    pub(crate) fn install_questions(&self) {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/password/pam_questions.c");
        let library = self.machine.directory().join("pam_questions.so");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&library)
            .args([source, "-lpam"])
            .output()
            .expect("cc");
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        let beside = self.machine.must(&["sh", "-c", "ls -1 /usr/lib/*/security/pam_unix.so"]);
        let modules = Path::new(beside.trim_end()).parent().expect("a directory");
        let installed = modules.join("pam_questions.so");
        self.machine.copy_in(&library, installed.to_str().expect("a path"), 0o644);
    }

    /// The password processes that run now, each with its parent.
    pub(crate) fn processes(&self) -> Vec<(u32, u32)> {
        let listed = self.machine.must(&["ps", "-eo", "pid=,ppid=,args="]);
        let of_line = |line: &str| {
            let mut words = line.split_whitespace();
            let (process, parent) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            (words.nth(1) == Some("prove-password")).then_some((process, parent))
        };
        listed.lines().filter_map(of_line).collect()
    }

    /// Waits until no password process is left.
    pub(crate) fn wait_until_none_is_left(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.processes().is_empty() {
            assert!(Instant::now() < deadline, "left: {:?}", self.processes());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A proof that waits for the test before each answer.
pub(crate) struct Held {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Held {
    /// Begins one.
    pub(crate) fn start(ground: &Ground, user: &str, answers: &[&str]) -> Self {
        let words = [&[CLIENT, "ask", "--hold", user][..], answers].concat();
        let mut child = ground.machine.start(&words);
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, input, output }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it prints");
        line.trim_end_matches('\n').to_owned()
    }

    /// Reads until it waits.
    pub(crate) fn wait_until_held(&mut self) {
        while self.line() != "held" {}
    }

    /// Lets it answer.
    pub(crate) fn go_on(&mut self) {
        writeln!(self.input).expect("it reads");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An example, built for the same profile as this test.
fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("the path of this test");
    let profile = own.ancestors().nth(2).expect("a directory of the profile");
    let path = profile.join("examples").join(name);
    assert!(path.exists(), "{} is missing: run `cargo build --examples`", path.display());
    path
}
