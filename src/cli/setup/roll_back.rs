//! `countersign roll-back`: the clock of a change that nobody has confirmed yet. Not for people.

use std::thread;
use std::time::Duration;

use super::{Error, ExitCode, Terminal};
use crate::backup::{self, Keeper, Manner, Problem, clock, sshd};
use crate::cli::setup_args::RollBack;
use crate::cli::who;
use crate::log::{Level, Line};
use crate::service::journal;
use crate::setup::{Phase, Record};
use crate::sys;

/// How often it is looked whether the change is confirmed, or due.
const MOMENT: Duration = Duration::from_secs(1);
/// How often it is tried at the start of a machine, which must not wait for ever.
const TRIES_AT_BOOT: u32 = 10;

/// How a change stands for the clock.
enum Now {
    /// There is nothing to take back.
    Nothing,
    /// Its time is not over.
    NotDue,
    /// It is to be taken back.
    Due,
}

/// Waits until a change is confirmed, gone, or due, and takes it back then. At the start of a machine it takes back
/// what an earlier run of the machine has left, and does not wait.
pub(in crate::cli) fn run(options: &RollBack, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let mut failures: u32 = 0;
    loop {
        match tick(options.at_boot, terminal) {
            Ok(Now::Nothing | Now::Due) => return Ok(ExitCode::Success),
            Ok(Now::NotDue) if options.at_boot => return Ok(ExitCode::Success),
            Ok(Now::NotDue) => {}
            Err(problem) => {
                // It is tried until it succeeds: a full disk may be full no longer in a second.
                if failures == 0 {
                    terminal.say(format_args!("countersign: {problem}; it is tried again"));
                }
                failures = failures.saturating_add(1);
                if options.at_boot && failures >= TRIES_AT_BOOT {
                    return Err(problem.into());
                }
            }
        }
        thread::sleep(MOMENT);
    }
}

fn tick(at_boot: bool, terminal: &mut Terminal) -> Result<Now, Problem> {
    let now = stands(backup::look()?.as_ref(), at_boot)?;
    let Now::Due = now else { return Ok(now) };
    let Some(keeper) = Keeper::open()? else { return Ok(Now::Nothing) };
    // Under the lock: it may have been confirmed meanwhile.
    let Some(record) = keeper.record()? else { return Ok(Now::Nothing) };
    let now = stands(Some(&record), at_boot)?;
    if let Now::Due = now {
        take_back(&keeper, &record, terminal)?;
    }
    Ok(now)
}

fn stands(record: Option<&Record>, at_boot: bool) -> Result<Now, Problem> {
    let Some(record) = record.filter(|record| record.phase == Phase::Pending) else {
        clock::forget_the_next_start()?;
        return Ok(Now::Nothing);
    };
    let boot = sys::host::boot().map_err(Problem::Clock)?;
    let now = sys::clock::since_boot().map_err(Problem::Clock)?;
    let is_over = record.left(&boot, now).is_none();
    // systemd may start the unit whenever it starts something else. The clock runs then; after a restart of the
    // machine, or of what runs on the same kernel, it does not.
    let is_due = is_over || (at_boot && !clock::is_running());
    Ok(if is_due { Now::Due } else { Now::NotDue })
}

fn take_back(keeper: &Keeper, record: &Record, terminal: &mut Terminal) -> Result<(), Problem> {
    let found = keeper.put_back(record, Manner::AtAnyRate)?;
    if record.reloads_sshd
        && let Err(problem) = sshd::check().and_then(|()| sshd::reload())
    {
        terminal.say(format_args!("countersign: sshd goes by its former settings still: {problem}"));
    }
    clock::forget_the_next_start()?;
    keeper.forget()?;
    for path in found {
        terminal.say(format_args!("countersign: what {path} was is kept in {}", backup::PATH));
    }
    log("setup_rolled_back", &record.user, terminal);
    Ok(())
}

/// Writes one line about a change of the machine's stacks.
pub(super) fn log(event: &str, user: &str, terminal: &mut Terminal) {
    let (by, user) = (sys::user::real_uid(), user.escape_default());
    let text = format!("event={event} by=uid:{by} user=\"{user}\"");
    if let Err(error) = journal::write(&Line { level: Level::Notice, text }) {
        terminal.say(format_args!("warning: this could not be logged: {error}"));
    }
}
