//! The policy file `/etc/security/countersign.toml`, as it was written (`countersign.toml(5)`).
//!
//! Strict: what is not known is an error that names its place. A file that is not there says nothing.

use std::fmt;
use std::ops::Range;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::value::Datetime;

use super::args::LONGEST_MEMORY;
use super::duration::seconds_in;
use super::nearest::nearest;
use super::rule::RawRule;
use super::texts::{RawTexts, Texts};
use crate::policy::rules::{Memory, Person, Rule};
use crate::user::UserName;

/// Where it is.
pub const PATH: &str = "/etc/security/countersign.toml";
/// More than anybody would write by hand, in bytes.
pub const LONGEST: u64 = 1 << 20;
/// The most rules.
const MOST_RULES: usize = 1000;

/// The whole file. What it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyFile {
    /// What becomes of users who are positively not enrolled.
    pub unenrolled: Option<Unenrolled>,
    /// From when on they are denied, in seconds since 1970.
    pub required_from: Option<u64>,
    /// How many times a code is asked for, 1 to 10.
    pub attempts: Option<u8>,
    /// Whether a code can be seen while it is typed.
    pub echo: Option<bool>,
    /// For how long a login is remembered.
    pub remember: Option<Memory>,
    /// How much a person is told about a refusal.
    pub tell: Option<Tell>,
    /// Whether something is told after a login.
    pub notices: Option<bool>,
    /// What is told.
    pub texts: Texts,
    /// Who is asked, when and how.
    pub rules: Vec<Rule>,
    /// What concerns the service `io.countersign`.
    pub service: ServicePolicy,
}

/// What becomes of a user who is positively not enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unenrolled {
    /// He is asked like everybody and let in like nobody.
    Deny,
    /// He is let through without being asked, if this machine knows the account (`nullok`).
    Allow,
    /// He enrols at the login, once he has proven who he is.
    Enroll,
}

/// How much a person is told about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tell {
    /// Whether a code was used, and how long to wait.
    Always,
    /// The same words whatever it was.
    Never,
}

/// What concerns the service `io.countersign`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServicePolicy {
    /// Who may have the codes of others judged.
    #[serde(deserialize_with = "people")]
    pub verifiers: Vec<Person>,
}

/// The file before what it says is looked at.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawFile {
    unenrolled: Option<Unenrolled>,
    #[serde(deserialize_with = "day")]
    required_from: Option<u64>,
    #[serde(deserialize_with = "attempts")]
    attempts: Option<u8>,
    echo: Option<bool>,
    remember: Option<RawMemory>,
    tell: Option<Tell>,
    notices: Option<bool>,
    texts: RawTexts,
    #[serde(rename = "rule", deserialize_with = "rules")]
    rules: Vec<Rule>,
    service: ServicePolicy,
}

/// All keys outside of tables, for the documentation and for whoever compares with it.
pub const KEYS: [&str; 7] =
    ["unenrolled", "required_from", "attempts", "echo", "remember", "tell", "notices"];

/// `never`, or a time such as `12h`.
pub(super) struct RawMemory(pub(super) Memory);

impl<'de> Deserialize<'de> for RawMemory {
    fn deserialize<Source: Deserializer<'de>>(source: Source) -> Result<Self, Source::Error> {
        let text = String::deserialize(source)?;
        if text == "never" {
            return Ok(Self(Memory::Never));
        }
        let seconds = seconds_in(&text).filter(|seconds| *seconds <= LONGEST_MEMORY);
        let seconds = seconds
            .ok_or_else(|| Source::Error::custom("\"never\", or a time up to \"30d\", such as \"12h\""))?;
        Ok(Self(Memory::For(seconds)))
    }
}

fn people<'de, Source: Deserializer<'de>>(source: Source) -> Result<Vec<Person>, Source::Error> {
    let names = Vec::<String>::deserialize(source)?;
    names.iter().map(|name| person(name).map_err(Source::Error::custom)).collect()
}

/// A user, or with an `@` a group.
pub(super) fn person(text: &str) -> Result<Person, crate::user::BadName> {
    match text.strip_prefix('@') {
        Some(name) => UserName::new(name.as_bytes()).map(Person::Group),
        None => UserName::new(text.as_bytes()).map(Person::User),
    }
}

fn rules<'de, Source: Deserializer<'de>>(source: Source) -> Result<Vec<Rule>, Source::Error> {
    let rules = Vec::<RawRule>::deserialize(source)?;
    if rules.len() > MOST_RULES {
        return Err(Source::Error::custom(format!("there are at most {MOST_RULES} rules")));
    }
    Ok(rules.into_iter().map(|RawRule(rule)| rule).collect())
}

fn attempts<'de, Source: Deserializer<'de>>(source: Source) -> Result<Option<u8>, Source::Error> {
    match i64::deserialize(source)? {
        number @ 1..=10 => Ok(u8::try_from(number).ok()),
        _ => Err(Source::Error::custom("a number from 1 to 10")),
    }
}

/// The start of a day, by UTC.
fn day<'de, Source: Deserializer<'de>>(source: Source) -> Result<Option<u64>, Source::Error> {
    let written = Datetime::deserialize(source)?;
    let seconds = || {
        let Datetime { date: Some(date), time: None, offset: None } = written else { return None };
        let month = time::Month::try_from(date.month).ok()?;
        let day = time::Date::from_calendar_date(i32::from(date.year), month, date.day).ok()?;
        u64::try_from(day.midnight().assume_utc().unix_timestamp()).ok()
    };
    seconds().map(Some).ok_or_else(|| Source::Error::custom("a day, such as 2027-01-15"))
}

/// Why the file cannot be used, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    line: usize,
    column: usize,
    message: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl FileError {
    fn at(span: Option<Range<usize>>, text: &str, message: String) -> Self {
        let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: before.matches('\n').count().saturating_add(1),
            column: last_line.chars().count().saturating_add(1),
            message,
        }
    }
}

impl PolicyFile {
    /// Reads the text of the file.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let raw: RawFile = toml::from_str(text).map_err(|error: toml::de::Error| {
            FileError::at(error.span(), text, with_what_was_meant(error.message()))
        })?;
        let texts = raw.texts.resolve();
        let texts = texts.map_err(|(span, problem)| FileError::at(Some(span), text, problem))?;
        Ok(Self {
            unenrolled: raw.unenrolled,
            required_from: raw.required_from,
            attempts: raw.attempts,
            echo: raw.echo,
            remember: raw.remember.map(|RawMemory(memory)| memory),
            tell: raw.tell,
            notices: raw.notices,
            texts,
            rules: raw.rules,
            service: raw.service,
        })
    }
}

/// Behind an unknown word the nearest one of those that the parser lists.
fn with_what_was_meant(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let written = quoted.next().filter(|_| message.starts_with("unknown "));
    let meant = written.and_then(|written| nearest(written, quoted));
    meant.map_or_else(
        || message.to_owned(),
        |meant| {
            let first = message.split(", expected").next().unwrap_or(message);
            format!("{first}, did you mean `{meant}`")
        },
    )
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
