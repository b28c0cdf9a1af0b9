//! Making the change, with the way back kept and the clock running before the first file is touched.

use std::time::Duration;

use super::planning::{Plan, must_be_in_force};
use super::{Error, ExitCode, Stop, Terminal, must_be_the_first, roll_back, trial, waiting};
use crate::backup::{Keeper, Manner, Problem, clock, sshd};
use crate::setup::Record;
use crate::sys::{self, process, session};
use crate::user::User;

/// Makes it, and waits for what becomes of it.
pub(super) fn make(
    plan: &Plan,
    user: &User,
    wait: Duration,
    terminal: &mut Terminal,
) -> Result<ExitCode, Error> {
    let marks = trial::marks(user)?;
    let keeper = Keeper::make()?;
    must_be_the_first(keeper.record()?.as_ref())?;
    let boot = sys::host::boot().map_err(Problem::Clock)?;
    let now = sys::clock::since_boot().map_err(Problem::Clock)?;
    let deadline = now.saturating_add(wait.as_secs());
    let record = Record {
        sessions: session::all(),
        reloads_sshd: plan.sshd.is_some(),
        ..Record::pending(user.name.as_str(), boot, deadline, marks)
    };
    // Half of a change is taken back by the clock; but no key of this terminal may leave one.
    let made = process::deaf(|| made(&keeper, record, plan)).map_err(crate::credential::StoreError::from)?;
    drop(keeper);
    made?;
    roll_back::log("setup_made", user.name.as_str(), terminal);
    waiting::run(terminal)
}

fn made(keeper: &Keeper, record: Record, plan: &Plan) -> Result<(), Error> {
    let record = keeper.keep(record, &plan.files)?;
    let Err(problem) = put_in_force(keeper, &record, plan) else { return Ok(()) };
    keeper.put_back(&record, Manner::AtAnyRate)?;
    if record.reloads_sshd {
        let _ = sshd::reload();
    }
    clock::stop()?;
    keeper.forget()?;
    let mend = "all is as it was; mend this, and begin again";
    Err(Stop::said(format!("the change could not be made: {problem}"), mend))
}

fn put_in_force(keeper: &Keeper, record: &Record, plan: &Plan) -> Result<(), Error> {
    clock::start()?;
    keeper.change(&plan.files)?;
    if let Some(ssh) = plan.sshd {
        // Now of the real files.
        sshd::check()?;
        must_be_in_force(&sshd::settings(&record.user, None)?, ssh)?;
        sshd::reload()?;
    }
    // Who has come in meanwhile may have come in by the old stacks.
    Ok(keeper.write(&Record { sessions: session::all(), ..record.clone() })?)
}
