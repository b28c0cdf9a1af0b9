//! What lies in a machine, so that two moments can be compared.

use super::container::Machine;

/// Every file of PAM's directory: name, kind, owner, mode and digest.
pub(super) fn stacks(machine: &Machine) -> String {
    let each = "cd /etc/pam.d && find . -mindepth 1 -printf '%p %y %u:%g %m ' \
                \\( -type f -exec sha256sum {} \\; -o -printf '\\n' \\) | sort";
    machine.must(&["sh", "-ec", each])
}

/// What pam-auth-update keeps beside them.
pub(super) fn choices(machine: &Machine) -> String {
    machine.must(&["sh", "-ec", "cd /var/lib/pam && grep -r . . | grep -v '^./seen:' | sort"])
}

/// Everything in the machine that has the name of this package.
pub(super) fn named(machine: &Machine) -> Vec<String> {
    let find = "find / -xdev \\( -path /proc -o -path /sys -o -path /var/log -o -path /var/lib/dpkg \\) -prune \
                -o -name '*countersign*' -print | sort";
    machine.must(&["sh", "-ec", find]).lines().map(str::to_owned).collect()
}

/// Runs dpkg or the like as an administrator's script does: without questions.
pub(super) fn unattended(machine: &Machine, words: &[&str]) -> super::container::Finished {
    machine.run(&[&["env", "DEBIAN_FRONTEND=noninteractive"], words].concat())
}

/// The same, where it must succeed: all that it says.
pub(super) fn must_unattended(machine: &Machine, words: &[&str]) -> String {
    let done = unattended(machine, words);
    assert_eq!(done.status, 0, "{words:?}: {done:#?}");
    done.stdout + &done.stderr
}
