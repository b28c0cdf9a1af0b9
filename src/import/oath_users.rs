//! The file `users.oath` of pam_oath: one device a line, as type, user, PIN, secret in hex, and what logins
//! have added: counter, last code, when.
//!
//! Types are those that liboath's parser knows. It tries every line of a user, so a user may have several
//! devices. Where it has written a last code, the counter is the one of that code and not the next one.

use super::{Device, Found, Left, Unfit, counter_of, text_of};
use crate::credential::{CodeParameters, Kind};
use crate::otp::{Algorithm, Digits, Period, SharedSecret};
use crate::user::UserName;

/// The largest such file that is read, in bytes: it holds all users.
pub const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// The longest line, in bytes: a secret of 1024 bits takes 256.
const LONGEST_LINE: usize = 4096;

/// One line that is neither blank nor a comment.
#[derive(Debug)]
pub struct Line {
    /// Counted from 1.
    pub number: usize,
    /// Whose device it is, if it says so.
    pub user: Option<UserName>,
    /// What it says.
    pub found: Result<Found, Unfit>,
}

/// Reads such a file.
pub fn read(bytes: &[u8]) -> Result<Vec<Line>, Unfit> {
    if u64::try_from(bytes.len()).map_or(true, |length| length > MOST_BYTES) {
        return Err(Unfit::TooLarge);
    }
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    let is_device = |line: &[u8]| line.trim_ascii().first().is_some_and(|first| *first != b'#');
    Ok(lines.filter(|(_, line)| is_device(line)).map(|(place, line)| read_line(place + 1, line)).collect())
}

fn read_line(number: usize, line: &[u8]) -> Line {
    let nobody = |problem| Line { number, user: None, found: Err(problem) };
    let most = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
    let text = match text_of(line, most) {
        Ok(text) => text,
        Err(problem) => return nobody(problem),
    };
    let mut fields = text.split_ascii_whitespace();
    let (Some(kind), Some(user)) = (fields.next(), fields.next()) else { return nobody(Unfit::Fields) };
    let Ok(user) = UserName::new(user.as_bytes()) else { return nobody(Unfit::UserName) };
    Line { number, user: Some(user), found: read_device(kind, fields) }
}

fn read_device<'a>(kind: &str, mut fields: impl Iterator<Item = &'a str>) -> Result<Found, Unfit> {
    let parameters = parameters_of(kind).ok_or(Unfit::Type)?;
    let (Some(pin), Some(secret)) = (fields.next(), fields.next()) else { return Err(Unfit::Fields) };
    // "-" stands for none, "+" for a password that another module checks.
    if !matches!(pin, "-" | "+") {
        return Err(Unfit::Pin);
    }
    let secret = SharedSecret::from_hex(secret).map_err(Unfit::Secret)?;
    let counter: u64 = match fields.next() {
        Some(counter) => counter.parse().map_err(|_| Unfit::Option("the counter"))?,
        None => 0,
    };
    let has_last_code = fields.next().is_some();
    let next = match parameters.kind {
        Kind::Hotp if has_last_code => counter.checked_add(1),
        Kind::Hotp => Some(counter),
        // What stands there instead of a counter says nothing about the time.
        Kind::Totp(_) => Some(0),
    };
    let device = Device { parameters, secret, next: counter_of(next)?, drift: 0, ahead: None };
    Ok(Found { device, left: has_last_code.then_some(Left::LastCode).into_iter().collect() })
}

/// What the words mean that liboath knows.
fn parameters_of(kind: &str) -> Option<CodeParameters> {
    let mut words = kind.split('/');
    if words.next() != Some("HOTP") {
        return None;
    }
    let kind = match words.next() {
        None | Some("E") => Kind::Hotp,
        Some("T30") => Kind::Totp(Period::RECOMMENDED),
        Some("T60") => Kind::Totp(Period::new(60)?),
        Some(_) => return None,
    };
    let digits = match words.next() {
        None | Some("6") => Digits::Six,
        Some("7") => Digits::Seven,
        Some("8") => Digits::Eight,
        Some(_) => return None,
    };
    words.next().is_none().then_some(CodeParameters { kind, algorithm: Algorithm::Sha1, digits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::vectors_tests::{each_file_of, summary};

    #[test]
    fn the_lines_under_tests_vectors_are_read_as_they_say() {
        let files = each_file_of("oath_users", |text| {
            let lines = read(text).unwrap();
            let user = |line: &Line| line.user.as_ref().map_or("?".to_owned(), UserName::to_string);
            let told = |line: &Line| format!("{}: {}", user(line), summary(line.found.as_ref()));
            lines.iter().map(told).collect::<Vec<_>>().join(" | ")
        });
        assert!(files >= 20, "only {files} files");
    }

    #[test]
    fn a_line_that_is_none_hides_no_other() {
        let secret = "3132333435363738393031323334353637383930";
        let text = format!(
            "# all\n\nHOTP/T30 alice - {secret}\r\nHOTP bob\nHOTP/T30 \x00 - 1\n HOTP carol - {secret}"
        );
        let lines = read(text.as_bytes()).unwrap();
        let told: Vec<_> = lines.iter().map(|line| (line.number, line.found.is_ok())).collect();
        assert_eq!(told, [(3, true), (4, false), (5, false), (6, true)]);
        assert_eq!(lines[2].found.as_ref().unwrap_err(), &Unfit::Nul);
        let long = format!("HOTP/T30 alice - {}", "00".repeat(LONGEST_LINE));
        assert_eq!(read(long.as_bytes()).unwrap()[0].found.as_ref().unwrap_err(), &Unfit::TooLarge);
        assert_eq!(read(b"HOTP/T30 al\xffice - 00").unwrap()[0].found.as_ref().unwrap_err(), &Unfit::NotUtf8);
        assert!(read(b"").unwrap().is_empty());
        let most = usize::try_from(MOST_BYTES).unwrap();
        assert_eq!(read(&b"\n".repeat(most + 1)).unwrap_err(), Unfit::TooLarge);
    }
}
