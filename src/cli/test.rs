//! `countersign test`: whether a code would be accepted and why not, without spending it or counting a guess.
//!
//! Whoever may run this can guess as often as he likes, so it is for root, who can read the secrets anyway,
//! and each time is in the log.

use serde::Serialize;

use super::args::Test as Options;
use super::error::{Error, ExitCode};
use super::terminal::{Terminal, unless_nobody_reads};
use super::{json, who};
use crate::backend;
use crate::credential::{Credential, CredentialStore as _, EnrolmentStore as _, SourceName, State};
use crate::otp::{Passcode, RecoverySalt};
use crate::policy::rehearsal::{Clue, Rehearsal, rehearse};
use crate::policy::{Attempt, Denial, Presented, Proof};
use crate::service::journal::{self, Change};
use crate::sys;
use crate::user::User;

/// Asks for a code and says what a login would make of it.
pub(super) fn run(options: &Options, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let user = who::account(Some(&options.user))?;
    // Before anything is asked: who is not enrolled has no code.
    enrolment(&user)?;
    // Not to be seen, as at a login: it is good afterwards, and a recovery code for years.
    let question = format!("code or recovery code of {}: ", user.name);
    let typed = terminal.ask_in_secret(&question)?.ok_or(Error::GivenUp)?;
    let source = options.from.clone().unwrap_or_else(SourceName::nowhere);
    let rehearsal = rehearsal(&user, typed.trim_end_matches(['\r', '\n']).as_bytes(), &source)?;
    // Before anything is told: a guess that nobody sees is worth more.
    if let Err(error) = journal::note(Change::Tested, &user, sys::user::real_uid(), None) {
        terminal.say(format_args!("warning: this could not be logged: {error}"));
    }
    let text = if options.json {
        json::document("test", Report::of(&user, &source, &rehearsal))?
    } else {
        words(&user, &rehearsal)
    };
    unless_nobody_reads(terminal.report(text))?;
    Ok(if rehearsal.verdict.is_ok() { ExitCode::Success } else { ExitCode::Refused })
}

fn enrolment(user: &User) -> Result<Credential, Error> {
    backend::store().read(user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))
}

/// What a login would make of it now. What is kept is read after the code was typed, as a login does.
fn rehearsal(user: &User, typed: &[u8], source: &SourceName) -> Result<Rehearsal, Error> {
    let credential = enrolment(user)?;
    let state = backend::store().read_state(user)?;
    let presented = match Passcode::parse(typed) {
        Some(Passcode::Code(code)) => Presented::Code { code, previous: None },
        Some(Passcode::Recovery(code)) => {
            let salt = credential.recovery.as_ref().map_or(RecoverySalt::FOR_UNKNOWN_USERS, |set| set.salt);
            Presented::Recovery { salt, digest: code.digest(&salt), previous: None }
        }
        Some(Passcode::Ending(_)) | None => {
            return Ok(Rehearsal { verdict: Err(Denial::Malformed), otherwise: None, clue: None });
        }
    };
    let now = sys::clock::now().ok_or(Error::Clock)?;
    // A login makes a state where there is none, and it knows nothing either.
    let state = state.unwrap_or_else(|| State::new([0; 16], now));
    let attempt = Attempt { presented, source: source.clone() };
    Ok(rehearse(&credential, &state, &attempt, now))
}

/// The report for people.
fn words(user: &User, rehearsal: &Rehearsal) -> String {
    let name = &user.name;
    let mut lines = vec![match &rehearsal.verdict {
        Ok(proof) => format!("{name}: this would be accepted, {}", words_for_proof(proof)),
        Err(denial) => format!("{name}: this would be refused, {}", words_for(*denial)),
    }];
    lines.extend(rehearsal.otherwise.as_ref().map(|otherwise| match otherwise {
        Ok(proof) => format!("but for that it is right, {}", words_for_proof(proof)),
        Err(denial) => format!("and but for that, {}", words_for(*denial)),
    }));
    lines.extend(rehearsal.clue.as_ref().map(words_for_clue));
    let mend = rehearsal.verdict.as_ref().err().and_then(|denial| mend(*denial));
    lines.extend(mend.map(|verb| format!("{verb} {name}")));
    lines.join("\n")
}

