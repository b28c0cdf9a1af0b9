//! The command of an administrator who looks after many: disable and enable.
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

#[path = "administration/switch.rs"]
mod switch;

use std::process::Output;

/// What a command has said: exit status, standard output, standard error.
pub(crate) fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("an exit status"), text(&output.stdout), text(&output.stderr))
}
