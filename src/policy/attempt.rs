//! What is decided on: a passcode, ready to be compared, and where it came from.

use crate::credential::SourceName;
use crate::otp::{Code, RecoveryDigest, RecoverySalt};

/// One typed passcode and where it came from.
#[derive(Debug)]
pub struct Attempt {
    /// What was typed, ready to be compared.
    pub presented: Presented,
    /// Where it came from.
    pub source: SourceName,
}

/// A passcode ready to be compared under the lock.
#[derive(Debug)]
pub enum Presented {
    /// A code from an authenticator.
    Code {
        /// What was typed now.
        code: Code,
        /// The code typed before in the same conversation, if it was refused as wrong or by the clock.
        previous: Option<Code>,
    },
    /// A recovery code, derived before the lock.
    Recovery {
        /// The salt that it was derived with.
        salt: RecoverySalt,
        /// What came out.
        digest: RecoveryDigest,
        /// The code typed before in the same conversation, if it was refused as wrong or by the clock.
        previous: Option<Code>,
    },
    /// The end of a line that begins with a password.
    Ending {
        /// A code of each length that it could be.
        codes: Vec<Code>,
        /// A recovery code, derived before the lock with this salt.
        recovery: Option<(RecoverySalt, RecoveryDigest)>,
    },
}
