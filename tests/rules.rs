//! The rules of the policy against a slow model that shares no code with them: a million random policies and logins.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "rules/model.rs"]
mod model;
#[path = "rules/random.rs"]
mod random;

use pam_countersign::config::PolicyFile;
use pam_countersign::policy::Facts;
use pam_countersign::policy::rules::{
    Circumstances, LocalTime, Memory, Surroundings, Then, Whose, never_matches, rule_on,
};
use pam_countersign::user::{User, UserName};

use model::{Login, Said};
use random::Random;

/// How many policies, each with one login.
const ROUNDS: u64 = 1_000_000;

/// The groups of the model, as the name service would tell them.
struct Groups<'a>(&'a Login);

impl Surroundings for Groups<'_> {
    fn is_member(&self, _: &User, group: &UserName) -> Option<bool> {
        self.0.is_member(group.as_str())
    }

    fn local_time(&self) -> Option<LocalTime> {
        self.0.time.map(|(weekday, minute)| LocalTime { weekday, minute })
    }
}

/// What the module's own rules say about a login.
fn said(policy: &PolicyFile, login: &Login) -> Said {
    let user = User { name: UserName::new(login.user.as_bytes()).expect("a name"), uid: Some(1000) };
    let facts = Facts {
        service: login.service.clone(),
        rhost: login.host.clone(),
        tty: login.tty.clone(),
        ssh_auth_info: login.methods.as_ref().map(|methods| methods.join(" something\n")),
        ..Facts::default()
    };
    let groups = Groups(login);
    let ruling = rule_on(&policy.rules, &Circumstances { user: &user, facts: &facts, surroundings: &groups });
    Said {
        rule: ruling.rule,
        then: match ruling.then {
            Then::Ask => "ask",
            Then::Require => "require",
            Then::Exempt => "exempt",
            Then::Enroll => "enroll",
        },
        remember: match ruling.remember {
            None => None,
            Some(Memory::Never) => Some(0),
            Some(Memory::For(seconds)) => Some(seconds),
        },
        of_caller: ruling.whose == Whose::Caller,
    }
}

#[test]
fn the_rules_say_what_a_slow_model_says() {
    let mut random = Random::new(20_270_115);
    let (mut decided, mut exempt, mut in_doubt) = (0, 0, 0);
    for round in 0..ROUNDS {
        let rules = random.rules();
        let login = random.login();
        let text = model::written(&rules);
        let policy = PolicyFile::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let expected = model::say(&rules, &login);
        assert_eq!(said(&policy, &login), expected, "round {round}\n{text}\n{login:?}");
        decided += u64::from(expected.rule.is_some());
        exempt += u64::from(expected.then == "exempt");
        in_doubt += u64::from(model::is_in_doubt(&rules, &login));
    }
    // What never happens shows nothing.
    for (what, seen) in [("decided", decided), ("exempt", exempt), ("in doubt", in_doubt)] {
        assert!(seen > ROUNDS / 50 && seen < ROUNDS - ROUNDS / 50, "{what}: {seen} of {ROUNDS}");
    }
}

#[test]
fn no_rule_exempts_where_a_fact_that_it_asks_about_is_missing() {
    let mut random = Random::new(11);
    let (mut exempt, mut lacking) = (0, 0);
    for round in 0..ROUNDS / 4 {
        let rules = random.rules();
        let login = random.login();
        let policy = PolicyFile::parse(&model::written(&rules)).expect("a policy");
        lacking += u64::from(rules.iter().any(|rule| model::lacks_a_fact(rule, &login)));
        let said = said(&policy, &login);
        if said.then != "exempt" {
            continue;
        }
        exempt += 1;
        let rule = &rules[said.rule.expect("only a rule exempts")];
        assert!(!model::lacks_a_fact(rule, &login), "round {round}\n{}\n{login:?}", model::written(&rules));
    }
    for (what, seen) in [("exempt", exempt), ("lacking", lacking)] {
        assert!(seen > ROUNDS / 200 && seen < ROUNDS / 4 - ROUNDS / 200, "{what}: {seen} of {ROUNDS}");
    }
}

#[test]
fn a_rule_that_is_said_to_match_never_decides_nothing() {
    let mut random = Random::new(7);
    let mut hopeless = 0;
    for _ in 0..ROUNDS / 40 {
        let rules = random.rules();
        let policy = PolicyFile::parse(&model::written(&rules)).expect("a policy");
        let login = random.login();
        let said = said(&policy, &login);
        let Some(number) = said.rule else { continue };
        let is_certain = !model::is_in_doubt(&rules, &login);
        if (0..rules.len()).any(|number| never_matches(&policy.rules, number).is_some()) {
            hopeless += 1;
        }
        if is_certain {
            assert_eq!(never_matches(&policy.rules, number), None, "{}", model::written(&rules));
        }
    }
    assert!(hopeless > 100, "{hopeless}");
}
