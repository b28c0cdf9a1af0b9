//! `countersign explain`: which rule decides about a login, and why the others do not.

use std::fmt::Write as _;

use serde::Serialize;

use super::args::Explain;
use super::error::{Error, ExitCode};
use super::terminal::{Terminal, unless_nobody_reads};
use super::{json, who};
use crate::backend::{self, Here};
use crate::config::{PolicyFile, RawArguments, Unenrolled, resolve::resolve};
use crate::policy::Facts;
use crate::policy::rules::{
    Circumstances, Fit, LocalTime, Memory, Rule, Ruling, Surroundings, Then, Whose, rule_on,
};
use crate::user::{User, UserName};

/// The report for programs.
#[derive(Serialize)]
struct Explained<'a> {
    user: &'a str,
    service: &'a str,
    decision: &'static str,
    in_doubt: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remember: Option<u64>,
    whose: &'static str,
    rules: Vec<Explanation>,
}

/// What one rule comes to.
#[derive(Serialize)]
struct Explanation {
    number: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    fit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
}

/// Says what the module would decide, by the module's own rules.
pub(super) fn run(options: &Explain, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let policy = options.conf.as_deref().map_or_else(backend::policy_file, backend::policy_file_at);
    let policy = policy.map_err(|problem| Error::Policy(problem.to_string()))?;
    let user = who::known_or_not(&options.user)?;
    let facts = facts(options, &user)?;
    let surroundings = Supposed { here: Here, time: options.at };
    let circumstances = Circumstances { user: &user, facts: &facts, surroundings: &surroundings };
    let ruling = rule_on(&policy.rules, &circumstances);
    let rules = policy.rules.iter().enumerate();
    let rules: Vec<_> = rules.map(|(number, rule)| explanation(number, rule, &circumstances)).collect();
    let text = if options.json {
        let remember = memory(ruling, &policy).and_then(Memory::seconds);
        let Ruling { rule, in_doubt, then, whose, .. } = ruling;
        json::document(
            "explain",
            Explained {
                user: user.name.as_str(),
                service: &facts.service,
                decision: then.word(),
                in_doubt,
                rule: rule.map(|number| number + 1),
                remember,
                whose: if whose == Whose::Caller { "caller" } else { "target" },
                rules,
            },
        )?
    } else {
        words(&user, ruling, &rules, &policy)
    };
    unless_nobody_reads(terminal.report(text.trim_end()))?;
    Ok(ExitCode::Success)
}

/// The login that is supposed.
fn facts(options: &Explain, user: &User) -> Result<Facts, Error> {
    let caller = options.caller.as_deref().map(|name| who::account(Some(name))).transpose()?;
    let caller = caller.and_then(|caller| caller.uid).or(user.uid);
    // su and sudo run with the real uid of who calls.
    let by_a_user =
        options.from.is_none() && ["su", "sudo", "su-l", "sudo-i"].contains(&options.service.as_str());
    let methods = options.first_factor.as_ref();
    Ok(Facts {
        service: options.service.clone(),
        rhost: options.from.clone(),
        tty: options.tty.clone().or_else(|| (options.service == "sshd").then(|| "ssh".to_owned())),
        ssh_connection: None,
        ssh_auth_info: methods.map(|method| format!("{method} supposed\n")),
        real_uid: if by_a_user { caller.unwrap_or(0) } else { 0 },
        ruser_uid: if by_a_user { caller } else { None },
        audit_session: None,
    })
}

/// This machine, at a time that may be another one.
struct Supposed {
    here: Here,
    time: Option<LocalTime>,
}

impl Surroundings for Supposed {
    fn is_member(&self, user: &User, group: &UserName) -> Option<bool> {
        self.here.is_member(user, group)
    }

    fn local_time(&self) -> Option<LocalTime> {
        self.time.or_else(|| self.here.local_time())
    }
}

fn explanation(number: usize, rule: &Rule, circumstances: &Circumstances<'_>) -> Explanation {
    let (fit, condition) = match rule.fit(circumstances) {
        Fit::Yes => ("yes", None),
        Fit::No(condition) => ("no", Some(condition)),
        Fit::Unknown(condition) => ("unknown", Some(condition)),
    };
    Explanation { number: number + 1, name: rule.name.clone(), fit, condition }
}

fn memory(ruling: Ruling, policy: &PolicyFile) -> Option<Memory> {
    ruling.remember.or(policy.remember)
}

/// The report for people.
fn words(user: &User, ruling: Ruling, rules: &[Explanation], policy: &PolicyFile) -> String {
    let mut text = format!("{}: {}\n", user.name, decided(ruling, policy));
    for rule in rules {
        let Explanation { number, name, fit, condition } = rule;
        let name = name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let decides = ruling.rule.is_some_and(|deciding| deciding + 1 == *number);
        let is_behind = ruling.rule.is_some_and(|deciding| deciding + 1 < *number);
        let why = match (decides, is_behind, *fit, condition) {
            (true, _, "yes", _) => "decides".to_owned(),
            (true, _, _, Some(condition)) => {
                format!("applies: {condition} is unknown, so the strict reading is used")
            }
            (_, true, ..) => "comes too late".to_owned(),
            (_, _, "unknown", Some(condition)) => {
                format!("passed over: {condition} is unknown, and that never exempts")
            }
            (_, _, _, Some(condition)) => format!("does not match: {condition}"),
            _ => "does not match".to_owned(),
        };
        let _ = writeln!(text, "  rule {number}{name}: {why}");
    }
    if policy.rules.is_empty() {
        text.push_str("  there are no rules\n");
    }
    text
}

/// What becomes of the login, in one sentence.
fn decided(ruling: Ruling, policy: &PolicyFile) -> String {
    let config = resolve(RawArguments::default(), policy.clone());
    let whose = if ruling.whose == Whose::Caller { "the caller's code" } else { "a code" };
    let remembered = match memory(ruling, policy).and_then(Memory::seconds) {
        Some(seconds) => format!("; a login is remembered for {seconds} s"),
        None => String::new(),
    };
    let otherwise = match (ruling.then, config.unenrolled) {
        (Then::Exempt, _) => return "no code is asked for".to_owned(),
        (Then::Require, _) | (Then::Ask, Unenrolled::Deny) => "denied",
        (Then::Enroll, _) | (Then::Ask, Unenrolled::Enroll) => "enrolled at the login",
        (Then::Ask, Unenrolled::Allow) if config.required_from.is_some() => "let through until that is over",
        (Then::Ask, Unenrolled::Allow) => "let through",
    };
    format!("{whose} is asked for{remembered}; who is not enrolled is {otherwise}")
}

/// A time of the week, such as `Mon 08:30`.
pub(super) fn time_of_week(text: &str) -> Result<LocalTime, &'static str> {
    LocalTime::parse(text).ok_or("a time of the week is such as \"Mon 08:30\"")
}
