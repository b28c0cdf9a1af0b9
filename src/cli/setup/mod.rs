//! `countersign setup`: from an installed package to guarded logins, and back.
//!
//! Each step is said before it is done. Nothing is changed before a login against the new stacks has worked, and
//! what is changed is taken back by itself unless somebody confirms it from a second login
//! (`docs/decisions/0021-setup.md`).

mod asking;
mod change;
mod confirm;
mod people;
mod planning;
mod roll_back;
mod stop;
mod trial;
mod undo;
mod waiting;

use super::args::{Arguments, Verb};
use super::error::{Error, ExitCode};
use super::setup_args::Setup;
use super::terminal::Terminal;
use super::{doctor, enroll, who};
use crate::backup;
use crate::doctor::{Finding, Machine, Severity, examine};
use crate::setup::diff::unified;
use crate::setup::{Phase, Record, Service};
use crate::user::User;
pub(super) use roll_back::run as roll_back;
pub(super) use stop::Stop;

/// Guides through a setup, confirms one, or takes one back.
pub(super) fn run(options: &Setup, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    if options.confirm {
        return confirm::run(terminal);
    }
    if options.undo {
        return undo::run(options.yes, terminal);
    }
    guide(options, terminal)
}

fn guide(options: &Setup, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    must_be_the_first(backup::look()?.as_ref())?;
    let user = who::account(options.user.as_deref())?;
    terminal.say("1. looking for what would keep people out or let them in");
    let mut machine = doctor::look::machine();
    must_be_well(examine(&machine), terminal)?;
    if machine.module.is_none() {
        return Err(Stop::said("pam_countersign.so is not installed where PAM looks", "install it again"));
    }
    terminal.say("2. what to guard");
    let Some(choices) = asking::choices(options, &user, &machine, terminal)? else {
        terminal.say("nothing to do");
        return Ok(ExitCode::Success);
    };
    let plan = planning::plan(&mut machine, &choices, &user)?;
    must_be_well(examine(&machine), terminal)?;
    if choices.services.contains(&Service::Sshd) {
        tell_of_matches(&machine, &user, terminal);
    }
    terminal.say("3. this is the change:\n");
    for file in &plan.files {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let before = file.before.as_ref().map(|before| text(&before.content));
        terminal.report(unified(&file.path, before.as_deref(), &text(&file.after)))?;
    }
    if options.dry_run {
        terminal.say("nothing was changed");
        return Ok(ExitCode::Success);
    }
    let question = format!("try this with a login of {}, and make the change if it works?", user.name);
    if !options.yes && !terminal.ask_yes(&question)? {
        return Err(Error::GivenUp);
    }
    if !enroll::is_enrolled(&user)? {
        enrol(&user, terminal)?;
    }
    terminal.say("4. trying logins against the new stacks, before anything is changed");
    trial::run(&machine.pam, &choices, &user, terminal)?;
    terminal.say("5. making the change");
    change::make(&plan, &user, options.wait, terminal)
}

/// One change at a time: copies of copies would be no way back.
fn must_be_the_first(record: Option<&Record>) -> Result<(), Error> {
    match record.map(|record| record.phase) {
        None => Ok(()),
        Some(Phase::Pending) => Err(Stop::said(
            "a setup waits to be confirmed from a second login",
            "countersign setup --confirm there; to put all back at once: countersign setup --undo",
        )),
        Some(Phase::Confirmed) => Err(Stop::said(
            "setup has changed this machine already",
            "for another choice, first: countersign setup --undo",
        )),
    }
}

/// What keeps people out or lets them in is mended first; setup would only add to it.
fn must_be_well(findings: Vec<Finding>, terminal: &mut Terminal) -> Result<(), Error> {
    let errors: Vec<Finding> =
        findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect();
    for Finding { code, place, what, mend, .. } in &errors {
        let told = format!("error {code}: {place}\n  {what}\n  hint: {mend}");
        terminal.say(doctor::harmless(&told));
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Stop::said(
        "nothing was changed: this must be mended first",
        "mend it; countersign doctor shows it again",
    ))
}

/// What stands under Match is looked at for this person alone; for others it may undo the change.
fn tell_of_matches(machine: &Machine, user: &User, terminal: &mut Terminal) {
    let matches = machine.sshd.as_ref().map(|sshd| sshd.matches.as_slice()).unwrap_or_default();
    for line in matches {
        let place = doctor::harmless(line);
        terminal.say(format_args!("looked at for {} alone: what sshd does under \"{place}\"", user.name));
    }
}

/// Enrols the person as `countersign enroll` does.
fn enrol(user: &User, terminal: &mut Terminal) -> Result<(), Error> {
    use clap::Parser as _;
    terminal.say(format_args!("{} is not enrolled yet", user.name));
    let words = ["countersign", "enroll", "--", user.name.as_str()];
    match Arguments::try_parse_from(words).map(|arguments| arguments.verb) {
        Ok(Verb::Enroll(options)) => enroll::run(&options, terminal).map(drop),
        _ => Err(Error::NoAccount(user.name.to_string())),
    }
}
