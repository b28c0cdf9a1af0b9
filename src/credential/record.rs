//! The credential of one user: the authenticators he proved and the digests of his recovery codes.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::state::KeyName;
use crate::otp::hotp::Generator;
use crate::otp::{Algorithm, Digits, Period, RecoveryDigest, RecoverySalt, SharedSecret};
use crate::user::UserName;

/// The most authenticators a user can have.
pub const MOST_AUTHENTICATORS: usize = 5;
/// The longest name of an authenticator, in bytes.
pub const LONGEST_ID: usize = 32;

/// What moves the codes of an authenticator on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The time (RFC 6238).
    Totp(Period),
    /// A counter (RFC 4226).
    Hotp,
}

impl Kind {
    /// `totp` or `hotp`, as in the file and in otpauth URIs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Totp(_) => "totp",
            Self::Hotp => "hotp",
        }
    }
}

/// One device or app that makes codes.
#[derive(Clone, Debug)]
pub struct Authenticator {
    /// A name for people, 1 to 32 letters, digits, dots, dashes and underscores.
    pub id: String,
    /// The secret it shares with this machine.
    pub secret: SharedSecret,
    /// Time or counter.
    pub kind: Kind,
    /// The hash under its HMAC.
    pub algorithm: Algorithm,
    /// How long its codes are.
    pub digits: Digits,
    /// When a first code proved it, in seconds since 1970. Without it no code is accepted.
    pub confirmed: Option<u64>,
}

impl Authenticator {
    /// What the state calls this authenticator's key: it follows the secret, not the name, so that
    /// a secret that was removed and put back meets its own record again.
    pub fn key_name(&self) -> KeyName {
        let period = match self.kind {
            Kind::Totp(period) => period.seconds(),
            Kind::Hotp => 0,
        };
        let mut hash = Sha256::new();
        hash.update(self.kind.name());
        hash.update([0]);
        hash.update(self.algorithm.name());
        hash.update([0, self.digits.number()]);
        hash.update(period.to_be_bytes());
        hash.update(self.secret.as_bytes());
        KeyName::from_digest(&hash.finalize().into())
    }

    /// What makes this authenticator's codes.
    pub fn generator(&self) -> Generator {
        Generator::new(&self.secret, self.algorithm, self.digits)
    }
}

/// A user's recovery codes, as digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverySet {
    /// The salt of all digests of the set, which also names it.
    pub salt: RecoverySalt,
    /// At most [`crate::otp::recovery::CODES_IN_A_SET`].
    pub digests: Vec<RecoveryDigest>,
}

impl RecoverySet {
    /// What the state calls this set: the first 8 bytes of its salt.
    pub fn name(&self) -> [u8; 8] {
        self.salt.0.first_chunk().copied().unwrap_or_default()
    }
}

/// All that is kept of one user and is secret.
#[derive(Clone, Debug)]
pub struct Credential {
    /// `pw_name` of the account.
    pub user: UserName,
    /// `pw_uid` of the account, so that a new account of the same name does not inherit.
    pub uid: Option<u32>,
    /// Kept, but refused.
    pub disabled: bool,
    /// One to five.
    pub authenticators: Vec<Authenticator>,
    /// Absent where none were made.
    pub recovery: Option<RecoverySet>,
}

/// Why a credential contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadCredential {
    /// There is none, so nobody could ever log in.
    NoAuthenticator,
    /// More than five.
    TooManyAuthenticators,
    /// The name is empty, too long, or holds other characters than it may.
    BadId,
    /// Two have the same name.
    SameId,
    /// Two have the same secret: one code would have two replay records.
    SameSecret,
    /// More than ten digests.
    TooManyRecoveryCodes,
}

impl fmt::Display for BadCredential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoAuthenticator => "there is no authenticator",
            Self::TooManyAuthenticators => "there are more than 5 authenticators",
            Self::BadId => "the id of an authenticator is not 1 to 32 letters, digits, '.', '-' or '_'",
            Self::SameId => "two authenticators have the same id",
            Self::SameSecret => "two authenticators have the same secret",
            Self::TooManyRecoveryCodes => "there are more than 10 recovery codes",
        })
    }
}

