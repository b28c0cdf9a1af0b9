//! A policy file: whatever is written in it, it is read or refused with a place; rules that are read decide, and a rule
//! that is said never to match does not decide about a login of which everything is known.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_countersign::config::{PolicyFile, RawArguments, resolve::resolve};
use pam_countersign::doctor::policy::examine;
use pam_countersign::policy::Facts;
use pam_countersign::policy::rules::{Circumstances, LocalTime, Surroundings, never_matches, rule_on};
use pam_countersign::user::{User, UserName};

/// Everything is known here.
struct Known;

impl Surroundings for Known {
    fn is_member(&self, _: &User, group: &UserName) -> Option<bool> {
        Some(group.as_str().len().is_multiple_of(2))
    }

    fn local_time(&self) -> Option<LocalTime> {
        Some(LocalTime { weekday: 2, minute: 600 })
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let policy = match PolicyFile::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            let error = error.to_string();
            assert!(error.starts_with("line ") && error.contains(", column "), "{error}");
            return;
        }
    };
    let user = User { name: UserName::new(b"alice").expect("a name"), uid: Some(1000) };
    let facts = |host: Option<&str>, service: &str| Facts {
        service: service.to_owned(),
        rhost: host.map(str::to_owned),
        tty: Some("/dev/tty1".to_owned()),
        ssh_auth_info: Some("publickey ssh-ed25519 AAAA\n".to_owned()),
        ..Facts::default()
    };
    for facts in [facts(Some("192.0.2.7"), "sshd"), facts(Some("2001:db8::1"), "sshd"), facts(None, "su")] {
        let ruling =
            rule_on(&policy.rules, &Circumstances { user: &user, facts: &facts, surroundings: &Known });
        if let Some(number) = ruling.rule {
            assert!(!ruling.in_doubt && never_matches(&policy.rules, number).is_none());
        }
    }
    let findings = examine("policy", Ok(&policy), &[]);
    assert!(findings.len() <= policy.rules.len() + 1);
    let config = resolve(RawArguments::default(), policy);
    assert!((1..=10).contains(&config.attempts));
});
