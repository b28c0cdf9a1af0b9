//! The HMAC-based one-time password of RFC 4226: a code from a secret and a counter.
//!
//! TOTP is the same with the time step as counter, so this is the only place that makes codes.

use std::fmt;

use totp_rs::Builder;

use super::code::{Code, Digits};
use super::secret::SharedSecret;

/// The hash under the HMAC (RFC 4226 §5.2, RFC 6238 §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC-SHA-1, which every app knows.
    Sha1,
    /// HMAC-SHA-256; several apps ignore it and use SHA-1.
    Sha256,
    /// HMAC-SHA-512; several apps ignore it and use SHA-1.
    Sha512,
}

impl Algorithm {
    /// The name in otpauth URIs and in the credential file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// The algorithm of that name; the case matters.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha512].into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The length of the HMAC in bytes (RFC 2104 §2), and of the keys that RFC 6238 §5.1 asks for.
    pub fn output_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn in_totp_rs(self) -> totp_rs::Algorithm {
        match self {
            Self::Sha1 => totp_rs::Algorithm::SHA1,
            Self::Sha256 => totp_rs::Algorithm::SHA256,
            Self::Sha512 => totp_rs::Algorithm::SHA512,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Makes the codes of one secret, with the algorithm and length it was enrolled with.
pub struct Generator {
    totp: totp_rs::Totp,
    digits: Digits,
}

impl Generator {
    /// A generator for one authenticator. It holds a copy of the secret, which it wipes.
    pub fn new(secret: &SharedSecret, algorithm: Algorithm, digits: Digits) -> Self {
        // With a step of one second the "time" given to sign() is the counter itself. The lengths
        // that build() would check are kept by SharedSecret and Digits.
        let totp = Builder::new()
            .with_algorithm(algorithm.in_totp_rs())
            .with_secret(secret.as_bytes().to_vec())
            .with_step_duration(1)
            .build_noncompliant();
        Self { totp, digits }
    }

    /// HOTP(K, C) of RFC 4226 §5.3.
    pub fn code(&self, counter: u64) -> Code {
        let mac = self.totp.sign(counter);
        Code::new(truncated(mac.as_ref()), self.digits)
    }
}

/// Dynamic truncation (RFC 4226 §5.3): 31 bits from where the last nibble points to.
fn truncated(mac: &[u8]) -> u32 {
    let offset = mac.last().map_or(0, |last| usize::from(last & 0x0f));
    mac.get(offset..)
        .and_then(|tail| tail.first_chunk())
        .map_or(0, |word| u32::from_be_bytes(*word) & 0x7fff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4226 Appendix D.
    #[test]
    fn the_vectors_of_rfc_4226_hold() {
        let secret = SharedSecret::from_bytes(b"12345678901234567890").unwrap();
        let generator = Generator::new(&secret, Algorithm::Sha1, Digits::Six);
        let vectors = include_str!("../../tests/vectors/rfc4226.txt");
        let mut seen = 0;
        for line in vectors.lines().filter(|line| !line.starts_with('#')) {
            let (counter, code) = line.split_once(' ').unwrap();
            let made = generator.code(counter.parse().unwrap());
            assert_eq!(*made.to_text(), code, "counter {counter}");
            seen += 1;
        }
        assert_eq!(seen, 10);
    }

    #[test]
    fn the_truncation_of_rfc_4226_section_5_4_holds() {
        let mac = [
            0x1f, 0x86, 0x98, 0x69, 0x0e, 0x02, 0xca, 0x16, 0x61, 0x85, 0x50, 0xef, 0x7f, 0x19, 0xda, 0x8e,
            0x94, 0x5b, 0x55, 0x5a,
        ];
        assert_eq!(truncated(&mac), 0x50ef_7f19);
    }
}
