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

    /// Reads base32 as people and programs write it: any case, with spaces or dashes, with or
    /// without padding at the end.
    pub fn from_base32(text: &str) -> Result<Self, BadSecret> {
        // Sized before anything is put in, so that growing leaves no copy behind.
        let mut letters = Zeroizing::new(String::with_capacity(text.len()));
        for letter in text.trim_end_matches('=').chars() {
            if !matches!(letter, ' ' | '-') {
                letters.push(letter.to_ascii_uppercase());
            }
        }
        let bytes = BASE32_NOPAD.decode(letters.as_bytes()).map_err(|_| BadSecret::NotBase32)?;
        Self::from_bytes(&Zeroizing::new(bytes))
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
        assert_eq!(refused("GEZDGNBVGY3TQOJQG"), BadSecret::NotBase32);
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
