//! The text of `credential.toml`, format 1, and back (`docs/file-format.md`).
//!
//! An error tells line and column and what is wrong there, never the text: the text is secret.

use std::ops::Range;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use toml::Spanned;
use toml::value::{Date, Datetime, Offset, Time};
use zeroize::Zeroizing;

pub use super::problem::{FormatError, Problem};
use super::record::{Authenticator, Credential, Kind, RecoverySet};
use crate::otp::{Algorithm, Digits, Period, RecoveryDigest, RecoverySalt, SharedSecret};
use crate::user::UserName;

/// The only format so far.
const FORMAT: i64 = 1;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawCredential {
    format: Spanned<i64>,
    user: Spanned<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    authenticator: Vec<RawAuthenticator>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery: Option<RawRecovery>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawAuthenticator {
    id: String,
    secret: Spanned<Zeroizing<String>>,
    #[serde(rename = "type")]
    kind: Spanned<String>,
    algorithm: Spanned<String>,
    digits: Spanned<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<Spanned<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed: Option<Spanned<Datetime>>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawRecovery {
    salt: Spanned<String>,
    digests: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
struct OnlyFormat {
    format: Spanned<i64>,
}

/// A problem and the bytes of the text that it is about; none where the whole text is meant.
struct Fault(Problem, Option<Range<usize>>);

impl Fault {
    fn at<T>(problem: Problem, place: &Spanned<T>) -> Self {
        Self(problem, Some(place.span()))
    }
}

/// Reads the text of a credential.
pub fn parse(bytes: &[u8]) -> Result<Credential, FormatError> {
    let text = std::str::from_utf8(bytes).map_err(|_| FormatError {
        line: 0,
        column: 0,
        problem: Problem::NotUtf8,
    })?;
    read(text).map_err(|Fault(problem, span)| {
        let (line, column) = span.map_or((0, 0), |span| position(text, span.start));
        FormatError { line, column, problem }
    })
}

fn read(text: &str) -> Result<Credential, Fault> {
    let raw = toml::from_str::<RawCredential>(text).map_err(|error| not_understood(text, &error))?;
    if *raw.format.get_ref() != FORMAT {
        return Err(Fault::at(Problem::OtherFormat, &raw.format));
    }
    let credential = Credential {
        user: UserName::new(raw.user.get_ref().as_bytes())
            .map_err(|_| Fault::at(Problem::BadUser, &raw.user))?,
        uid: raw.uid,
        disabled: raw.disabled,
        authenticators: raw.authenticator.iter().map(authenticator).collect::<Result<_, _>>()?,
        recovery: raw.recovery.as_ref().map(recovery_set).transpose()?,
    };
    credential.check().map_err(|problem| Fault(Problem::Contradiction(problem), None))?;
    Ok(credential)
}

/// A text of a later format fails in any place: then the format is what to name.
fn not_understood(text: &str, error: &toml::de::Error) -> Fault {
    match toml::from_str::<OnlyFormat>(text) {
        Ok(OnlyFormat { format }) if *format.get_ref() != FORMAT => Fault::at(Problem::OtherFormat, &format),
        _ => Fault(Problem::NotUnderstood, Some(error.span().unwrap_or_default())),
    }
}

fn authenticator(raw: &RawAuthenticator) -> Result<Authenticator, Fault> {
    let secret = SharedSecret::from_base32(raw.secret.get_ref())
        .map_err(|problem| Fault::at(Problem::Secret(problem), &raw.secret))?;
    let kind = match (raw.kind.get_ref().as_str(), &raw.period) {
        ("totp", None) => Kind::Totp(Period::RECOMMENDED),
        ("totp", Some(seconds)) => Period::new(*seconds.get_ref())
            .map(Kind::Totp)
            .ok_or_else(|| Fault::at(Problem::BadPeriod, seconds))?,
        ("hotp", None) => Kind::Hotp,
        ("hotp", Some(seconds)) => return Err(Fault::at(Problem::BadPeriod, seconds)),
        _ => return Err(Fault::at(Problem::BadType, &raw.kind)),
    };
    Ok(Authenticator {
        id: raw.id.clone(),
        secret,
        kind,
        algorithm: Algorithm::from_name(raw.algorithm.get_ref())
            .ok_or_else(|| Fault::at(Problem::BadAlgorithm, &raw.algorithm))?,
        digits: Digits::new(*raw.digits.get_ref())
            .ok_or_else(|| Fault::at(Problem::BadDigits, &raw.digits))?,
        confirmed: raw.confirmed.as_ref().map(seconds_of).transpose()?,
    })
}

fn recovery_set(raw: &RawRecovery) -> Result<RecoverySet, Fault> {
    Ok(RecoverySet {
        salt: RecoverySalt(from_hex(&raw.salt)?),
        digests: raw
            .digests
            .iter()
            .map(|digest| from_hex(digest).map(RecoveryDigest))
            .collect::<Result<_, _>>()?,
    })
}

fn from_hex<const BYTES: usize>(text: &Spanned<String>) -> Result<[u8; BYTES], Fault> {
    HEXLOWER_PERMISSIVE
        .decode(text.get_ref().as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Fault::at(Problem::BadHex, text))
}

/// Seconds since 1970 of a date and time in UTC, without fractions.
fn seconds_of(when: &Spanned<Datetime>) -> Result<u64, Fault> {
    let seconds = || {
        let Datetime { date: Some(date), time: Some(clock), offset: Some(Offset::Z) } = when.get_ref() else {
            return None;
        };
        let month = time::Month::try_from(date.month).ok()?;
        let day = time::Date::from_calendar_date(i32::from(date.year), month, date.day).ok()?;
        let moment = day.with_hms(clock.hour, clock.minute, clock.second.unwrap_or(0)).ok()?;
        u64::try_from(moment.assume_utc().unix_timestamp()).ok()
    };
    seconds().ok_or_else(|| Fault::at(Problem::BadTime, when))
}

/// The date and time in UTC of a moment, or `None` beyond the year 9999.
pub fn datetime_of(seconds: u64) -> Option<Datetime> {
    let moment = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    Some(Datetime {
        date: Some(Date {
            year: u16::try_from(moment.year()).ok()?,
            month: u8::from(moment.month()),
            day: moment.day(),
        }),
        time: Some(Time {
            hour: moment.hour(),
            minute: moment.minute(),
            second: Some(moment.second()),
            nanosecond: None,
        }),
        offset: Some(Offset::Z),
    })
}

/// Line and column, from 1, of a byte of a text.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
    (line, column)
}

/// Writes the text of a credential. `None` when it cannot be written so that it reads back.
pub fn write(credential: &Credential) -> Option<Zeroizing<String>> {
    let text = Zeroizing::new(toml::to_string(&raw(credential)).ok()?);
    parse(text.as_bytes()).ok()?;
    Some(text)
}

fn raw(credential: &Credential) -> RawCredential {
    RawCredential {
        format: unplaced(FORMAT),
        user: unplaced(credential.user.to_string()),
        uid: credential.uid,
        disabled: credential.disabled,
        authenticator: credential.authenticators.iter().map(raw_authenticator).collect(),
        recovery: credential.recovery.as_ref().map(|set| RawRecovery {
            salt: unplaced(HEXLOWER_PERMISSIVE.encode(&set.salt.0)),
            digests: set
                .digests
                .iter()
                .map(|digest| unplaced(HEXLOWER_PERMISSIVE.encode(&digest.0)))
                .collect(),
        }),
    }
}

fn raw_authenticator(authenticator: &Authenticator) -> RawAuthenticator {
    RawAuthenticator {
        id: authenticator.id.clone(),
        secret: unplaced(authenticator.secret.to_base32()),
        kind: unplaced(authenticator.kind.name().to_owned()),
        algorithm: unplaced(authenticator.algorithm.name().to_owned()),
        digits: unplaced(authenticator.digits.number()),
        period: match authenticator.kind {
            Kind::Totp(period) => Some(unplaced(period.seconds())),
            Kind::Hotp => None,
        },
        confirmed: authenticator.confirmed.and_then(datetime_of).map(unplaced),
    }
}

/// A value that comes from no text.
fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
