//! The otpauth URI that an authenticator app reads from the QR code.
//!
//! Parameters that every app takes as given (SHA-1, six digits, 30 seconds) are left out: a shorter
//! URI makes a QR code that fits more terminals.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::code::Digits;
use super::hotp::Algorithm;
use super::secret::SharedSecret;
use super::totp::Period;

/// What moves a code on: the time or a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moving {
    /// RFC 6238.
    Totp(Period),
    /// RFC 4226, with the counter of the first code.
    Hotp(u64),
}

/// The longest text in a label, in characters. The longest URI of all still fits a QR code.
pub const LONGEST_LABEL: usize = 64;

/// Whether a text can be an issuer or an account. Apps split the label of a URI at the first colon, also where
/// it is escaped.
pub fn is_label(text: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(|letter| letter == ':' || letter.is_control())
}

/// Whose code an app shows, and of what.
#[derive(Clone, Copy)]
pub struct Label<'a> {
    /// Who issues the code; usually the host name.
    pub issuer: &'a str,
    /// Whose code it is.
    pub account: &'a str,
}

/// The otpauth URI of a secret. It holds the secret, so it wipes itself.
pub fn otpauth(
    label: &Label<'_>,
    secret: &SharedSecret,
    algorithm: Algorithm,
    digits: Digits,
    moving: Moving,
) -> Zeroizing<String> {
    let kind = match moving {
        Moving::Totp(_) => "totp",
        Moving::Hotp(_) => "hotp",
    };
    // Room for the longest secret and names, so that growing leaves no copy behind.
    let mut uri = Zeroizing::new(String::with_capacity(2048));
    let _ = write!(
        uri,
        "otpauth://{kind}/{issuer}:{account}?secret={secret}&issuer={issuer}",
        issuer = Escaped(label.issuer),
        account = Escaped(label.account),
        secret = secret.to_base32().as_str(),
    );
    if algorithm != Algorithm::Sha1 {
        let _ = write!(uri, "&algorithm={algorithm}");
    }
    if digits != Digits::Six {
        let _ = write!(uri, "&digits={}", digits.number());
    }
    match moving {
        Moving::Totp(Period::RECOMMENDED) => {}
        Moving::Totp(period) => drop(write!(uri, "&period={}", period.seconds())),
        Moving::Hotp(counter) => drop(write!(uri, "&counter={counter}")),
    }
    uri
}

/// Text with everything but the unreserved characters of RFC 3986 §2.3 percent-encoded.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.write_char(char::from(byte))?;
            } else {
                write!(out, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SharedSecret {
        SharedSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn the_usual_uri_holds_only_what_apps_need() {
        let label = Label { issuer: "web1.example.org", account: "alice" };
        let moving = Moving::Totp(Period::RECOMMENDED);
        let uri = otpauth(&label, &secret(), Algorithm::Sha1, Digits::Six, moving);
        assert_eq!(
            *uri,
            "otpauth://totp/web1.example.org:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=web1.example.org"
        );
    }

    #[test]
    fn a_label_is_one_line_without_a_colon() {
        for label in ["a", "web1.example.org", "A&B", "zoë", &"ü".repeat(64)] {
            assert!(is_label(label), "{label}");
        }
        for other in ["", " a", "a ", "a:b", "a\nb", "\u{1b}[2J", &"a".repeat(65)] {
            assert!(!is_label(other), "{other:?}");
        }
    }

    #[test]
    fn unusual_parameters_and_names_are_written_and_escaped() {
        let label = Label { issuer: "A&B: c", account: "zoë@x" };
        let moving = Moving::Hotp(7);
        let uri = otpauth(&label, &secret(), Algorithm::Sha512, Digits::Eight, moving);
        assert_eq!(
            *uri,
            "otpauth://hotp/A%26B%3A%20c:zo%C3%AB%40x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=A%26B%3A%20c&algorithm=SHA512&digits=8&counter=7"
        );
    }
}
