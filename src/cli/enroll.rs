//! `countersign enroll`: show a secret, ask for a first code, and only then activate it.
//!
//! Until the first code is right nothing is on disk, so Ctrl-C at any prompt leaves nothing behind.

use super::args::Enroll;
use super::audit;
use super::error::{Error, ExitCode};
use super::recovery_file::{KeptPage, is_in_force};
use super::terminal::Terminal;
use super::{host_name, own, qr, recovery_file, who};
use crate::backend::{self, KernelEntropy};
use crate::credential::{CredentialStore as _, StoreError};
use crate::enrol::{self, Confirmed, FIRST_DEVICE, MOST_FIRST_CODES, Pending, Purpose, Wanted};
use crate::otp::Passcode;
use crate::otp::uri::Label;
use crate::sys;
use crate::user::User;

/// Lines below the QR code: the key, its explanation and the question.
const LINES_BELOW: usize = 2;

/// Enrols a user.
pub(super) fn run(options: &Enroll, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let user = who::account(options.user.as_deref())?;
    let issuer = options.issuer.clone().unwrap_or_else(host_name);
    if !sys::user::is_root() {
        return for_oneself(options, &user, &issuer, terminal);
    }
    let former = is_enrolled(&user)?;
    if former && !options.replace {
        return Err(Error::AlreadyEnrolled(user.name.to_string()));
    }
    if let Some(path) = &options.recovery_file {
        recovery_file::must_be_free(path)?;
    }
    terminal.permit_secrets(options.force)?;
    let purpose = if former { Purpose::InPlaceOfAll } else { Purpose::First };
    let pending = enrol::begin(user.clone(), FIRST_DEVICE, purpose, Wanted::default(), &mut KernelEntropy)?;
    let label = Label { issuer: &issuer, account: user.name.as_str() };
    present(&pending.otpauth_uri(&label), &pending.key_in_groups(), &user, terminal)?;
    let confirmed = ask_for_first_code(&pending, terminal)?;
    let page = recovery_file::page(user.name.as_str(), &issuer, &confirmed.codes);
    // From here on it is done and shown, or it is not done: no signal may stop it half way.
    sys::process::undisturbed(|| {
        let kept = KeptPage { path: options.recovery_file.as_deref(), page: &page };
        let set = confirmed.set.as_ref();
        kept.save_before(|| activate(&confirmed), || is_in_force(&user, set))?;
        audit::log(purpose.into(), &user, terminal);
        terminal.say(format_args!("\n{} is enrolled. Keep these codes where the phone is not:\n", user.name));
        let shown = terminal.show(&page);
        recovery_file::tell(options.recovery_file.as_deref(), terminal);
        shown.map_err(|error| Error::NotShown(Box::new(error)))
    })
    .map_err(StoreError::from)??;
    Ok(ExitCode::Success)
}

/// Without root: through the service, which has the caller prove his password.
fn for_oneself(
    options: &Enroll,
    user: &User,
    issuer: &str,
    terminal: &mut Terminal,
) -> Result<ExitCode, Error> {
    if options.replace {
        // Everything at once is for administrators; one's own devices have names.
        return Err(Error::WhichDevice);
    }
    if let Some(path) = &options.recovery_file {
        recovery_file::must_be_free(path)?;
    }
    terminal.permit_secrets(options.force)?;
    own::enroll(user, issuer, options.recovery_file.as_deref(), terminal)
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
pub(super) fn present(uri: &str, key: &str, user: &User, terminal: &mut Terminal) -> Result<(), Error> {
    let coloured = terminal.is_terminal();
    match qr::fitting(uri, terminal.size(), LINES_BELOW, coloured) {
        Some(code) => {
            terminal.say(format_args!("scan this with the authenticator app of {}:", user.name));
            terminal.show(code.trim_end_matches('\n'))?;
        }
        None => terminal.say("the terminal is too small for the QR code; make it larger, or type the key"),
    }
    terminal.show(&zeroize::Zeroizing::new(format!("key for typing in: {key}")))
}

/// Asks until a code proves the device.
pub(super) fn ask_for_first_code(pending: &Pending, terminal: &mut Terminal) -> Result<Confirmed, Error> {
    for _ in 0..MOST_FIRST_CODES {
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
    enrol::keep(&backend::store(), confirmed, None, now)
        .map_err(|error| Error::of_keeping(error, &confirmed.user))
}
