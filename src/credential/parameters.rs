//! How the codes of an authenticator are made, apart from its secret.

use super::record::Kind;
use crate::otp::{Algorithm, Digits, Period};

/// What moves the codes on, what is under the HMAC, and how long the codes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeParameters {
    /// Time or counter.
    pub kind: Kind,
    /// The hash under the HMAC.
    pub algorithm: Algorithm,
    /// How long the codes are.
    pub digits: Digits,
}

/// What every app takes as given.
impl Default for CodeParameters {
    fn default() -> Self {
        Self { kind: Kind::Totp(Period::RECOMMENDED), algorithm: Algorithm::Sha1, digits: Digits::Six }
    }
}

impl CodeParameters {
    /// What of it common apps ignore though the otpauth URI says it: they then make other codes.
    pub fn ignored_by_apps(self) -> Vec<&'static str> {
        let usual = Self::default();
        let odd_period = matches!(self.kind, Kind::Totp(period) if period != Period::RECOMMENDED);
        let odd = [
            ("algorithm", self.algorithm != usual.algorithm),
            ("digits", self.digits != usual.digits),
            ("period", odd_period),
        ];
        odd.into_iter().filter_map(|(name, is_odd)| is_odd.then_some(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apps_ignore_is_named_and_nothing_else() {
        let usual = CodeParameters::default();
        assert!(usual.ignored_by_apps().is_empty());
        assert!(CodeParameters { kind: Kind::Hotp, ..usual }.ignored_by_apps().is_empty());
        let period = Period::new(60).unwrap();
        let odd =
            CodeParameters { kind: Kind::Totp(period), algorithm: Algorithm::Sha256, digits: Digits::Eight };
        assert_eq!(odd.ignored_by_apps(), ["algorithm", "digits", "period"]);
    }
}
