//! What is wrong with a policy file that can be read, or why it cannot be.

use super::{Finding, Severity};
use crate::config::{PolicyFile, Unenrolled};
use crate::policy::rules::{Hopeless, Person, Rule, Then, Whose, never_matches, unknown_elsewhere};

/// What is wrong with the policy file at `path`. `unknown` are its users and groups whom nobody knows.
pub fn examine(path: &str, policy: Result<&PolicyFile, &str>, unknown: &[Person]) -> Vec<Finding> {
    let policy = match policy {
        Ok(policy) => policy,
        Err(problem) => {
            let what = format!("it cannot be used, and nobody is let in while it is so: {problem}");
            let mend = "correct the file, see countersign.toml(5)";
            return vec![Finding::new(Severity::Error, "bad_policy", path, what, mend)];
        }
    };
    let warn = |code, what: String, mend: &str| Finding::new(Severity::Warning, code, path, what, mend);
    let mut findings: Vec<Finding> = unknown
        .iter()
        .map(|name| warn("unknown_name", unknown_name(name), "correct it, or make the account or group"))
        .collect();
    for (number, rule) in policy.rules.iter().enumerate() {
        if let Some(hopeless) = never_matches(&policy.rules, number) {
            let what = format!(
                "{} can never match: {}",
                called(&policy.rules, number),
                why(hopeless, &policy.rules)
            );
            findings.push(warn("rule_never_matches", what, "move it, correct it or leave it out"));
        } else if rule.whose == Whose::Caller && !is_for_su_and_sudo(rule) {
            let what = format!(
                "{} asks for the caller's code where there is no caller: those logins are denied",
                called(&policy.rules, number)
            );
            findings.push(warn(
                "caller_without_su",
                what,
                "name su, su-l, sudo or sudo-i under services, and nothing else",
            ));
        } else if let Some((named, missing)) = half_of_a_pair(rule) {
            let what = format!("{} is for {named} and not for {missing}", called(&policy.rules, number));
            findings.push(warn("half_of_a_pair", what, "name both under services"));
        } else if let Some(key) = unknown_elsewhere(rule) {
            findings.push(warn(
                "unknown_elsewhere",
                unknown_condition(&policy.rules, number, key),
                narrower(key),
            ));
        } else if rule.then == Then::Exempt && has_no_condition(rule) {
            let what = format!("{} exempts everybody everywhere", called(&policy.rules, number));
            findings.push(warn("everybody_exempt", what, "name in it who is exempt, or where"));
        }
    }
    if policy.required_from.is_some()
        && policy.unenrolled.is_some_and(|unenrolled| unenrolled != Unenrolled::Allow)
    {
        let what = "required_from says nothing, for nobody who is not enrolled is let through before that day either".to_owned();
        findings.push(warn(
            "day_without_meaning",
            what,
            "write unenrolled = \"allow\", or leave required_from out",
        ));
    }
    findings
}

/// A rule, as people know it.
fn called(rules: &[Rule], number: usize) -> String {
    let name = rules.get(number).and_then(|rule| rule.name.as_ref());
    name.map_or_else(|| format!("rule {}", number + 1), |name| format!("rule {} ({name})", number + 1))
}

fn why(hopeless: Hopeless, rules: &[Rule]) -> String {
    match hopeless {
        Hopeless::Behind(earlier) => format!("{} matches whenever it would", called(rules, earlier)),
        Hopeless::Excepted(key) => format!("all that it lists under {key} is excepted there"),
        Hopeless::FirstFactorWithoutSshd => {
            "only sshd says what it has seen completed, and sshd is not among its services".to_owned()
        }
        Hopeless::TerminalOfSshd => "it is for sshd alone, which has no terminal".to_owned(),
    }
}

/// Services by which people become somebody else, each with the one that is asked for a login shell.
const PAIRS: [(&str, &str); 2] = [("su", "su-l"), ("sudo", "sudo-i")];

fn is_for_su_and_sudo(rule: &Rule) -> bool {
    let known = |service: &String| PAIRS.iter().any(|(one, other)| service == one || service == other);
    !rule.services.any_of.is_empty() && rule.services.any_of.iter().all(known)
}

/// A service of such a pair that a rule names which asks for more, and the other one that it forgets.
fn half_of_a_pair(rule: &Rule) -> Option<(&'static str, &'static str)> {
    let has = |service: &str| rule.services.any_of.iter().any(|listed| listed == service);
    let pair = PAIRS.into_iter().find(|(one, other)| has(one) != has(other));
    let (one, other) = pair.filter(|_| rule.then != Then::Exempt)?;
    Some(if has(one) { (one, other) } else { (other, one) })
}

