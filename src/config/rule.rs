//! A rule of the policy file, as it was written.

use super::file::{memory, person};
use super::place::Place;
use crate::document::{Misfit, Table, Value};
use crate::policy::rules::{Listed, Network, Rule, Span, Terminal, Then, Whose};

/// All keys of a rule, for the documentation and for whoever compares with it.
pub const KEYS: [&str; 10] =
    ["name", "users", "services", "from", "ttys", "first_factor", "time", "then", "remember", "whose"];
/// The longest name of a rule, in bytes.
const LONGEST_NAME: usize = 64;
/// What sshd may say that it has seen completed.
const METHODS: [&str; 5] = ["publickey", "password", "keyboard-interactive", "hostbased", "gssapi-with-mic"];

/// `[[rule]]`
pub(super) fn read(rule: Table<'_>) -> Result<Rule, Misfit> {
    Place::Rule.check(rule)?;
    let then = rule.get("then").map(then).transpose()?.unwrap_or_default();
    let remember = rule.get("remember").map(memory).transpose()?;
    if then == Then::Exempt && remember.is_some() {
        return Err(rule.misfit("who is exempt has no code to be remembered"));
    }
    Ok(Rule {
        name: rule.get("name").map(name).transpose()?,
        users: listed(rule, "users", |text| person(text).map_err(|problem| problem.to_string()))?,
        services: listed(rule, "services", service)?,
        from: listed(rule, "from", |text| Network::parse(text).map_err(|problem| problem.to_string()))?,
        ttys: listed(rule, "ttys", terminal)?,
        first_factor: listed(rule, "first_factor", method)?,
        time: rule.get("time").map(spans).transpose()?.unwrap_or_default(),
        then,
        remember,
        whose: rule.get("whose").map(whose).transpose()?.unwrap_or_default(),
    })
}

fn then(written: Value<'_>) -> Result<Then, Misfit> {
    let known = [Then::Ask, Then::Require, Then::Exempt, Then::Enroll];
    written.word(&known.map(|then| (then.word(), then)))
}

fn whose(written: Value<'_>) -> Result<Whose, Misfit> {
    written.word(&[("target", Whose::Target), ("caller", Whose::Caller)])
}

/// Goes to the log as it is.
fn name(written: Value<'_>) -> Result<String, Misfit> {
    let name = written.text()?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let fits = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_word);
    fits.then(|| name.to_owned())
        .ok_or_else(|| written.misfit("a name has 1 to 64 letters, digits, dots, dashes or underscores"))
}

fn terminal(text: &str) -> Result<Terminal, String> {
    Terminal::new(text).ok_or_else(|| "a terminal is such as tty1, /dev/ttyS* or pts/*".to_owned())
}

fn service(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
    is_name.then(|| text.to_owned()).ok_or_else(|| "a service is named as its file in /etc/pam.d".to_owned())
}

fn method(text: &str) -> Result<String, String> {
    let known = METHODS.contains(&text).then(|| text.to_owned());
    known.ok_or_else(|| format!("a method of sshd, such as {}", METHODS.join(", ")))
}

fn spans(written: Value<'_>) -> Result<Vec<Span>, Misfit> {
    filled(written)?
        .map(|span| Span::parse(span.text()?).map_err(|problem| span.misfit(problem.to_string())))
        .collect()
}

/// Why a list without items is refused: it could be meant for nothing as well as for everything.
const EMPTY: &str = "a list without anything in it: leave the key out where it does not matter";

fn filled(written: Value<'_>) -> Result<impl Iterator<Item = Value<'_>>, Misfit> {
    let items = written.list()?;
    if items.len() == 0 {
        return Err(written.misfit(EMPTY));
    }
    Ok(items)
}

/// A list of texts, those with a `!` in front being exceptions. It is empty where its key is not there.
fn listed<T>(
    rule: Table<'_>,
    key: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Listed<T>, Misfit> {
    let mut list = Listed::default();
    let Some(written) = rule.get(key) else { return Ok(list) };
    for item in filled(written)? {
        let text = item.text()?;
        let (text, items) = match text.strip_prefix('!') {
            Some(exception) => (exception, &mut list.none_of),
            None => (text, &mut list.any_of),
        };
        items.push(read(text).map_err(|problem| item.misfit(problem))?);
    }
    Ok(list)
}
