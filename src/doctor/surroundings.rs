//! What all logins need: the right owners, a policy that can be read, a clock, a filesystem.

use super::machine::Machine;
use super::{Finding, Severity, policy};
use crate::config::file;

/// What is called by no path here: where it is, its keeper knows.
const STORE: &str = "the store";

/// What is wrong around the stacks.
pub(super) fn examine(machine: &Machine) -> Vec<Finding> {
    let mut findings = files(machine);
    findings.extend(policy::examine(file::PATH, machine.policy.as_ref(), &machine.unknown_names));
    if machine.is_policy_closed {
        let what =
            "programs that are not root cannot read it, and let nobody in: screen lockers, for example";
        let mend = format!("chmod 0644 {}", file::PATH);
        findings.push(Finding::new(Severity::Warning, "policy_closed", file::PATH, what, mend));
    }
    if let Some((problem, mend)) = &machine.store_problem {
        let what = format!("no login can be judged: {problem}");
        findings.push(Finding::new(Severity::Error, "unusable_store", STORE, what, mend));
    }
    findings.extend(clock(machine));
    if machine.has_service && !machine.has_service_for_root {
        let what = "the service listens for users and not for root, so logins by root's programs are judged from the files";
        let mend = "systemctl start countersign-root.socket; without systemd, start countersign serve again";
        findings.push(Finding::new(
            Severity::Warning,
            "root_socket_missing",
            "/run/countersign/root",
            what,
            mend,
        ));
    }
    if let Some(kind) = &machine.odd_filesystem {
        let what = format!("the store is on {kind}, where a full disk may keep everybody out");
        let mend = "keep it on ext4 or xfs";
        findings.push(Finding::new(Severity::Warning, "odd_filesystem", STORE, what, mend));
    }
    findings.extend(machine.denials.iter().map(|line| {
        let mend = "allow it in the policy of SELinux or AppArmor";
        Finding::new(Severity::Error, "denied_by_policy", "the kernel's log", line.clone(), mend)
    }));
    findings
}

fn files(machine: &Machine) -> Vec<Finding> {
    let wrong = machine.wrong_files.iter();
    wrong
        .map(|file| {
            let (problem, mend) = (file.problem.clone(), file.mend.clone());
            Finding::new(Severity::Error, "wrong_file", file.path.clone(), problem, mend)
        })
        .collect()
}

fn clock(machine: &Machine) -> Option<Finding> {
    if machine.now.is_none() {
        let what = "the clock is before 2020, so no code is taken";
        return Some(Finding::new(
            Severity::Error,
            "no_clock",
            "the clock",
            what,
            "set it, see timedatectl(1)",
        ));
    }
    (machine.is_synchronised == Some(false)).then(|| {
        let what = "nothing keeps the clock right; codes are refused once it is off by more than a minute";
        let mend = "run an NTP client: systemd-timesyncd, chrony, ntpd";
        Finding::new(Severity::Warning, "clock_not_synchronised", "the clock", what, mend)
    })
}
