//! What users do for themselves, without root: they ask the service, which asks them for proofs.

use std::path::Path;

use super::args::Enroll;
use super::device_args::Showing;
use super::error::{Error, ExitCode};
use super::new_device::{self, FIRST_CODE};
use super::recovery_file;
use super::saved_file::SavedFile;
use super::terminal::Terminal;
use crate::backend;
use crate::enrol::{FIRST_DEVICE, MOST_FIRST_CODES};
use crate::remote::{Device, Service};
use crate::user::User;
use crate::verifier::{Enrolment, ServiceError, Verifier as _};
use crate::wire::enrolment::NewDevice;

/// How often a password may be wrong before one has to begin anew.
const PASSWORDS: u32 = 3;
/// How one proves that he may change his enrolment.
const PRESENT_CODE: &str = "code of a present device, or a recovery code: ";

/// Enrols the caller, who proves his password first.
pub(super) fn enroll(
    user: &User,
    issuer: &str,
    options: &Enroll,
    terminal: &mut Terminal,
) -> Result<ExitCode, Error> {
    let service = backend::require_service()?;
    if service.enrolment(user)? == Enrolment::Enrolled {
        let refused = ServiceError::Refused { reason: "already_enrolled".to_owned(), seconds: None };
        return Err(refused.into());
    }
    prove_password(&service, user, terminal)?;
    let device = Device {
        purpose: NewDevice::First,
        name: FIRST_DEVICE,
        issuer,
        label: options.making.label.as_deref(),
        parameters: options.making.parameters(terminal),
        passcode: None,
    };
    let codes = begin_and_confirm(&service, user, &device, &options.showing, terminal)?;
    let page = recovery_file::page_of(user.name.as_str(), codes.iter().map(|code| code.as_str()));
    terminal.say(format_args!("\n{} is enrolled. Keep these codes where the phone is not:\n", user.name));
    show(&page, options.recovery_file.as_deref(), terminal)
}

/// Adds or replaces a device of the caller.
pub(super) fn device(
    user: &User,
    options: &super::args::Device,
    purpose: NewDevice,
    issuer: &str,
    terminal: &mut Terminal,
) -> Result<ExitCode, Error> {
    let parameters = options.making.parameters(terminal);
    let passcode = terminal.ask(PRESENT_CODE)?.ok_or(Error::GivenUp)?;
    let service = backend::require_service()?;
    let name = options.name.as_str();
    let device = Device {
        purpose,
        name,
        issuer,
        label: options.making.label.as_deref(),
        parameters,
        passcode: Some(passcode.trim_end()),
    };
    begin_and_confirm(&service, user, &device, &options.showing, terminal)?;
    terminal.leave_private_screen();
    terminal.say(format_args!("{name} of {} is in force", user.name));
    Ok(ExitCode::Success)
}

/// Makes new recovery codes of the caller.
pub(super) fn new_recovery_codes(
    user: &User,
    path: Option<&Path>,
    terminal: &mut Terminal,
) -> Result<ExitCode, Error> {
    let passcode = terminal.ask(PRESENT_CODE)?.ok_or(Error::GivenUp)?;
    let service = backend::require_service()?;
    let made = service.new_recovery_codes(user, passcode.trim_end())?;
    let codes = made.recovery_codes.iter().map(|code| code.as_str());
    let page = recovery_file::page_of(user.name.as_str(), codes);
    show(&page, path, terminal)
}

/// Removes a device of the caller; with the last one he is no longer enrolled.
pub(super) fn remove(
    user: &User,
    device: Option<&str>,
    yes: bool,
    terminal: &mut Terminal,
) -> Result<ExitCode, Error> {
    let status = backend::status(user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    let names: Vec<&str> = status.authenticators.iter().map(|device| device.id.as_str()).collect();
    let device = match (device, names.as_slice()) {
        (Some(device), _) => device,
        (None, [only]) => only,
        (None, _) => return Err(Error::WhichDevice),
    };
    let is_last = !status.can_spare(device);
    let then = if is_last { ", and be no longer enrolled" } else { "" };
    if !yes && !terminal.ask_yes(&format!("remove {device}{then}?"))? {
        return Err(Error::GivenUp);
    }
    // Who has begun nothing is not waited for, so the code is asked for before anything else.
    let passcode = terminal.ask(PRESENT_CODE)?.ok_or(Error::GivenUp)?;
    let service = backend::require_service()?;
    if is_last {
        prove_password(&service, user, terminal)?;
    }
    let removed = service.remove_device(user, device, passcode.trim_end())?;
    if removed.enrolled {
        terminal.say(format_args!("{device} is removed"));
    } else {
        terminal.say(format_args!("{} is no longer enrolled", user.name));
    }
    Ok(ExitCode::Success)
}

/// Relays the questions of what proves passwords.
fn prove_password(service: &Service, user: &User, terminal: &mut Terminal) -> Result<(), Error> {
    for _ in 0..PASSWORDS {
        let mut reply = service.prove_password(user, None)?;
        let proven = loop {
            for told in &reply.told {
                terminal.say(told.text.escape_debug());
            }
            let Some(question) = &reply.ask else { break reply.proven.unwrap_or(false) };
            let question = question.escape_debug().to_string();
            let answer = if reply.echo == Some(true) {
                terminal.ask(&question)?
            } else {
                terminal.ask_in_secret(&question)?
            };
            let answer = answer.ok_or(Error::GivenUp)?;
            reply = service.prove_password(user, Some(answer.trim_end_matches('\n')))?;
        };
        if proven {
            return Ok(());
        }
        terminal.say("that is not the password");
    }
    Err(Error::WrongPassword)
}

/// Shows a new device and asks for codes of it until one is right; the recovery codes that come with it.
fn begin_and_confirm(
    service: &Service,
    user: &User,
    device: &Device<'_>,
    showing: &Showing,
    terminal: &mut Terminal,
) -> Result<Vec<zeroize::Zeroizing<String>>, Error> {
    let begun = service.begin_device(user, device)?;
    let files = showing.present(&begun.uri, &begun.key, user, terminal)?;
    for _ in 0..MOST_FIRST_CODES {
        let Some(typed) = terminal.ask(FIRST_CODE)? else {
            terminal.say("");
            return Err(Error::GivenUp);
        };
        let confirmed = service.confirm_device(user, typed.trim_end())?;
        if confirmed.confirmed {
            new_device::keep(files, terminal);
            return Ok(confirmed.recovery_codes);
        }
        terminal.say("that is not the code; wait for the next one and try again");
    }
    Err(Error::NeverConfirmed)
}

/// Shows recovery codes, and saves them where that was asked for. They are in force already, so they are
/// shown even where they could not be saved.
fn show(page: &str, path: Option<&Path>, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let saved = path.map_or(Ok(()), |path| SavedFile::write(path, page.as_bytes()).map(drop));
    let shown = terminal.show(page);
    if shown.is_ok() {
        terminal.leave_private_screen_once_read();
    }
    saved?;
    recovery_file::tell(path, terminal);
    shown.map_err(|error| Error::NotShown(Box::new(error)))?;
    Ok(ExitCode::Success)
}
