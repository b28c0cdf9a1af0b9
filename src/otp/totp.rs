//! The time-based one-time password of RFC 6238: the counter of RFC 4226 is the number of periods
//! since 1970.

/// The time step X of RFC 6238 §4.1, 15 to 120 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period(u64);

impl Period {
    /// The recommended 30 seconds (RFC 6238 §5.2).
    pub const RECOMMENDED: Self = Self(30);

    /// A period in seconds, if it is one that is allowed.
    pub fn new(seconds: u64) -> Option<Self> {
        (15..=120).contains(&seconds).then_some(Self(seconds))
    }

    /// The length in seconds.
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// The time step T that `now` (seconds since 1970) falls in (RFC 6238 §4.2, T0 = 0).
    pub fn step_at(self, now: u64) -> u64 {
        now.checked_div(self.0).unwrap_or(0)
    }

    /// When a time step begins, in seconds since 1970.
    pub fn start_of(self, step: u64) -> u64 {
        step.saturating_mul(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::code::Digits;
    use super::super::hotp::{Algorithm, Generator};
    use super::super::secret::SharedSecret;
    use super::*;

    /// RFC 6238 Appendix B.
    #[test]
    fn the_vectors_of_rfc_6238_hold() {
        let digits = b"1234567890".repeat(7);
        let vectors = include_str!("../../tests/vectors/rfc6238.txt");
        let mut seen = 0;
        for line in vectors.lines().filter(|line| !line.starts_with('#')) {
            let [time, name, code] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("not a vector: {line}");
            };
            let algorithm = Algorithm::from_name(name).unwrap();
            let length = match algorithm {
                Algorithm::Sha1 => 20,
                Algorithm::Sha256 => 32,
                Algorithm::Sha512 => 64,
            };
            let secret = SharedSecret::from_bytes(&digits[..length]).unwrap();
            let step = Period::RECOMMENDED.step_at(time.parse().unwrap());
            let made = Generator::new(&secret, algorithm, Digits::Eight).code(step);
            assert_eq!(*made.to_text(), code, "{line}");
            seen += 1;
        }
        assert_eq!(seen, 18);
    }

    #[test]
    fn periods_outside_15_to_120_seconds_are_refused() {
        assert!(Period::new(14).is_none());
        assert!(Period::new(121).is_none());
        assert_eq!(Period::new(15).map(Period::seconds), Some(15));
    }
}
