//! Why a person is not let in.

use std::fmt;

/// Why a person is not let in: the closed list of the log's reasons that are the person's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// This machine has no such account.
    UnknownUser,
    /// The user has no credential and needs one.
    NotEnrolled,
    /// The credential is kept but disabled.
    Disabled,
    /// What was typed has the shape of no passcode.
    Malformed,
    /// No authenticator makes this code now.
    WrongCode,
    /// The code was good and has been used.
    SpentCode,
    /// The code is one of now, but its authenticator was used with a clock far ahead of this one.
    ClockWentBack,
    /// Too many failures from this source; codes are refused for so many seconds.
    BackedOff {
        /// Seconds left, at least one.
        seconds: u64,
    },
    /// A hundred failures; codes are refused until something stronger comes.
    Capped,
    /// No recovery code of the set.
    WrongRecoveryCode,
    /// The recovery code was good and has been used.
    SpentRecoveryCode,
    /// A second recovery code in one transaction.
    SecondRecoveryCode,
    /// The state does not vouch for this set of recovery codes.
    UnvouchedRecoveryCodes,
    /// No authenticator can be used: none is confirmed, or a counter's state is missing.
    NoUsableAuthenticator,
}

impl Denial {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::UnknownUser,
        Self::NotEnrolled,
        Self::Disabled,
        Self::Malformed,
        Self::WrongCode,
        Self::SpentCode,
        Self::ClockWentBack,
        Self::BackedOff { seconds: 1 },
        Self::Capped,
        Self::WrongRecoveryCode,
        Self::SpentRecoveryCode,
        Self::SecondRecoveryCode,
        Self::UnvouchedRecoveryCodes,
        Self::NoUsableAuthenticator,
    ];

    /// The denial of a word of the log; the seconds are those of [`Denial::BackedOff`].
    pub fn from_reason(reason: &str, seconds: u64) -> Option<Self> {
        let denial = Self::ALL.into_iter().find(|denial| denial.reason() == reason)?;
        Some(if let Self::BackedOff { .. } = denial { Self::BackedOff { seconds } } else { denial })
    }

    /// The word for the log.
    pub fn reason(self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown_user",
            Self::NotEnrolled => "not_enrolled",
            Self::Disabled => "disabled",
            Self::Malformed => "malformed",
            Self::WrongCode => "wrong_code",
            Self::SpentCode => "spent_code",
            Self::ClockWentBack => "clock_went_back",
            Self::BackedOff { .. } => "backed_off",
            Self::Capped => "capped",
            Self::WrongRecoveryCode => "wrong_recovery_code",
            Self::SpentRecoveryCode => "spent_recovery_code",
            Self::SecondRecoveryCode => "second_recovery_code",
            Self::UnvouchedRecoveryCodes => "unvouched_recovery_codes",
            Self::NoUsableAuthenticator => "no_usable_authenticator",
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.reason())
    }
}
