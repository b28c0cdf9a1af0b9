//! What other programs keep of a one-time password device, read so that it can go on here.
//!
//! Pure: bytes in, a [`Device`] out, together with what of it has no place here and why. Nothing here prints
//! what it read but numbers, and every reader takes any bytes. And lists of users that are to be enrolled.
#![forbid(unsafe_code)]

pub mod google_authenticator;
mod left;
pub mod oath_users;
pub mod otpauth_uri;
pub mod roster;
mod unfit;

pub use left::Left;
pub use unfit::Unfit;

use std::fmt;

use crate::credential::state::{LAST_COUNTER, MOST_DRIFT};
use crate::credential::{CodeParameters, Kind};
use crate::otp::SharedSecret;

/// The largest file of one user, or list of URIs, that is read, in bytes.
pub const MOST_BYTES: u64 = 64 * 1024;
/// By how many time steps a device may be off that two consecutive codes still bring back.
const MOST_SKEW: i64 = 20;

/// A device that another program has taken codes of.
#[derive(Clone, Debug)]
pub struct Device {
    /// How its codes are made.
    pub parameters: CodeParameters,
    /// Its secret.
    pub secret: SharedSecret,
    /// The lowest time step or counter that the program has not taken yet, as far as it kept that.
    pub next: u64,
    /// By how many time steps its clock is ahead of that machine's, as far as that can be kept.
    pub drift: i8,
    /// How many time steps ahead of it a code may have been taken; `None` where the program does not say.
    pub ahead: Option<u8>,
}

/// What a file says of one device.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is taken over.
    pub device: Device,
    /// What is not.
    pub left: Vec<Left>,
}

/// What is taken over, in words, without the secret.
impl fmt::Display for Device {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CodeParameters { kind, algorithm, digits } = self.parameters;
        let (bits, digits) = (self.secret.as_bytes().len() * 8, digits.number());
        write!(out, "a secret of {bits} bits, codes of {digits} digits by {algorithm}, ")?;
        match kind {
            Kind::Hotp => write!(out, "a counter that stands at {}", self.next)?,
            Kind::Totp(period) => write!(out, "a new one every {} seconds", period.seconds())?,
        }
        match self.drift {
            0 => {}
            1.. => write!(out, ", {} periods ahead", self.drift)?,
            _ => write!(out, ", {} periods behind", self.drift.unsigned_abs())?,
        }
        if kind != Kind::Hotp && self.next > 0 {
            out.write_str(", the codes that were used")?;
        }
        Ok(())
    }
}

/// The text of a file: UTF-8, not too large, without a NUL byte, not empty.
fn text_of(bytes: &[u8], most: u64) -> Result<&str, Unfit> {
    if u64::try_from(bytes.len()).map_or(true, |length| length > most) {
        return Err(Unfit::TooLarge);
    }
    if bytes.contains(&0) {
        return Err(Unfit::Nul);
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Unfit::Empty);
    }
    std::str::from_utf8(bytes).map_err(|_| Unfit::NotUtf8)
}

/// The counter of the next code, if it can be kept.
fn counter_of(next: Option<u64>) -> Result<u64, Unfit> {
    next.filter(|next| *next <= LAST_COUNTER).ok_or(Unfit::Counter)
}

/// A drift that can be kept, and what is left of a larger one.
fn drift_of(skew: i64) -> Result<(i8, Option<Left>), Unfit> {
    if !(-MOST_SKEW..=MOST_SKEW).contains(&skew) {
        return Err(Unfit::Skew);
    }
    let most = i64::from(MOST_DRIFT);
    let drift = i8::try_from(skew.clamp(-most, most)).unwrap_or(0);
    Ok((drift, (i64::from(drift) != skew).then_some(Left::Skew(skew))))
}

#[cfg(test)]
mod vectors_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_is_kept_as_far_as_it_can_be() {
        assert_eq!(drift_of(-3), Ok((-3, None)));
        assert_eq!(drift_of(12), Ok((10, Some(Left::Skew(12)))));
        assert_eq!(drift_of(-20), Ok((-10, Some(Left::Skew(-20)))));
        assert_eq!(drift_of(21), Err(Unfit::Skew));
        assert_eq!(drift_of(i64::MIN), Err(Unfit::Skew));
    }

    #[test]
    fn what_no_file_may_be_is_told_apart() {
        assert_eq!(text_of(b"", 8), Err(Unfit::Empty));
        assert_eq!(text_of(b" \n\r\t", 8), Err(Unfit::Empty));
        assert_eq!(text_of(b"a\0b", 8), Err(Unfit::Nul));
        assert_eq!(text_of(b"a\xff", 8), Err(Unfit::NotUtf8));
        assert_eq!(text_of(b"123456789", 8), Err(Unfit::TooLarge));
        assert_eq!(text_of(b"12345678", 8), Ok("12345678"));
    }
}
