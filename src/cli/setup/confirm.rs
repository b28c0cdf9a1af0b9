//! `countersign setup --confirm`: in a login that the change has let in.

use super::{Error, ExitCode, Stop, Terminal, roll_back, trial};
use crate::backup::{Keeper, Problem, clock};
use crate::cli::who;
use crate::setup::{Phase, Record};
use crate::sys::{self, session};

/// Lets the change stay, if this is another login, and a code was accepted since the change.
pub(super) fn run(terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let Some(keeper) = Keeper::open()? else { return Err(nothing()) };
    let Some(record) = keeper.record()? else { return Err(nothing()) };
    if record.phase == Phase::Confirmed {
        terminal.say("it is confirmed already");
        return Ok(ExitCode::Success);
    }
    let boot = sys::host::boot().map_err(Problem::Clock)?;
    let now = sys::clock::since_boot().map_err(Problem::Clock)?;
    let Some(left) = record.left(&boot, now) else {
        return Err(Stop::said("the time is over, and all is put back", "begin again: countersign setup"));
    };
    must_be_another_login(&record, left)?;
    must_have_shown_a_code(&record, left)?;
    keeper.write(&Record { phase: Phase::Confirmed, ..record.clone() })?;
    clock::stop()?;
    roll_back::log("setup_confirmed", &record.user, terminal);
    terminal.say("confirmed: the change stays. To take it back one day: countersign setup --undo");
    Ok(ExitCode::Success)
}

fn nothing() -> Error {
    Stop::said("no setup waits to be confirmed", "countersign setup begins one")
}

fn must_be_another_login(record: &Record, left: u64) -> Result<(), Error> {
    match session::own() {
        Some(own) if !record.sessions.contains(&own) => Ok(()),
        Some(_) => Err(Stop::said(
            format!("this session was there before the change; {left} s are left"),
            "log in a second time, and run it there",
        )),
        None => Err(Stop::said(
            format!(
                "this is no login session, as far as the kernel and systemd-logind say; {left} s are left"
            ),
            "log in by ssh or on the console, and run it there",
        )),
    }
}

fn must_have_shown_a_code(record: &Record, left: u64) -> Result<(), Error> {
    let user = who::account(Some(&record.user))?;
    if record.marks.show_a_code_until(&trial::marks(&user)?) {
        return Ok(());
    }
    let what = format!("no code of {} was accepted since the change; {left} s are left", user.name);
    let mend =
        "log in with a code where one is asked for now; if the login was remembered: countersign forget";
    Err(Stop::said(what, mend))
}
