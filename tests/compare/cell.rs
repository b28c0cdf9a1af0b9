//! What one step showed of one module.

use std::fmt::{self, Display};

/// The end of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Holds,
    DoesNotHold,
    HasNone,
    Measured,
}

/// A verdict and the figure it rests on.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) verdict: Verdict,
    figure: String,
}

impl Cell {
    /// It holds if that is so, by this figure.
    pub(crate) fn holds_if(holds: bool, figure: impl Into<String>) -> Self {
        let verdict = if holds { Verdict::Holds } else { Verdict::DoesNotHold };
        Self { verdict, figure: figure.into() }
    }

    /// The module has nothing that the step could be tried with.
    pub(crate) fn has_none(what: &str) -> Self {
        Self { verdict: Verdict::HasNone, figure: what.to_owned() }
    }

    /// A figure without a verdict.
    pub(crate) fn measured(figure: String) -> Self {
        Self { verdict: Verdict::Measured, figure }
    }
}

impl Display for Cell {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verdict, figure } = self;
        match verdict {
            Verdict::Holds => write!(out, "holds: {figure}"),
            Verdict::DoesNotHold => write!(out, "**does not hold**: {figure}"),
            Verdict::HasNone => write!(out, "has none: {figure}"),
            Verdict::Measured => write!(out, "{figure}"),
        }
    }
}
