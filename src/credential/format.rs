//! The text of `credential.toml`, format 1, and back (`docs/file-format.md`).
//!
//! An error tells line and column and what is wrong there, never the text: the text is secret.

use std::fmt::Write as _;

use data_encoding::HEXLOWER_PERMISSIVE;
use time::OffsetDateTime;
use toml_datetime::{Date, Datetime, Offset, Time};
use toml_writer::ToTomlValue as _;
use zeroize::Zeroizing;

pub use super::problem::{FormatError, Problem};
use super::record::{Authenticator, Credential, Kind, RecoverySet};
use crate::document::{Document, Misfit, Table, Value};
use crate::otp::{Algorithm, Digits, Period, RecoveryDigest, RecoverySalt, SharedSecret};
use crate::user::UserName;

/// The only format so far.
const FORMAT: i64 = 1;
/// More than the longest text that [`write`] makes: it must not grow, for that would leave copies behind.
const CAPACITY: usize = 8192;

/// A problem and the byte of the text at which it is; none where the whole text is meant.
struct Fault(Problem, Option<usize>);

impl Fault {
    fn at(problem: Problem, place: Value<'_>) -> Self {
        Self(problem, Some(place.start()))
    }
}

/// The reason of a misfit is left out: it may tell of the text.
impl From<Misfit> for Fault {
    fn from(misfit: Misfit) -> Self {
        Self(Problem::NotUnderstood, Some(misfit.start))
    }
}

/// Reads the text of a credential.
pub fn parse(bytes: &[u8]) -> Result<Credential, FormatError> {
    let text = std::str::from_utf8(bytes).map_err(|_| FormatError {
        line: 0,
        column: 0,
        problem: Problem::NotUtf8,
    })?;
    read(text).map_err(|Fault(problem, start)| {
        let (line, column) = start.map_or((0, 0), |start| position(text, start));
        FormatError { line, column, problem }
    })
}

fn read(text: &str) -> Result<Credential, Fault> {
    let document = Document::parse(text)?;
    let file = document.table();
    let format = file.need("format")?;
    // First, because a text of a later format may fail in any place.
    if format.number::<i64>()? != FORMAT {
        return Err(Fault::at(Problem::OtherFormat, format));
    }
    file.has_only(&["format", "user", "uid", "disabled", "authenticator", "recovery"])?;
    let user = file.need("user")?;
    let credential = Credential {
        user: UserName::new(user.text()?.as_bytes()).map_err(|_| Fault::at(Problem::BadUser, user))?,
        uid: file.get("uid").map(Value::number).transpose()?,
        disabled: file.get("disabled").map(Value::boolean).transpose()?.unwrap_or(false),
        authenticators: file.get("authenticator").map(authenticators).transpose()?.unwrap_or_default(),
        recovery: file.get("recovery").map(recovery_set).transpose()?,
    };
    credential.check().map_err(|problem| Fault(Problem::Contradiction(problem), None))?;
    Ok(credential)
}

fn authenticators(written: Value<'_>) -> Result<Vec<Authenticator>, Fault> {
    written.list()?.map(|item| authenticator(item.table()?)).collect()
}

fn authenticator(written: Table<'_>) -> Result<Authenticator, Fault> {
    written.has_only(&["id", "secret", "type", "algorithm", "digits", "period", "confirmed"])?;
    let (secret, algorithm) = (written.need("secret")?, written.need("algorithm")?);
    let digits = written.need("digits")?;
    Ok(Authenticator {
        id: written.need("id")?.text()?.to_owned(),
        secret: SharedSecret::from_base32(secret.text()?)
            .map_err(|problem| Fault::at(Problem::Secret(problem), secret))?,
        kind: kind(written)?,
        algorithm: Algorithm::from_name(algorithm.text()?)
            .ok_or_else(|| Fault::at(Problem::BadAlgorithm, algorithm))?,
        digits: Digits::new(digits.number()?).ok_or_else(|| Fault::at(Problem::BadDigits, digits))?,
        confirmed: written
            .get("confirmed")
            .map(|when| when.moment().ok_or_else(|| Fault::at(Problem::BadTime, when)))
            .transpose()?,
    })
}

fn kind(written: Table<'_>) -> Result<Kind, Fault> {
    let kind = written.need("type")?;
    match (kind.text()?, written.get("period")) {
        ("totp", None) => Ok(Kind::Totp(Period::RECOMMENDED)),
        ("totp", Some(period)) => {
            Period::new(period.number()?).map(Kind::Totp).ok_or_else(|| Fault::at(Problem::BadPeriod, period))
        }
        ("hotp", None) => Ok(Kind::Hotp),
        ("hotp", Some(period)) => Err(Fault::at(Problem::BadPeriod, period)),
        _ => Err(Fault::at(Problem::BadType, kind)),
    }
}

fn recovery_set(written: Value<'_>) -> Result<RecoverySet, Fault> {
    let set = written.table()?;
    set.has_only(&["salt", "digests"])?;
    let digests = set.need("digests")?.list()?;
    Ok(RecoverySet {
        salt: RecoverySalt(from_hex(set.need("salt")?)?),
        digests: digests.map(|digest| from_hex(digest).map(RecoveryDigest)).collect::<Result<_, _>>()?,
    })
}

fn from_hex<const BYTES: usize>(written: Value<'_>) -> Result<[u8; BYTES], Fault> {
    HEXLOWER_PERMISSIVE
        .decode(written.text()?.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Fault::at(Problem::BadHex, written))
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
    let mut text = Zeroizing::new(String::with_capacity(CAPACITY));
    put(&mut text, credential).ok()?;
    parse(text.as_bytes()).ok()?;
    Some(text)
}

fn put(text: &mut String, credential: &Credential) -> std::fmt::Result {
    let Credential { user, uid, disabled, authenticators, recovery } = credential;
    writeln!(text, "format = {FORMAT}\nuser = {}", user.to_string().to_toml_value())?;
    if let Some(uid) = uid {
        writeln!(text, "uid = {uid}")?;
    }
    writeln!(text, "disabled = {disabled}")?;
    authenticators.iter().try_for_each(|authenticator| put_authenticator(text, authenticator))?;
    let Some(RecoverySet { salt, digests }) = recovery else { return Ok(()) };
    let digests: Vec<_> = digests.iter().map(|digest| HEXLOWER_PERMISSIVE.encode(&digest.0)).collect();
    let salt = HEXLOWER_PERMISSIVE.encode(&salt.0);
    writeln!(text, "\n[recovery]\nsalt = \"{salt}\"\ndigests = {}", digests.to_toml_value())
}

fn put_authenticator(text: &mut String, authenticator: &Authenticator) -> std::fmt::Result {
    let Authenticator { id, secret, kind, algorithm, digits, confirmed } = authenticator;
    writeln!(text, "\n[[authenticator]]\nid = {}", id.to_toml_value())?;
    writeln!(text, "secret = \"{}\"\ntype = \"{}\"", *secret.to_base32(), kind.name())?;
    writeln!(text, "algorithm = \"{}\"\ndigits = {}", algorithm.name(), digits.number())?;
    if let Kind::Totp(period) = kind {
        writeln!(text, "period = {}", period.seconds())?;
    }
    if let Some(when) = confirmed.and_then(datetime_of) {
        writeln!(text, "confirmed = {when}")?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
