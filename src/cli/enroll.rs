//! `countersign enroll`: show a secret, ask for a first code, and only then activate it.
//!
//! Until the first code is right nothing is on disk, so Ctrl-C at any prompt leaves nothing behind.

use super::args::Enroll;
use super::audit;
use super::error::{Error, ExitCode};
use super::new_device::{self, must_be_proven_first, prove};
use super::recovery_file::{KeptPage, is_in_force};
use super::saved_file::{Unkept, must_be_free};
use super::terminal::Terminal;
use super::{bulk, own, recovery_file, who};
use crate::backend::{self, KernelEntropy};
use crate::credential::{CredentialStore as _, StoreError};
use crate::enrol::{self, Confirmed, FIRST_DEVICE, Purpose};
use crate::sys;
use crate::user::User;

/// Enrols a user.
pub(super) fn run(options: &Enroll, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    if let (Some(list), Some(directory)) = (&options.bulk.from, &options.bulk.into) {
        return bulk::run(options, list, directory, terminal);
    }
    let user = who::account(options.user.as_deref())?;
    let issuer = options.making.issuer()?;
    if !sys::user::is_root() {
        return for_oneself(options, &user, &issuer, terminal);
    }
    let purpose = match (is_enrolled(&user)?, options.replace) {
        (false, _) => Purpose::First,
        (true, true) => Purpose::InPlaceOfAll,
        (true, false) => return Err(Error::AlreadyEnrolled(user.name.to_string())),
    };
    must_be_proven_first(purpose, &options.making)?;
    check_outputs(options, terminal)?;
    let wanted = options.making.wanted(terminal)?;
    let pending = enrol::begin(user.clone(), FIRST_DEVICE, purpose, wanted, &mut KernelEntropy)?;
    let label = options.making.label(&issuer, &user);
    let (files, confirmed) = prove(&pending, &label, &options.making, &options.showing, terminal)?;
    put_in_force(options, &user, &confirmed, files, terminal)?;
    Ok(ExitCode::Success)
}

/// Fails early where what is to be shown or saved cannot be.
fn check_outputs(options: &Enroll, terminal: &mut Terminal) -> Result<(), Error> {
    options.recovery_file.as_deref().map_or(Ok(()), must_be_free)?;
    terminal.permit_secrets(options.force)?;
    options.showing.check(terminal)
}

/// From here on it is done and shown, or it is not done: no signal may stop it half way.
fn put_in_force(
    options: &Enroll,
    user: &User,
    confirmed: &Confirmed,
    files: Unkept,
    terminal: &mut Terminal,
) -> Result<(), Error> {
    let page = recovery_file::page(user.name.as_str(), &confirmed.codes);
    let path = options.recovery_file.as_deref();
    let shown = sys::process::undisturbed(|| {
        let set = confirmed.set.as_ref();
        KeptPage { path, page: &page }.save_before(|| activate(confirmed), || is_in_force(user, set))?;
        new_device::keep(files, terminal);
        audit::log_new(confirmed, user, terminal);
        terminal.say(format_args!("\n{} is enrolled. Keep these codes where the phone is not:\n", user.name));
        let shown = terminal.show(&page);
        recovery_file::tell(path, terminal);
        shown.map_err(|error| Error::NotShown(Box::new(error)))
    });
    let shown = shown.map_err(StoreError::from)?;
    if shown.is_ok() && terminal.leave_private_screen_once_read() {
        terminal.say(format_args!("{} is enrolled", user.name));
    }
    new_device::tell_if_unproven(confirmed, user, terminal);
    shown
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
    options.making.require_of_users()?;
    check_outputs(options, terminal)?;
    own::enroll(user, issuer, options, terminal)
}

/// Whether a user is enrolled.
pub(super) fn is_enrolled(user: &User) -> Result<bool, Error> {
    match backend::store().read(user) {
        Ok(found) => Ok(found.is_some()),
        // The first enrolment of a machine makes the store; one that a crash cut off is made anew.
        Err(StoreError::NoStore | StoreError::NoCredential) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Makes the enrolment what logins go by. Where the former one was removed in the meantime, the person
/// who removed it had the last word.
pub(super) fn activate(confirmed: &Confirmed) -> Result<(), Error> {
    let now = sys::clock::now().ok_or(Error::Clock)?;
    enrol::keep(&backend::store(), confirmed, None, now)
        .map_err(|error| Error::of_keeping(error, &confirmed.user))
}
