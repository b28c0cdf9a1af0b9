//! `countersign doctor`: what would keep people out or let them in.

pub(super) mod look;
mod units;

use serde::Serialize;

use super::args::Doctor;
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use super::{json, who};
use crate::doctor::{Finding, Severity, examine};

/// The report for programs.
#[derive(Serialize)]
struct Findings {
    findings: Vec<Finding>,
}

/// Looks at the machine and says what is wrong with it; the exit code is that of the worst.
pub(super) fn run(options: &Doctor, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let mut machine = look::machine();
    if options.everywhere {
        machine.pam.ask_everywhere();
    }
    report("doctor", examine(&machine), options.json, terminal)
}

/// Tells what was found, as text or as JSON under this name.
pub(super) fn report(
    name: &'static str,
    findings: Vec<Finding>,
    as_json: bool,
    terminal: &mut Terminal,
) -> Result<ExitCode, Error> {
    let worst = findings.iter().map(|finding| finding.severity).max();
    if as_json {
        terminal.report(json::document(name, Findings { findings })?)?;
    } else {
        tell(&findings, terminal)?;
    }
    Ok(match worst {
        Some(Severity::Error) => ExitCode::Errors,
        Some(Severity::Warning) => ExitCode::Warnings,
        Some(Severity::Note) | None => ExitCode::Success,
    })
}

/// Text that may come from files, without what would move the cursor.
pub(super) fn harmless(text: &str) -> String {
    let shown = |letter: char| if letter.is_control() { '?' } else { letter };
    text.chars().map(shown).collect()
}

fn tell(findings: &[Finding], terminal: &mut Terminal) -> Result<(), Error> {
    for Finding { severity, code, place, what, mend } in findings {
        let (place, what, mend) = (harmless(place), harmless(what), harmless(mend));
        terminal.report(format_args!("{} {code}: {place}\n  {what}\n  hint: {mend}\n", severity.word()))?;
    }
    let number = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    match (number(Severity::Error), number(Severity::Warning)) {
        (0, 0) => terminal.report("nothing was found that would keep people out or let them in"),
        (errors, warnings) => terminal.report(format_args!("errors: {errors}, warnings: {warnings}")),
    }
}
