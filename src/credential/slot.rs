//! One slot of a state file, formats 1 and 2: text <-> bytes (`docs/file-format.md`).
//!
//! A slot is 4096 bytes: a header line, a small TOML body, newlines to the end. The header carries a
//! sequence number and a digest over user name, format, sequence and the rest of the slot, so a torn
//! slot, or one that belongs to another user, is never taken for a whole one.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::state::State;
use super::state_text;
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

/// A slot whose digest is right.
struct Whole<'bytes> {
    sequence: u64,
    body: &'bytes str,
}

/// What a slot is that is not whole.
enum NotWhole {
    Blank,
    Invalid,
    OtherFormat,
}

impl From<NotWhole> for Slot {
    fn from(what: NotWhole) -> Self {
        match what {
            NotWhole::Blank => Self::Blank,
            NotWhole::Invalid => Self::Invalid,
            NotWhole::OtherFormat => Self::OtherFormat,
        }
    }
}

impl Whole<'_> {
    fn understood(&self) -> Option<Sequenced> {
        Some(Sequenced { sequence: self.sequence, state: state_text::read(self.body)? })
    }
}

/// The state that the two slots of a user's state file hold together: [`choose`] of what both are, but of two whole
/// ones only the later is understood, for that takes the longest.
pub fn read(user: &UserName, first: &[u8], second: &[u8]) -> Result<Chosen, NoState> {
    if let (Ok(a), Ok(b)) = (open(user, first), open(user, second)) {
        let (later, place) = if a.sequence >= b.sequence { (a, Place::First) } else { (b, Place::Second) };
        if let Some(current) = later.understood() {
            return Ok(chosen(current, place, false));
        }
    }
    choose(decode(user, first), decode(user, second))
}

/// Reads a slot of a user's state file.
pub fn decode(user: &UserName, bytes: &[u8]) -> Slot {
    match open(user, bytes) {
        Ok(whole) => whole.understood().map_or(Slot::Invalid, Slot::Valid),
        Err(what) => what.into(),
    }
}

/// The parts of a whole slot; or what it is else.
fn open<'bytes>(user: &UserName, bytes: &'bytes [u8]) -> Result<Whole<'bytes>, NotWhole> {
    if bytes.len() == SIZE && bytes.iter().all(|byte| *byte == b'\n') {
        return Err(NotWhole::Blank);
    }
    // The padding says nothing, and to understand it takes longer than all the rest.
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'\n').count();
    let text = std::str::from_utf8(bytes).map_err(|_| NotWhole::Invalid)?;
    let (header, rest) = text.split_once('\n').ok_or(NotWhole::Invalid)?;
    let mut words = header.split(' ');
    let (Some(MAGIC), Some(format), Some(sequence), Some(digest), None) =
        (words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return Err(NotWhole::Invalid);
    };
    if bytes.len() != SIZE || digest != digest_of(user, format, sequence, rest) {
        return Err(NotWhole::Invalid);
    }
    if format != FORMAT && format != FORMER_FORMAT {
        return Err(NotWhole::OtherFormat);
    }
    let body = rest.get(..rest.len().saturating_sub(padding)).ok_or(NotWhole::Invalid)?;
    Ok(Whole { sequence: sequence.parse().map_err(|_| NotWhole::Invalid)?, body })
}

/// Writes a slot. `None` when it would not read back as the same, so that nothing is ever written
/// that the next login could not read.
pub fn encode(user: &UserName, current: &Sequenced) -> Option<Vec<u8>> {
    let sequence = current.sequence.to_string();
    let digits = DIGEST_DIGITS;
    let header = format!("{MAGIC} {FORMAT} {sequence} {:digits$}\n", "").len();
    let mut rest = state_text::write(&current.state, SIZE)?;
    let padding = SIZE.saturating_sub(header + rest.len());
    rest.extend(std::iter::repeat_n('\n', padding));
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

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