fn words_for_proof(proof: &Proof) -> String {
    match proof {
        Proof::Code { authenticator, .. } => format!("as a code of {authenticator}"),
        Proof::Recovery { left, .. } => format!("as a recovery code, after which {left} are left"),
        // No passcode is.
        Proof::Remembered { .. } | Proof::Enrolled { .. } => "without being typed".to_owned(),
    }
}

fn words_for(denial: Denial) -> String {
    match denial {
        Denial::Disabled => "the user is disabled".to_owned(),
        Denial::Malformed => "it is neither a code nor a recovery code".to_owned(),
        Denial::WrongCode => "no device makes this code now".to_owned(),
        Denial::SpentCode => "this code, or a later one, counts as used".to_owned(),
        Denial::ClockWentBack => {
            "its device was used while the clock of this machine was far ahead".to_owned()
        }
        Denial::BackedOff { seconds } => format!("too many failures from there, for {seconds} s more"),
        Denial::Capped => "a hundred failures from there".to_owned(),
        Denial::WrongRecoveryCode => "it is no recovery code of the set in force".to_owned(),
        Denial::SpentRecoveryCode => "this recovery code was used".to_owned(),
        Denial::UnvouchedRecoveryCodes => "which recovery codes are used is not known".to_owned(),
        Denial::NoUsableAuthenticator => {
            "no device is confirmed, or where its counter stands is not known".to_owned()
        }
        // No login of an enrolled user with one passcode is told these.
        Denial::UnknownUser | Denial::NotEnrolled | Denial::SecondRecoveryCode => denial.reason().to_owned(),
    }
}

fn words_for_clue(clue: &Clue) -> String {
    let Clue { authenticator, confirmed, off, would_resynchronise } = clue;
    let place = match off {
        0 => "of now".to_owned(),
        ahead if *ahead > 0 => format!("{ahead} ahead"),
        behind => format!("{} behind", behind.unsigned_abs()),
    };
    if !confirmed {
        return format!("{authenticator} makes it ({place}), but no first code has confirmed that device");
    }
    let then = if *would_resynchronise {
        "typed in one login, this code and the next one would be accepted"
    } else {
        "it is too old, or its device is off by too much"
    };
    format!("{authenticator} makes it, {place}: {then}")
}

/// What mends it, to stand before the name of the user.
fn mend(denial: Denial) -> Option<&'static str> {
    match denial {
        Denial::Disabled => Some("countersign enable"),
        Denial::BackedOff { .. } | Denial::Capped => Some("countersign unlock"),
        Denial::ClockWentBack | Denial::UnvouchedRecoveryCodes | Denial::NoUsableAuthenticator => {
            Some("countersign repair")
        }
        _ => None,
    }
}

/// The report for programs.
#[derive(Serialize)]
struct Report<'a> {
    user: &'a str,
    source: &'a str,
    #[serde(flatten)]
    verdict: Verdict<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    otherwise: Option<Verdict<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clue: Option<&'a Clue>,
}

#[derive(Serialize)]
struct Verdict<'a> {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<Proven<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Proven<'a> {
    Code { authenticator: &'a str, drift: i8 },
    Recovery { recovery_codes_left: usize },
}

impl<'a> Report<'a> {
    fn of(user: &'a User, source: &'a SourceName, rehearsal: &'a Rehearsal) -> Self {
        Self {
            user: user.name.as_str(),
            source: source.as_str(),
            verdict: Verdict::of(&rehearsal.verdict),
            otherwise: rehearsal.otherwise.as_ref().map(Verdict::of),
            clue: rehearsal.clue.as_ref(),
        }
    }
}

impl<'a> Verdict<'a> {
    fn of(verdict: &'a Result<Proof, Denial>) -> Self {
        let reason = verdict.as_ref().err().map(|denial| denial.reason());
        let seconds = if let Err(Denial::BackedOff { seconds }) = verdict { Some(*seconds) } else { None };
        let proof = verdict.as_ref().ok().and_then(|proof| match proof {
            Proof::Code { authenticator, drift, .. } => Some(Proven::Code { authenticator, drift: *drift }),
            Proof::Recovery { left, .. } => Some(Proven::Recovery { recovery_codes_left: *left }),
            Proof::Remembered { .. } | Proof::Enrolled { .. } => None,
        });
        Self { accepted: verdict.is_ok(), proof, reason, seconds }
    }
}
