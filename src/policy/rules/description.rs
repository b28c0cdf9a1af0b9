//! A rule's conditions in words, for those who look after it.

use std::fmt::{self, Display};

use super::{Listed, Network, Person, Rule, Terminal};

impl Rule {
    /// The conditions, as they are written in the policy file; `everybody` where there are none.
    pub fn conditions(&self) -> String {
        let parts = [
            worded("users", &self.users),
            worded("services", &self.services),
            worded("from", &self.from),
            worded("ttys", &self.ttys),
            worded("first_factor", &self.first_factor),
            (!self.time.is_empty()).then(|| "at certain times".to_owned()),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "everybody".to_owned() } else { parts.join("; ") }
    }
}

/// A list behind its key; nothing where nothing is listed.
fn worded<T: Display>(key: &str, list: &Listed<T>) -> Option<String> {
    let listed = list.any_of.iter().map(ToString::to_string);
    let excepted = list.none_of.iter().map(|item| format!("!{item}"));
    let items: Vec<String> = listed.chain(excepted).collect();
    (!items.is_empty()).then(|| format!("{key} {}", items.join(" ")))
}

impl Display for Person {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(out, "{name}"),
            Self::Group(name) => write!(out, "@{name}"),
        }
    }
}

impl Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.first(), self.length())
    }
}

impl Display for Terminal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.name(), if self.is_prefix() { "*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::UserName;

    #[test]
    fn conditions_read_as_they_are_written() {
        assert_eq!(Rule::default().conditions(), "everybody");
        let rule = Rule {
            users: Listed {
                any_of: vec![Person::Group(UserName::new(b"robots").unwrap())],
                none_of: vec![Person::User(UserName::new(b"bob").unwrap())],
            },
            from: Listed { any_of: vec![Network::parse("192.0.2.0/24").unwrap()], none_of: Vec::new() },
            ttys: Listed { any_of: vec![Terminal::new("/dev/tty*").unwrap()], none_of: Vec::new() },
            ..Rule::default()
        };
        assert_eq!(rule.conditions(), "users @robots !bob; from 192.0.2.0/24; ttys tty*");
    }
}
