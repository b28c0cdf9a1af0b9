//! Recovery codes: look-up secrets of 80 bits for the day the phone is gone (SP 800-63B §5.1.2).
//!
//! Written as 16 characters of Crockford's base32, kept only as PBKDF2-HMAC-SHA-256 digests. The
//! salt also names the set: codes of another set than the one in force are never good.

use std::fmt;

use pbkdf2::pbkdf2_hmac_array;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// How many codes a set has.
pub const CODES_IN_A_SET: usize = 10;
/// Characters of a code; each holds 5 bits.
const CHARACTERS: usize = 16;
/// Bytes of a code: 80 bits.
const BYTES: usize = 10;
/// Rounds of PBKDF2. A code has 80 bits of its own, so this only has to make a stolen file useless
/// to hurried people; `docs/file-format.md` has the cost.
#[cfg(not(miri))]
const ROUNDS: u32 = 10_000;
/// Under Miri, which would take minutes for each code: two rounds show it all that there is to see.
#[cfg(miri)]
const ROUNDS: u32 = 2;
/// Digits and capitals without I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// One recovery code.
#[derive(Clone, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; BYTES]);

impl RecoveryCode {
    /// A code of 80 random bits.
    pub fn from_random(bits: [u8; BYTES]) -> Self {
        Self(bits)
    }

    /// Reads the 16 characters of a code, already without separators: any case, O for 0, I and L
    /// for 1.
    pub(super) fn from_characters(text: &str) -> Option<Self> {
        if text.chars().count() != CHARACTERS {
            return None;
        }
        let mut bits: u128 = 0;
        for character in text.chars() {
            bits = (bits << 5) | u128::from(value_of(character)?);
        }
        let mut bytes = bits.to_be_bytes();
        let code = bytes.last_chunk().map(|tail| Self(*tail));
        bytes.zeroize();
        bits.zeroize();
        code
    }

    /// The code as a person reads it: four groups of four.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bits = self.0.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        let mut text = Zeroizing::new(String::with_capacity(CHARACTERS + 3));
        for place in 0..CHARACTERS {
            if place > 0 && place % 4 == 0 {
                text.push('-');
            }
            let shift = 5 * (CHARACTERS - 1 - place);
            text.push(letter_of(bits >> shift));
        }
        bits.zeroize();
        text
    }

    /// What is kept of the code: slow on purpose, so never call it under the lock.
    pub fn digest(&self, salt: &RecoverySalt) -> RecoveryDigest {
        RecoveryDigest(pbkdf2_hmac_array::<Sha256, 32>(&self.0, &salt.0, ROUNDS))
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RecoveryCode(..)")
    }
}

/// The value of a character of Crockford's base32.
fn value_of(character: char) -> Option<u8> {
    let letter = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|known| char::from(*known) == letter)?;
    u8::try_from(place).ok()
}

/// The character for the lowest five bits.
fn letter_of(bits: u128) -> char {
    let place = usize::try_from(bits & 0x1f).unwrap_or(0);
    ALPHABET.get(place).map_or('0', |letter| char::from(*letter))
}

/// The salt of a user's set of recovery codes. It is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoverySalt(pub [u8; 16]);

impl RecoverySalt {
    /// What unknown users derive against, so that they take as long as known ones.
    pub const FOR_UNKNOWN_USERS: Self = Self(*b"no such user ...");
}

/// What is kept of a recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryDigest(pub [u8; 32]);

impl RecoveryDigest {
    /// What the state calls a used code: the first 8 bytes.
    pub fn name(&self) -> [u8; 8] {
        self.0.first_chunk().copied().unwrap_or_default()
    }
}

impl ConstantTimeEq for RecoveryDigest {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: RecoveryCode = RecoveryCode([0, 68, 50, 20, 199, 66, 84, 182, 53, 207]);

    #[test]
    fn a_code_is_read_back_as_it_was_shown() {
        assert_eq!(*CODE.to_text(), "0123-4567-89AB-CDEF");
        let read = RecoveryCode::from_characters("0123456789ABCDEF").unwrap();
        assert_eq!(read.0, CODE.0);
        let last = RecoveryCode([0xff; 10]);
        assert_eq!(*last.to_text(), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
    }

    #[test]
    fn look_alikes_are_read_as_what_was_meant() {
        let read = RecoveryCode::from_characters("oI23456789abcdef").unwrap();
        assert_eq!(read.0, CODE.0);
        assert!(RecoveryCode::from_characters("U123456789ABCDEF").is_none());
        assert!(RecoveryCode::from_characters("0123456789ABCDE").is_none());
        assert!(RecoveryCode::from_characters("0123456789ABCDEF0").is_none());
    }

    /// The value was made with Python: `hashlib.pbkdf2_hmac("sha256", code, salt, 10000)`.
    #[test]
    #[cfg_attr(miri, ignore = "under Miri there are two rounds")]
    fn the_digest_is_pbkdf2_hmac_sha_256() {
        let digest = CODE.digest(&RecoverySalt(*b"0123456789abcdef"));
        let hex = data_encoding::HEXLOWER.encode(&digest.0);
        assert_eq!(hex, "c85e3f91c295917ac76cfb3b5ac81300af444438995a4637bbebe58261370fa1");
        assert_ne!(digest, CODE.digest(&RecoverySalt::FOR_UNKNOWN_USERS));
    }
}
