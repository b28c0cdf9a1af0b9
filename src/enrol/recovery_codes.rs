//! A new set of recovery codes: shown once, kept as digests.

use zeroize::Zeroizing;

use super::Entropy;
use crate::credential::RecoverySet;
use crate::otp::recovery::CODES_IN_A_SET;
use crate::otp::{RecoveryCode, RecoverySalt};

/// A new set of recovery codes.
pub struct RecoveryCodes {
    salt: RecoverySalt,
    codes: Vec<RecoveryCode>,
}

impl RecoveryCodes {
    /// Makes ten codes of 80 random bits, and the salt that names their set.
    pub fn make<E: Entropy>(entropy: &mut E) -> Result<Self, E::Error> {
        let mut salt = RecoverySalt([0; 16]);
        entropy.fill(&mut salt.0)?;
        let mut codes = Vec::with_capacity(CODES_IN_A_SET);
        for _ in 0..CODES_IN_A_SET {
            let mut bits = Zeroizing::new([0; 10]);
            entropy.fill(bits.as_mut())?;
            codes.push(RecoveryCode::from_random(*bits));
        }
        Ok(Self { salt, codes })
    }

    /// What to show, once.
    pub fn codes(&self) -> &[RecoveryCode] {
        &self.codes
    }

    /// What to keep. It derives every code, which is slow on purpose.
    pub fn to_set(&self) -> RecoverySet {
        let digests = self.codes.iter().map(|code| code.digest(&self.salt)).collect();
        RecoverySet { salt: self.salt, digests }
    }
}
