//! Follows a guide of `docs/guides` in a machine, as a person would who types what stands there.
//!
//! What a guide may hold is said in `CONTRIBUTING.md`. In short: in a block `console`, `# ` begins what root types, `$ `
//! what alice types, and all else is what comes of it, in that order; `…` stands for anything. A block `diff` is applied, a block
//! with a path behind its language is a file. What goes wrong without being announced fails the test.

mod answer;
mod block;
mod shell;

use std::fs;
use std::path::Path;
use std::time::Duration;

use block::{Block, Step};
use shell::{Person, Shell};

use crate::installed::{Guarded, password_of};

/// What the guides need besides, from Debian.
const PACKAGES: [&str; 7] = [
    "openssh-client",
    "patch",
    "libpam-google-authenticator",
    "libpam-oath",
    "ansible-core",
    "python3-cffi-backend",
    "pamtester",
];
/// The prompt of every shell in there: nothing else prints it.
const PROMPT: &str = "⟩ ";

/// A machine in which somebody follows a guide.
pub struct Follower {
    guarded: Guarded,
    person: Person,
}

impl Follower {
    /// A machine with countersign, alice who may use sudo, and bob.
    pub fn new() -> Self {
        let guarded = Guarded::boot_with("bookworm", &PACKAGES);
        guarded.write("/etc/bash.bashrc", 0o644, format!("PS1='{PROMPT}'\n"));
        guarded.write("/etc/skel/.bashrc", 0o644, format!("PS1='{PROMPT}'\n"));
        guarded.write("/root/.bashrc", 0o644, format!("PS1='{PROMPT}'\n"));
        guarded.write("/etc/hosts", 0o644, "127.0.0.1 localhost web1\n::1 localhost\n");
        guarded.write(
            "/etc/ssh/ssh_config.d/guide.conf",
            0o644,
            "StrictHostKeyChecking accept-new\nLogLevel ERROR\nNumberOfPasswordPrompts 1\n",
        );
        for name in ["alice", "bob"] {
            guarded.add_person(name);
        }
        guarded.must(&["usermod", "--append", "--groups", "sudo", "alice"]);
        Self { guarded, person: Person::new("alice") }
    }

    /// The machine, for what a test looks at besides.
    pub fn machine(&self) -> &Guarded {
        &self.guarded
    }

    /// Does all that a guide says, from top to bottom.
    pub fn follow(&mut self, guide: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides").join(guide);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{guide}: {error}"));
        let blocks = block::all(&text);
        let commands = blocks.iter().filter(|block| matches!(block, Block::Console { .. })).count();
        assert!(commands > 0, "{guide} tells nobody to do anything");
        let mut root = Shell::start(self.guarded.terminal(&["env", "HOME=/root", "bash", "-i"]));
        let mut alice = Shell::start(self.guarded.terminal(&["runuser", "-l", "alice"]));
        for block in blocks {
            match block {
                Block::Console { line, fails, steps } => {
                    let place = format!("docs/guides/{guide}:{line}");
                    for step in steps {
                        let shell = if step.by_root { &mut root } else { &mut alice };
                        self.take(shell, &step, fails, &place);
                    }
                }
                Block::Login { line, fails, shown } => {
                    self.log_in(&shown, fails, &format!("docs/guides/{guide}:{line}"));
                }
                Block::File { path, mode, text } => self.guarded.write(&path, mode, text),
                Block::Diff { text } => {
                    let words =
                        ["patch", "--strip=1", "--directory=/", "--fuzz=0", "--no-backup-if-mismatch"];
                    self.guarded.must_with_input(&words, text.as_bytes());
                }
                Block::Before { command } => {
                    self.guarded.must(&["sh", "-c", &command]);
                }
                Block::Device { command } => {
                    let secret = self.guarded.must(&["sh", "-c", &command]);
                    self.person.has_device(secret.trim());
                }
            }
        }
    }

    fn take(&mut self, shell: &mut Shell, step: &Step, fails: bool, place: &str) {
        shell.set_patience(Duration::from_secs(60));
        if step.command.contains("ssh ") {
            self.wait_for_sshd();
        }
        shell.command(&step.command);
        for shown in &step.shown {
            match answer::in_line(shown) {
                Some((prompt, answer)) => {
                    shell.expect(&prompt, place);
                    self.person.look_at(&shell.transcript());
                    let text = self.person.answer(&answer, &self.guarded, &prompt);
                    shell.type_in(&text);
                }
                None => shell.expect(shown, place),
            }
        }
        let status = shell.end_of_command(place);
        self.person.look_at(&shell.transcript());
        let expected = if fails && step.is_last { status != 0 } else { status == 0 };
        assert!(expected, "{place}: `{}` ends with {status}:\n{}", step.command, shell.transcript());
    }
}

impl Follower {
    /// After a reload it is away for a moment, which nobody would notice who types.
    fn wait_for_sshd(&self) {
        let listens = "until ss -Hltn sport = :22 | grep -q .; do sleep 0.02; done";
        self.guarded.must(&["sh", "-c", listens]);
    }

    /// Somebody at the console of the machine.
    fn log_in(&mut self, shown: &[String], fails: bool, place: &str) {
        self.guarded.must(&["hostname", "web1"]);
        let name = shown[0].strip_prefix("web1 login: ").unwrap_or_else(|| panic!("{place}: no name"));
        self.guarded.fresh_console().send_line(name);
        for line in &shown[1..] {
            let (prompt, answer) =
                answer::in_line(line).unwrap_or_else(|| panic!("{place}: `{line}` has no answer"));
            self.guarded.console().expect(&prompt);
            let text = self.person.answer(&answer, &self.guarded, &format!("{name} {prompt}"));
            self.guarded.console().send_line(&text);
        }
        let refused =
            self.guarded.console().expect_any(&[PROMPT, "Verification code: ", "Login incorrect"]) > 0;
        assert_eq!(refused, fails, "{place}:\n{}", self.guarded.console().transcript());
    }
}

/// The password of an account whose name is in a prompt, else alice's.
fn password_for(prompt: &str) -> String {
    password_of(if prompt.contains("bob") { "bob" } else { "alice" })
}
