//! The command of an administrator who looks after many: list, status, test, disable and enable.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "command/mod.rs"]
mod command;
#[path = "container/mod.rs"]
mod container;
#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

#[path = "administration/listed.rs"]
mod listed;
#[path = "administration/reported.rs"]
mod reported;
#[path = "administration/schema.rs"]
mod schema;
#[path = "administration/switch.rs"]
mod switch;
#[path = "administration/tried.rs"]
mod tried;

use std::io::Write as _;
use std::process::{Output, Stdio};

use sandbox::Sandbox;

/// What a command has said: exit status, standard output, standard error.
pub(crate) fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("an exit status"), text(&output.stdout), text(&output.stderr))
}

/// `countersign` with these words and this at its input, run to its end.
pub(crate) fn with_input(sandbox: &Sandbox, words: &[&str], input: &str) -> Output {
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_countersign"));
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command runs");
    // One that asks for nothing may have ended.
    let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
    child.wait_with_output().expect("its end")
}