impl Credential {
    /// Whether codes could still be proven without this device.
    pub fn can_spare(&self, id: &str) -> bool {
        self.authenticators.iter().any(|other| other.id != id && other.confirmed.is_some())
    }

    /// Whether nothing has changed between two readings of a user's credential.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let devices = |credential: &Self| {
            let device = |device: &Authenticator| (device.id.clone(), device.key_name(), device.confirmed);
            credential.authenticators.iter().map(device).collect::<Vec<_>>()
        };
        (&self.user, self.uid, self.disabled) == (&other.user, other.uid, other.disabled)
            && self.recovery == other.recovery
            && devices(self) == devices(other)
    }

    /// Whether the credential can be used and kept as it is.
    pub fn check(&self) -> Result<(), BadCredential> {
        if self.authenticators.is_empty() {
            return Err(BadCredential::NoAuthenticator);
        }
        if self.authenticators.len() > MOST_AUTHENTICATORS {
            return Err(BadCredential::TooManyAuthenticators);
        }
        for (place, authenticator) in self.authenticators.iter().enumerate() {
            if !is_id(&authenticator.id) {
                return Err(BadCredential::BadId);
            }
            for earlier in self.authenticators.iter().take(place) {
                if earlier.id == authenticator.id {
                    return Err(BadCredential::SameId);
                }
                if bool::from(earlier.secret.ct_eq(&authenticator.secret)) {
                    return Err(BadCredential::SameSecret);
                }
            }
        }
        let codes = self.recovery.as_ref().map_or(0, |set| set.digests.len());
        if codes > crate::otp::recovery::CODES_IN_A_SET {
            return Err(BadCredential::TooManyRecoveryCodes);
        }
        Ok(())
    }
}

/// Whether a text can name an authenticator.
pub fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Alice with one ordinary phone, for the tests of every layer.
    pub(crate) fn alice() -> Credential {
        Credential {
            user: UserName::new(b"alice").unwrap(),
            uid: Some(1000),
            disabled: false,
            authenticators: vec![phone(b"12345678901234567890")],
            recovery: None,
        }
    }

    pub(crate) fn phone(secret: &[u8]) -> Authenticator {
        Authenticator {
            id: "phone".to_owned(),
            secret: SharedSecret::from_bytes(secret).unwrap(),
            kind: Kind::Totp(Period::RECOMMENDED),
            algorithm: Algorithm::Sha1,
            digits: Digits::Six,
            confirmed: Some(1_700_000_000),
        }
    }

    #[test]
    fn a_key_is_named_after_everything_that_makes_its_codes() {
        let phone = phone(b"12345678901234567890");
        let mut renamed = phone.clone();
        renamed.id = "tablet".to_owned();
        assert_eq!(phone.key_name(), renamed.key_name());
        let changes: [fn(&mut Authenticator); 4] = [
            |other| other.digits = Digits::Eight,
            |other| other.algorithm = Algorithm::Sha256,
            |other| other.kind = Kind::Hotp,
            |other| other.secret = SharedSecret::from_bytes(b"12345678901234567891").unwrap(),
        ];
        for change in changes {
            let mut other = phone.clone();
            change(&mut other);
            assert_ne!(phone.key_name(), other.key_name());
        }
    }

    #[test]
    fn a_credential_that_contradicts_itself_is_refused() {
        let mut credential = alice();
        assert_eq!(credential.check(), Ok(()));
        credential.authenticators.push(phone(b"12345678901234567890"));
        assert_eq!(credential.check(), Err(BadCredential::SameId));
        credential.authenticators[1].id = "tablet".to_owned();
        assert_eq!(credential.check(), Err(BadCredential::SameSecret));
        credential.authenticators.clear();
        assert_eq!(credential.check(), Err(BadCredential::NoAuthenticator));
    }
}
