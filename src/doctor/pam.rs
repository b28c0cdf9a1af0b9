//! The stacks that ask for a code: played through for people who have the password, the code, both or none.

use std::collections::BTreeSet;

use super::dispatch::Returned;
use super::guarded::{Guarded, Person, Proves, asks_for_key, flattened, is_ours, proves};
use super::machine::Machine;
use super::stack::{Module, PamFiles, stack_of};
use super::{Finding, Severity};
use crate::config::Unenrolled;
use crate::config::args::RawArguments;
use crate::policy::rules::Then;

/// Services of programs that do not run as root, and so need the service `io.countersign`.
const NOT_ROOT: [&str; 10] = [
    "swaylock",
    "hyprlock",
    "waylock",
    "gtklock",
    "i3lock",
    "xscreensaver",
    "xlock",
    "kde",
    "cinnamon-screensaver",
    "polkit-1",
];
/// Stacks that are asked beside others: who guards the first one means the second one too.
const SIBLINGS: [(&str, &str); 3] = [("sudo", "sudo-i"), ("su", "su-l"), ("login", "remote")];

/// What is wrong with the stacks.
pub(super) fn examine(machine: &Machine, guarded: &[Guarded]) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        guarded.iter().flat_map(|guarded| examine_stack(machine, guarded)).collect();
    findings.extend(siblings(machine, guarded));
    findings.extend(other_facilities(&machine.pam));
    let mut seen = BTreeSet::new();
    findings.retain(|finding| seen.insert((finding.code, finding.place.clone(), finding.what.clone())));
    findings
}

fn examine_stack(machine: &Machine, guarded: &Guarded) -> Vec<Finding> {
    let error =
        |code, what: String, mend: &str| Finding::new(Severity::Error, code, guarded.place(), what, mend);
    let service = &guarded.service;
    if let Err(bad) = &guarded.stack {
        let what = format!("libpam cannot read the stack of {service}, so nobody gets in: {}", bad.problem);
        return vec![error("unreadable_stack", what, "correct the line, see pam.d(5)")];
    }
    let mut findings = arguments(guarded);
    if machine.module.is_none() {
        let what = format!("the module is not installed, so nobody gets in by {service}");
        findings.push(error("module_missing", what, "install it, or take its lines out of the stack"));
    }
    if guarded.asks_for_key() && service != "sshd" {
        let what =
            format!("first_factor=publickey is for sshd; {service} knows of no keys, so nobody gets in");
        findings.push(error("key_elsewhere", what, "take the line out"));
    }
    if NOT_ROOT.contains(&service.as_str()) && !machine.has_service {
        let what = format!("{service} is not root, and nobody listens who would judge codes for it");
        findings.push(error("service_needed", what, "systemctl enable --now countersign.socket"));
    }
    findings.extend(ways_in(guarded));
    findings.extend(early_enrolment(machine, guarded));
    if guarded.lets_unenrolled_in(machine) {
        let what = format!(
            "who is not enrolled gets in by {service} without a code (nullok, or unenrolled = \"allow\" in the policy)"
        );
        findings.push(Finding::new(
            Severity::Note,
            "nullok",
            guarded.place(),
            what,
            "take nullok away when everybody is enrolled",
        ));
    }
    findings
}

/// Plays the stack for people who must get in, and for people who must not.
fn ways_in(guarded: &Guarded) -> Vec<Finding> {
    let Guarded { service, .. } = guarded;
    let mut findings = Vec::new();
    let mut add = |severity, code, place: &str, what: String, mend: &str| {
        findings.push(Finding::new(severity, code, place, what, mend));
    };
    let all = Person { proves: Proves::All, code: Returned::Success, has_key: true };
    let Some(right) = guarded.played(all) else { return findings };
    let asked: Vec<_> =
        right.called.iter().filter(|module| is_ours(module) && !asks_for_key(module)).collect();
    if !right.succeeds {
        let place = right.last().map_or(service.as_str(), |module| module.place.as_str());
        let what = format!("nobody gets in by {service}, not even with password and code");
        add(Severity::Error, "nobody_gets_in", place, what, "compare the stack with the examples in pam.d/");
    }
    if asked.len() > 1 {
        let what = format!("{service} asks for two codes in one login, and the second one is used already");
        add(
            Severity::Error,
            "asked_twice",
            &guarded.place(),
            what,
            "leave one line of the module in the stack",
        );
    }
    if let Some(module) = without_code(guarded) {
        let what = format!("who proves himself to {} gets in by {service} without a code", module.name());
        let mend = "put the module's line after it as \"required\", and nothing \"sufficient\" before it";
        add(Severity::Error, "without_code", &module.place, what, mend);
    }
    let stranger = Person { proves: Proves::Nothing, code: Returned::Success, has_key: false };
    if guarded.played(stranger).is_some_and(|played| played.succeeds) {
        let what = format!("a code alone lets in by {service}: nothing else is required");
        let mend = "put a line that asks for the password before it, such as \"@include common-auth\"";
        add(Severity::Error, "code_alone", &guarded.place(), what, mend);
    }
    let first = |is: &dyn Fn(&Module) -> bool| right.called.iter().position(|module| is(module));
    let code_at = first(&|module| is_ours(module) && !asks_for_key(module));
    let proof_at = first(&|module| proves(module) || (is_ours(module) && asks_for_key(module)));
    if let (Some(code), Some(proof)) = (code_at, proof_at)
        && code < proof
        && !guarded.codes().all(takes_both)
    {
        let what =
            format!("{service} asks for the code first, and tells strangers what only the owner should know");
        add(
            Severity::Warning,
            "code_first",
            &guarded.place(),
            what,
            "move the module's line below the password's",
        );
    }
    findings
}

