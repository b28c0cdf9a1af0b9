//! Why setup went no further.

use crate::backup::Problem;

/// Why setup stopped before it changed anything, or took back what it had changed.
#[derive(Debug)]
pub enum Stop {
    /// It has a reason, and something can be done about it.
    Said {
        /// The reason.
        what: String,
        /// What to do.
        mend: String,
    },
    /// The way back cannot be kept, or not be gone.
    WayBack(Problem),
}

impl Stop {
    /// A reason and what to do about it.
    pub(super) fn said(what: impl Into<String>, mend: impl Into<String>) -> super::Error {
        super::Error::Setup(Box::new(Self::Said { what: what.into(), mend: mend.into() }))
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> &str {
        match self {
            Self::Said { mend, .. } => mend,
            Self::WayBack(problem) => problem.mend(),
        }
    }

    /// Whether it was refused, and did not fail.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Said { .. } | Self::WayBack(Problem::ChangedSince(_)))
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Said { what, .. } => out.write_str(what),
            Self::WayBack(problem) => problem.fmt(out),
        }
    }
}

impl From<Problem> for super::Error {
    fn from(problem: Problem) -> Self {
        Self::Setup(Box::new(Stop::WayBack(problem)))
    }
}
