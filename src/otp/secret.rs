//! The secret that a user's device and this machine share (RFC 4226 §4, "shared secret").
//!
//! It wipes itself when dropped and does not print. Wiping is best effort: copies made on the stack
//! by the hash functions are beyond its reach.

use std::fmt;

use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// The shortest secret taken from outside, in bytes: 80 bits, as old tools made them.
pub const SHORTEST: usize = 10;
/// The longest secret taken, in bytes: the block of SHA-512, beyond which HMAC only hashes it.
pub const LONGEST: usize = 128;

/// A shared secret of 10 to 128 bytes.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SharedSecret(Vec<u8>);

/// Why a text is not a shared secret. It never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSecret {
    /// It is not base32 (RFC 4648 §6).
    NotBase32,
    /// It is not hex.
    NotHex,
    /// It is shorter than 80 bits.
    TooShort,
    /// It is longer than 1024 bits.
    TooLong,
}

impl fmt::Display for BadSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotBase32 => "the secret is not base32",
            Self::NotHex => "the secret is not hex",
            Self::TooShort => "the secret is shorter than 80 bits",
            Self::TooLong => "the secret is longer than 1024 bits",
        })
    }
}

impl SharedSecret {
    /// Takes raw bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadSecret> {
        if bytes.len() < SHORTEST {
            return Err(BadSecret::TooShort);
        }
        if bytes.len() > LONGEST {
            return Err(BadSecret::TooLong);
        }
        Ok(Self(bytes.to_vec()))
    }

    /// Reads base32 as people, apps and other programs write it: any case, with blanks or dashes, with or
    /// without padding at the end. Bits that are left over behind the last whole byte mean nothing, as in apps:
    /// 26 letters are 16 bytes, and the last letter may be any.
    pub fn from_base32(text: &str) -> Result<Self, BadSecret> {
        // Sized before anything is put in, so that growing leaves no copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
        let (mut buffer, mut bits) = (0_u16, 0_u8);
        let letters = text.trim_end_matches(|letter| letter == '=' || is_blank(letter));
        for letter in letters.chars().filter(|letter| *letter != '-' && !is_blank(*letter)) {
            buffer = (buffer & 0xff) << 5 | u16::from(base32_value(letter).ok_or(BadSecret::NotBase32)?);
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                let [_, byte] = (buffer >> bits).to_be_bytes();
                // One byte above the limit tells that the secret is too long; the rest is only checked.
                if bytes.len() <= LONGEST {
                    bytes.push(byte);
                }
            }
        }
        Self::from_bytes(&bytes)
    }

    /// Reads hex as makers of hardware tokens write it: any case, with spaces, dashes or colons between.
    pub fn from_hex(text: &str) -> Result<Self, BadSecret> {
        let mut digits = Zeroizing::new(String::with_capacity(text.len()));
        for digit in text.chars() {
            if !matches!(digit, ' ' | '-' | ':') {
                digits.push(digit);
            }
        }
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| BadSecret::NotHex)?;
        Self::from_bytes(&Zeroizing::new(bytes))
    }

    /// The secret as base32 in capitals without padding.
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(&self.0))
    }

    /// The secret's bytes, for the hash functions.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Blanks, and the return that a line of another system ends in.
fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r')
}

/// The five bits of a letter (RFC 4648 §6), in either case.
fn base32_value(letter: char) -> Option<u8> {
    match u8::try_from(letter).ok()?.to_ascii_uppercase() {
        letter @ b'A'..=b'Z' => Some(letter - b'A'),
        digit @ b'2'..=b'7' => Some(digit - b'2' + 26),
        _ => None,
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SharedSecret(..)")
    }
}

impl ConstantTimeEq for SharedSecret {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_read_as_people_write_it() {
        let secret = SharedSecret::from_base32("gezd gnbv-gy3t qojq").unwrap();
        assert_eq!(secret.as_bytes(), b"1234567890");
        assert_eq!(*secret.to_base32(), "GEZDGNBVGY3TQOJQ");
        assert!(SharedSecret::from_base32("GEZDGNBVGY3TQOJQGE======").is_ok());
        assert!(SharedSecret::from_base32("\tGEZDGNBV GY3TQOJQ\r").is_ok());
    }

    #[test]
    fn bits_left_over_behind_the_last_byte_mean_nothing() {
        let read = |text: &str| SharedSecret::from_base32(text).unwrap();
        // 128 bits make 26 letters, the last of which holds two more bits.
        assert_eq!(
            read("ABCDEFGHIJKLMNOPQRSTUVWXYZ").as_bytes(),
            read("ABCDEFGHIJKLMNOPQRSTUVWXYY").as_bytes()
        );
        assert_eq!(read("ABCDEFGHIJKLMNOPQRSTUVWXYZ").as_bytes().len(), 16);
        assert_eq!(read("GEZDGNBVGY3TQOJQ7").as_bytes(), b"1234567890");
        assert_eq!(read(&"A".repeat(204)).as_bytes().len(), 127);
        assert_eq!(read(&"7".repeat(205)).as_bytes(), [0xff; 128]);
    }

    #[test]
    fn hex_is_read_as_makers_of_tokens_write_it() {
        let secret = SharedSecret::from_hex("31:32 33-34353637 38 39 30").unwrap();
        assert_eq!(secret.as_bytes(), b"1234567890");
        assert_eq!(SharedSecret::from_hex("DEADBEEFDEADBEEFDEAD").unwrap().as_bytes().len(), 10);
        let refused = |text: &str| SharedSecret::from_hex(text).unwrap_err();
        assert_eq!(refused("3132333435363738393"), BadSecret::NotHex);
        assert_eq!(refused("GEZDGNBVGY3TQOJQ"), BadSecret::NotHex);
        assert_eq!(refused("0x31323334353637383930"), BadSecret::NotHex);
        assert_eq!(refused("313233343536373839"), BadSecret::TooShort);
        assert_eq!(refused(&"00".repeat(129)), BadSecret::TooLong);
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let refused = |text: &str| SharedSecret::from_base32(text).unwrap_err();
        assert_eq!(refused("GEZDGNBVGY3TQOJ1"), BadSecret::NotBase32);
        assert_eq!(refused("GEZDGNBVGY3TQOJ="), BadSecret::TooShort);
        assert_eq!(refused("GEZDGNBV=GY3TQOJQ"), BadSecret::NotBase32);
        assert_eq!(refused(""), BadSecret::TooShort);
        assert_eq!(refused(&"A".repeat(60_000)), BadSecret::TooLong);
        assert_eq!(refused("sealed:GEZDGNBV"), BadSecret::NotBase32);
        assert_eq!(refused("GEZDGNBV"), BadSecret::TooShort);
        assert_eq!(refused(&"A".repeat(208)), BadSecret::TooLong);
    }

    #[test]
    fn a_secret_does_not_print() {
        let secret = SharedSecret::from_bytes(&[0x41; 20]).unwrap();
        assert_eq!(format!("{secret:?}"), "SharedSecret(..)");
    }
}
