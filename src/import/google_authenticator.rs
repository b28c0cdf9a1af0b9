//! The file `~/.google_authenticator` of pam_google_authenticator: the secret in the first line, options
//! behind a double quote, and scratch codes.
//!
//! It is read as that module reads it, so that what logs in there goes on here: the first option of a name
//! wins, lines end in CR, LF or both, and a counter comes before the time.

use zeroize::Zeroizing;

use super::{Device, Found, Left, MOST_BYTES, Unfit, counter_of, drift_of, text_of};
use crate::credential::{CodeParameters, Kind};
use crate::otp::{Period, SharedSecret};

/// The window that the module takes where nothing is said.
const USUAL_WINDOW: u64 = 3;
/// The options that are known, whatever becomes of them.
const KNOWN: [&str; 9] = [
    "TOTP_AUTH",
    "HOTP_COUNTER",
    "STEP_SIZE",
    "WINDOW_SIZE",
    "DISALLOW_REUSE",
    "RATE_LIMIT",
    "TIME_SKEW",
    "RESETTING_TIME_SKEW",
    "LOGIN_TIME",
];

/// Reads such a file.
pub fn read(bytes: &[u8]) -> Result<Found, Unfit> {
    let text = text_of(bytes, MOST_BYTES)?;
    let (secret, rest) = text.split_once('\n').unwrap_or((text, ""));
    let secret = SharedSecret::from_base32(&as_meant(secret)).map_err(Unfit::Secret)?;
    let options = Options(rest);
    let mut left = options.left();
    let counter = options.number::<u64>("HOTP_COUNTER").filter(|counter| *counter >= 1);
    let mut device = Device { parameters: CodeParameters::default(), secret, next: 0, drift: 0, ahead: None };
    match counter {
        Some(counter) => {
            device.parameters.kind = Kind::Hotp;
            device.next = counter_of(Some(counter))?;
        }
        None if text.contains("\" TOTP_AUTH") => options.tell_time_of(&mut device, &mut left)?,
        None => return Err(Unfit::NoCodes),
    }
    Ok(Found { device, left })
}

/// What a person meant who mistook a letter for a digit.
fn as_meant(secret: &str) -> Zeroizing<String> {
    let mut letters = Zeroizing::new(String::with_capacity(secret.len()));
    letters.extend(secret.chars().map(|letter| match letter {
        '0' => 'O',
        '1' => 'L',
        '8' => 'B',
        other => other,
    }));
    letters
}

/// All lines but the first.
struct Options<'a>(&'a str);

impl<'a> Options<'a> {
    fn lines(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.split(['\r', '\n']).filter(|line| !line.is_empty())
    }

    /// Names and values, in their order.
    fn named(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let blank = [' ', '\t'];
        self.lines().filter_map(move |line| {
            let option = line.strip_prefix("\" ")?;
            let (name, value) = option.split_once(blank).unwrap_or((option, ""));
            Some((name, value.trim_matches(blank)))
        })
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.named().find_map(|(other, value)| (other == name).then_some(value))
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.value(name)?.parse().ok()
    }

    /// The period, the drift and what is used of a device that goes by the time.
    fn tell_time_of(&self, device: &mut Device, left: &mut Vec<Left>) -> Result<(), Unfit> {
        let seconds = match self.value("STEP_SIZE") {
            Some(value) => value.parse().map_err(|_| Unfit::Option("STEP_SIZE"))?,
            None => Period::RECOMMENDED.seconds(),
        };
        device.parameters.kind = Kind::Totp(Period::new(seconds).ok_or(Unfit::Period)?);
        let skew = match self.value("TIME_SKEW") {
            Some(value) => value.parse().map_err(|_| Unfit::Option("TIME_SKEW"))?,
            None => 0,
        };
        let (drift, beyond) = drift_of(skew)?;
        device.drift = drift;
        left.extend(beyond);
        device.ahead = u8::try_from(self.window().unwrap_or(USUAL_WINDOW) / 2).ok();
        match self.value("DISALLOW_REUSE") {
            Some(used) => device.next = next_after(used)?,
            None => left.push(Left::Reuse),
        }
        Ok(())
    }

    fn window(&self) -> Option<u64> {
        self.number("WINDOW_SIZE").filter(|size| (1..=100).contains(size))
    }

    fn left(&self) -> Vec<Left> {
        let has = |name: &str| self.value(name).is_some();
        let remembered = self.named().filter(|(name, _)| is_remembered_login(name)).count();
        let unknown = self.lines().filter(|line| line.starts_with('"')).count()
            - self.named().filter(|(name, _)| KNOWN.contains(name) || is_remembered_login(name)).count();
        let scratch_codes = self.scratch_codes();
        let all = [
            (scratch_codes > 0).then_some(Left::ScratchCodes(scratch_codes)),
            self.window().map(Left::Window),
            has("RATE_LIMIT").then_some(Left::RateLimit),
            (remembered > 0).then_some(Left::RememberedLogins(remembered)),
            has("RESETTING_TIME_SKEW").then_some(Left::SkewLearning),
            (unknown > 0).then_some(Left::Unknown(unknown)),
        ];
        all.into_iter().flatten().collect()
    }

    /// Lines of eight digits up to the first one that is nothing.
    fn scratch_codes(&self) -> usize {
        let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
        let lines = self.lines().filter(|line| !line.starts_with('"') && !line.trim().is_empty());
        lines.take_while(is_code).count()
    }
}

/// `LAST0` to `LAST9`.
fn is_remembered_login(name: &str) -> bool {
    name.strip_prefix("LAST")
        .is_some_and(|place| place.len() == 1 && place.bytes().all(|b| b.is_ascii_digit()))
}

/// The lowest time step above those that are used.
fn next_after(used: &str) -> Result<u64, Unfit> {
    let mut next = 0;
    for step in used.split_whitespace() {
        let step: u64 = step.parse().map_err(|_| Unfit::Option("DISALLOW_REUSE"))?;
        next = next.max(step.saturating_add(1));
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::vectors_tests::{each_file_of, summary};

    /// The first line of each file says what comes of the rest.
    #[test]
    fn the_files_under_tests_vectors_are_read_as_they_say() {
        let files = each_file_of("google_authenticator", |text| summary(read(text).as_ref()));
        assert!(files >= 30, "only {files} files");
    }

    #[test]
    fn sizes_and_bytes_that_no_file_has_are_refused() {
        let with = |more: &[u8]| [b"GEZDGNBVGY3TQOJQ\n\" TOTP_AUTH\n", more].concat();
        assert!(read(&with(b"")).is_ok());
        assert_eq!(read(&with(b"\0")).unwrap_err(), Unfit::Nul);
        assert_eq!(read(&with(b"\xff")).unwrap_err(), Unfit::NotUtf8);
        let length = usize::try_from(MOST_BYTES).unwrap() - with(b"").len();
        assert!(read(&with(&b"\n".repeat(length))).is_ok());
        assert_eq!(read(&with(&b"\n".repeat(length + 1))).unwrap_err(), Unfit::TooLarge);
    }
}
