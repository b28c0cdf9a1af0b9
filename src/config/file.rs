//! The policy file `/etc/security/countersign.toml`, as it was written (`countersign.toml(5)`).
//!
//! Strict: what is not known is an error that names its place. A file that is not there says nothing.

use std::fmt;

use super::args::LONGEST_MEMORY;
use super::duration::seconds_in;
use super::place::Place;
use super::rule;
use super::texts::{self, Texts};
use crate::document::{Document, Misfit, Table, Value};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unenrolled {
    /// He is asked like everybody and let in like nobody.
    Deny,
    /// He is let through without being asked, if this machine knows the account (`nullok`).
    Allow,
    /// He enrols at the login, once he has proven who he is.
    Enroll,
}

/// How much a person is told about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// Whether a code was used, and how long to wait.
    Always,
    /// The same words whatever it was.
    Never,
}

/// What concerns the service `io.countersign`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicePolicy {
    /// Who may have the codes of others judged.
    pub verifiers: Vec<Person>,
}

/// All keys outside of tables, for the documentation and for whoever compares with it.
pub const KEYS: [&str; 7] =
    ["unenrolled", "required_from", "attempts", "echo", "remember", "tell", "notices"];

/// What stands in the file beside them.
pub(super) const TABLES: [&str; 3] = ["texts", "rule", "service"];

/// All keys of `[service]`.
pub(super) const SERVICE_KEYS: [&str; 1] = ["verifiers"];

fn read(file: Table<'_>) -> Result<PolicyFile, Misfit> {
    Place::Top.check(file)?;
    Ok(PolicyFile {
        unenrolled: file.get("unenrolled").map(unenrolled).transpose()?,
        required_from: file.get("required_from").map(day).transpose()?,
        attempts: file.get("attempts").map(attempts).transpose()?,
        echo: file.get("echo").map(Value::boolean).transpose()?,
        remember: file.get("remember").map(memory).transpose()?,
        tell: file.get("tell").map(tell).transpose()?,
        notices: file.get("notices").map(Value::boolean).transpose()?,
        texts: file.get("texts").map(texts::read).transpose()?.unwrap_or_default(),
        rules: file.get("rule").map(rules).transpose()?.unwrap_or_default(),
        service: file.get("service").map(service).transpose()?.unwrap_or_default(),
    })
}

fn unenrolled(written: Value<'_>) -> Result<Unenrolled, Misfit> {
    written.word(&[("deny", Unenrolled::Deny), ("allow", Unenrolled::Allow), ("enroll", Unenrolled::Enroll)])
}

fn tell(written: Value<'_>) -> Result<Tell, Misfit> {
    written.word(&[("always", Tell::Always), ("never", Tell::Never)])
}

/// `never`, or a time such as `12h`.
pub(super) fn memory(written: Value<'_>) -> Result<Memory, Misfit> {
    let text = written.text()?;
    if text == "never" {
        return Ok(Memory::Never);
    }
    let seconds = seconds_in(text).filter(|seconds| *seconds <= LONGEST_MEMORY);
    let seconds =
        seconds.ok_or_else(|| written.misfit("\"never\", or a time up to \"30d\", such as \"12h\""))?;
    Ok(Memory::For(seconds))
}

fn service(written: Value<'_>) -> Result<ServicePolicy, Misfit> {
    let service = written.table()?;
    Place::Service.check(service)?;
    Ok(ServicePolicy { verifiers: service.get("verifiers").map(people).transpose()?.unwrap_or_default() })
}

fn people(written: Value<'_>) -> Result<Vec<Person>, Misfit> {
    written
        .list()?
        .map(|name| person(name.text()?).map_err(|problem| name.misfit(problem.to_string())))
        .collect()
}

/// A user, or with an `@` a group.
pub(super) fn person(text: &str) -> Result<Person, crate::user::BadName> {
    match text.strip_prefix('@') {
        Some(name) => UserName::new(name.as_bytes()).map(Person::Group),
        None => UserName::new(text.as_bytes()).map(Person::User),
    }
}

fn rules(written: Value<'_>) -> Result<Vec<Rule>, Misfit> {
    let rules = written.list()?;
    if rules.len() > MOST_RULES {
        return Err(written.misfit(format!("there are at most {MOST_RULES} rules")));
    }
    rules.map(|rule| rule::read(rule.table()?)).collect()
}

fn attempts(written: Value<'_>) -> Result<u8, Misfit> {
    let number = written.number::<u8>().ok().filter(|number| (1..=10).contains(number));
    number.ok_or_else(|| written.misfit("a number from 1 to 10"))
}

fn day(written: Value<'_>) -> Result<u64, Misfit> {
    written.day().ok_or_else(|| written.misfit("a day, such as 2027-01-15"))
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
    fn of(Misfit { start, reason }: Misfit, text: &str) -> Self {
        let before = text.get(..start).unwrap_or_default();
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: before.matches('\n').count().saturating_add(1),
            column: last_line.chars().count().saturating_add(1),
            message: reason,
        }
    }
}

impl PolicyFile {
    /// Reads the text of the file.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let document = Document::parse(text);
        let file = document.and_then(|document| read(document.table()));
        file.map_err(|misfit| FileError::of(misfit, text))
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
