//! `countersign export`: the secrets of a user, for another host. The loudest verb there is.
//!
//! It is logged before anything is shown, and not shown where that fails.

use zeroize::Zeroizing;

use super::error::{Error, ExitCode};
use super::import_args::Export;
use super::terminal::Terminal;
use super::who;
use crate::backend;
use crate::credential::{Authenticator, CredentialStore as _, EnrolmentStore as _, Kind, State};
use crate::otp::uri::{Label, Moving, otpauth};
use crate::service::journal::{self, Change};
use crate::sys;

/// Shows the URI of each device that is proven.
pub(super) fn run(options: &Export, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let user = who::known_or_not(&options.user)?;
    let store = backend::store();
    let credential = store.read(&user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    let state = store.read_state(&user)?;
    terminal.permit_secrets(options.force)?;
    let issuer = sys::host::name();
    let label = Label { issuer: &issuer, account: user.name.as_str() };
    let uris =
        credential.authenticators.iter().map(|device| (device, uri_of(device, state.as_ref(), &label)));
    let uris: Vec<_> = uris.collect();
    let logged = journal::note(Change::Exported, &user, sys::user::real_uid(), None);
    logged.map_err(|error| Error::NotLogged(error.to_string()))?;
    terminal.say(format_args!("warning: whoever reads this can make the codes of {}", user.name));
    if credential.disabled {
        terminal.say(format_args!(
            "warning: {} is disabled here; a host that takes over knows nothing of it",
            user.name
        ));
    }
    for (device, uri) in &uris {
        match uri {
            Ok(uri) => terminal.show(uri)?,
            Err(why) => terminal.say(format_args!("{} is left out: {why}", device.id)),
        }
    }
    terminal.say(format_args!(
        "recovery codes and the names of devices stay here; a host that took over makes new codes\n\
         once {name} logs in there: countersign remove {name}",
        name = user.name
    ));
    Ok(if uris.iter().all(|(_, uri)| uri.is_ok()) { ExitCode::Success } else { ExitCode::Refused })
}

/// What another host needs of a device, or why it must not have it.
fn uri_of(
    device: &Authenticator,
    state: Option<&State>,
    label: &Label<'_>,
) -> Result<Zeroizing<String>, &'static str> {
    if device.confirmed.is_none() {
        return Err("it waits for its first code");
    }
    let record = state.and_then(|state| state.key(device.key_name()));
    let moving = match (device.kind, record) {
        (Kind::Totp(period), _) => Moving::Totp(period),
        (Kind::Hotp, Some(record)) => Moving::Hotp(record.next),
        (Kind::Hotp, None) => return Err("where its counter stands is not known; `countersign repair` asks"),
    };
    Ok(otpauth(label, &device.secret, device.algorithm, device.digits, moving))
}
