//! Enrolling many at once: a list in, a page for each out, whatever is in the list and whenever it ends.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_macros, reason = "those rules are for the module")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
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
#[path = "screen/mod.rs"]
mod screen;

#[path = "bulk/ended.rs"]
mod ended;
#[path = "bulk/listed.rs"]
mod listed;
#[path = "bulk/paged.rs"]
mod paged;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use pam_countersign::credential::format;
use sandbox::Sandbox;

/// The words for the list and the pages, as they are inside.
const WORDS: [&str; 5] = ["enroll", "--from", "/run/list", "--into", "/run/pages"];

/// Writes the list.
fn list(sandbox: &Sandbox, text: impl AsRef<[u8]>) {
    fs::write(sandbox.path().join("run/list"), text).expect("the list");
}

/// Enrols all of a list.
fn enroll(sandbox: &Sandbox, text: impl AsRef<[u8]>) -> Said {
    list(sandbox, text);
    enroll_again(sandbox)
}

/// Enrols all of the list that is there.
fn enroll_again(sandbox: &Sandbox) -> Said {
    Said::of(&command::run(sandbox, &WORDS))
}

/// What a run has said.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    status: Option<i32>,
    out: String,
    errors: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { status: output.status.code(), out: text(&output.stdout), errors: text(&output.stderr) }
    }

    /// The five numbers of the last report: enrolled, already, twice, refused, failed.
    fn counts(&self) -> [u64; 5] {
        let line = self.errors.lines().find(|line| line.ends_with(" failed"));
        let line = line.unwrap_or_else(|| panic!("no report: {self:?}"));
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        numbers.try_into().expect("five numbers")
    }
}

/// `countersign` with these words and this at its input.
fn with_input(sandbox: &Sandbox, words: &[&str], input: &[u8]) -> Said {
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_countersign"));
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command runs");
    // One that wants none of it may have ended.
    let _ = child.stdin.take().expect("its input").write_all(input);
    Said::of(&child.wait_with_output().expect("its end"))
}

/// Where the pages are, outside.
fn pages(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join("run/pages")
}

/// The names of what is in a directory, in order.
fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.flatten().map(name).collect();
    names.sort_unstable();
    names
}

/// The key for typing in that a page shows.
fn key_on(page: &str) -> String {
    let (_, after) = page.split_once("<code>").expect("a key");
    after.split_once("</code>").expect("its end").0.replace(' ', "")
}

/// The key that is in force for a user, if there is one.
fn key_in_store(sandbox: &Sandbox, user: &str) -> Option<String> {
    let text = fs::read(sandbox.store().join("users").join(user).join("credential.toml")).ok()?;
    let credential = format::parse(&text).expect("a credential");
    Some(credential.authenticators[0].secret.to_base32().to_string())
}

/// Each of them is enrolled by the page that is there for him, and nothing else lies about.
fn all_have_their_pages(sandbox: &Sandbox, users: &[&str]) {
    let expected: Vec<String> = users.iter().map(|user| format!("{user}.html")).collect();
    assert_eq!(names(&pages(sandbox)), expected);
    assert_eq!(names(&sandbox.store().join("users")), users);
    for user in users {
        let page = fs::read_to_string(pages(sandbox).join(format!("{user}.html"))).expect("a page");
        assert_eq!(key_in_store(sandbox, user), Some(key_on(&page)), "{user}");
    }
}
