//! Rules: who is asked for a code, where and when. The first rule that matches decides.
//!
//! A fact that is unknown (a group that the name service does not give, a host that has only a name) matches neither
//! an item nor its exception, and never exempts: a rule with an unknown condition is passed over where it exempts,
//! and is taken at its strictest where it does not.

mod condition;
mod coverage;
mod description;
mod network;
mod week;

pub use condition::{Fit, Listed, Terminal};
pub use coverage::{Hopeless, never_matches, unknown_elsewhere};
pub use network::{BadNetwork, Network};
pub use week::{BadSpan, LocalTime, Span};

use super::source::Facts;
use crate::user::{User, UserName};

/// A rule: conditions that must all hold, and what follows. Without conditions it always matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// What people call it.
    pub name: Option<String>,
    /// Who logs in.
    pub users: Listed<Person>,
    /// Through which PAM services.
    pub services: Listed<String>,
    /// From which networks.
    pub from: Listed<Network>,
    /// On which terminals.
    pub ttys: Listed<Terminal>,
    /// Which methods sshd has seen completed.
    pub first_factor: Listed<String>,
    /// At which times of the week; none are all.
    pub time: Vec<Span>,
    /// What follows.
    pub then: Then,
    /// For how many seconds a login is remembered; `None` leaves it as it is otherwise.
    pub remember: Option<Memory>,
    /// Whose code is asked for.
    pub whose: Whose,
}

/// A user, or a group with an `@` before its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// `radiusd`
    User(UserName),
    /// `@vpn`
    Group(UserName),
}

/// What follows from a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// A code is asked for as if there were no rules.
    #[default]
    Ask,
    /// A code is required, also of users who are not enrolled.
    Require,
    /// Nothing is asked.
    Exempt,
    /// A code is required, and who is not enrolled enrols now.
    Enroll,
}

impl Then {
    /// The word of the policy file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Require => "require",
            Self::Exempt => "exempt",
            Self::Enroll => "enroll",
        }
    }
}

/// For how long a login is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Not at all.
    Never,
    /// For so many seconds.
    For(u64),
}

impl Memory {
    /// The seconds, where there are any.
    pub fn seconds(self) -> Option<u64> {
        match self {
            Self::Never => None,
            Self::For(seconds) => Some(seconds),
        }
    }
}

/// Whose code is asked for by su and sudo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// That of the account that is logged into (PAM_USER).
    #[default]
    Target,
    /// That of the account that calls.
    Caller,
}

/// Who can tell what rules ask for besides, when one asks for it.
pub trait Surroundings {
    /// Whether the user belongs to the group. `None` where that cannot be told, or where there is no such group.
    fn is_member(&self, user: &User, group: &UserName) -> Option<bool>;

    /// The time of the week where the machine is; `None` where that cannot be told.
    fn local_time(&self) -> Option<LocalTime>;
}

/// What the rules are asked about.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// Who logs in.
    pub user: &'a User,
    /// From where, through what.
    pub facts: &'a Facts,
    /// Who belongs to which groups, and what time it is.
    pub surroundings: &'a dyn Surroundings,
}

/// What the rules say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The number of the rule that decides; `None` where none matches.
    pub rule: Option<usize>,
    /// Whether it decides because it could not be told whether it matches.
    pub in_doubt: bool,
    /// What follows.
    pub then: Then,
    /// For how long a login is remembered; `None` leaves it as it is otherwise.
    pub remember: Option<Memory>,
    /// Whose code is asked for.
    pub whose: Whose,
}

impl Ruling {
    /// Where no rule matches.
    pub const WITHOUT_A_RULE: Self =
        Self { rule: None, in_doubt: false, then: Then::Ask, remember: None, whose: Whose::Target };

    fn of(number: usize, rule: &Rule) -> Self {
        let Rule { then, remember, whose, .. } = rule;
        Self { rule: Some(number), in_doubt: false, then: *then, remember: *remember, whose: *whose }
    }

    /// The strictest that a rule can mean.
    fn in_doubt(number: usize) -> Self {
        Self {
            rule: Some(number),
            in_doubt: true,
            then: Then::Require,
            remember: Some(Memory::Never),
            whose: Whose::Target,
        }
    }
}

/// What the first rule says that matches.
pub fn rule_on(rules: &[Rule], circumstances: &Circumstances<'_>) -> Ruling {
    let rulings = rules.iter().enumerate().filter_map(|(number, rule)| rule.ruling(number, circumstances));
    rulings.into_iter().next().unwrap_or(Ruling::WITHOUT_A_RULE)
}

impl Rule {
    /// What the rule says, if it says something here.
    fn ruling(&self, number: usize, circumstances: &Circumstances<'_>) -> Option<Ruling> {
        match (self.fit(circumstances), self.then) {
            (Fit::Yes, _) => Some(Ruling::of(number, self)),
            (Fit::No(_), _) | (Fit::Unknown(_), Then::Exempt) => None,
            (Fit::Unknown(_), Then::Ask | Then::Require | Then::Enroll) => Some(Ruling::in_doubt(number)),
        }
    }

    /// Whether the rule matches, and which condition speaks against it. What certainly does not hold goes
    /// before what cannot be told.
    pub fn fit(&self, circumstances: &Circumstances<'_>) -> Fit {
        let Circumstances { user, facts, surroundings } = circumstances;
        // Group look-ups come last: they may take long, and often need not be made.
        let quick = [
            condition::service(&self.services, facts),
            condition::terminal(&self.ttys, facts),
            condition::first_factor(&self.first_factor, facts),
            condition::network(&self.from, facts),
            condition::time(&self.time, *surroundings),
        ];
        if let Some(no) = quick.into_iter().find(|fit| matches!(fit, Fit::No(_))) {
            return no;
        }
        let user = condition::user(&self.users, user, *surroundings);
        match user {
            Fit::No(_) => user,
            Fit::Yes | Fit::Unknown(_) => {
                let all = quick.into_iter().chain([user]);
                all.into_iter().find(|fit| *fit != Fit::Yes).unwrap_or(Fit::Yes)
            }
        }
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
