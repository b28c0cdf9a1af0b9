//! Who is enrolled and who should be.

use super::guarded::Guarded;
use super::machine::{Enrolment, Machine};
use super::{Finding, Severity};
use crate::policy::recovery::FEW_CODES;

/// How many names are shown at once.
const MOST_SHOWN: usize = 10;

/// What is wrong with what is kept of people, and who is missing.
pub(super) fn examine(machine: &Machine, guarded: &[Guarded]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = machine.enrolments.iter().flat_map(of_one).collect();
    findings.extend(missing(machine, guarded));
    findings
}

fn of_one(enrolment: &Enrolment) -> Vec<Finding> {
    let Enrolment { user, status, has_account } = enrolment;
    let finding =
        |severity, code, what: String, mend: String| Finding::new(severity, code, user.clone(), what, mend);
    let status = match status {
        Err((problem, mend)) => {
            let what = format!("what is kept of {user} cannot be used, so he cannot log in: {problem}");
            return vec![finding(Severity::Error, "unusable_enrolment", what, mend.clone())];
        }
        Ok(status) => status,
    };
    let mut findings = Vec::new();
    if !has_account {
        let what = format!("{user} is enrolled, but there is no such account");
        let mend = format!("countersign remove {user}");
        findings.push(finding(Severity::Warning, "stale_enrolment", what, mend));
    }
    if status.disabled {
        let what = format!("{user} is disabled: no code of his is taken");
        findings.push(finding(Severity::Note, "disabled", what, format!("countersign enable {user}")));
        return findings;
    }
    if status.authenticators.iter().all(|device| device.confirmed.is_none()) {
        let what = format!("no device of {user} is confirmed, so he cannot log in");
        findings.push(finding(
            Severity::Error,
            "unconfirmed",
            what,
            format!("countersign enroll --replace {user}"),
        ));
    }
    if status.needs_repair {
        let what = format!("codes or recovery codes of {user} are refused that need not be");
        findings.push(finding(Severity::Error, "needs_repair", what, format!("countersign repair {user}")));
    } else if status.recovery_codes_left < FEW_CODES {
        let what = format!("{user} has {} recovery codes left", status.recovery_codes_left);
        let mend = "countersign recovery, by himself or by root".to_owned();
        findings.push(finding(Severity::Note, "few_recovery_codes", what, mend));
    }
    findings
}

/// Who could log in but is not enrolled, where some stack refuses such people.
fn missing(machine: &Machine, guarded: &[Guarded]) -> Option<Finding> {
    let strict: Vec<_> = guarded.iter().filter(|guarded| !guarded.lets_unenrolled_in(machine)).collect();
    let service = strict.first()?.service.as_str();
    let is_enrolled = |name: &str| machine.enrolments.iter().any(|enrolment| enrolment.user == name);
    let names: Vec<&str> = machine
        .accounts
        .iter()
        .map(|account| account.name.as_str())
        .filter(|name| !is_enrolled(name))
        .collect();
    let more = names.len().saturating_sub(MOST_SHOWN);
    let shown = names.iter().take(MOST_SHOWN).copied().collect::<Vec<_>>().join(", ");
    let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| {
        let what = format!("not enrolled, and so refused by {service}: {shown}{and_more}");
        let mend = "countersign enroll each of them, or write nullok at the end of the module's line";
        Finding::new(Severity::Warning, "not_enrolled", format!("/etc/pam.d/{service}"), what, mend)
    })
}
