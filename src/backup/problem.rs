//! What can keep a change from being made or taken back.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::sys::secure_file::{OpenError, Refusal};

/// Why a change was not made, or not taken back.
#[derive(Debug)]
pub enum Problem {
    /// What is needed for the way back cannot be read or written.
    Keeping(&'static str, OpenError),
    /// Another setup, confirmation or undoing is going on.
    Busy,
    /// The record cannot be understood.
    Record(String),
    /// A copy is not what was kept.
    DamagedCopy(String),
    /// A file of the system cannot be read or written.
    File(PathBuf, OpenError),
    /// These were changed by somebody else since setup wrote them.
    ChangedSince(Vec<String>),
    /// This one was changed by somebody else while setup was at work.
    ChangedMeanwhile(String),
    /// The clock of the machine or its number of boots cannot be read.
    Clock(io::Error),
    /// A program of the system said no.
    Program(&'static str, String),
}

impl Problem {
    /// What to do about it.
    pub fn mend(&self) -> &'static str {
        match self {
            Self::Keeping(..) | Self::Record(_) | Self::DamagedCopy(_) => {
                "look at /var/lib/countersign/setup; it must be as countersign setup has left it"
            }
            Self::Busy => "wait until it is done, and try again",
            Self::File(..) => {
                "it must be a plain file of root that nobody else may write to, in a directory of that kind"
            }
            Self::ChangedSince(_) => {
                "nothing was changed; take setup's lines out of it by hand, then run countersign setup --undo again"
            }
            Self::ChangedMeanwhile(_) => "run countersign setup --undo, then begin again",
            Self::Clock(_) => "mount /proc",
            Self::Program(..) => "nothing is left half done; see what it says, and begin again",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keeping(what, error) => write!(out, "cannot use {what} of the way back: {}", words(error)),
            Self::Busy => out.write_str("another setup or undoing is going on"),
            Self::Record(problem) => write!(out, "the record of the setup cannot be read: {problem}"),
            Self::DamagedCopy(path) => write!(out, "the copy that was kept of {path} is damaged"),
            Self::File(path, error) => write!(out, "{}: {}", path.display(), words(error)),
            Self::ChangedSince(paths) => {
                write!(out, "changed by somebody else since setup wrote it: {}", paths.join(", "))
            }
            Self::ChangedMeanwhile(path) => write!(out, "{path} was changed by somebody else meanwhile"),
            Self::Clock(error) => write!(out, "cannot tell how long this machine is up: {error}"),
            Self::Program(name, problem) => write!(out, "{name}: {}", problem.trim_end()),
        }
    }
}

/// Why something could not be opened, for people.
pub fn words(error: &OpenError) -> String {
    match error {
        OpenError::Absent => "it is not there".to_owned(),
        OpenError::Refused(Refusal::Type) => "it is a link, or no plain file".to_owned(),
        OpenError::Refused(Refusal::Owner) => "it does not belong to root".to_owned(),
        OpenError::Refused(Refusal::Mode) => "others than root may change it".to_owned(),
        OpenError::Refused(Refusal::Size) => "it is too large".to_owned(),
        OpenError::System(error) => error.to_string(),
    }
}
