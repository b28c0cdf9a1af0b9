//! `countersign recovery`: new recovery codes in place of the former ones.

use super::args::Recovery;
use super::audit::{self, Change};
use super::error::{Error, ExitCode};
use super::recovery_file::{self, KeptPage, is_in_force};
use super::saved_file::must_be_free;
use super::terminal::Terminal;
use super::{own, who};
use crate::backend::{self, KernelEntropy};
use crate::enrol::{self, RecoveryCodes};
use crate::sys;
use crate::user::User;

/// Makes them: root in the files, whoever else asks the service for himself.
pub(super) fn run(options: &Recovery, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let user = who::account(options.user.as_deref())?;
    if let Some(path) = &options.file {
        must_be_free(path)?;
    }
    terminal.permit_secrets(options.force)?;
    if options.private {
        terminal.enter_private_screen()?;
    }
    if sys::user::is_root() {
        renew(&user, options, terminal)?;
    } else {
        own::new_recovery_codes(&user, options.file.as_deref(), terminal)?;
    }
    Ok(ExitCode::Success)
}

fn renew(user: &User, options: &Recovery, terminal: &mut Terminal) -> Result<(), Error> {
    let made = RecoveryCodes::make(&mut KernelEntropy)?;
    let set = made.to_set();
    let page = recovery_file::page(user.name.as_str(), made.codes());
    let now = sys::clock::now().ok_or(Error::Clock)?;
    let path = options.file.as_deref();
    // From here on it is done and shown, or it is not done: no signal may stop it half way.
    let done = sys::process::undisturbed(|| {
        let keep = || {
            let kept = enrol::keep_recovery_codes(&backend::store(), user, &set, None, now);
            kept.map_err(|error| Error::of_keeping(error, user))
        };
        KeptPage { path, page: &page }.save_before(keep, || is_in_force(user, Some(&set)))?;
        audit::log(Change::RecoveryRenewed, user, terminal);
        let shown = terminal.show(&page);
        recovery_file::tell(path, terminal);
        shown.map_err(|error| Error::NotShown(Box::new(error)))
    });
    done.map_err(crate::credential::StoreError::from)??;
    if terminal.leave_private_screen_once_read() {
        terminal.say(format_args!("the new recovery codes of {} are in force", user.name));
    }
    Ok(())
}