/// Enrolment at a login where the module is reached by people who have proven nothing: their passwords are tried
/// again, and counted by nobody.
fn early_enrolment(machine: &Machine, guarded: &Guarded) -> Option<Finding> {
    let policy = machine.policy.as_ref().ok()?;
    let by_rule = policy.rules.iter().any(|rule| rule.then == Then::Enroll);
    let enrols = by_rule || policy.unenrolled == Some(Unenrolled::Enroll);
    let stranger = Person { proves: Proves::Nothing, code: Returned::Failure, has_key: false };
    let played = guarded.played(stranger).filter(|_| enrols)?;
    let reached = played.called.into_iter().find(|module| is_ours(module) && !asks_for_key(module))?;
    let what = format!(
        "{} reaches the module after a wrong password too, which is then tried again to see who may enrol",
        guarded.service
    );
    let mend =
        "make the line of the password requisite, or put a module that counts into /etc/pam.d/countersign";
    Some(Finding::new(Severity::Warning, "early_enrolment", &reached.place, what, mend))
}

/// A line that asks for the password and the code in one belongs before the password's.
fn takes_both(module: &Module) -> bool {
    module.arguments.iter().any(|argument| argument == "forward_pass")
}

/// A line that is enough to get in where the code is wrong.
fn without_code(guarded: &Guarded) -> Option<&Module> {
    let proofs = guarded.modules().into_iter().filter(|module| proves(module));
    let alone = proofs.map(|module| Proves::Only(module.place.as_str()));
    let mut ways = alone.chain([Proves::All, Proves::Nothing]);
    ways.find_map(|which| {
        let person = Person { proves: which, code: Returned::Failure, has_key: true };
        let played = guarded.played(person).filter(|played| played.succeeds)?;
        let proven = played.called.iter().rev().find(|module| proves(module));
        proven.copied().or_else(|| played.last())
    })
}

/// Arguments that the module would refuse, and everybody with them.
fn arguments(guarded: &Guarded) -> Vec<Finding> {
    let ours = guarded.modules().into_iter().filter(|module| is_ours(module));
    ours.filter_map(|module| {
        let problem = RawArguments::parse(module.arguments.iter().map(String::as_bytes)).err()?;
        let what = format!("{problem}, so nobody gets in by {}", guarded.service);
        Some(Finding::new(
            Severity::Error,
            "bad_argument",
            &module.place,
            what,
            "correct it, see pam_countersign(8)",
        ))
    })
    .collect()
}

/// Stacks that lead to the same place and ask for no code.
fn siblings(machine: &Machine, guarded: &[Guarded]) -> Vec<Finding> {
    let is_guarded = |name: &str| guarded.iter().any(|guarded| guarded.service == name);
    SIBLINGS
        .into_iter()
        .filter_map(|(one, other)| match (is_guarded(one), is_guarded(other)) {
            (true, false) => Some((one, other)),
            (false, true) => Some((other, one)),
            _ => None,
        })
        .filter_map(|(with, without)| {
            let (path, _) = machine.pam.get(without)?;
            let what = format!("{with} asks for a code and {without} does not, though it leads to the same");
            Some(Finding::new(
                Severity::Warning,
                "open_sibling",
                path,
                what,
                format!("change {path} like that of {with}"),
            ))
        })
        .collect()
}

/// The module in facilities where it does nothing. In session it tells what a person should know.
fn other_facilities(files: &PamFiles) -> Vec<Finding> {
    let mut findings = Vec::new();
    for facility in ["account", "password"] {
        for service in files.services() {
            let Ok(stack) = stack_of(files, service, facility) else { continue };
            for module in flattened(&stack).into_iter().filter(|module| is_ours(module)) {
                let what = format!("the module asks for nothing in {facility}: nobody needs a code there");
                let mend = "write auth in place of it, or take the line out";
                findings.push(Finding::new(Severity::Warning, "wrong_facility", &module.place, what, mend));
            }
        }
    }
    findings
}
