//! `countersign enroll`: show a secret, ask for a first code, and only then activate it.
//!
//! Until the first code is right nothing is on disk, so Ctrl-C at any prompt leaves nothing behind.

use super::args::Enroll;
use super::audit::{self, Change};
use super::entropy::Kernel;
use super::error::{Error, ExitCode};
use super::recovery_file::{KeptPage, is_in_force};
use super::terminal::Terminal;
use super::{host_name, qr, recovery_file, who};
use crate::backend;
use crate::credential::{CredentialStore as _, StoreError};
use crate::enrol::{self, Confirmed, Pending, Purpose};
use crate::otp::Passcode;
use crate::sys;
use crate::user::User;

/// What the first device of a user is called.
const FIRST_DEVICE: &str = "phone";
/// How often a first code may be wrong.
const TRIES: u32 = 5;
/// Lines below the QR code: the key, its explanation and the question.
const LINES_BELOW: usize = 2;

/// Enrols a user.
pub(super) fn run(options: &Enroll, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let user = who::account(options.user.as_deref())?;
    let former = is_enrolled(&user)?;
    if former && !options.replace {
        return Err(Error::AlreadyEnrolled(user.name.to_string()));
    }
    if let Some(path) = &options.recovery_file {
        recovery_file::must_be_free(path)?;
    }
    terminal.permit_secrets(options.force)?;
    let issuer = options.issuer.clone().unwrap_or_else(host_name);
    let purpose = if former { Purpose::InPlaceOfAll } else { Purpose::First };
    let pending = enrol::begin(user.clone(), FIRST_DEVICE, purpose, &mut Kernel)?;
    present(&pending, &user, &issuer, terminal)?;
    let confirmed = ask_for_first_code(&pending, terminal)?;
    let page = recovery_file::page(user.name.as_str(), &issuer, &confirmed.codes);
    // From here on it is done and shown, or it is not done: no signal may stop it half way.
    sys::process::undisturbed(|| {
        let kept = KeptPage { path: options.recovery_file.as_deref(), page: &page };
        let set = confirmed.set.as_ref();
        kept.save_before(|| activate(&confirmed), || is_in_force(&user, set))?;
        audit::log(if former { Change::Replaced } else { Change::Enrolled }, &user, terminal);
        terminal.say(format_args!("\n{} is enrolled. Keep these codes where the phone is not:\n", user.name));
        let shown = terminal.show(&page);
        recovery_file::tell(options.recovery_file.as_deref(), terminal);
        shown.map_err(|error| Error::NotShown(Box::new(error)))
    })
    .map_err(StoreError::from)??;
    Ok(ExitCode::Success)
}

fn is_enrolled(user: &User) -> Result<bool, Error> {
    match backend::store().read(user) {
        Ok(found) => Ok(found.is_some()),
        // The first enrolment of a machine makes the store; one that a crash cut off is made anew.
        Err(StoreError::NoStore | StoreError::NoCredential) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Shows the QR code, where it fits, and the key for typing in.
fn present(pending: &Pending, user: &User, issuer: &str, terminal: &mut Terminal) -> Result<(), Error> {
    let uri = pending.otpauth_uri(issuer);
    let coloured = terminal.is_terminal();
    match qr::fitting(&uri, terminal.size(), LINES_BELOW, coloured) {
        Some(code) => {
            terminal.say(format_args!("scan this with the authenticator app of {}:", user.name));
            terminal.show(code.trim_end_matches('\n'))?;
        }
        None => terminal.say("the terminal is too small for the QR code; make it larger, or type the key"),
    }
    let key = pending.key_in_groups();
    terminal.show(&zeroize::Zeroizing::new(format!("key for typing in: {}", key.as_str())))
}

/// Asks until a code proves the device.
fn ask_for_first_code(pending: &Pending, terminal: &mut Terminal) -> Result<Confirmed, Error> {
    for _ in 0..TRIES {
        let Some(typed) = terminal.ask("code that the app shows: ")? else {
            terminal.say("");
            return Err(Error::GivenUp);
        };
        let now = sys::clock::now().ok_or(Error::Clock)?;
        let confirmed = match Passcode::parse(typed.as_bytes()) {
            Some(Passcode::Code(code)) => pending.confirm(&code, now),
            _ => None,
        };
        match confirmed {
            Some(confirmed) => return Ok(confirmed),
            None => terminal.say("that is not the code; wait for the next one and try again"),
        }
    }
    Err(Error::NeverConfirmed)
}

/// Makes the enrolment what logins go by. Where the former one was removed in the meantime, the person
/// who removed it had the last word.
fn activate(confirmed: &Confirmed) -> Result<(), Error> {
    let now = sys::clock::now().ok_or(Error::Clock)?;
    enrol::keep(&backend::store(), confirmed, now).map_err(|error| Error::of_keeping(error, &confirmed.user))
}
