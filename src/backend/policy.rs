//! The policy file of this machine.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::file::{self, FileError, PolicyFile};
use crate::sys::secure_file::{OpenError, Refusal, read_published};

/// The policy file of this machine; none is an empty one.
pub fn policy_file() -> Result<PolicyFile, PolicyError> {
    match policy_file_at(Path::new(file::PATH)) {
        Err(PolicyError { problem: Problem::Absent, .. }) => Ok(PolicyFile::default()),
        read => read,
    }
}

/// A policy file that somebody has named: it must be there.
pub fn policy_file_at(path: &Path) -> Result<PolicyFile, PolicyError> {
    let failed = |problem| PolicyError { path: path.to_owned(), problem };
    match read_published(path, file::LONGEST) {
        Ok(text) => PolicyFile::parse(&text).map_err(|error| failed(Problem::Text(error))),
        Err(OpenError::Absent) => Err(failed(Problem::Absent)),
        Err(OpenError::Refused(refusal)) => Err(failed(Problem::Distrusted(refusal))),
        Err(OpenError::System(error)) => Err(failed(Problem::Unreadable(error))),
    }
}

/// Why a policy file cannot be used.
#[derive(Debug)]
pub struct PolicyError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    /// What is written there.
    Text(FileError),
    /// It is not there.
    Absent,
    /// Others than root could have written it.
    Distrusted(Refusal),
    /// It cannot be read.
    Unreadable(io::Error),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.path.display())?;
        match &self.problem {
            Problem::Text(error) => error.fmt(out),
            Problem::Absent => out.write_str("it is not there"),
            Problem::Distrusted(Refusal::Type) => out.write_str("it is no ordinary file"),
            Problem::Distrusted(Refusal::Owner) => out.write_str("it does not belong to root"),
            Problem::Distrusted(Refusal::Mode) => out.write_str("others than root may write to it"),
            Problem::Distrusted(Refusal::Size) => out.write_str("it is too large"),
            Problem::Unreadable(error) => error.fmt(out),
        }
    }
}
