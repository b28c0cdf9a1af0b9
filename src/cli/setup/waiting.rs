//! The first terminal, while somebody logs in a second time.

use std::time::Duration;

use super::{Error, ExitCode, Stop, Terminal, roll_back, undo};
use crate::backup::{self, Problem, clock};
use crate::cli::setup_args::RollBack;
use crate::setup::Phase;
use crate::sys;

/// How often it is looked whether something has become of it.
const MOMENT: Duration = Duration::from_secs(1);
/// What is typed to have all put back at once.
const BACK: &str = "back";

/// Waits until the change is confirmed or taken back.
pub(super) fn run(terminal: &mut Terminal) -> Result<ExitCode, Error> {
    terminal.say(
        "the change is made. It is put back by itself unless you confirm it:\n\
         - keep this session open\n\
         - log in a second time, from another terminal, with a code\n\
         - there, run: sudo countersign setup --confirm\n\
         To put all back at once, type back and Enter here. Control-C only leaves: the clock goes on.",
    );
    if !clock::has_systemd() {
        terminal.say("without systemd a restart puts nothing back: after one, run countersign setup --undo");
    }
    loop {
        let Some(record) = backup::look()? else {
            terminal.say("all is put back as it was");
            return Ok(ExitCode::Refused);
        };
        if record.phase == Phase::Confirmed {
            terminal.say("confirmed: the change stays. To take it back one day: countersign setup --undo");
            return Ok(ExitCode::Success);
        }
        let now = sys::clock::since_boot().map_err(Problem::Clock)?;
        let left = record.deadline.saturating_sub(now);
        if terminal.columns_for_progress().is_some() {
            terminal.progress(format!("{} min {:02} s left ", left / 60, left % 60));
        }
        let typed = terminal.typed_within(MOMENT)?;
        if typed.is_some_and(|typed| typed.trim() == BACK) {
            undo::run(true, terminal)?;
            return Ok(ExitCode::Refused);
        }
        if left == 0 && now.saturating_sub(record.deadline) > 5 {
            return too_late(terminal);
        }
    }
}

/// The clock has not done its work: this does it.
fn too_late(terminal: &mut Terminal) -> Result<ExitCode, Error> {
    roll_back(&RollBack { at_boot: false }, terminal)?;
    Err(Stop::said(
        "the rollback clock did not run; all is put back as it was by this command",
        "look at: journalctl -u countersign-setup-clock",
    ))
}
