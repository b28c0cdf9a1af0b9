//! What `pam-client` printed, and running it: alone, held before its first reply, or many at once.

use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Read as _};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};

/// The calls whose results `pam-client` prints, beside `item_…`, `putenv` and `authtok`.
const CALLS: [&str; 8] =
    ["start", "authenticate", "setcred", "acct_mgmt", "open_session", "close_session", "chauthtok", "end"];

/// What `pam-client` printed, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// `prompt_off TEXT`, `prompt_on TEXT`, `error TEXT`, `info TEXT`, in order.
    pub messages: Vec<String>,
    /// Each call and the name of its status, in order; the last is `end`.
    pub results: Vec<(String, String)>,
    /// The last delay in microseconds that was asked for after a failure.
    pub delay: Option<u64>,
    /// 0 if every call succeeded, else 1; the real exit status when a program was run, where -1
    /// means that a signal ended it.
    pub status: i32,
    /// The whole output.
    pub raw: String,
    /// What the program or bwrap wrote to the standard error.
    pub stderr: String,
}

impl Conversation {
    /// Reads the output of `pam-client`. Lines of other kinds are only in `raw`.
    pub fn parse(text: &str) -> Self {
        let mut parsed = Self {
            messages: Vec::new(),
            results: Vec::new(),
            delay: None,
            status: 0,
            raw: text.to_owned(),
            stderr: String::new(),
        };
        for line in text.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "prompt_off" | "prompt_on" | "error" | "info" => {
                    parsed.messages.push(line.to_owned());
                }
                "delay" => parsed.delay = rest.parse().ok(),
                call if CALLS.contains(&call) => {
                    let name = rest.split(' ').next().unwrap_or_default();
                    parsed.results.push((call.to_owned(), name.to_owned()));
                }
                _ => {}
            }
        }
        let ended = parsed.results.iter().any(|(call, _)| call == "end");
        let succeeded = parsed.results.iter().all(|(_, name)| name == "PAM_SUCCESS");
        parsed.status = i32::from(!(ended && succeeded));
        parsed
    }

    /// Runs the program to its end, with no input.
    pub fn of(mut command: Command) -> Self {
        command.stdin(Stdio::null());
        Running::spawn(command).finish()
    }

    /// The name of the status of the first such call; panics with the output if it was not made.
    pub fn result(&self, call: &str) -> &str {
        let found = self.results.iter().find(|(name, _)| name == call);
        let missing = || panic!("no result of {call}: {}{}", self.raw, self.stderr);
        found.map_or_else(missing, |(_, status)| status.as_str())
    }

    /// The name of the status of `pam_authenticate`.
    pub fn authenticate(&self) -> &str {
        self.result("authenticate")
    }

    /// How many prompts were shown.
    pub fn prompts(&self) -> usize {
        self.messages.iter().filter(|message| message.starts_with("prompt_")).count()
    }
}

/// A pipe that is the input of several held programs; opening it releases them together.
pub struct Gate {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        Self { reader, writer }
    }

    /// An input for a program that is to wait here.
    pub fn stdin(&self) -> Stdio {
        self.reader.try_clone().expect("a descriptor").into()
    }

    /// Releases all that wait.
    pub fn open(self) {
        drop(self.writer);
    }
}

/// A program that was started and whose output is read as it comes.
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    errors: JoinHandle<String>,
    seen: String,
}

impl Running {
    /// Starts a program with its own pipe as input.
    ///
    /// It dies with the thread that starts it (`--die-with-parent`): wait for it in that thread.
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped());
        Self::spawn(command)
    }

    /// Starts a program that waits at the gate when it holds.
    pub fn start_behind(mut command: Command, gate: &Gate) -> Self {
        command.stdin(gate.stdin());
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("bwrap is installed (package bubblewrap)");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a piped output"));
        let errors = child.stderr.take().expect("a piped output");
        let errors = thread::spawn(move || read_all(errors));
        Self { child, input, output, errors, seen: String::new() }
    }

    /// Reads on until a line begins with `start`; false if the program ended before.
    pub fn wait_for(&mut self, start: &str) -> bool {
        loop {
            let before = self.seen.len();
            match self.output.read_line(&mut self.seen) {
                Ok(0) | Err(_) => return false,
                Ok(_) if self.seen.get(before..).is_some_and(|line| line.starts_with(start)) => {
                    return true;
                }
                Ok(_) => {}
            }
        }
    }

    /// Waits until the program holds before its first reply; false if it ended before.
    pub fn wait_until_ready(&mut self) -> bool {
        self.wait_for("ready\n")
    }

    /// Lets a held program go on.
    pub fn release(&mut self) {
        self.input = None;
    }

    /// Releases the program, waits for its end and reads what it printed.
    pub fn finish(mut self) -> Conversation {
        self.release();
        self.collect()
    }

    fn collect(mut self) -> Conversation {
        // A last line that is cut off by a kill stays as it is.
        let _ = self.output.read_to_string(&mut self.seen);
        let status = self.child.wait().expect("the program ends");
        let mut conversation = Conversation::parse(&self.seen);
        conversation.status = status.code().unwrap_or(-1);
        conversation.stderr = self.errors.join().unwrap_or_default();
        conversation
    }

    /// Kills the program with SIGKILL and waits until it is gone. bwrap is what is killed here;
    /// the program follows at once, and its end is seen as the end of its output.
    pub fn kill(mut self) -> Conversation {
        let _ = self.child.kill();
        // Not `finish`: that releases a held program, which could go on before it dies.
        self.collect()
    }
}

fn read_all(mut errors: ChildStderr) -> String {
    let mut text = String::new();
    let _ = errors.read_to_string(&mut text);
    text
}

/// Starts every program (each with `--hold`), waits until all are ready, releases them together.
pub fn all_at_once(commands: impl IntoIterator<Item = Command>) -> Vec<Conversation> {
    let gate = Gate::new();
    let start = |command| Running::start_behind(command, &gate);
    let mut running: Vec<Running> = commands.into_iter().map(start).collect();
    for program in &mut running {
        program.wait_until_ready();
    }
    gate.open();
    running.into_iter().map(Running::finish).collect()
}
