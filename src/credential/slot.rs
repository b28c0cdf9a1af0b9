//! One slot of a state file, formats 1 and 2: text <-> bytes (`docs/file-format.md`).
//!
//! A slot is 4096 bytes: a header line, a small TOML body, newlines to the end. The header carries a
//! sequence number and a digest over user name, format, sequence and the rest of the slot, so a torn
//! slot, or one that belongs to another user, is never taken for a whole one.

use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::state::{
    COUNTERS, Failures, KeyName, KeyRecord, KnownSource, MOST_DRIFT, MOST_KEYS, MOST_KNOWN_SOURCES,
    MOST_RECOVERY_SETS, MOST_REMEMBERED, RecoveryRecord, Refused, Remembered, SourceName, State, VouchedSet,
};
use crate::otp::recovery::CODES_IN_A_SET;
use crate::user::UserName;

/// The size of a slot in bytes.
pub const SIZE: usize = 4096;
/// The first word of a slot.
const MAGIC: &str = "countersign-state";
/// The format that is written.
const FORMAT: &str = "2";
/// The format before it, which remembers no logins.
const FORMER_FORMAT: &str = "1";
/// Hex digits of the digest that the header carries.
const DIGEST_DIGITS: usize = 32;

/// What the bytes of a slot turn out to be.
#[expect(clippy::large_enum_variant, reason = "two of them live for a moment; a box would cost more")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Never written: newlines only.
    Blank,
    /// Whole.
    Valid(Sequenced),
    /// Torn by a crash, damaged, or another user's.
    Invalid,
    /// Written by a version that this one does not know.
    OtherFormat,
}

/// A state with the number of its writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequenced {
    /// Grows by one with each write.
    pub sequence: u64,
    /// What was written.
    pub state: State,
}

/// Which of the two slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the start of the file.
    First,
    /// 64 KiB into the file.
    Second,
}

impl Place {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// Where the slot begins, in bytes from the start of the file.
    pub fn offset(self) -> u64 {
        match self {
            Self::First => 0,
            Self::Second => 65_536,
        }
    }
}

/// The state that two slots hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The later of the whole ones.
    pub current: Sequenced,
    /// Where it was found; the next write goes to the other place.
    pub place: Place,
    /// Whether the other slot is damaged, which a crash during a write leaves behind.
    pub fell_back: bool,
}

/// Why two slots hold no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoState {
    /// Neither slot is whole.
    BothInvalid,
    /// The file is shorter or longer than two slots need.
    WrongSize,
    /// One was written by a later version.
    OtherFormat,
}

impl NoState {
    /// Whether nothing can be read of it any more, so that a new one may take its place. What a later version
    /// wrote is whole.
    pub fn is_damage(self) -> bool {
        match self {
            Self::BothInvalid | Self::WrongSize => true,
            Self::OtherFormat => false,
        }
    }
}

/// Takes the whole slot with the higher sequence.
pub fn choose(first: Slot, second: Slot) -> Result<Chosen, NoState> {
    match (first, second) {
        (Slot::OtherFormat, _) | (_, Slot::OtherFormat) => Err(NoState::OtherFormat),
        (Slot::Valid(a), Slot::Valid(b)) if a.sequence >= b.sequence => Ok(chosen(a, Place::First, false)),
        (Slot::Valid(_), Slot::Valid(b)) => Ok(chosen(b, Place::Second, false)),
        (Slot::Valid(a), other) => Ok(chosen(a, Place::First, other != Slot::Blank)),
        (other, Slot::Valid(b)) => Ok(chosen(b, Place::Second, other != Slot::Blank)),
        _ => Err(NoState::BothInvalid),
    }
}

fn chosen(current: Sequenced, place: Place, fell_back: bool) -> Chosen {
    Chosen { current, place, fell_back }
}

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

/// Reads a slot of a user's state file.
pub fn decode(user: &UserName, bytes: &[u8]) -> Slot {
    if bytes.len() == SIZE && bytes.iter().all(|byte| *byte == b'\n') {
        return Slot::Blank;
    }
    let Some((header, rest)) = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once('\n')) else {
        return Slot::Invalid;
    };
    let mut words = header.split(' ');
    let (Some(MAGIC), Some(format), Some(sequence), Some(digest), None) =
        (words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return Slot::Invalid;
    };
    if bytes.len() != SIZE || digest != digest_of(user, format, sequence, rest) {
        return Slot::Invalid;
    }
    if format != FORMAT && format != FORMER_FORMAT {
        return Slot::OtherFormat;
    }
    // The padding says nothing, and to understand it takes longer than all the rest.
    let body = rest.trim_end_matches('\n');
    let state = toml::from_str(body).ok().and_then(|raw: RawState| state_of(&raw));
    match (sequence.parse(), state) {
        (Ok(sequence), Some(state)) => Slot::Valid(Sequenced { sequence, state }),
        _ => Slot::Invalid,
    }
}

/// Writes a slot. `None` when it would not read back as the same, so that nothing is ever written
/// that the next login could not read.
pub fn encode(user: &UserName, current: &Sequenced) -> Option<Vec<u8>> {
    let sequence = current.sequence.to_string();
    let digits = DIGEST_DIGITS;
    let header = format!("{MAGIC} {FORMAT} {sequence} {:digits$}\n", "").len();
    let mut rest = body(&current.state)?;
    while header + rest.len() < SIZE {
        rest.push('\n');
    }
    let digest = digest_of(user, FORMAT, &sequence, &rest);
    let slot = format!("{MAGIC} {FORMAT} {sequence} {digest}\n{rest}").into_bytes();
    (decode(user, &slot) == Slot::Valid(current.clone())).then_some(slot)
}

fn digest_of(user: &UserName, format: &str, sequence: &str, rest: &str) -> String {
    let mut hash = Sha256::new();
    for part in [user.as_str(), format, sequence] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(rest);
    let mut hex = HEXLOWER.encode(&hash.finalize());
    hex.truncate(DIGEST_DIGITS);
    hex
}

/// The body's text. All values are numbers, hex digits or plain source names: nothing to escape.
fn body(state: &State) -> Option<String> {
    let mut text = String::with_capacity(SIZE);
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

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
