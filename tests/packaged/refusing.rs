//! What keeps the Debian package from being removed: a stack that would call a module that is gone.

use super::debian::{Owner, enable, gets_in_by_both, gets_in_by_password_alone, install, machine};
use super::files::{must_unattended, stacks, unattended};
use super::installed::Guarded;
use super::made::deb;

const REMOVE: [&str; 3] = ["dpkg", "--remove", "libpam-countersign"];

/// The removal is refused and names these files, and nothing of the package is gone.
fn must_refuse(guarded: &Guarded, files: &[&str]) {
    let refused = unattended(guarded, &REMOVE);
    assert_ne!(refused.status, 0, "{refused:#?}");
    assert!(refused.stderr.contains("hint: take the lines with pam_countersign.so out"), "{refused:#?}");
    let named: Vec<&str> =
        refused.stderr.lines().filter_map(|line| line.strip_prefix("  /")).map(str::trim_end).collect();
    let expected: Vec<&str> = files.iter().map(|file| file.trim_start_matches('/')).collect();
    assert_eq!(named, expected, "{refused:#?}");
    guarded.must(&["sh", "-c", "test -e /usr/lib/*/security/pam_countersign.so -a -x /usr/bin/countersign"]);
    assert_eq!(guarded.must(&["systemctl", "is-active", "countersign.socket"]), "active\n");
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_debian_package_is_not_removed_while_a_stack_calls_the_module() {
    let mut guarded = machine("bookworm");
    let pristine = stacks(&guarded);
    install(&guarded, &deb());
    enable(&guarded);
    let alice = Owner::enrolled(&guarded, "alice");

    // A line that somebody has written. The profile stays on, for nothing is done by halves.
    let with_profile = stacks(&guarded);
    let written = "auth required \\\n  pam_countersign.so\naccount required pam_permit.so\n";
    for name in ["of-the-admin", "another"] {
        guarded.write(&format!("/etc/pam.d/{name}"), 0o644, written);
    }
    must_refuse(&guarded, &["/etc/pam.d/another", "/etc/pam.d/of-the-admin"]);
    guarded.must(&["rm", "/etc/pam.d/of-the-admin", "/etc/pam.d/another"]);
    assert_eq!(stacks(&guarded), with_profile);
    gets_in_by_both(&mut guarded, "alice", &alice);

    // A shared file that somebody has changed, which pam-auth-update leaves alone.
    let original = guarded.read("/etc/pam.d/common-auth");
    let by_hand = "auth requisite pam_deny.so\nauth required pam_countersign.so\n";
    guarded.write(
        "/etc/pam.d/common-auth",
        0o644,
        format!("auth [success=1 default=ignore] pam_unix.so\n{by_hand}"),
    );
    must_refuse(&guarded, &["/etc/pam.d/common-auth", "/etc/pam.d/common-session"]);
    gets_in_by_both(&mut guarded, "alice", &alice);
    guarded.write("/etc/pam.d/common-auth", 0o644, original);

    // What nobody reads as a service, and lines that are comments, keep nothing.
    guarded.write("/etc/pam.d/sshd.dpkg-old", 0o644, written);
    guarded.write("/etc/pam.d/sudo~", 0o644, written);
    guarded.write("/etc/pam.d/comment", 0o644, "auth required pam_deny.so # not pam_countersign.so\n");
    must_unattended(&guarded, &["pam-auth-update", "--package", "--force"]);
    must_unattended(&guarded, &REMOVE);
    guarded.must(&["rm", "/etc/pam.d/sshd.dpkg-old", "/etc/pam.d/sudo~", "/etc/pam.d/comment"]);
    // pam-auth-update, asked to overwrite, has put aside what it found.
    guarded.must(&["sh", "-c", "rm /etc/pam.d/countersign /etc/pam.d/common-*.pam-old"]);
    assert_eq!(stacks(&guarded), pristine);
    gets_in_by_password_alone(&mut guarded, "alice", None);
}
