//! `countersign add` and `countersign replace`: another device, or a new one in place of one.

use super::args::Device;
use super::audit;
use super::error::{Error, ExitCode};
use super::new_device::{self, must_be_proven_first, prove};
use super::terminal::Terminal;
use super::{own, who};
use crate::backend::{self, KernelEntropy};
use crate::credential::CredentialStore as _;
use crate::credential::record::is_id;
use crate::enrol::{self, Purpose};
use crate::sys;
use crate::user::User;
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
    let user = who::account(options.user.as_deref())?;
    let issuer = options.making.issuer()?;
    terminal.permit_secrets(options.force)?;
    options.showing.check(terminal)?;
    if !is_id(&options.name) {
        return Err(Error::BadDeviceName);
    }
    if sys::user::is_root() {
        by_root(options, asked.into(), &user, &issuer, terminal)?;
        return Ok(ExitCode::Success);
    }
    options.making.require_of_users()?;
    own::device(&user, options, asked, &issuer, terminal)
}

fn by_root(
    options: &Device,
    purpose: Purpose,
    user: &User,
    issuer: &str,
    terminal: &mut Terminal,
) -> Result<(), Error> {
    must_be_proven_first(purpose, &options.making)?;
    let former = backend::store().read(user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    let wanted = options.making.wanted(terminal)?;
    let pending = enrol::begin(user.clone(), &options.name, purpose, wanted, &mut KernelEntropy)?;
    pending.fits(&former).map_err(Error::Device)?;
    let label = options.making.label(issuer, user);
    let (files, confirmed) = prove(&pending, &label, &options.making, &options.showing, terminal)?;
    let now = sys::clock::now().ok_or(Error::Clock)?;
    enrol::keep(&backend::store(), &confirmed, Some(&former), now)
        .map_err(|error| Error::of_keeping(error, user))?;
    terminal.leave_private_screen();
    new_device::keep(files, terminal);
    audit::log_new(&confirmed, user, terminal);
    if confirmed.is_proven() {
        terminal.say(format_args!("{} of {} is in force", options.name, user.name));
    }
    new_device::tell_if_unproven(&confirmed, user, terminal);
    Ok(())
}
