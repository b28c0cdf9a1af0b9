//! The state of one user: what logins have used up and what failed. It holds no secret.
//!
//! Every list has a cap, so that a state always fits its slot.

use std::fmt;

/// The most time steps by which a device's clock may be learned to be off.
pub const MOST_DRIFT: u8 = 10;
/// The highest counter (RFC 4226) whose code is taken, 2^63 − 2: the next one must be a number that TOML can hold.
pub const LAST_COUNTER: u64 = (1 << 63) - 2;
/// The most keys remembered: those in use and those removed.
pub const MOST_KEYS: usize = 16;
/// The most sources that have a budget of their own.
pub const MOST_KNOWN_SOURCES: usize = 8;
/// The counters that all other sources fall into.
pub const COUNTERS: usize = 16;
/// The most sets of recovery codes that are vouched for.
pub const MOST_RECOVERY_SETS: usize = 3;
/// The most logins that are remembered.
pub const MOST_REMEMBERED: usize = 8;
/// The longest text of a source, in bytes.
pub const LONGEST_SOURCE: usize = 64;

/// The text of the source that cannot be named.
const NOWHERE: &str = "none:";

/// The first 16 hex digits of the digest of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName(pub [u8; 8]);

impl KeyName {
    /// The name for a SHA-256 digest.
    pub fn from_digest(digest: &[u8; 32]) -> Self {
        Self(digest.first_chunk().copied().unwrap_or_default())
    }
}

/// What one key has used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Whose record this is.
    pub key: KeyName,
    /// The lowest time step (RFC 6238) or counter (RFC 4226) that can still be accepted.
    pub next: u64,
    /// By how many time steps the device's clock is ahead of ours, −10 to 10.
    pub drift: i8,
    /// To which side of the drift the last accepted code was off: −1, 0 or 1.
    pub lean: i8,
}

/// Consecutive failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many since the last success.
    pub count: u32,
    /// When the last one was, in seconds since 1970.
    pub last: u64,
}

/// Wrong codes between two logins, for telling their owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub count: u32,
    /// When the first one was, in seconds since 1970.
    pub first: u64,
    /// Where the last one came from.
    pub last_from: SourceName,
}

impl Refused {
    /// None.
    pub fn none() -> Self {
        Self { count: 0, first: 0, last_from: SourceName::nowhere() }
    }
}

/// Where an attempt comes from, as a tagged text such as `addr:192.0.2.7`, at most 64 bytes of
/// printable ASCII without quotes or backslashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceName(String);

impl SourceName {
    /// A source, if the text can be one.
    pub fn new(text: String) -> Option<Self> {
        let fits = (1..=LONGEST_SOURCE).contains(&text.len());
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
        (fits && plain).then_some(Self(text))
    }

    /// The source of an attempt that cannot be said to come from anywhere: never known.
    pub fn nowhere() -> Self {
        Self(NOWHERE.to_owned())
    }

    /// Whether this is [`SourceName::nowhere`].
    pub fn is_nowhere(&self) -> bool {
        self.0 == NOWHERE
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A source that has logged in before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSource {
    /// Which.
    pub source: SourceName,
    /// What failed from there since.
    pub failures: Failures,
    /// When it last logged in, in seconds since 1970.
    pub accepted: u64,
    /// Logins from there after which no code need be asked for a while, the newest last. All sources
    /// together have at most [`MOST_REMEMBERED`].
    pub remembered: Vec<Remembered>,
}

/// A login that was let in by a code and may be let in again without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// A digest of what must be the same, under the key of the counters.
    pub place: [u8; 8],
    /// When the code was taken, in seconds since 1970.
    pub since: u64,
}

/// A set of recovery codes that the state vouches for, and what is used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VouchedSet {
    /// The first 8 bytes of its salt.
    pub name: [u8; 8],
    /// The first 8 bytes of the digest of each code used.
    pub used: Vec<[u8; 8]>,
}

/// Which recovery codes are used up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryRecord {
    /// The last sets, the newest at the end. Codes of any other set are refused. Former sets stay, so
    /// that a credential that is put back does not bring back codes that were used.
    pub sets: Vec<VouchedSet>,
    /// Wrong recovery codes since the last good one.
    pub failures: u32,
}

impl RecoveryRecord {
    /// The record of a set.
    pub fn set(&self, name: [u8; 8]) -> Option<&VouchedSet> {
        self.sets.iter().find(|set| set.name == name)
    }

    /// The record of a set, to write to.
    pub fn set_mut(&mut self, name: [u8; 8]) -> Option<&mut VouchedSet> {
        self.sets.iter_mut().find(|set| set.name == name)
    }

