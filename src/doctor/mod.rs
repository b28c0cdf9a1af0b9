//! Finding what would keep people out or let them in, before anyone finds out at a prompt.
//!
//! Pure: [`Machine`] is what the command has read of the system, and [`examine`] says what is wrong with it.
//! A stack of PAM is not matched against bad examples but played through, as libpam would, for people with
//! and without a password and a code.
#![forbid(unsafe_code)]

pub mod callers;
mod dispatch;
mod guarded;
mod machine;
mod own_stack;
mod pam;
mod people;
pub mod policy;
mod proof_line;
mod setup;
mod shared;
mod sshd;
mod stack;
mod surroundings;

use serde::Serialize;

pub use machine::{Account, Daemon, Enrolment, Machine, Policy, Setup, Sshd, WrongFile};
pub use proof_line::{How, ProofLine, asks_for_code, jump_above, proof_lines};
pub use stack::PamFiles;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// It may surprise somebody.
    Warning,
    /// It keeps people out, or lets them in.
    Error,
}

impl Severity {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A word that stays the same, for programs (`countersign(1)`).
    pub code: &'static str,
    /// Where: a file and line, a user, a setting.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

impl Finding {
    fn new(
        severity: Severity,
        code: &'static str,
        place: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { severity, code, place: place.into(), what: what.into(), mend: mend.into() }
    }
}

/// All that is wrong with a machine, the worst first.
pub fn examine(machine: &Machine) -> Vec<Finding> {
    let guarded = guarded::guarded(&machine.pam);
    let mut findings = pam::examine(machine, &guarded);
    findings.extend(shared::examine(machine, &guarded));
    findings.extend(own_stack::examine(machine));
    findings.extend(sshd::examine(machine, &guarded));
    findings.extend(people::examine(machine, &guarded));
    findings.extend(surroundings::examine(machine));
    findings.extend(setup::examine(machine));
    findings.sort_by(|one, other| {
        (other.severity, one.code, &one.place).cmp(&(one.severity, other.code, &other.place))
    });
    findings
}

#[cfg(test)]
mod doctor_tests;
