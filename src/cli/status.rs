//! `countersign status`: what is kept of a user, never a secret.

use std::fmt::Write as _;

use super::args::Status;
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use super::who;
use crate::backend;
use crate::credential::format::datetime_of;
use crate::credential::{Authenticator, Credential, CredentialStore as _, EnrolmentStore as _, Kind, State};
use crate::enrol::repair::examine;
use crate::policy::recovery::codes_left;
use crate::sys;

/// Reports on a user.
pub(super) fn run(options: &Status, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let user = who::account(options.user.as_deref())?;
    let store = backend::store();
    let Some(credential) = store.read(&user)? else {
        return Err(Error::NotEnrolled(user.name.to_string()));
    };
    let state = store.read_state(&user)?;
    terminal.report(report(&credential, state.as_ref(), sys::clock::now()))?;
    Ok(ExitCode::Success)
}

fn report(credential: &Credential, state: Option<&State>, now: Option<u64>) -> String {
    let mut text =
        format!("{}: {}\n", credential.user, if credential.disabled { "disabled" } else { "enrolled" });
    for authenticator in &credential.authenticators {
        let _ = writeln!(text, "  authenticator   {}", described(authenticator, state));
    }
    let codes = credential.recovery.as_ref();
    let made = codes.map_or(0, |set| set.digests.len());
    let left = codes.zip(state).map_or(0, |(set, state)| codes_left(set, state));
    let _ = writeln!(text, "  recovery codes  {left} of {made} left");
    if now.is_some_and(|now| !examine(credential, state, now).is_empty()) {
        text.push_str(
            "  needs repair    something is refused that need not be: run `countersign repair`, or\n\
             \x20                 `countersign adopt` where configuration management has just placed this\n",
        );
    }
    let Some(state) = state else {
        text.push_str("  state           missing");
        return text;
    };
    for known in &state.known {
        let (when, failures) = (time(known.accepted), known.failures.count);
        let _ = writeln!(
            text,
            "  known source    {}, last login {when}, failures since {failures}",
            known.source
        );
    }
    let strangers: u64 = state.counters.iter().map(|counter| u64::from(counter.count)).sum();
    let _ = write!(text, "  failures        {strangers} from other sources");
    text
}

fn described(authenticator: &Authenticator, state: Option<&State>) -> String {
    let Authenticator { id, algorithm, digits, kind, confirmed, .. } = authenticator;
    let digits = digits.number();
    let mut text = match kind {
        Kind::Totp(period) => format!("{id}: totp {algorithm}, {digits} digits, {} s", period.seconds()),
        Kind::Hotp => format!("{id}: hotp {algorithm}, {digits} digits"),
    };
    let _ = match confirmed {
        Some(when) => write!(text, ", confirmed {}", time(*when)),
        None => write!(text, ", not confirmed"),
    };
    if let Some(record) = state.and_then(|state| state.key(authenticator.key_name())) {
        let _ = write!(text, ", drift {}", record.drift);
    }
    text
}

fn time(seconds: u64) -> String {
    datetime_of(seconds).map_or_else(|| seconds.to_string(), |moment| moment.to_string())
}
