//! `countersign forget`: forget remembered logins, so that everybody is asked for a code again.

use super::args::Forget;
use super::audit::{self, Change};
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use super::who;
use crate::backend;
use crate::store::Entry;
use crate::sys;
use crate::user::User;

/// Forgets the logins of a user, or of everybody. Nothing else is changed, so nothing is asked.
pub(super) fn run(options: &Forget, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    if options.all {
        return of_everybody(terminal);
    }
    let user = who::account(options.user.as_deref())?;
    if sys::user::is_root() {
        forget(&user, terminal)?;
    } else {
        backend::require_service()?.forget_logins(&user)?;
    }
    terminal.say(format_args!("{} is asked for a code wherever the next login comes from", user.name));
    Ok(ExitCode::Success)
}

fn forget(user: &User, terminal: &mut Terminal) -> Result<(), Error> {
    let done = backend::forget_logins(user)?;
    done.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    audit::log(Change::LoginsForgotten, user, terminal);
    Ok(())
}

/// Whoever cannot be read is told of and is not the end: nobody is let in by what cannot be read.
fn of_everybody(terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let listing = backend::store().listing()?;
    let (mut done, mut failed) = (0_usize, 0_usize);
    for name in listing.names()? {
        let user = match listing.look_at(&name?) {
            Entry::Kept(kept) => User { name: kept.0.user.clone(), uid: kept.0.uid },
            Entry::Unreadable(name, error) => {
                terminal.say(format_args!("{name}: cannot be read, and so is not let in: {error}"));
                failed += 1;
                continue;
            }
            Entry::Strange | Entry::Nothing => continue,
        };
        match forget(&user, terminal) {
            // Removed meanwhile: nothing is remembered of him.
            Ok(()) | Err(Error::NotEnrolled(_)) => done += 1,
            Err(error) => {
                terminal.say(format_args!("{}: {error}", user.name));
                failed += 1;
            }
        }
    }
    terminal.say(format_args!("{done} users are asked for a code at their next login, {failed} failed"));
    Ok(if failed == 0 { ExitCode::Success } else { ExitCode::Failure })
}
