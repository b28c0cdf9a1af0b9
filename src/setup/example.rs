//! The lines of the examples in `pam.d/`, which are the one truth about what stands where.

use super::choices::{FirstFactor, Service};

const SSHD_PASSWORD: &str = include_str!("../../pam.d/sshd-password-and-code");
const SSHD_KEY: &str = include_str!("../../pam.d/sshd-key-and-code");
const LOGIN: &str = include_str!("../../pam.d/login");
const SUDO: &str = include_str!("../../pam.d/sudo");
const SU: &str = include_str!("../../pam.d/su");

/// The example for a service.
fn of(service: Service, ssh: FirstFactor) -> &'static str {
    match (service, ssh) {
        (Service::Sshd, FirstFactor::Password) => SSHD_PASSWORD,
        (Service::Sshd, FirstFactor::Key) => SSHD_KEY,
        (Service::Login, _) => LOGIN,
        (Service::Sudo, _) => SUDO,
        (Service::Su, _) => SU,
    }
}

/// The module's lines, and whether the line that brings in the password stays before them.
pub(super) fn lines_of(service: Service, ssh: FirstFactor) -> (Vec<&'static str>, bool) {
    let lines = of(service, ssh).lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (included, ours): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("@include "));
    (ours, !included.is_empty())
}

/// The settings of sshd that go with its example, one a line.
pub(super) fn sshd_settings(ssh: FirstFactor) -> Vec<&'static str> {
    let indented = of(Service::Sshd, ssh).lines().filter_map(|line| line.strip_prefix("#    "));
    indented.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_say_what_is_written() {
        let code = "auth    required    pam_countersign.so";
        for service in Service::ALL {
            assert_eq!(lines_of(service, FirstFactor::Password), (vec![code], true), "{service:?}");
        }
        let key = "auth    requisite   pam_countersign.so first_factor=publickey";
        assert_eq!(lines_of(Service::Sshd, FirstFactor::Key), (vec![key, code], false));
        assert_eq!(
            sshd_settings(FirstFactor::Key),
            [
                "UsePAM yes",
                "KbdInteractiveAuthentication yes",
                "PasswordAuthentication no",
                "AuthenticationMethods publickey,keyboard-interactive:pam"
            ]
        );
        assert_eq!(sshd_settings(FirstFactor::Password).len(), 4);
    }
}
