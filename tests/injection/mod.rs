//! Making one system call of a real program fail, by strace(1).
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::Path;

/// What strace writes when the program was stopped.
pub const STOPPED: &str = "--- stopped by SIGSTOP ---";

/// One system call of a program that does the same whenever it runs.
#[derive(Clone, Debug)]
pub struct Step {
    call: String,
    occurrence: usize,
    line: String,
    aside: bool,
}

impl Step {
    /// Whether it is one of these calls.
    pub fn is_one_of(&self, calls: &[&str]) -> bool {
        calls.contains(&self.call.as_str())
    }

    /// Whether its line in the trace begins with this text.
    pub fn begins_with(&self, text: &str) -> bool {
        self.line.starts_with(text)
    }

    /// Whether its line in the trace holds this text.
    pub fn mentions(&self, text: &str) -> bool {
        self.line.contains(text)
    }

    /// Whether it was set aside by [`set_aside`].
    pub fn is_aside(&self) -> bool {
        self.aside
    }

    /// The options of strace that make this step fail with an error, such as `EIO`.
    pub fn failing_with(&self, error: &str) -> Vec<String> {
        self.with(&format!("error={error}"), Path::new("/dev/null"))
    }

    /// The options of strace that kill the program when it begins this step.
    pub fn killing(&self) -> Vec<String> {
        self.with("signal=KILL", Path::new("/dev/null"))
    }

    /// The options of strace that stop the program when it begins this step, by a signal that cannot be blocked.
    /// The trace then holds [`STOPPED`].
    pub fn stopping(&self, trace: &Path) -> Vec<String> {
        self.with("signal=STOP", trace)
    }

    fn with(&self, what: &str, trace: &Path) -> Vec<String> {
        let Self { call, occurrence, .. } = self;
        let inject = format!("inject={call}:{what}:when={occurrence}");
        let (trace, call) = (trace.to_string_lossy(), format!("trace={call}"));
        ["-qq", "-o", &trace, "-e", &call, "-e", &inject].map(String::from).to_vec()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (the {}th {})", self.line, self.occurrence, self.call)
    }
}

/// Sets aside the steps of every part that begins with one that mentions `first`, and ends before one that
/// begins like one of `before`.
pub fn set_aside(steps: &mut [Step], first: &str, before: &[&str]) {
    let mut inside = false;
    for step in steps {
        inside &= !before.iter().any(|start| step.line.starts_with(start));
        inside |= step.line.contains(first);
        step.aside = inside;
    }
}

/// The options of strace that write down what a program does.
pub fn recording_to(path: &Path) -> Vec<String> {
    ["-qq", "-s", "64", "-o", &path.to_string_lossy()].map(String::from).to_vec()
}

/// The steps of a recorded run, from the first line that holds `first` to the last before one that holds
/// `last`, or to the end.
pub fn steps(path: &Path, first: &str, last: &str) -> Vec<Step> {
    let text = fs::read_to_string(path).expect("what strace wrote (package strace)");
    let mut occurrences: HashMap<&str, usize> = HashMap::new();
    let mut steps = Vec::new();
    let mut begun = false;
    for line in text.lines() {
        let Some((call, _)) = line.split_once('(') else { continue };
        let occurrence = occurrences.entry(call).and_modify(|count| *count += 1).or_insert(1);
        begun |= line.contains(first);
        if begun && line.contains(last) {
            break;
        }
        // brk(2) tells no error but an unchanged end, so that an injected one is no failure but nonsense.
        if begun && call != "brk" {
            let line = line.chars().take(200).collect();
            steps.push(Step { call: call.to_owned(), occurrence: *occurrence, line, aside: false });
        }
    }
    assert!(!steps.is_empty(), "no step between {first} and {last}:\n{text}");
    steps
}
