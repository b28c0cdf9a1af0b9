//! `countersign remove`: forget a user, or one of his devices.

use super::args::Remove;
use super::audit::{self, Change};
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use super::{own, who};
use crate::backend;
use crate::credential::EnrolmentStore as _;
use crate::enrol;
use crate::sys;
use crate::user::User;

/// Removes a device, or all that is kept of a user, also of one whose account is gone.
pub(super) fn run(options: &Remove, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let user = match &options.user {
        Some(name) => who::known_or_not(name)?,
        None if sys::user::is_root() => return Err(Error::WhichUser),
        None => who::account(None)?,
    };
    if !sys::user::is_root() {
        return own::remove(&user, options.device.as_deref(), options.yes, terminal);
    }
    match &options.device {
        Some(device) => remove_device(&user, device, options.yes, terminal)?,
        None => remove_all(&user, options.yes, terminal)?,
    }
    Ok(ExitCode::Success)
}

fn remove_device(user: &User, device: &str, yes: bool, terminal: &mut Terminal) -> Result<(), Error> {
    let question = format!("remove {} of {}?", device.escape_debug(), user.name);
    if !yes && !terminal.ask_yes(&question)? {
        return Err(Error::GivenUp);
    }
    let now = sys::clock::now().ok_or(Error::Clock)?;
    enrol::remove_device(&backend::store(), user, device, None, now)
        .map_err(|error| Error::of_keeping(error, user))?;
    audit::log_device(Change::DeviceRemoved, user, Some(device), terminal);
    terminal.say(format_args!("{device} of {} is removed", user.name));
    Ok(())
}

fn remove_all(user: &User, yes: bool, terminal: &mut Terminal) -> Result<(), Error> {
    let question = format!("remove the authenticators and recovery codes of {}?", user.name);
    if !yes && !terminal.ask_yes(&question)? {
        return Err(Error::GivenUp);
    }
    let removed = backend::store().remove(user)?;
    let unreadable = removed.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    audit::log_removed(user, &unreadable, terminal);
    if !unreadable.0.is_empty() {
        terminal.say(format_args!("warning: cannot read {unreadable} in /var/lib/countersign"));
        terminal.say("hint: in /var/lib/countersign, run `chown root by-uid/*` and `chmod 600 by-uid/*`");
    }
    terminal.say(format_args!("{} is no longer enrolled", user.name));
    Ok(())
}
