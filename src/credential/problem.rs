//! What can be wrong with the text of a credential, and where. It never holds the text.

use std::fmt;

use super::record::BadCredential;
use crate::otp::secret::BadSecret;

/// Where a credential's text is wrong, and in what way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// From 1; 0 where the whole file is meant.
    pub line: usize,
    /// From 1, in bytes; 0 where the whole line or file is meant.
    pub column: usize,
    /// In what way.
    pub problem: Problem,
}

/// What is wrong with a credential's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Not UTF-8.
    NotUtf8,
    /// Not TOML, an unknown or missing key, or a value of another type.
    NotUnderstood,
    /// A format that this version does not know.
    OtherFormat,
    /// The user's name is no name.
    BadUser,
    /// The shared secret.
    Secret(BadSecret),
    /// `type` is neither `totp` nor `hotp`.
    BadType,
    /// `algorithm` is not `SHA1`, `SHA256` or `SHA512`.
    BadAlgorithm,
    /// `digits` is not 6, 7 or 8.
    BadDigits,
    /// `period` is not 15 to 120, or it stands beside `hotp`.
    BadPeriod,
    /// `confirmed` is not a date and time in UTC.
    BadTime,
    /// `salt` or one of `digests` is not hex of the right length.
    BadHex,
    /// The parts do not fit together.
    Contradiction(BadCredential),
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NotUtf8 => "it is not UTF-8",
            Self::NotUnderstood => "not TOML, an unknown or missing key, or a value of the wrong type",
            Self::OtherFormat => "the format is not 1",
            Self::BadUser => "this cannot be a user name",
            Self::BadType => "type is not \"totp\" or \"hotp\"",
            Self::BadAlgorithm => "algorithm is not SHA1, SHA256 or SHA512",
            Self::BadDigits => "digits is not 6, 7 or 8",
            Self::BadPeriod => "period is not 15 to 120, or stands beside type \"hotp\"",
            Self::BadTime => "confirmed is not a date and time in UTC",
            Self::BadHex => "not hex digits of the right length",
            Self::Secret(problem) => return problem.fmt(out),
            Self::Contradiction(problem) => return problem.fmt(out),
        };
        out.write_str(text)
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(out, "line {} column {}: ", self.line, self.column)?;
        }
        self.problem.fmt(out)
    }
}
