//! A rule of the policy file, as it was written.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::file::{RawMemory, person};
use crate::policy::rules::{Listed, Network, Person, Rule, Span, Terminal, Then, Whose};

/// All keys of a rule, for the documentation and for whoever compares with it.
pub const KEYS: [&str; 10] =
    ["name", "users", "services", "from", "ttys", "first_factor", "time", "then", "remember", "whose"];
/// The longest name of a rule, in bytes.
const LONGEST_NAME: usize = 64;
/// What sshd may say that it has seen completed.
const METHODS: [&str; 5] = ["publickey", "password", "keyboard-interactive", "hostbased", "gssapi-with-mic"];

/// `[[rule]]`
pub(super) struct RawRule(pub(super) Rule);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    #[serde(deserialize_with = "name")]
    name: Option<String>,
    #[serde(deserialize_with = "users")]
    users: Listed<Person>,
    #[serde(deserialize_with = "services")]
    services: Listed<String>,
    #[serde(deserialize_with = "networks")]
    from: Listed<Network>,
    #[serde(deserialize_with = "terminals")]
    ttys: Listed<Terminal>,
    #[serde(deserialize_with = "methods")]
    first_factor: Listed<String>,
    #[serde(deserialize_with = "spans")]
    time: Vec<Span>,
    then: WrittenThen,
    remember: Option<RawMemory>,
    whose: WrittenWhose,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenThen {
    #[default]
    Ask,
    Require,
    Exempt,
    Enroll,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenWhose {
    #[default]
    Target,
    Caller,
}

impl<'de> Deserialize<'de> for RawRule {
    fn deserialize<Source: Deserializer<'de>>(source: Source) -> Result<Self, Source::Error> {
        let written = Written::deserialize(source)?;
        let then = match written.then {
            WrittenThen::Ask => Then::Ask,
            WrittenThen::Require => Then::Require,
            WrittenThen::Exempt => Then::Exempt,
            WrittenThen::Enroll => Then::Enroll,
        };
        if then == Then::Exempt && written.remember.is_some() {
            return Err(Source::Error::custom("who is exempt has no code to be remembered"));
        }
        let whose = match written.whose {
            WrittenWhose::Target => Whose::Target,
            WrittenWhose::Caller => Whose::Caller,
        };
        Ok(Self(Rule {
            name: written.name,
            users: written.users,
            services: written.services,
            from: written.from,
            ttys: written.ttys,
            first_factor: written.first_factor,
            time: written.time,
            then,
            remember: written.remember.map(|RawMemory(memory)| memory),
            whose,
        }))
    }
}

/// Goes to the log as it is.
fn name<'de, Source: Deserializer<'de>>(source: Source) -> Result<Option<String>, Source::Error> {
    let name = String::deserialize(source)?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let fits = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_word);
    fits.then_some(Some(name)).ok_or_else(|| {
        Source::Error::custom("a name has 1 to 64 letters, digits, dots, dashes or underscores")
    })
}

fn users<'de, Source: Deserializer<'de>>(source: Source) -> Result<Listed<Person>, Source::Error> {
    listed(source, |text| person(text).map_err(|problem| problem.to_string()))
}

fn networks<'de, Source: Deserializer<'de>>(source: Source) -> Result<Listed<Network>, Source::Error> {
    listed(source, |text| Network::parse(text).map_err(|problem| problem.to_string()))
}

fn terminals<'de, Source: Deserializer<'de>>(source: Source) -> Result<Listed<Terminal>, Source::Error> {
    listed(source, |text| {
        Terminal::new(text).ok_or_else(|| "a terminal is such as tty1, /dev/ttyS* or pts/*".to_owned())
    })
}

fn services<'de, Source: Deserializer<'de>>(source: Source) -> Result<Listed<String>, Source::Error> {
    listed(source, |text| {
        let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
        is_name
            .then(|| text.to_owned())
            .ok_or_else(|| "a service is named as its file in /etc/pam.d".to_owned())
    })
}

fn methods<'de, Source: Deserializer<'de>>(source: Source) -> Result<Listed<String>, Source::Error> {
    listed(source, |text| {
        let known = METHODS.contains(&text).then(|| text.to_owned());
        known.ok_or_else(|| format!("a method of sshd, such as {}", METHODS.join(", ")))
    })
}

fn spans<'de, Source: Deserializer<'de>>(source: Source) -> Result<Vec<Span>, Source::Error> {
    let texts = Vec::<String>::deserialize(source)?;
    if texts.is_empty() {
        return Err(Source::Error::custom(EMPTY));
    }
    texts.iter().map(|text| Span::parse(text).map_err(Source::Error::custom)).collect()
}

/// Why a list without items is refused: it could be meant for nothing as well as for everything.
const EMPTY: &str = "a list without anything in it: leave the key out where it does not matter";

/// A list of texts, those with a `!` in front being exceptions.
fn listed<'de, Source: Deserializer<'de>, T>(
    source: Source,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Listed<T>, Source::Error> {
    let texts = Vec::<String>::deserialize(source)?;
    if texts.is_empty() {
        return Err(Source::Error::custom(EMPTY));
    }
    let mut list = Listed::default();
    for text in &texts {
        match text.strip_prefix('!') {
            Some(exception) => list.none_of.push(read(exception).map_err(Source::Error::custom)?),
            None => list.any_of.push(read(text).map_err(Source::Error::custom)?),
        }
    }
    Ok(list)
}
