//! What a person is told after a login about those that failed before it.

use super::denial::Denial;
use crate::credential::{Refused, SourceName, State};

/// Notes in `state` what came of an attempt from `source` at `now`: a wrong code is one to tell of, and a
/// login is what the next notice is about.
pub(super) fn note<T>(state: &mut State, verdict: &Result<T, Denial>, source: &SourceName, now: u64) {
    match verdict {
        Err(Denial::WrongCode) => {
            let Refused { count, first, .. } = state.refused;
            let first = if count == 0 { now } else { first };
            state.refused = Refused { count: count.saturating_add(1), first, last_from: source.clone() };
        }
        Ok(_) => state.refused_before = std::mem::replace(&mut state.refused, Refused::none()),
        Err(_) => {}
    }
}
