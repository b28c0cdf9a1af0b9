//! `make mutants`: makes each fault of the list in a copy of the tree, one at a time, and runs the test that must notice
//! it. Prints the list; a fault that no test notices is a failure.
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "it stops at what it does not expect")]

#[path = "list.rs"]
mod list;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use list::{MUTANTS, Mutant};

/// What came of a fault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The test failed.
    Caught,
    /// The test passed.
    Alive,
    /// The compiler refused it, so it is no fault that anybody could make.
    DoesNotCompile,
}

impl End {
    fn word(self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::Alive => "ALIVE",
            Self::DoesNotCompile => "DOES NOT COMPILE",
        }
    }
}

/// A copy of the tree, with a target directory of its own.
struct Copied {
    tree: PathBuf,
    target: PathBuf,
}

impl Copied {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let place = root.join("target/mutants");
        let copied = Self { tree: place.join("tree"), target: place.join("target") };
        let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().expect("git");
        let names = String::from_utf8(listed.stdout).expect("names of files");
        for name in names.split('\0').filter(|name| !name.is_empty()) {
            let bytes = fs::read(root.join(name)).expect("a file of the tree");
            copied.write(name, &bytes);
        }
        copied
    }

    /// Leaves a file as it is that is the same already, so that cargo need not build it again.
    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.tree.join(name);
        if fs::read(&path).is_ok_and(|former| former == bytes) {
            return;
        }
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory of the copy");
        fs::write(&path, bytes).expect("a file of the copy");
    }

    fn cargo(&self, words: &[&str]) -> (bool, String) {
        let mut command = Command::new(env!("CARGO"));
        command.args(words).current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target);
        command.env_remove("COUNTERSIGN_MODULE").env_remove("COUNTERSIGN_COMMAND").env("RUST_BACKTRACE", "0");
        let output = command.output().expect("cargo");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Runs tests of a target by their names; the output, and whether all passed.
    fn test(&self, target: &str, names: &[&str]) -> (bool, String) {
        let mut words = vec!["test", "--locked"];
        words.extend(if target == "lib" { vec!["--lib"] } else { vec!["--test", target] });
        words.extend(["--", "--include-ignored", "--exact"]);
        words.extend(names);
        self.cargo(&words)
    }

    fn end_of(&self, mutant: &Mutant) -> End {
        let name = format!("src/{}", mutant.file);
        let text = fs::read_to_string(self.tree.join(&name)).expect("a file of the copy");
        assert_eq!(text.matches(mutant.line).count(), 1, "{name}: {}", mutant.line);
        self.write(&name, text.replacen(mutant.line, mutant.becomes, 1).as_bytes());
        let (passed, output) = self.test(mutant.target, &[mutant.test]);
        self.write(&name, text.as_bytes());
        let failed = output.contains(&format!("test {} ... FAILED", mutant.test));
        match (passed, failed) {
            (true, _) => End::Alive,
            (false, true) => End::Caught,
            (false, false) => End::DoesNotCompile,
        }
    }

    /// Every test of the list exists and passes as long as there is no fault.
    fn all_must_pass(&self, tests: &BTreeMap<&str, Vec<&str>>) {
        let (built, output) = self.cargo(&["build", "--locked", "--examples"]);
        assert!(built, "{output}");
        for (target, names) in tests {
            let (passed, output) = self.test(target, names);
            assert!(passed, "without any fault:\n{output}");
            for name in names {
                assert!(output.contains(&format!("test {name} ... ok")), "{target} has no test {name}");
            }
        }
    }
}

fn main() -> ExitCode {
    let only = std::env::args().nth(1).unwrap_or_default();
    let mut mutants: Vec<&Mutant> = MUTANTS.iter().filter(|mutant| mutant.what.contains(&only)).collect();
    // One target after the other, so that each is built as seldom as can be.
    mutants.sort_by_key(|mutant| mutant.target);
    let mut tests: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for mutant in &mutants {
        let names = tests.entry(mutant.target).or_default();
        if !names.contains(&mutant.test) {
            names.push(mutant.test);
        }
    }
    let copied = Copied::new();
    copied.all_must_pass(&tests);
    let mut worst = 0;
    for mutant in &mutants {
        let end = copied.end_of(mutant);
        worst += usize::from(end != End::Caught);
        println!("{}: {} ({}) by {}: {}", end.word(), mutant.what, mutant.file, mutant.target, mutant.test);
    }
    println!("{} of {} faults are caught", mutants.len() - worst, mutants.len());
    if worst == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
