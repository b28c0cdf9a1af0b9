//! `countersign disable` and `countersign enable`: refuse a user for a while, and keep all that is kept of him.

use super::args::Disable;
use super::audit::{self, Change};
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use super::who;
use crate::backend;
use crate::credential::CredentialStore as _;
use crate::enrol::{self, KeepError};
use crate::store::FileStore;
use crate::sys;
use crate::user::User;

/// What changes whether a user is refused.
type Switch = fn(&FileStore, &User, u64) -> Result<(), KeepError>;

/// Refuses a user, codes and recovery codes alike.
pub(super) fn disable(options: &Disable, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let user = someone_to_look_after(options)?;
    if is_disabled(&user)? {
        terminal.say(format_args!("{} is disabled already", user.name));
        return Ok(ExitCode::Success);
    }
    switch(&user, enrol::disable, Change::Disabled, terminal)?;
    terminal.say(format_args!("{} is disabled: no code and no recovery code is taken", user.name));
    terminal.say(format_args!("take it back with: countersign enable {}", user.name));
    Ok(ExitCode::Success)
}

/// Takes codes of a disabled user again, as far as nothing else speaks against them.
pub(super) fn enable(options: &Disable, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let user = someone_to_look_after(options)?;
    if !is_disabled(&user)? {
        terminal.say(format_args!("{} is not disabled", user.name));
        return Ok(ExitCode::Success);
    }
    switch(&user, enrol::enable, Change::Enabled, terminal)?;
    terminal.say(format_args!("{} is enabled: codes are taken again", user.name));
    Ok(ExitCode::Success)
}

fn someone_to_look_after(options: &Disable) -> Result<User, Error> {
    who::require_root()?;
    who::account(Some(&options.user))
}

/// Looked at first: where nothing changes, nothing is written, and there is no line in the log.
fn is_disabled(user: &User) -> Result<bool, Error> {
    let credential = backend::store().read(user)?;
    Ok(credential.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?.disabled)
}

fn switch(user: &User, by: Switch, change: Change, terminal: &mut Terminal) -> Result<(), Error> {
    let now = sys::clock::now().ok_or(Error::Clock)?;
    by(&backend::store(), user, now).map_err(|error| Error::of_keeping(error, user))?;
    audit::log(change, user, terminal);
    Ok(())
}
