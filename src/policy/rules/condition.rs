//! One condition of a rule: a list of which one must hold, and the exceptions to it.

use super::week::covers;
use super::{Network, Person, Span, Surroundings};
use crate::policy::source::{Facts, address_told, methods_told, terminal_told};
use crate::user::User;

/// Whether a condition holds; where not, the key of the policy file that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It holds.
    Yes,
    /// It does not.
    No(&'static str),
    /// A fact that it needs is unknown.
    Unknown(&'static str),
}

/// What is listed: any of these, but none of those that have a `!` before them. Nothing listed is everything,
/// and exceptions alone are everything but those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// Any of these.
    pub any_of: Vec<T>,
    /// But none of these.
    pub none_of: Vec<T>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { any_of: Vec::new(), none_of: Vec::new() }
    }
}

impl<T> Listed<T> {
    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.any_of.is_empty() && self.none_of.is_empty()
    }

    /// Whether the list holds, if `is` tells of each item whether it does. `None` is unknown, with and without a `!`.
    fn holds(&self, mut is: impl FnMut(&T) -> Option<bool>) -> Option<bool> {
        let excepted = any(&self.none_of, &mut is);
        if excepted == Some(true) {
            return Some(false);
        }
        let listed = if self.any_of.is_empty() { Some(true) } else { any(&self.any_of, &mut is) };
        match (listed, excepted) {
            (Some(false), _) => Some(false),
            (Some(true), Some(_)) => Some(true),
            _ => None,
        }
    }
}

/// Whether any item holds.
fn any<T>(items: &[T], is: &mut impl FnMut(&T) -> Option<bool>) -> Option<bool> {
    let mut told = Some(false);
    for item in items {
        match is(item) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => told = None,
        }
    }
    told
}

fn fit(key: &'static str, holds: Option<bool>) -> Fit {
    match holds {
        Some(true) => Fit::Yes,
        Some(false) => Fit::No(key),
        None => Fit::Unknown(key),
    }
}

/// A terminal, or with a `*` at its end all whose names begin like it. `/dev/` in front says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// The name, or its beginning.
    name: String,
    /// Whether it is a beginning.
    is_prefix: bool,
}

impl Terminal {
    /// Of a text such as `tty1`, `/dev/ttyS*` or `pts/*`.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.strip_prefix("/dev/").unwrap_or(text);
        let (name, is_prefix) = text.strip_suffix('*').map_or((text, false), |name| (name, true));
        let is_name = !name.contains('*') && name.bytes().all(|byte| byte.is_ascii_graphic());
        (is_name && !text.is_empty()).then(|| Self { name: name.to_owned(), is_prefix })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_prefix(&self) -> bool {
        self.is_prefix
    }

    fn is(&self, tty: &str) -> bool {
        let tty = tty.strip_prefix("/dev/").unwrap_or(tty);
        if self.is_prefix { tty.starts_with(&self.name) } else { tty == self.name }
    }

    /// Whether all that is named by the other is named by this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self == other || (self.is_prefix && other.name.starts_with(&self.name))
    }
}

pub(super) fn user(users: &Listed<Person>, user: &User, surroundings: &dyn Surroundings) -> Fit {
    let is = |person: &Person| match person {
        Person::User(name) => Some(*name == user.name),
        Person::Group(group) => surroundings.is_member(user, group),
    };
    fit("users", users.holds(is))
}

/// Without PAM_SERVICE the service is unknown.
pub(super) fn service(services: &Listed<String>, facts: &Facts) -> Fit {
    let service = Some(&facts.service).filter(|service| !service.is_empty());
    fit("services", services.holds(|listed| service.map(|service| listed == service)))
}

/// A login without a remote host comes from no network; one whose host is not a numeric address may come from any.
pub(super) fn network(networks: &Listed<Network>, facts: &Facts) -> Fit {
    if networks.is_empty() {
        return Fit::Yes;
    }
    let is_remote = facts.rhost.is_some() || facts.ssh_connection.is_some();
    let address = address_told(facts);
    if address.is_none() && !is_remote {
        return Fit::No("from");
    }
    fit("from", networks.holds(|network| address.map(|address| network.contains(address))))
}

pub(super) fn terminal(ttys: &Listed<Terminal>, facts: &Facts) -> Fit {
    let tty = terminal_told(facts);
    fit("ttys", ttys.holds(|terminal| tty.map(|tty| terminal.is(tty))))
}

/// Where only keyboard-interactive has run, sshd tells of no method either.
pub(super) fn first_factor(methods: &Listed<String>, facts: &Facts) -> Fit {
    let told = methods_told(facts);
    let is_completed =
        |told: &str, method: &str| told.lines().any(|line| line.split(' ').next() == Some(method));
    fit("first_factor", methods.holds(|method| told.map(|told| is_completed(told, method))))
}

pub(super) fn time(spans: &[Span], surroundings: &dyn Surroundings) -> Fit {
    if spans.is_empty() {
        return Fit::Yes;
    }
    fit("time", surroundings.local_time().map(|now| covers(spans, now)))
}
