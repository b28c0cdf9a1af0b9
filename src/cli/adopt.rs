//! `countersign adopt`: make the state for a credential that configuration management has placed.

use super::args::Adopt;
use super::audit::{self, Change};
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use super::who;
use crate::backend;
use crate::credential::{CredentialStore as _, EnrolmentStore as _};
use crate::enrol;
use crate::sys;

/// Vouches for the credential that is there. It is not written to: it belongs to whoever placed it.
pub(super) fn run(options: &Adopt, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let user = who::account(Some(&options.user))?;
    let store = backend::store();
    store.read(&user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    store.note_uid(&user)?;
    let now = sys::clock::now().ok_or(Error::Clock)?;
    let adopted = store.update(&user, |credential, state| enrol::adopt(credential, state, now))?;
    adopted.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    audit::log(Change::Adopted, &user, terminal);
    terminal.say(format_args!("{} is enrolled", user.name));
    terminal
        .say("codes of new devices count as used for eleven periods, five and a half minutes for most apps");
    terminal.say("recovery codes and counters that this machine has not seen before count as unused");
    Ok(ExitCode::Success)
}