fn has_no_condition(rule: &Rule) -> bool {
    let bare = Rule { name: rule.name.clone(), then: rule.then, ..Rule::default() };
    *rule == bare
}

fn unknown_condition(rules: &[Rule], number: usize, key: &str) -> String {
    let where_unknown =
        if key == "ttys" { "sshd has no terminal" } else { "only sshd says what it has seen completed" };
    let called = called(rules, number);
    format!(
        "{called} decides wherever {key} is unknown, and denies users who are not enrolled: {where_unknown}"
    )
}

fn narrower(key: &str) -> &'static str {
    if key == "ttys" {
        "name the services that have a terminal, such as services = [\"login\"]"
    } else {
        "write services = [\"sshd\"] in it"
    }
}

fn unknown_name(name: &Person) -> String {
    match name {
        Person::User(name) => format!("there is no user {name}"),
        Person::Group(name) => format!("there is no group {name}: a rule with it exempts nobody"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::UserName;

    fn codes(text: &str) -> Vec<&'static str> {
        let policy = PolicyFile::parse(text).unwrap();
        examine("file", Ok(&policy), &[]).into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn what_is_wrong_with_a_policy_is_found_and_nothing_else() {
        assert!(codes("").is_empty());
        assert!(
            codes("[[rule]]\nusers = [\"bob\"]\nthen = \"exempt\"\n[[rule]]\nthen = \"require\"\n")
                .is_empty()
        );
        assert_eq!(codes("[[rule]]\nthen = \"exempt\"\n"), ["everybody_exempt"]);
        assert_eq!(codes("[[rule]]\n[[rule]]\nusers = [\"bob\"]\n"), ["rule_never_matches"]);
        assert_eq!(codes("unenrolled = \"deny\"\nrequired_from = 2027-01-01\n"), ["day_without_meaning"]);
        assert_eq!(codes("[[rule]]\nservices = [\"su\"]\nthen = \"require\"\n"), ["half_of_a_pair"]);
        assert!(codes("[[rule]]\nservices = [\"su\"]\nthen = \"exempt\"\n").is_empty());
        assert!(codes("[[rule]]\nservices = [\"su\", \"su-l\"]\nwhose = \"caller\"\n").is_empty());
        assert_eq!(codes("[[rule]]\nwhose = \"caller\"\n"), ["caller_without_su"]);
        assert_eq!(
            codes("[[rule]]\nservices = [\"su\", \"sshd\"]\nwhose = \"caller\"\n"),
            ["caller_without_su"]
        );
        let with =
            |conditions: &str, then: &str| codes(&format!("[[rule]]\n{conditions}\nthen = \"{then}\"\n"));
        for (conditions, strict, exempt) in [
            ("ttys = [\"!pts/*\"]", Some("unknown_elsewhere"), None),
            ("ttys = [\"tty1\"]\nservices = [\"!sshd\"]", None, None),
            ("ttys = [\"tty1\"]\nservices = [\"login\"]", None, None),
            (
                "ttys = [\"tty1\"]\nservices = [\"sshd\"]",
                Some("rule_never_matches"),
                Some("rule_never_matches"),
            ),
            ("first_factor = [\"!password\"]", Some("unknown_elsewhere"), None),
            ("first_factor = [\"!password\"]\nservices = [\"sshd\"]", None, None),
            (
                "first_factor = [\"!password\"]\nservices = [\"login\"]",
                Some("rule_never_matches"),
                Some("rule_never_matches"),
            ),
        ] {
            assert_eq!(with(conditions, "require"), strict.into_iter().collect::<Vec<_>>(), "{conditions}");
            assert_eq!(with(conditions, "exempt"), exempt.into_iter().collect::<Vec<_>>(), "{conditions}");
        }
        assert!(codes("unenrolled = \"allow\"\nrequired_from = 2027-01-01\n").is_empty());
        let broken = examine("file", Err("line 1"), &[]);
        assert_eq!((broken[0].code, broken[0].severity), ("bad_policy", Severity::Error));
        let unknown = [Person::Group(UserName::new(b"gone").unwrap())];
        assert_eq!(examine("file", Ok(&PolicyFile::default()), &unknown)[0].code, "unknown_name");
    }
}