    /// Makes the codes of a set good, but none that was used before, and the set the newest one. The
    /// oldest set makes room.
    pub fn vouch_for(&mut self, name: [u8; 8]) {
        let former = self.sets.iter().position(|set| set.name == name).map(|place| self.sets.remove(place));
        if self.sets.len() >= MOST_RECOVERY_SETS {
            self.sets.remove(0);
        }
        self.sets.push(former.unwrap_or(VouchedSet { name, used: Vec::new() }));
    }
}

/// All that logins remember of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// When it was last written, in seconds since 1970: tells a clock that was set back.
    pub written: u64,
    /// The random key of the hash that spreads unknown sources over the counters.
    pub counter_key: [u8; 16],
    /// At most [`MOST_KEYS`].
    pub keys: Vec<KeyRecord>,
    /// Recovery codes.
    pub recovery: RecoveryRecord,
    /// At most [`MOST_KNOWN_SOURCES`].
    pub known: Vec<KnownSource>,
    /// Failures of all sources that are not known.
    pub counters: [Failures; COUNTERS],
    /// When the machine was started by the clock of the last remembered login, in seconds since 1970. By
    /// another clock, or after another start, none is good.
    pub booted: u64,
    /// Wrong codes since the last login by a code.
    pub refused: Refused,
    /// Wrong codes between the last two logins.
    pub refused_before: Refused,
}

impl State {
    /// The state of a user about whom nothing is known: no key has a record yet.
    pub fn new(counter_key: [u8; 16], now: u64) -> Self {
        Self {
            written: now,
            counter_key,
            keys: Vec::new(),
            recovery: RecoveryRecord::default(),
            known: Vec::new(),
            counters: [Failures::default(); COUNTERS],
            booted: 0,
            refused: Refused::none(),
            refused_before: Refused::none(),
        }
    }

    /// Makes nothing good of which it is not known whether it was used: no key has a record any more, no
    /// recovery code is vouched for, and no login is remembered. Failures and sources stay.
    pub fn vouch_for_nothing(&mut self) {
        self.keys.clear();
        self.recovery.sets.clear();
        self.forget_logins();
    }

    /// Remembers no login any more: the next one from anywhere is asked for a code.
    pub fn forget_logins(&mut self) {
        self.known.iter_mut().for_each(|source| source.remembered.clear());
        self.booted = 0;
    }

    /// The record of a key.
    pub fn key(&self, key: KeyName) -> Option<&KeyRecord> {
        self.keys.iter().find(|record| record.key == key)
    }

    /// The record of a key, to write to.
    pub fn key_mut(&mut self, key: KeyName) -> Option<&mut KeyRecord> {
        self.keys.iter_mut().find(|record| record.key == key)
    }

    /// Puts a record in place of the key's former one.
    ///
    /// When all places are taken, the record that is not in `in_use` and has been still the longest
    /// makes room. That forgets nothing that matters: a key without a record starts with its window
    /// burned.
    pub fn put_key(&mut self, record: KeyRecord, in_use: &[KeyName]) {
        if let Some(former) = self.key_mut(record.key) {
            *former = record;
            return;
        }
        if self.keys.len() >= MOST_KEYS {
            let oldest = self
                .keys
                .iter()
                .enumerate()
                .filter(|(_, old)| !in_use.contains(&old.key))
                .min_by_key(|(_, old)| old.next)
                .map(|(place, _)| place);
            if let Some(place) = oldest {
                self.keys.remove(place);
            }
        }
        self.keys.push(record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u8) -> KeyRecord {
        KeyRecord { key: KeyName([number; 8]), next: u64::from(number), drift: 0, lean: 0 }
    }

    #[test]
    fn keys_in_use_are_never_forgotten() {
        let mut state = State::new([0; 16], 0);
        let in_use = [KeyName([0; 8]), KeyName([40; 8])];
        for number in 0..=40 {
            state.put_key(record(number), &in_use);
        }
        assert_eq!(state.keys.len(), MOST_KEYS);
        assert!(state.key(KeyName([0; 8])).is_some());
        assert!(state.key(KeyName([40; 8])).is_some());
        assert!(state.key(KeyName([1; 8])).is_none());
    }

    #[test]
    fn a_source_is_short_and_printable() {
        assert!(SourceName::new("addr:192.0.2.7".to_owned()).is_some());
        for text in ["", "a b", "a\"b", "a\nb", "a\\b", "é"] {
            assert!(SourceName::new(text.to_owned()).is_none(), "{text:?}");
        }
        assert!(SourceName::new("x".repeat(65)).is_none());
    }
}
