//! `countersign add` and `countersign replace`: another device, or a new one in place of one.

use super::args::Device;
use super::audit;
use super::enroll::{ask_for_first_code, present};
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use super::{host_name, own, who};
use crate::backend::{self, KernelEntropy};
use crate::credential::CredentialStore as _;
use crate::credential::record::is_id;
use crate::enrol::{self, Purpose, Wanted};
use crate::otp::uri::Label;
use crate::sys;
use crate::wire::enrolment::NewDevice;

/// Adds a device: root in the files, whoever else asks the service for himself.
pub(super) fn add(options: &Device, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    run(options, NewDevice::Beside, terminal)
}

/// Replaces a device.
pub(super) fn replace(options: &Device, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    run(options, NewDevice::InPlace, terminal)
}

fn run(options: &Device, asked: NewDevice, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let purpose = Purpose::from(asked);
    let user = who::account(options.user.as_deref())?;
    let issuer = options.issuer.clone().unwrap_or_else(host_name);
    terminal.permit_secrets(options.force)?;
    if !is_id(&options.name) {
        return Err(Error::BadDeviceName);
    }
    if !sys::user::is_root() {
        return own::device(&user, &options.name, asked, &issuer, terminal);
    }
    let former = backend::store().read(&user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    let pending = enrol::begin(user.clone(), &options.name, purpose, Wanted::default(), &mut KernelEntropy)?;
    pending.fits(&former).map_err(Error::Device)?;
    let label = Label { issuer: &issuer, account: user.name.as_str() };
    present(&pending.otpauth_uri(&label), &pending.key_in_groups(), &user, terminal)?;
    let confirmed = ask_for_first_code(&pending, terminal)?;
    let now = sys::clock::now().ok_or(Error::Clock)?;
    enrol::keep(&backend::store(), &confirmed, Some(&former), now)
        .map_err(|error| Error::of_keeping(error, &user))?;
    audit::log_device(purpose.into(), &user, Some(&options.name), terminal);
    terminal.say(format_args!("{} of {} is in force", options.name, user.name));
    Ok(ExitCode::Success)
}
