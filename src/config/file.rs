//! The policy file `/etc/security/countersign.toml`, as it was written.
//!
//! Strict: what is not known is an error that names its place. So far it names the verifiers of the
//! service; a file that is not there means that there are none.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::user::UserName;

/// Where it is.
pub const PATH: &str = "/etc/security/countersign.toml";
/// More than anybody would write by hand, in bytes.
pub const LONGEST: u64 = 1 << 20;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyFile {
    /// `[service]`
    pub service: ServicePolicy,
}

/// What concerns the service `io.countersign`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServicePolicy {
    /// Who may have the codes of others judged.
    pub verifiers: Vec<Name>,
}

/// A user, or a group with an `@` before its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// `radiusd`
    User(UserName),
    /// `@vpn`
    Group(UserName),
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<Source: Deserializer<'de>>(source: Source) -> Result<Self, Source::Error> {
        let text = String::deserialize(source)?;
        let (make, name): (fn(UserName) -> Self, _) = match text.strip_prefix('@') {
            Some(name) => (Self::Group, name),
            None => (Self::User, text.as_str()),
        };
        UserName::new(name.as_bytes()).map(make).map_err(Source::Error::custom)
    }
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

impl PolicyFile {
    /// Reads the text of the file.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let last_line = before.rsplit('\n').next().unwrap_or_default();
            FileError {
                line: before.matches('\n').count().saturating_add(1),
                column: last_line.chars().count().saturating_add(1),
                message: error.message().to_owned(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups_are_told_apart() {
        let name = |text: &str| UserName::new(text.as_bytes()).unwrap();
        let file = PolicyFile::parse("[service]\nverifiers = [\"radiusd\", \"@vpn\"]\n").unwrap();
        assert_eq!(file.service.verifiers, [Name::User(name("radiusd")), Name::Group(name("vpn"))]);
        for empty in ["", "# nothing\n", "[service]\n", "[service]\nverifiers = []\n"] {
            assert_eq!(PolicyFile::parse(empty).unwrap(), PolicyFile::default());
        }
    }

    #[test]
    fn an_error_names_its_place() {
        let place = |text: &str| PolicyFile::parse(text).unwrap_err().to_string();
        assert!(place("[service]\nverifyers = []\n").starts_with("line 2, column 1: unknown field"));
        assert!(place("[rules]\n").starts_with("line 1, column 2: unknown field"));
        assert!(place("[service]\nverifiers = \"radiusd\"\n").starts_with("line 2, column 13: "));
        assert!(place("[service]\nverifiers = [\"\"]\n").contains("the user name is empty"));
        assert!(place("[service]\nverifiers = [\"@\"]\n").contains("the user name is empty"));
        assert!(place("[service").starts_with("line 1, column 9: "));
    }
}
