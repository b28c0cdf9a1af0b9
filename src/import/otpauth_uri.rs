//! The otpauth URI, as apps and servers write it into QR codes: `otpauth://totp/LABEL?secret=…`.
//!
//! Whatever makes codes other than they would be made here is refused; what only decorates is left.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::{Device, Found, Left, MOST_BYTES, Unfit, counter_of, text_of};
use crate::credential::{CodeParameters, Kind};
use crate::otp::{Algorithm, Digits, Period, SharedSecret};

const SCHEME: &str = "otpauth://";
/// The parameters that are known.
const KNOWN: [&str; 6] = ["secret", "issuer", "algorithm", "digits", "period", "counter"];
/// Types of devices that apps export and that make their codes in another way.
const OTHER_TYPES: [&str; 3] = ["steam", "motp", "yaotp"];

/// What moves a device's codes on, as its URI says.
#[derive(Clone, Copy)]
enum Type {
    Totp,
    Hotp,
}

impl Type {
    fn named(name: &str) -> Result<Self, Unfit> {
        if name.eq_ignore_ascii_case("totp") {
            return Ok(Self::Totp);
        }
        if name.eq_ignore_ascii_case("hotp") {
            return Ok(Self::Hotp);
        }
        Err(Unfit::UriType(OTHER_TYPES.into_iter().find(|other| other.eq_ignore_ascii_case(name))))
    }
}

/// Reads one URI.
pub fn read(bytes: &[u8]) -> Result<Found, Unfit> {
    let text = text_of(bytes, MOST_BYTES)?.trim();
    let scheme = text.get(..SCHEME.len()).filter(|scheme| scheme.eq_ignore_ascii_case(SCHEME));
    let rest = scheme.and_then(|_| text.get(SCHEME.len()..)).ok_or(Unfit::NotOtpauth)?;
    let (kind, rest) = rest.split_once('/').ok_or(Unfit::NotOtpauth)?;
    // Of another type nothing else is known.
    let kind = Type::named(kind)?;
    let (label, query) = rest.split_once('?').ok_or(Unfit::NotOtpauth)?;
    // Several apps escape neither blanks nor number signs in a label, which is only shown.
    let is_stray = |letter: char| letter == '#' || letter.is_whitespace();
    if query.contains(is_stray) || rest.contains(char::is_control) {
        return Err(Unfit::NotOtpauth);
    }
    let label = decoded(label)?;
    let parameters = Parameters::of(query)?;
    let mut found = parameters.device(kind)?;
    if !label.is_empty() || parameters.value("issuer").is_some() {
        found.left.push(Left::Label);
    }
    Ok(found)
}

/// The parameters, decoded.
struct Parameters {
    known: Vec<(&'static str, Zeroizing<String>)>,
    unknown: usize,
}

impl Parameters {
    fn of(query: &str) -> Result<Self, Unfit> {
        let mut parameters = Self { known: Vec::new(), unknown: 0 };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').ok_or(Unfit::NotOtpauth)?;
            let (name, value) = (decoded(name)?, decoded(value)?);
            if name.eq_ignore_ascii_case("encoder") {
                return Err(Unfit::OwnCodes);
            }
            match KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(&name)) {
                Some(known) if parameters.value(known).is_some() => return Err(Unfit::Twice(known)),
                Some(known) => parameters.known.push((known, value)),
                None => parameters.unknown += 1,
            }
        }
        Ok(parameters)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.known.iter().find_map(|(known, value)| (*known == name).then_some(value.as_str()))
    }

    /// A number of digits alone: the parser of numbers takes signs too.
    fn number(&self, name: &'static str) -> Result<Option<u64>, Unfit> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        let number = value.parse().ok().filter(|_| is_number);
        number.map(Some).ok_or(Unfit::Option(name))
    }

    fn device(&self, kind: Type) -> Result<Found, Unfit> {
        let secret = self.value("secret").ok_or(Unfit::Missing("secret"))?;
        let secret = SharedSecret::from_base32(secret).map_err(Unfit::Secret)?;
        let algorithm = match self.value("algorithm") {
            Some(name) => Algorithm::from_name(&Cow::from(name).to_ascii_uppercase()),
            None => Some(Algorithm::Sha1),
        };
        let algorithm = algorithm.ok_or(Unfit::Option("algorithm"))?;
        let digits = u8::try_from(self.number("digits")?.unwrap_or(6)).ok().and_then(Digits::new);
        let digits = digits.ok_or(Unfit::Option("digits"))?;
        let (kind, next, pointless) = self.moving(kind)?;
        let left = [
            self.value(pointless).map(|_| Left::Pointless(pointless)),
            (self.unknown > 0).then_some(Left::Unknown(self.unknown)),
        ];
        let parameters = CodeParameters { kind, algorithm, digits };
        let device = Device { parameters, secret, next, drift: 0, ahead: None };
        Ok(Found { device, left: left.into_iter().flatten().collect() })
    }

    /// What moves the codes on, where a counter stands, and the parameter that says nothing about it.
    fn moving(&self, kind: Type) -> Result<(Kind, u64, &'static str), Unfit> {
        match kind {
            Type::Totp => {
                let seconds = self.number("period")?.unwrap_or(Period::RECOMMENDED.seconds());
                Ok((Kind::Totp(Period::new(seconds).ok_or(Unfit::Period)?), 0, "counter"))
            }
            Type::Hotp => {
                let counter = self.number("counter")?.ok_or(Unfit::Missing("counter"))?;
                Ok((Kind::Hotp, counter_of(Some(counter))?, "period"))
            }
        }
    }
}

/// Percent-decoded (RFC 3986 §2.1).
fn decoded(text: &str) -> Result<Zeroizing<String>, Unfit> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit =
                || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or(Unfit::Escape);
            let value = digit()? << 4 | digit()?;
            bytes.push(u8::try_from(value).map_err(|_| Unfit::Escape)?);
        } else {
            bytes.push(byte);
        }
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Unfit::Escape)?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::vectors_tests::{each_file_of, summary};
    use crate::otp::uri::{Label, Moving, otpauth};

    #[test]
    fn the_uris_under_tests_vectors_are_read_as_they_say() {
        let files = each_file_of("otpauth_uri", |text| summary(read(text).as_ref()));
        assert!(files >= 25, "only {files} files");
    }

    #[test]
    fn what_we_write_we_read() {
        let secret = SharedSecret::from_bytes(&[7; 64]).unwrap();
        let label = Label { issuer: "A&B = 100 %", account: "zoë" };
        let uri = otpauth(&label, &secret, Algorithm::Sha512, Digits::Eight, Moving::Hotp(41));
        let found = read(uri.as_bytes()).unwrap();
        assert_eq!((found.device.next, found.device.parameters.kind), (41, Kind::Hotp));
        assert_eq!(found.device.secret.as_bytes(), [7; 64]);
        assert_eq!(found.left, [Left::Label]);
    }
}
