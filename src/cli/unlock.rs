//! `countersign unlock`: forget a user's failures, so that codes are taken again.

use super::args::Unlock;
use super::audit::{self, Change};
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use super::who;
use crate::backend;
use crate::credential::CredentialStore as _;
use crate::policy::throttle;

/// Lifts waits and caps of all sources. What was used stays used.
pub(super) fn run(options: &Unlock, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let user = who::account(Some(&options.user))?;
    let question = format!("forget all wrong codes that were typed for {}?", user.name);
    if !options.yes && !terminal.ask_yes(&question)? {
        return Err(Error::GivenUp);
    }
    let unlocked = backend::store().update(&user, |_, state| throttle::unlock(state))?;
    unlocked.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    audit::log(Change::Unlocked, &user, terminal);
    terminal.say(format_args!("codes of {} are taken again", user.name));
    Ok(ExitCode::Success)
}
