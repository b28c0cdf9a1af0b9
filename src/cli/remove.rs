//! `countersign remove`: forget a user.

use super::args::Remove;
use super::audit::{self, Change};
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use super::who;
use crate::backend;
use crate::credential::EnrolmentStore as _;

/// Removes all that is kept of a user, also of one whose account is gone.
pub(super) fn run(options: &Remove, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let user = who::known_or_not(&options.user)?;
    let question = format!("remove the authenticators and recovery codes of {}?", user.name);
    if !options.yes && !terminal.ask_yes(&question)? {
        return Err(Error::GivenUp);
    }
    backend::store().remove(&user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    audit::log(Change::Removed, &user, terminal);
    terminal.say(format_args!("{} is no longer enrolled", user.name));
    Ok(ExitCode::Success)
}
