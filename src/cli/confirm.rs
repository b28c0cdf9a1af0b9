//! `countersign confirm`: the first code of a device that was enrolled without one.

use super::args::Confirm;
use super::audit::{self, Change};
use super::error::{Error, ExitCode};
use super::new_device::FIRST_CODE;
use super::terminal::Terminal;
use super::who;
use crate::backend;
use crate::credential::CredentialStore as _;
use crate::enrol::{self, DeviceProblem, KeepError, MOST_FIRST_CODES, waiting_in};
use crate::otp::Passcode;
use crate::sys;
use crate::user::User;

/// Asks until a code proves the device, which from then on is taken at logins.
pub(super) fn run(options: &Confirm, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let user = who::account(Some(&options.user))?;
    let device = options.device.as_deref();
    let mut credential =
        backend::store().read(&user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    waiting_in(&mut credential, device).map_err(Error::Device)?;
    for _ in 0..MOST_FIRST_CODES {
        let typed = terminal.ask(FIRST_CODE)?.ok_or(Error::GivenUp)?;
        match confirmed(&user, device, typed.as_bytes()) {
            Ok(name) => {
                audit::log_device(Change::DeviceConfirmed, &user, Some(&name), terminal);
                terminal.say(format_args!("{name} of {} is in force", user.name));
                return Ok(ExitCode::Success);
            }
            Err(Error::Device(DeviceProblem::WrongCode)) => {
                terminal.say("that is not the code; wait for the next one and try again");
            }
            Err(Error::Device(DeviceProblem::SpentCode)) => {
                terminal.say("this code was already used; wait for the next one");
            }
            Err(error) => return Err(error),
        }
    }
    Err(Error::NeverConfirmed)
}

/// The name of the device that a code proves.
fn confirmed(user: &User, device: Option<&str>, typed: &[u8]) -> Result<String, Error> {
    let Some(Passcode::Code(code)) = Passcode::parse(typed) else {
        return Err(Error::of_keeping(KeepError::Device(DeviceProblem::WrongCode), user));
    };
    let now = sys::clock::now().ok_or(Error::Clock)?;
    // Done, or not done: no signal may stop it half way.
    let kept = sys::process::undisturbed(|| enrol::confirm_kept(&backend::store(), user, device, &code, now));
    let kept = kept.map_err(crate::credential::StoreError::from)?;
    kept.map_err(|error| Error::of_keeping(error, user))
}
