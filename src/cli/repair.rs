//! `countersign repair`: make good again what a lost state or a wrong clock keeps refused.

use super::args::Repair;
use super::audit::{self, Change};
use super::error::{Error, ExitCode};
use super::recovery_file::{self, KeptPage, is_in_force};
use super::saved_file::must_be_free;
use super::terminal::Terminal;
use super::who;
use crate::backend::{self, KernelEntropy};
use crate::credential::format::datetime_of;
use crate::credential::{
    Authenticator, CredentialStore as _, EnrolmentStore as _, KeyRecord, State, StoreError,
};
use crate::enrol::repair::{Finding, Mending, counter_record, examine, mend};
use crate::enrol::{Entropy as _, RecoveryCodes};
use crate::otp::{Code, Passcode};
use crate::policy::replay::seconds_until_taken;
use crate::sys;
use crate::user::User;

/// How often the codes of a counter may be wrong.
const TRIES: u32 = 5;

/// Looks for what is refused, says so, asks, mends it, and looks again.
pub(super) fn run(options: &Repair, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let user = who::account(Some(&options.user))?;
    let credential = backend::store().read(&user)?;
    let credential = credential.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    let state = readable_state(&user)?;
    let now = sys::clock::now().ok_or(Error::Clock)?;
    let findings = examine(&credential, state.as_ref(), now);
    if findings.is_empty() {
        terminal.say(format_args!("nothing of {} needs repair", user.name));
        return Ok(ExitCode::Success);
    }
    let makes_codes = findings.iter().any(|finding| matches!(finding, Finding::RecoveryCodes));
    if makes_codes {
        options.recovery_file.as_deref().map_or(Ok(()), must_be_free)?;
        terminal.permit_secrets(options.force)?;
    }
    tell(&findings, now, terminal);
    if !options.yes && !terminal.ask_yes(&format!("repair this for {}?", user.name))? {
        return Err(Error::GivenUp);
    }
    let clock_is_right = is_clock_right(options, &findings, now, terminal)?;
    let counters = if options.yes { Vec::new() } else { ask_for_counters(&findings, terminal)? };
    let codes = if makes_codes { Some(RecoveryCodes::make(&mut KernelEntropy)?) } else { None };
    let recovery = codes.as_ref().map(RecoveryCodes::to_set);
    let mending = Mending { counters, recovery, clock_is_right };
    if state.is_none() || findings.iter().any(|finding| mending.mends(finding)) {
        // From here on it is done and shown, or it is not done: no signal may stop it half way.
        sys::process::undisturbed(|| make(options, &user, &mending, codes.as_ref(), terminal))
            .map_err(StoreError::from)??;
    }
    look_again(&user, terminal)
}

/// The state, if there is one and it can be read.
fn readable_state(user: &User) -> Result<Option<State>, Error> {
    match backend::store().read_state(user) {
        Err(StoreError::State(problem)) if problem.is_damage() => Ok(None),
        other => Ok(other?),
    }
}

