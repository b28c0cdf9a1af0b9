//! `countersign setup --undo`: all as it was.

use super::{Error, ExitCode, Terminal, roll_back};
use crate::backup::{self, Keeper, Manner, clock, sshd};
use crate::credential::StoreError;
use crate::sys::process;

/// Puts back what setup has changed. That there is nothing is well.
pub(super) fn run(yes: bool, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    // Before the lock is taken: the clock must not wait for somebody who does not answer.
    if let Some(record) = backup::look()?.filter(|_| !yes) {
        for file in &record.files {
            terminal.say(format_args!("to be put back: {}", file.path));
        }
        if !terminal.ask_yes("put these back as they were before countersign setup?")? {
            return Err(Error::GivenUp);
        }
    }
    let keeper = Keeper::open()?;
    let record = keeper.as_ref().map(Keeper::record).transpose()?.flatten();
    let (Some(keeper), Some(record)) = (keeper.as_ref(), record) else {
        // Copies without a record are what a kill has left.
        keeper.as_ref().map_or(Ok(()), Keeper::forget)?;
        clock::stop()?;
        terminal.say("nothing to undo");
        return Ok(ExitCode::Success);
    };
    let done = process::deaf(|| -> Result<(), Error> {
        keeper.put_back(&record, Manner::AllOrNothing)?;
        if record.reloads_sshd
            && let Err(problem) = sshd::check().and_then(|()| sshd::reload())
        {
            terminal.say(format_args!("warning: sshd goes by its former settings still: {problem}"));
        }
        clock::stop()?;
        Ok(keeper.forget()?)
    });
    done.map_err(StoreError::from)??;
    roll_back::log("setup_undone", &record.user, terminal);
    terminal.say("all is as it was before countersign setup");
    Ok(ExitCode::Success)
}
