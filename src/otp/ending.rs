//! A password and a passcode typed in one line, as where a program has only one prompt.
//!
//! The passcode stands at the end. How long it is only the user's devices tell, so every length that there is stays
//! possible until one of them makes the code.

use zeroize::Zeroizing;

use super::code::{Code, Digits, Passcode};
use super::recovery::RecoveryCode;

/// The longest line that is looked at, in bytes, as PAM has it (PAM_MAX_RESP_SIZE).
const LONGEST: usize = 512;
/// A recovery code without its dashes, and with them.
const PLAIN: usize = 16;
const GROUPED: usize = 19;

/// What a line could end in.
#[derive(Clone, Debug)]
pub struct Ending {
    /// A code of each length that fits.
    pub codes: Vec<Code>,
    /// A recovery code.
    pub recovery: Option<RecoveryCode>,
    /// How long that is as it was typed, in bytes.
    recovery_length: usize,
}

impl Ending {
    /// What this line could end in. `None` where it can be nothing but a password.
    pub fn of(line: &[u8]) -> Option<Self> {
        if line.len() > LONGEST {
            return None;
        }
        let of_length = |digits: Digits| match Passcode::parse(end(line, usize::from(digits.number()))?) {
            Some(Passcode::Code(code)) if code.digits() == digits => Some(code),
            _ => None,
        };
        let codes: Vec<Code> =
            [Digits::Six, Digits::Seven, Digits::Eight].into_iter().filter_map(of_length).collect();
        let recovery =
            [GROUPED, PLAIN].into_iter().find_map(|length| Some((recovery_code(line, length)?, length)));
        let recovery_length = recovery.as_ref().map_or(0, |(_, length)| *length);
        let recovery = recovery.map(|(code, _)| code);
        (!codes.is_empty() || recovery.is_some()).then_some(Self { codes, recovery, recovery_length })
    }

    /// Out of what came over a wire, where how long it was typed is not known.
    pub fn from_parts(codes: Vec<Code>, recovery: Option<RecoveryCode>) -> Self {
        Self { codes, recovery, recovery_length: 0 }
    }

    /// The password of a line whose code has so many digits.
    pub fn password_before_code(line: &[u8], digits: u8) -> Zeroizing<Vec<u8>> {
        without(line, usize::from(digits))
    }

    /// The password of a line that ends in this recovery code.
    pub fn password_before_recovery_code(&self, line: &[u8]) -> Zeroizing<Vec<u8>> {
        without(line, self.recovery_length)
    }
}

fn end(line: &[u8], length: usize) -> Option<&[u8]> {
    line.get(line.len().checked_sub(length)?..)
}

fn without(line: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let password = line.len().checked_sub(length).and_then(|length| line.get(..length));
    Zeroizing::new(password.unwrap_or_default().to_vec())
}

/// A recovery code of exactly so many bytes, in its own alphabet: of a line that goes on before, nothing else can be
/// told from a password.
fn recovery_code(line: &[u8], length: usize) -> Option<RecoveryCode> {
    let end = end(line, length)?;
    let is_grouped = length == GROUPED;
    let fits = end.iter().enumerate().all(|(place, byte)| match (is_grouped, place % 5) {
        (true, 4) => *byte == b'-',
        _ => byte.is_ascii_alphanumeric(),
    });
    match Passcode::parse(end) {
        Some(Passcode::Recovery(code)) if fits => Some(code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes that a line could end in, and the recovery code.
    fn ends(line: &str) -> (Vec<String>, Option<String>) {
        let Some(ending) = Ending::of(line.as_bytes()) else { return (Vec::new(), None) };
        let codes = ending.codes.iter().map(|code| code.to_text().to_string()).collect();
        (codes, ending.recovery.map(|code| code.to_text().to_string()))
    }

    #[test]
    fn every_length_that_fits_stays_possible() {
        let codes = |line: &str| ends(line).0;
        assert_eq!(codes("hunter2123456"), ["123456", "2123456"]);
        assert_eq!(codes("hunter123456"), ["123456"]);
        assert_eq!(codes("hunter99123456"), ["123456", "9123456", "99123456"]);
        assert_eq!(codes("123456"), ["123456"]);
        assert!(codes("hunter12345").is_empty() && codes("").is_empty() && codes("hunter 12 34").is_empty());
        assert!(codes(&format!("{}123456", "x".repeat(507))).is_empty());
        assert_eq!(codes(&format!("{}123456", "x".repeat(506))), ["123456"]);
    }

    #[test]
    fn a_recovery_code_is_found_behind_any_password() {
        let recovery = |line: &str| ends(line).1;
        for line in ["pass-0123-4567-89AB-CDEF", "pass0123456789abcdef", "0123-4567-89AB-CDEF"] {
            assert_eq!(recovery(line).as_deref(), Some("0123-4567-89AB-CDEF"), "{line}");
        }
        assert_eq!(recovery("pass0123-4567-89AB-CDE"), None);
        assert_eq!(recovery("correct horse"), None);
        assert_eq!(recovery("p\u{e4}ssw\u{f6}rt"), None);
    }

    #[test]
    fn the_password_is_what_stands_before() {
        let line = b"hunter99-0123-4567-89AB-CDEF";
        let ending = Ending::of(line).unwrap();
        assert_eq!(ending.password_before_recovery_code(line).as_slice(), b"hunter99-");
        let plain = b"hunter0123456789ABCDEF";
        assert_eq!(Ending::of(plain).unwrap().password_before_recovery_code(plain).as_slice(), b"hunter");
        assert_eq!(Ending::password_before_code(b"hunter99123456", 6).as_slice(), b"hunter99");
        assert_eq!(Ending::password_before_code(b"hunter99123456", 8).as_slice(), b"hunter");
        assert!(Ending::password_before_code(b"1", 6).is_empty());
    }
}
