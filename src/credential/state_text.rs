//! The body of a slot: a small TOML text <-> a state, within its caps.

use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use serde::Deserialize;

use super::state::{
    COUNTERS, Failures, KeyName, KeyRecord, KnownSource, MOST_DRIFT, MOST_KEYS, MOST_KNOWN_SOURCES,
    MOST_RECOVERY_SETS, MOST_REMEMBERED, RecoveryRecord, Refused, Remembered, SourceName, State, VouchedSet,
};
use crate::otp::recovery::CODES_IN_A_SET;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    written: u64,
    counter_key: String,
    keys: Vec<(String, u64, i8, i8)>,
    recovery_sets: Vec<(String, Vec<String>)>,
    recovery_failures: u32,
    known: Vec<(String, u32, u64, u64)>,
    counters: Vec<(u32, u64)>,
    #[serde(default)]
    booted: u64,
    /// The number of a known source, the place, since when.
    #[serde(default)]
    remembered: Vec<(usize, String, u64)>,
    refused: Option<(u32, u64, String)>,
    refused_before: Option<(u32, u64, String)>,
}

/// Reads a body. `None` where it is none, or beyond a cap.
pub(super) fn read(body: &str) -> Option<State> {
    state_of(&toml::from_str(body).ok()?)
}

/// The body's text. All values are numbers, hex digits or plain source names: nothing to escape.
pub(super) fn write(state: &State, capacity: usize) -> Option<String> {
    let mut text = String::with_capacity(capacity);
    writeln!(text, "written = {}", number(state.written)).ok()?;
    writeln!(text, "counter_key = \"{}\"", HEXLOWER.encode(&state.counter_key)).ok()?;
    writeln!(text, "keys = [").ok()?;
    for KeyRecord { key, next, drift, lean } in &state.keys {
        writeln!(text, "[\"{}\", {}, {drift}, {lean}],", HEXLOWER.encode(&key.0), number(*next)).ok()?;
    }
    writeln!(text, "]").ok()?;
    writeln!(text, "recovery_sets = [").ok()?;
    for VouchedSet { name, used } in &state.recovery.sets {
        let used: Vec<_> = used.iter().map(|used| format!("\"{}\"", HEXLOWER.encode(used))).collect();
        writeln!(text, "[\"{}\", [{}]],", HEXLOWER.encode(name), used.join(", ")).ok()?;
    }
    writeln!(text, "]\nrecovery_failures = {}", state.recovery.failures).ok()?;
    writeln!(text, "known = [").ok()?;
    for KnownSource { source, failures, accepted, .. } in &state.known {
        let (count, last, accepted) = (failures.count, number(failures.last), number(*accepted));
        writeln!(text, "[\"{source}\", {count}, {last}, {accepted}],").ok()?;
    }
    writeln!(text, "]\ncounters = [").ok()?;
    for Failures { count, last } in &state.counters {
        writeln!(text, "[{count}, {}],", number(*last)).ok()?;
    }
    writeln!(text, "]\nbooted = {}\nremembered = [", number(state.booted)).ok()?;
    for (source, known) in state.known.iter().enumerate() {
        for Remembered { place, since } in &known.remembered {
            writeln!(text, "[{source}, \"{}\", {}],", HEXLOWER.encode(place), number(*since)).ok()?;
        }
    }
    writeln!(text, "]").ok()?;
    for (key, refused) in [("refused", &state.refused), ("refused_before", &state.refused_before)] {
        let Refused { count, first, last_from } = refused;
        writeln!(text, "{key} = [{count}, {}, \"{last_from}\"]", number(*first)).ok()?;
    }
    Some(text)
}

/// A number as TOML can hold it: up to 2^63 − 1.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn state_of(raw: &RawState) -> Option<State> {
    let state = State {
        written: raw.written,
        counter_key: from_hex(&raw.counter_key)?,
        keys: raw
            .keys
            .iter()
            .map(|(key, next, drift, lean)| {
                Some(KeyRecord { key: KeyName(from_hex(key)?), next: *next, drift: *drift, lean: *lean })
            })
            .collect::<Option<_>>()?,
        recovery: RecoveryRecord {
            sets: raw.recovery_sets.iter().map(vouched_set).collect::<Option<_>>()?,
            failures: raw.recovery_failures,
        },
        known: known_sources(raw)?,
        counters: counters(&raw.counters)?,
        booted: raw.booted,
        refused: refused(raw.refused.as_ref())?,
        refused_before: refused(raw.refused_before.as_ref())?,
    };
    within_caps(&state).then_some(state)
}

fn vouched_set((name, used): &(String, Vec<String>)) -> Option<VouchedSet> {
    let used = used.iter().map(|used| from_hex(used)).collect::<Option<_>>()?;
    Some(VouchedSet { name: from_hex(name)?, used })
}

fn known_sources(raw: &RawState) -> Option<Vec<KnownSource>> {
    let mut known: Vec<_> = raw.known.iter().map(known_source).collect::<Option<_>>()?;
    for (source, place, since) in &raw.remembered {
        let place = from_hex(place)?;
        known.get_mut(*source)?.remembered.push(Remembered { place, since: *since });
    }
    Some(known)
}

fn known_source((source, count, last, accepted): &(String, u32, u64, u64)) -> Option<KnownSource> {
    let source = SourceName::new(source.clone())?;
    let failures = Failures { count: *count, last: *last };
    Some(KnownSource { source, failures, accepted: *accepted, remembered: Vec::new() })
}

fn refused(raw: Option<&(u32, u64, String)>) -> Option<Refused> {
    let Some((count, first, last_from)) = raw else { return Some(Refused::none()) };
    Some(Refused { count: *count, first: *first, last_from: SourceName::new(last_from.clone())? })
}

fn counters(raw: &[(u32, u64)]) -> Option<[Failures; COUNTERS]> {
    let counters: Vec<_> = raw.iter().map(|(count, last)| Failures { count: *count, last: *last }).collect();
    counters.try_into().ok()
}

fn within_caps(state: &State) -> bool {
    state.keys.len() <= MOST_KEYS
        && state
            .keys
            .iter()
            .all(|record| record.drift.abs_diff(0) <= MOST_DRIFT && record.lean.abs_diff(0) <= 1)
        && state.known.len() <= MOST_KNOWN_SOURCES
        && state.known.iter().map(|known| known.remembered.len()).sum::<usize>() <= MOST_REMEMBERED
        && state.recovery.sets.len() <= MOST_RECOVERY_SETS
        && state.recovery.sets.iter().all(|set| set.used.len() <= CODES_IN_A_SET)
}

fn from_hex<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}