fn tell(findings: &[Finding<'_>], now: u64, terminal: &mut Terminal) {
    if let Some(time) = datetime_of(now) {
        terminal.say(format_args!("the clock of this machine says {time}; codes are judged by it"));
    }
    for finding in findings {
        match finding {
            Finding::NoRecord(authenticator) => terminal.say(format_args!(
                "- {}: what was used of it is not known; its codes will be taken again in {}",
                authenticator.id,
                wait(authenticator, now),
            )),
            Finding::Ahead(authenticator) => terminal.say(format_args!(
                "- {}: it was used while the clock was far ahead, or the clock is behind now; its codes can be \
                 taken again in {}",
                authenticator.id,
                wait(authenticator, now),
            )),
            Finding::NoCounter(authenticator) => terminal.say(format_args!(
                "- {}: where its counter stands is not known; two codes of it in a row will tell",
                authenticator.id
            )),
            Finding::RecoveryCodes => {
                terminal.say("- recovery codes: which are used is not known; new ones will take their place");
            }
        }
    }
}

/// Whether somebody says that the clock is right, where that matters: it is either right now or was when
/// the codes were used, and nothing on the machine can tell.
fn is_clock_right(
    options: &Repair,
    findings: &[Finding<'_>],
    now: u64,
    terminal: &mut Terminal,
) -> Result<bool, Error> {
    let (true, Some(time)) =
        (findings.iter().any(|finding| matches!(finding, Finding::Ahead(_))), datetime_of(now))
    else {
        return Ok(false);
    };
    Ok(!options.yes && terminal.ask_yes(&format!("is it {time} (UTC) now?"))?)
}

/// How long the codes of an authenticator stay refused after its window was burned.
fn wait(authenticator: &Authenticator, now: u64) -> String {
    let seconds = seconds_until_taken(authenticator.kind, now);
    format!("{} minutes", seconds.div_ceil(60))
}

/// Asks for two codes of each counter. One that is not at hand stays refused.
fn ask_for_counters(findings: &[Finding<'_>], terminal: &mut Terminal) -> Result<Vec<KeyRecord>, Error> {
    let mut counters = Vec::new();
    for finding in findings {
        if let Finding::NoCounter(authenticator) = finding {
            counters.extend(ask_for_counter(authenticator, terminal)?);
        }
    }
    Ok(counters)
}

fn ask_for_counter(
    authenticator: &Authenticator,
    terminal: &mut Terminal,
) -> Result<Option<KeyRecord>, Error> {
    let id = &authenticator.id;
    for _ in 0..TRIES {
        let Some(first) = ask_for_code(&format!("a code of {id} (empty to leave it refused): "), terminal)?
        else {
            return Ok(None);
        };
        let Some(second) = ask_for_code(&format!("the next code of {id}: "), terminal)? else {
            return Ok(None);
        };
        match counter_record(authenticator, (&first, &second)) {
            Some(record) => return Ok(Some(record)),
            None => terminal.say("these are not two codes in a row; try again"),
        }
    }
    Ok(None)
}

/// Asks until a code is typed, or nothing.
fn ask_for_code(question: &str, terminal: &mut Terminal) -> Result<Option<Code>, Error> {
    loop {
        let Some(typed) = terminal.ask(question)? else { return Err(Error::GivenUp) };
        if typed.trim().is_empty() {
            return Ok(None);
        }
        match Passcode::parse(typed.as_bytes()) {
            Some(Passcode::Code(code)) => return Ok(Some(code)),
            _ => terminal.say("a code has 6 to 8 digits"),
        }
    }
}

/// Mends it on disk, and shows new recovery codes.
fn make(
    options: &Repair,
    user: &User,
    mending: &Mending,
    codes: Option<&RecoveryCodes>,
    terminal: &mut Terminal,
) -> Result<(), Error> {
    let page = codes.map(|codes| recovery_file::page(user.name.as_str(), codes.codes()));
    match &page {
        Some(page) => {
            let kept = KeptPage { path: options.recovery_file.as_deref(), page };
            kept.save_before(
                || mend_on_disk(user, mending),
                || is_in_force(user, mending.recovery.as_ref()),
            )?;
        }
        None => mend_on_disk(user, mending)?,
    }
    audit::log(Change::Repaired, user, terminal);
    let Some(page) = page else { return Ok(()) };
    terminal.say("keep these codes where the phone is not; the former ones are void:\n");
    let shown = terminal.show(&page);
    recovery_file::tell(options.recovery_file.as_deref(), terminal);
    shown.map_err(|error| Error::NotShown(Box::new(error)))
}

/// Makes the state readable first. Were this cut off after that, no code would be good that is not now.
fn mend_on_disk(user: &User, mending: &Mending) -> Result<(), Error> {
    let store = backend::store();
    let now = sys::clock::now().ok_or(Error::Clock)?;
    let mut counter_key = [0; 16];
    KernelEntropy.fill(&mut counter_key)?;
    let done = store.renew_state(user, &State::new(counter_key, now))?.and(match mending.recovery {
        // The credential is written only where it changes: it may belong to configuration management.
        Some(_) => store.replace(user, |credential, state| mend(credential, state, mending, now))?,
        None => store.update(user, |credential, state| mend(credential, state, mending, now))?.map(drop),
    });
    done.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))
}

/// Looks at what logins will find now. Fails where something is still refused, after saying what.
fn look_again(user: &User, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let store = backend::store();
    let credential = store.read(user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    let state = store.read_state(user)?;
    let findings = examine(&credential, state.as_ref(), sys::clock::now().ok_or(Error::Clock)?);
    if findings.is_empty() {
        terminal.say(format_args!("{} is repaired", user.name));
        return Ok(ExitCode::Success);
    }
    for finding in findings {
        match finding {
            Finding::NoCounter(authenticator) => terminal.say(format_args!(
                "- {} stays refused until two codes of it in a row tell where its counter stands",
                authenticator.id
            )),
            Finding::Ahead(authenticator) => terminal.say(format_args!(
                "- {} stays refused until somebody with a watch says that the clock is right",
                authenticator.id
            )),
            Finding::NoRecord(authenticator) => {
                terminal.say(format_args!("- {} stays refused: it came in the meantime", authenticator.id));
            }
            Finding::RecoveryCodes => {
                terminal.say("- the recovery codes stay refused: they came in the meantime");
            }
        }
    }
    Err(Error::StillRefused(user.name.to_string()))
}
