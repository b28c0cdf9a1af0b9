//! What a person types: a code of 6 to 8 digits or a recovery code, told apart by shape.
//!
//! Phones show codes with a space in the middle, input methods write full-width digits, people copy
//! dashes: all of that is the same code, so it is normalised before anything is compared or counted.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::ending::Ending;
use super::recovery::RecoveryCode;

/// The longest reply looked at, in bytes. PAM allows 512; a passcode needs far fewer.
const LONGEST_REPLY: usize = 128;

/// The length of a code: 6, 7 or 8 digits (RFC 4226 §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Digits {
    /// Six digits, which every app shows.
    Six,
    /// Seven digits.
    Seven,
    /// Eight digits.
    Eight,
}

impl Digits {
    /// The length as a number, if it is one that is allowed.
    pub fn new(number: u8) -> Option<Self> {
        match number {
            6 => Some(Self::Six),
            7 => Some(Self::Seven),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    /// 6, 7 or 8.
    pub fn number(self) -> u8 {
        match self {
            Self::Six => 6,
            Self::Seven => 7,
            Self::Eight => 8,
        }
    }

    /// 10 to the power of the number of digits (RFC 4226 §5.3, step 3).
    pub(super) fn modulus(self) -> u32 {
        match self {
            Self::Six => 1_000_000,
            Self::Seven => 10_000_000,
            Self::Eight => 100_000_000,
        }
    }
}

/// A one-time code: its value and how many digits it was written with.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Code {
    value: u32,
    #[zeroize(skip)]
    digits: Digits,
}

impl Code {
    /// A code of a value below 10 to the power of `digits`; a larger one is reduced.
    pub fn new(value: u32, digits: Digits) -> Self {
        let value = value.checked_rem(digits.modulus()).unwrap_or(0);
        Self { value, digits }
    }

    /// How many digits it has.
    pub fn digits(&self) -> Digits {
        self.digits
    }

    /// The code as a person reads it, with its leading zeros.
    pub fn to_text(&self) -> Zeroizing<String> {
        let width = usize::from(self.digits.number());
        Zeroizing::new(format!("{:0width$}", self.value))
    }

    fn from_digits(text: &str) -> Option<Self> {
        let digits = Digits::new(u8::try_from(text.len()).ok()?)?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self::new(text.parse().ok()?, digits))
    }
}

impl ConstantTimeEq for Code {
    /// Equal in value and in length. The length is no secret.
    fn ct_eq(&self, other: &Self) -> Choice {
        let same_length = Choice::from(u8::from(self.digits == other.digits));
        self.value.ct_eq(&other.value) & same_length
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Code(..)")
    }
}

/// What a person typed at the prompt, once it has one of the two shapes.
#[derive(Clone, Debug)]
pub enum Passcode {
    /// 6 to 8 digits.
    Code(Code),
    /// 16 characters of Crockford's base32.
    Recovery(RecoveryCode),
    /// One of them behind a password. Never what a reply is read as by itself.
    Ending(Ending),
}

impl Passcode {
    /// Reads a reply. `None` when it has neither shape: a password typed out of habit, an empty
    /// reply, what sshd sends in the name of an unknown user.
    pub fn parse(reply: &[u8]) -> Option<Self> {
        if reply.len() > LONGEST_REPLY {
            return None;
        }
        let typed = normalised(std::str::from_utf8(reply).ok()?);
        Code::from_digits(&typed)
            .map(Self::Code)
            .or_else(|| RecoveryCode::from_characters(&typed).map(Self::Recovery))
    }
}

/// Drops separators and turns full-width characters into ASCII.
fn normalised(typed: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(typed.len()));
    for character in typed.chars() {
        match character {
            '-'
            | '\u{2010}'..='\u{2015}'
            | '\u{2212}'
            | '\u{FF0D}'
            | '\u{200B}'
            | '\u{2060}'
            | '\u{FEFF}' => {}
            space if space.is_whitespace() => {}
            '\u{FF01}'..='\u{FF5E}' => text.extend(half_width(character)),
            other => text.push(other),
        }
    }
    text
}

/// The ASCII character that a full-width one (U+FF01 to U+FF5E) stands for.
fn half_width(character: char) -> Option<char> {
    char::from_u32(u32::from(character).checked_sub(0xFEE0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(reply: &str) -> Option<String> {
        match Passcode::parse(reply.as_bytes())? {
            Passcode::Code(code) => Some(code.to_text().to_string()),
            Passcode::Recovery(_) | Passcode::Ending(_) => None,
        }
    }

    #[test]
    fn a_code_is_the_same_however_it_is_spaced() {
        for reply in ["012345", "012 345", " 012-345\r\n", "０１２３４５", "012\u{a0}345", "01–23–45"]
        {
            assert_eq!(code(reply).as_deref(), Some("012345"), "{reply:?}");
        }
        assert_eq!(code("1234567").as_deref(), Some("1234567"));
        assert_eq!(code("00000008").as_deref(), Some("00000008"));
    }

    #[test]
    fn neither_shape_is_no_passcode() {
        for reply in ["", " ", "12345", "123456789", "+12345", "12345a", "correct horse", "١٢٣٤٥٦"] {
            assert!(Passcode::parse(reply.as_bytes()).is_none(), "{reply:?}");
        }
        assert!(Passcode::parse(b"\x08\n\r\x7fINCORRECT\x08\n\r").is_none());
        assert!(Passcode::parse(&[b'1'; 4096]).is_none());
        assert!(Passcode::parse(b"12345\xff").is_none());
        assert!(Passcode::parse(b"12345\0").is_none());
    }

    #[test]
    fn sixteen_characters_are_a_recovery_code() {
        for reply in ["0123-4567-89AB-CDEF", "0123 4567 89ab cdef", "0123456789012345"] {
            assert!(matches!(Passcode::parse(reply.as_bytes()), Some(Passcode::Recovery(_))));
        }
    }

    #[test]
    fn codes_of_different_length_differ() {
        let short = Code::new(12345, Digits::Six);
        let long = Code::new(12345, Digits::Seven);
        assert!(!bool::from(short.ct_eq(&long)));
        assert_eq!(format!("{short:?}"), "Code(..)");
    }
}
