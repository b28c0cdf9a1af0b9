//! The module in a file that services share: who is asked for a code then, and which daemons may not ask for it.

use super::guarded::{Guarded, flattened, is_ours, is_shared};
use super::machine::{Daemon, Machine};
use super::stack::stack_of;
use super::{Finding, Severity};
use crate::policy::rules::{Person, Then};

/// Daemons that ask PAM about others and are usually not root when they do, with their accounts on Debian: what
/// systemd says of a unit of the same name goes before.
const USUALLY: [(&str, &str); 13] = [
    ("apache2", "www-data"),
    ("ejabberd", "ejabberd"),
    ("exim", "Debian-exim"),
    ("exim4", "Debian-exim"),
    ("freeradius", "freerad"),
    ("httpd", "apache"),
    ("mariadb", "mysql"),
    ("mysql", "mysql"),
    ("nginx", "www-data"),
    ("openvpn", "nobody"),
    ("postgresql", "postgres"),
    ("prosody", "prosody"),
    ("radiusd", "freerad"),
];

/// What comes of it.
pub(super) fn examine(machine: &Machine, guarded: &[Guarded]) -> Vec<Finding> {
    let mut findings = in_shared_files(machine, guarded);
    findings.extend(guarded.iter().filter_map(|guarded| not_root(machine, guarded)));
    findings
}

/// The module in files that others include, with all who do.
fn in_shared_files(machine: &Machine, guarded: &[Guarded]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in machine.pam.services().filter(|name| is_shared(name)) {
        let Some((path, _)) = machine.pam.get(name) else { continue };
        let Ok(stack) = stack_of(&machine.pam, name, "auth") else { continue };
        let own = format!("{path}:");
        let modules = flattened(&stack);
        let Some(ours) = modules.iter().find(|module| is_ours(module) && module.place.starts_with(&own))
        else {
            continue;
        };
        let includes = |other: &&Guarded| {
            other.modules().into_iter().any(|module| is_ours(module) && module.place == ours.place)
        };
        let others: Vec<&str> = guarded.iter().filter(includes).map(|other| other.service.as_str()).collect();
        let what = format!(
            "every service that includes this file asks for a code, those that cannot show a prompt too: {}",
            others.join(", ")
        );
        let mend = "exempt in the policy whose programs cannot ask, or put the module's line into the files of the \
                    services that you mean";
        findings.push(Finding::new(Severity::Warning, "in_shared_file", ours.place.clone(), what, mend));
    }
    findings
}

/// A daemon that is not root asks about others, and the service answers nobody but root, and those that the policy
/// names, about others.
fn not_root(machine: &Machine, guarded: &Guarded) -> Option<Finding> {
    let service = guarded.service.as_str();
    let told = machine.daemons.iter().find(|daemon| daemon.service == service);
    let (is_run_by, user) = match told {
        Some(Daemon { user, .. }) => ("is run by", user.as_str()),
        None => ("is usually run by", USUALLY.iter().find(|(name, _)| *name == service)?.1),
    };
    let policy = machine.policy.as_ref().ok()?;
    let is_verifier = policy
        .service
        .verifiers
        .iter()
        .any(|person| matches!(person, Person::User(name) if name.as_str() == user));
    let is_exempt = policy
        .rules
        .iter()
        .any(|rule| rule.then == Then::Exempt && rule.services.any_of.iter().any(|name| name == service));
    (!is_verifier && !is_exempt && guarded.codes().next().is_some()).then(|| {
        let what = format!(
            "{service} {is_run_by} {user}, who is not root and may not have the codes of others judged: nobody gets in"
        );
        let mend = format!(
            "in {}: a rule with services = [\"{service}\"] and then = \"exempt\", or verifiers = [\"{user}\"]",
            crate::config::file::PATH
        );
        Finding::new(Severity::Error, "daemon_not_root", guarded.place(), what, mend)
    })
}
