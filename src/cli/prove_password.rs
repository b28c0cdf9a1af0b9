//! `countersign prove-password`: the password process, which units and the service start. Not for people.

use super::error::{Error, ExitCode};
use super::who;
use crate::password;
use crate::sys::socket::Connection;

/// Runs one proof for the service at the socket on standard input.
pub(super) fn run() -> Result<ExitCode, Error> {
    who::require_root()?;
    let service = Connection::from_standard_input()?;
    password::process::run(service)?;
    Ok(ExitCode::Success)
}
