//! `countersign status`: what is kept of a user, never a secret.

use std::fmt::Write as _;

use super::args::Status as Options;
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use super::who;
use crate::backend;
use crate::credential::format::datetime_of;
use crate::status::{AuthenticatorStatus, Status};

/// Reports on a user: root reads the files, whoever else asks the service about himself.
pub(super) fn run(options: &Options, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let user = who::account(options.user.as_deref())?;
    let status = backend::status(&user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    terminal.report(report(&status))?;
    Ok(ExitCode::Success)
}

fn report(status: &Status) -> String {
    let Status { recovery_codes_left: left, recovery_codes_made: made, .. } = status;
    let mut text = format!("{}: {}\n", status.user, if status.disabled { "disabled" } else { "enrolled" });
    for authenticator in &status.authenticators {
        let _ = writeln!(text, "  authenticator   {}", described(authenticator));
    }
    let _ = writeln!(text, "  recovery codes  {left} of {made} left");
    if status.needs_repair {
        text.push_str(
            "  needs repair    something is refused that need not be: run `countersign repair`, or\n\
             \x20                 `countersign adopt` where configuration management has just placed this\n",
        );
    }
    let Some(records) = &status.records else {
        text.push_str("  state           missing");
        return text;
    };
    for known in &records.known_sources {
        let (when, failures) = (time(known.accepted), known.failures);
        let _ = writeln!(
            text,
            "  known source    {}, last login {when}, failures since {failures}",
            known.source
        );
    }
    let _ = write!(text, "  failures        {} from other sources", records.other_failures);
    text
}

fn described(authenticator: &AuthenticatorStatus) -> String {
    let AuthenticatorStatus { id, r#type, algorithm, digits, period, confirmed, drift } = authenticator;
    let mut text = format!("{id}: {type} {algorithm}, {digits} digits");
    if let Some(seconds) = period {
        let _ = write!(text, ", {seconds} s");
    }
    let _ = match confirmed {
        Some(when) => write!(text, ", confirmed {}", time(*when)),
        None => write!(text, ", not confirmed"),
    };
    if let Some(drift) = drift {
        let _ = write!(text, ", drift {drift}");
    }
    text
}

fn time(seconds: u64) -> String {
    datetime_of(seconds).map_or_else(|| seconds.to_string(), |moment| moment.to_string())
}
