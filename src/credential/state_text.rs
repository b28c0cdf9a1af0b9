//! The body of a slot: a small TOML text <-> a state, within its caps.

use std::fmt::Write as _;

use data_encoding::HEXLOWER;

use super::state::{
    COUNTERS, Failures, KeyName, KeyRecord, KnownSource, MOST_DRIFT, MOST_KEYS, MOST_KNOWN_SOURCES,
    MOST_RECOVERY_SETS, MOST_REMEMBERED, RecoveryRecord, Refused, Remembered, SourceName, State, VouchedSet,
};
use crate::document::{Document, Misfit, Table, Value};
use crate::otp::recovery::CODES_IN_A_SET;

/// Of a state of format 1 the last four are not there.
const KEYS: [&str; 11] = [
    "written",
    "counter_key",
    "keys",
    "recovery_sets",
    "recovery_failures",
    "known",
    "counters",
    "booted",
    "remembered",
    "refused",
    "refused_before",
];

/// Reads a body. `None` where it is none, or beyond a cap.
pub(super) fn read(body: &str) -> Option<State> {
    let document = Document::parse(body).ok()?;
    state_of(document.table()).ok().filter(within_caps)
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

fn state_of(body: Table<'_>) -> Result<State, Misfit> {
    body.has_only(&KEYS)?;
    Ok(State {
        written: body.need("written")?.number()?,
        counter_key: hex(body.need("counter_key")?)?,
        keys: body.need("keys")?.list()?.map(key_record).collect::<Result<_, _>>()?,
        recovery: RecoveryRecord {
            sets: body.need("recovery_sets")?.list()?.map(vouched_set).collect::<Result<_, _>>()?,
            failures: body.need("recovery_failures")?.number()?,
        },
        known: known_sources(body)?,
        counters: counters(body.need("counters")?)?,
        booted: body.get("booted").map(Value::number).transpose()?.unwrap_or(0),
        refused: refused(body.get("refused"))?,
        refused_before: refused(body.get("refused_before"))?,
    })
}

fn key_record(written: Value<'_>) -> Result<KeyRecord, Misfit> {
    let [key, next, drift, lean] = written.row()?;
    Ok(KeyRecord {
        key: KeyName(hex(key)?),
        next: next.number()?,
        drift: drift.number()?,
        lean: lean.number()?,
    })
}

fn vouched_set(written: Value<'_>) -> Result<VouchedSet, Misfit> {
    let [name, used] = written.row()?;
    Ok(VouchedSet { name: hex(name)?, used: used.list()?.map(hex).collect::<Result<_, _>>()? })
}

fn known_sources(body: Table<'_>) -> Result<Vec<KnownSource>, Misfit> {
    let mut known: Vec<KnownSource> =
        body.need("known")?.list()?.map(known_source).collect::<Result<_, _>>()?;
    let Some(remembered) = body.get("remembered") else { return Ok(known) };
    for login in remembered.list()? {
        // The number of a known source, the place, since when.
        let [source, place, since] = login.row()?;
        let known = known.get_mut(source.number::<usize>()?);
        let known = known.ok_or_else(|| source.misfit("there is no such source"))?;
        known.remembered.push(Remembered { place: hex(place)?, since: since.number()? });
    }
    Ok(known)
}

fn known_source(written: Value<'_>) -> Result<KnownSource, Misfit> {
    let [source, count, last, accepted] = written.row()?;
    Ok(KnownSource {
        source: source_name(source)?,
        failures: Failures { count: count.number()?, last: last.number()? },
        accepted: accepted.number()?,
        remembered: Vec::new(),
    })
}

fn counters(written: Value<'_>) -> Result<[Failures; COUNTERS], Misfit> {
    let mut counters = [Failures { count: 0, last: 0 }; COUNTERS];
    for (counter, written) in counters.iter_mut().zip(written.row::<COUNTERS>()?) {
        let [count, last] = written.row()?;
        *counter = Failures { count: count.number()?, last: last.number()? };
    }
    Ok(counters)
}

fn refused(written: Option<Value<'_>>) -> Result<Refused, Misfit> {
    let Some(written) = written else { return Ok(Refused::none()) };
    let [count, first, last_from] = written.row()?;
    Ok(Refused { count: count.number()?, first: first.number()?, last_from: source_name(last_from)? })
}

fn source_name(written: Value<'_>) -> Result<SourceName, Misfit> {
    SourceName::new(written.text()?.to_owned()).ok_or_else(|| written.misfit("this names no source"))
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

fn hex<const BYTES: usize>(written: Value<'_>) -> Result<[u8; BYTES], Misfit> {
    let bytes = HEXLOWER.decode(written.text()?.as_bytes()).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| written.misfit("these are no such hex digits"))
}
