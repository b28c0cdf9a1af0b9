//! Bounded guessing (RFC 4226 §7.3, SP 800-63B §5.2.2): failures are counted per source, and codes
//! from a source that fails are refused for a while, then for good.
//!
//! A source that has logged in before has a budget of its own. All others share 16 counters, chosen
//! by a hash that nobody outside can compute: changing addresses gives no new budget, and no failure
//! ever makes another one forgotten.

use sha2::{Digest, Sha256};

use super::denial::Denial;
use crate::credential::state::{COUNTERS, MOST_KNOWN_SOURCES};
use crate::credential::{Failures, KnownSource, SourceName, State};

/// Failures that cost no wait.
pub const FREE_FAILURES: u32 = 5;
/// The wait after the last free failure, in seconds; it doubles with each further one.
pub const FIRST_WAIT: u64 = 30;
/// The longest wait, in seconds.
pub const LONGEST_WAIT: u64 = 15 * 60;
/// Consecutive failures after which codes are refused until something stronger than a code comes.
pub const CAP: u32 = 100;
/// How long a source stays known after its last login, in seconds.
pub const KNOWN_FOR: u64 = 30 * 24 * 60 * 60;

/// Whether codes from a source are taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They are.
    Free,
    /// Not for this many seconds, at least one.
    Wait(u64),
    /// Not until a recovery code, an administrator, or a new enrolment lifts it.
    Capped,
}

/// Whether codes from `source` are taken at `now`.
pub fn standing(state: &State, source: &SourceName, now: u64) -> Standing {
    let (failures, counted) = match known(state, source) {
        Some(place) => (place.failures, place.failures.count),
        None => (counter(state, source), count_of_strangers(state)),
    };
    if counted >= CAP {
        return Standing::Capped;
    }
    Standing::after(failures, now)
}

/// The worst of how sources stand that are not known. Which of them it is nobody can say: the counters hold
/// no names.
pub fn standing_of_strangers(state: &State, now: u64) -> Standing {
    if count_of_strangers(state) >= CAP {
        return Standing::Capped;
    }
    let standings = state.counters.iter().map(|failures| Standing::after(*failures, now));
    standings.max_by_key(|standing| standing.seconds()).unwrap_or(Standing::Free)
}

impl Standing {
    fn after(failures: Failures, now: u64) -> Self {
        let passed = now.saturating_sub(failures.last);
        match wait_after(failures.count).saturating_sub(passed) {
            0 => Self::Free,
            left => Self::Wait(left),
        }
    }

    /// Why a passcode is refused, whatever it is worth; nothing where it is not.
    pub(super) fn admits(self) -> Result<(), Denial> {
        match self {
            Self::Free => Ok(()),
            Self::Wait(seconds) => Err(Denial::BackedOff { seconds }),
            Self::Capped => Err(Denial::Capped),
        }
    }

    /// For how many seconds more codes are refused; `None` where no time ends it.
    pub fn seconds(self) -> Option<u64> {
        match self {
            Self::Free => Some(0),
            Self::Wait(seconds) => Some(seconds),
            Self::Capped => None,
        }
    }
}

/// The wait that a number of consecutive failures earns, in seconds.
pub fn wait_after(count: u32) -> u64 {
    match count.checked_sub(FREE_FAILURES) {
        None => 0,
        Some(further) => 1_u64
            .checked_shl(further)
            .and_then(|factor| FIRST_WAIT.checked_mul(factor))
            .map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT)),
    }
}

/// Counts one failure of a source.
pub fn charge(state: &mut State, source: &SourceName, now: u64) {
    let number = counter_number(state, source);
    let own = state.known.iter_mut().find(|place| place.source == *source).map(|place| &mut place.failures);
    if let Some(failures) = own.or_else(|| state.counters.get_mut(number)) {
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
    }
}

/// After an accepted login: the source's failures are forgotten and it becomes known.
pub fn welcome(state: &mut State, source: &SourceName, now: u64) {
    if let Some(place) = state.known.iter_mut().find(|place| place.source == *source) {
        place.failures = Failures::default();
        place.accepted = now;
    } else {
        let number = counter_number(state, source);
        if let Some(counter) = state.counters.get_mut(number) {
            *counter = Failures::default();
        }
        if !source.is_nowhere() {
            make_known(state, source.clone(), now);
        }
    }
    forget_the_old(state, now);
}

/// Lifts the cap of a source, which a recovery code does.
pub fn lift_cap(state: &mut State, source: &SourceName) {
    if known(state, source).is_none() && count_of_strangers(state) >= CAP {
        state.counters = [Failures::default(); COUNTERS];
    }
}

/// Forgets all failures, as an administrator may order.
pub fn unlock(state: &mut State) {
    let of_known = state.known.iter_mut().map(|place| &mut place.failures);
    of_known.chain(&mut state.counters).for_each(|failures| *failures = Failures::default());
}

/// Lets failures dated after `now` count as of now, so that a clock that was ahead for a while
/// does not make anyone wait longer than [`LONGEST_WAIT`].
pub fn forget_future(state: &mut State, now: u64) {
    let of_known = state.known.iter_mut().map(|place| &mut place.failures);
    for failures in of_known.chain(&mut state.counters) {
        failures.last = failures.last.min(now);
    }
}

fn known<'a>(state: &'a State, source: &SourceName) -> Option<&'a KnownSource> {
    state.known.iter().find(|place| place.source == *source)
}

fn counter(state: &State, source: &SourceName) -> Failures {
    state.counters.get(counter_number(state, source)).copied().unwrap_or_default()
}

fn count_of_strangers(state: &State) -> u32 {
    state.counters.iter().fold(0, |sum: u32, counter| sum.saturating_add(counter.count))
}

/// Which counter an unknown source falls into.
fn counter_number(state: &State, source: &SourceName) -> usize {
    let mut hash = Sha256::new();
    hash.update(state.counter_key);
    hash.update(source.as_str());
    let digest: [u8; 32] = hash.finalize().into();
    digest.first().map_or(0, |byte| usize::from(*byte) % COUNTERS)
}

/// Enters a source; when all places are taken, the one that logged in the longest ago makes room.
fn make_known(state: &mut State, source: SourceName, now: u64) {
    if state.known.len() >= MOST_KNOWN_SOURCES {
        let oldest = state.known.iter().enumerate().min_by_key(|(_, place)| place.accepted);
        if let Some(number) = oldest.map(|(number, _)| number) {
            state.known.remove(number);
        }
    }
    let known = KnownSource { source, failures: Failures::default(), accepted: now, remembered: Vec::new() };
    state.known.push(known);
}

/// Drops sources that have not logged in for long; the newest always stays. A login dated after `now`
/// counts as of now, or a clock that was ahead would keep its sources for years.
fn forget_the_old(state: &mut State, now: u64) {
    state.known.iter_mut().for_each(|place| place.accepted = place.accepted.min(now));
    let newest = state.known.iter().map(|place| place.accepted).max();
    state
        .known
        .retain(|place| Some(place.accepted) == newest || now.saturating_sub(place.accepted) <= KNOWN_FOR);
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
