//! `countersign status`: what is kept of a user, never a secret.

use std::fmt::Write as _;

use super::args::Status as Options;
use super::error::{Error, ExitCode};
use super::terminal::{Terminal, unless_nobody_reads};
use super::{json, who};
use crate::backend;
use crate::credential::format::datetime_of;
use crate::status::{AuthenticatorStatus, KnownSourceStatus, Phase, Records, Status};

/// Reports on a user: root reads the files, whoever else asks the service about himself.
pub(super) fn run(options: &Options, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let user = who::account(options.user.as_deref())?;
    let status = backend::status(&user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    let text = if options.json { json::status(&status)? } else { report(&status) };
    unless_nobody_reads(terminal.report(text.trim_end()))?;
    Ok(ExitCode::Success)
}

fn report(status: &Status) -> String {
    let Status { recovery_codes_left: left, recovery_codes_made: made, .. } = status;
    let mut text = format!("{}: {}\n", status.user, words_for(status.phase()));
    for authenticator in &status.authenticators {
        let _ = writeln!(text, "  authenticator   {}", described(authenticator));
        let _ = writeln!(text, "                  {}", used(authenticator));
    }
    let _ = write!(text, "  recovery codes  {left} of {made} left");
    let wrong = status.records.as_ref().map_or(0, |records| records.recovery_failures);
    if wrong > 0 {
        let _ = write!(text, ", {wrong} wrong since the last good one");
    }
    text.push('\n');
    if status.needs_repair {
        text.push_str(
            "  needs repair    something is refused that need not be: run `countersign repair`, or\n\
             \x20                 `countersign adopt` where configuration management has just placed this\n",
        );
    }
    match &status.records {
        Some(records) => tell_of_logins(records, &mut text),
        None => text.push_str("  state           missing\n"),
    }
    text
}

fn words_for(phase: Phase) -> &'static str {
    match phase {
        Phase::Enrolled => "enrolled",
        Phase::Pending => "pending, no device is confirmed and none but recovery codes are taken",
        Phase::Disabled => "disabled, and refused whatever is typed",
    }
}

fn described(authenticator: &AuthenticatorStatus) -> String {
    let AuthenticatorStatus { id, r#type, algorithm, digits, period, confirmed, .. } = authenticator;
    let mut text = format!("{id}: {type} {algorithm}, {digits} digits");
    if let Some(seconds) = period {
        let _ = write!(text, ", {seconds} s");
    }
    let _ = match confirmed {
        Some(when) => write!(text, ", confirmed {}", time(*when)),
        None => write!(text, ", not confirmed"),
    };
    text
}

/// What is used up of an authenticator, and how far its clock is off.
fn used(authenticator: &AuthenticatorStatus) -> String {
    let AuthenticatorStatus { drift, last_code, refused_until, next_counter, .. } = authenticator;
    let used = match (last_code, refused_until, next_counter) {
        (Some(when), ..) => format!("last code of {}", time(*when)),
        (_, Some(when), _) => format!("codes are refused until {}", time(*when)),
        (.., Some(counter)) => return format!("next counter {counter}"),
        (None, None, None) if drift.is_none() => return "what was used is not known".to_owned(),
        (None, None, None) => "no code is known to be used".to_owned(),
    };
    match drift {
        None | Some(0) => used,
        Some(drift) => {
            let side = if *drift > 0 { "ahead" } else { "behind" };
            format!("{used}, clock {side} by {} periods (drift {drift})", drift.unsigned_abs())
        }
    }
}

fn tell_of_logins(records: &Records, text: &mut String) {
    for known in &records.known_sources {
        let KnownSourceStatus { source, accepted, failures, wait, capped, remembered } = known;
        let when = time(*accepted);
        let refused = refused(*wait, *capped);
        let _ = writeln!(
            text,
            "  known source    {source}, last login {when}, failures since {failures}{refused}"
        );
        for since in remembered {
            let _ = writeln!(text, "                  remembered since {}", time(*since));
        }
    }
    let Records { other_failures, other_wait, others_capped, .. } = records;
    let refused = match (other_wait, others_capped) {
        // The counters hold no names: which of the others it is nobody can say.
        (Some(seconds), false) => format!(", some of which are refused for {seconds} s more"),
        _ => refused(None, *others_capped),
    };
    let _ = writeln!(text, "  failures        {other_failures} from other sources{refused}");
}

/// For how long codes are refused, to stand behind what it is about.
fn refused(wait: Option<u64>, capped: bool) -> String {
    match (wait, capped) {
        (_, true) => ", refused until `countersign unlock`, a recovery code or a new device".to_owned(),
        (Some(seconds), false) => format!(", refused for {seconds} s more"),
        (None, false) => String::new(),
    }
}

fn time(seconds: u64) -> String {
    datetime_of(seconds).map_or_else(|| seconds.to_string(), |moment| moment.to_string())
}
