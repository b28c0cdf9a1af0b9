//! Rules that can never match: a mistake that nobody would notice.

use super::condition::Listed;
use super::{Network, Person, Rule, Then};

/// Why a rule can never match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hopeless {
    /// An earlier rule, of this number, matches whenever it would.
    Behind(usize),
    /// All that is listed under this key is excepted there too.
    Excepted(&'static str),
    /// Methods are known of sshd alone, and that is not among its services.
    FirstFactorWithoutSshd,
    /// It is for sshd alone, which has no terminal.
    TerminalOfSshd,
}

/// The service that says which methods were completed, and has no terminal.
const SSHD: &str = "sshd";

/// Why the rule of this number can never match; `None` where it can, or where that is not plain to see.
pub fn never_matches(rules: &[Rule], number: usize) -> Option<Hopeless> {
    let rule = rules.get(number)?;
    if let Some(key) = rule.excepts_all() {
        return Some(Hopeless::Excepted(key));
    }
    if !rule.first_factor.is_empty() && !rule.may_be_for_sshd() {
        return Some(Hopeless::FirstFactorWithoutSshd);
    }
    if !rule.ttys.is_empty() && !rule.may_be_for_another_than_sshd() {
        return Some(Hopeless::TerminalOfSshd);
    }
    let earlier = rules.iter().take(number).position(|earlier| earlier.covers(rule));
    earlier.map(Hopeless::Behind)
}

/// The condition that a service leaves unknown for which a rule may be meant, so that the rule decides about every
/// login by that service, at its strictest. `None` for a rule that exempts, which is passed over instead.
pub fn unknown_elsewhere(rule: &Rule) -> Option<&'static str> {
    if rule.then == Then::Exempt {
        None
    } else if !rule.first_factor.is_empty() && rule.may_be_for_another_than_sshd() {
        Some("first_factor")
    } else if !rule.ttys.is_empty() && rule.may_be_for_sshd() {
        Some("ttys")
    } else {
        None
    }
}

impl Rule {
    fn may_be_for_sshd(&self) -> bool {
        let is_sshd = |service: &String| service == SSHD;
        let Listed { any_of, none_of } = &self.services;
        (any_of.is_empty() || any_of.iter().any(is_sshd)) && !none_of.iter().any(is_sshd)
    }

    fn may_be_for_another_than_sshd(&self) -> bool {
        let Listed { any_of, none_of } = &self.services;
        any_of.is_empty() || any_of.iter().any(|service| service != SSHD && !none_of.contains(service))
    }

    /// Whether this rule matches whenever the other does, as far as can be seen without asking anybody.
    fn covers(&self, other: &Self) -> bool {
        covers(&self.users, &other.users, Person::eq)
            && covers(&self.services, &other.services, String::eq)
            && covers(&self.from, &other.from, Network::covers)
            && covers(&self.ttys, &other.ttys, super::Terminal::covers)
            && covers(&self.first_factor, &other.first_factor, String::eq)
            && (self.time.is_empty() || self.time == other.time)
    }

    /// The key under which all that is listed is excepted.
    fn excepts_all(&self) -> Option<&'static str> {
        let keys = [
            ("users", excepts_all(&self.users, Person::eq)),
            ("services", excepts_all(&self.services, String::eq)),
            ("from", excepts_all(&self.from, Network::covers)),
            ("ttys", excepts_all(&self.ttys, super::Terminal::covers)),
            ("first_factor", excepts_all(&self.first_factor, String::eq)),
        ];
        keys.into_iter().find(|(_, all)| *all).map(|(key, _)| key)
    }
}

/// Whether a list holds whenever the other does.
fn covers<T: PartialEq>(one: &Listed<T>, other: &Listed<T>, includes: impl Fn(&T, &T) -> bool) -> bool {
    let all_listed = !other.any_of.is_empty()
        && other.any_of.iter().all(|item| one.any_of.iter().any(|wider| includes(wider, item)));
    let nothing_more_excepted =
        one.none_of.iter().all(|item| other.none_of.iter().any(|wider| includes(wider, item)));
    (one.any_of.is_empty() || all_listed) && nothing_more_excepted
}

fn excepts_all<T>(list: &Listed<T>, includes: impl Fn(&T, &T) -> bool) -> bool {
    let excepted = |item: &T| list.none_of.iter().any(|wider| includes(wider, item));
    !list.any_of.is_empty() && list.any_of.iter().all(excepted)
}
