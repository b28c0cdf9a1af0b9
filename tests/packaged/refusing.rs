//! What keeps the Debian package from being removed: a stack that would call a module that is gone.

use super::debian::{Owner, enable, gets_in_by_both, gets_in_by_password_alone, install, machine};
use super::files::{choices, must_unattended, stacks, unattended};
use super::guided::{Alice, SSHD, is_guarded, set_up_and_confirmed};
use super::installed::Guarded;
use super::made::deb;

const REMOVE: [&str; 3] = ["dpkg", "--remove", "libpam-countersign"];

/// The removal is refused and names these lines, and nothing of the package is gone or changed.
fn must_refuse(guarded: &Guarded, lines: &[&str]) {
    must_refuse_by(guarded, &REMOVE, lines);
}

fn must_refuse_by(guarded: &Guarded, remove: &[&str], lines: &[&str]) {
    let before = everything(guarded);
    let refused = unattended(guarded, remove);
    assert_ne!(refused.status, 0, "{refused:#?}");
    assert_eq!(changed_since(guarded, &before), [""; 0], "{refused:#?}");
    // apt hands dpkg a terminal, on which all comes together.
    let told = refused.stdout.clone() + &refused.stderr;
    assert!(told.contains("hint: take the lines with pam_countersign.so out"), "{refused:#?}");
    assert!(!told.contains("uninitialized"), "{refused:#?}");
    let named: Vec<&str> =
        told.lines().filter_map(|line| line.strip_prefix("  /")).map(str::trim_end).collect();
    let expected: Vec<&str> = lines.iter().map(|line| line.trim_start_matches('/')).collect();
    assert_eq!(named, expected, "{refused:#?}");
    guarded.must(&["sh", "-c", "test -e /usr/lib/*/security/pam_countersign.so -a -x /usr/bin/countersign"]);
    assert_eq!(guarded.must(&["systemctl", "is-active", "countersign.socket"]), "active\n");
    let installed =
        guarded.must(&["dpkg-query", "--show", "--showformat=${db:Status-Status}", "libpam-countersign"]);
    assert_eq!(installed, "installed");
    assert_eq!(guarded.must(&["sh", "-c", "ls -A /tmp | grep '^tmp\\.' || :"]), "", "no copy is left");
}

/// All that a removal might change: stacks, sshd's configuration, what pam-auth-update and debconf keep, the way back of setup.
fn everything(guarded: &Guarded) -> Vec<String> {
    let kept = "debconf-show libpam-runtime; cat /var/lib/countersign/setup/record.json 2>/dev/null || :";
    let parts = [
        stacks(guarded),
        choices(guarded),
        guarded.must(&["sh", "-c", SSHD]),
        guarded.must(&["sh", "-c", kept]),
    ];
    parts.iter().flat_map(|part| part.lines()).map(str::to_owned).collect()
}

/// The lines that are new, and those that are gone.
fn changed_since(guarded: &Guarded, before: &[String]) -> Vec<String> {
    let now = everything(guarded);
    let only = |some: &[String], others: &[String]| {
        some.iter().filter(|line| !others.contains(line)).cloned().collect::<Vec<_>>()
    };
    [only(&now, before), only(before, &now)].concat()
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
    must_refuse(&guarded, &["/etc/pam.d/another:1", "/etc/pam.d/of-the-admin:1"]);
    // The same where all of it lies elsewhere: what is tried is tried on a copy.
    guarded.must(&["sh", "-c", "mv /etc/pam.d /etc/pam.real; ln -s pam.real /etc/pam.d"]);
    must_refuse(&guarded, &["/etc/pam.d/another:1", "/etc/pam.d/of-the-admin:1"]);
    guarded.must(&["sh", "-c", "rm /etc/pam.d; mv /etc/pam.real /etc/pam.d"]);
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
    let session = guarded.read("/etc/pam.d/common-session");
    let line =
        session.lines().position(|line| line.contains("pam_countersign")).expect("the profile's line") + 1;
    must_refuse(&guarded, &["/etc/pam.d/common-auth:3", &format!("/etc/pam.d/common-session:{line}")]);
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

/// Each is planted alone beside what setup and the profile have written, which the removal could take back: the script, and the line
/// that is named.
const WRITTEN: [(&str, &str); 7] = [
    ("echo 'auth required pam_countersign.so' >/etc/pam.d/of-the-admin", "/etc/pam.d/of-the-admin:1"),
    (
        "echo 'auth optional /lib/x/security/pam_countersign.so' >/etc/pam.d/of-the-admin",
        "/etc/pam.d/of-the-admin:1",
    ),
    (
        "printf '# ours\\nauth required pam_countersign.so\\n' >/etc/ours; echo 'auth include /etc/ours' >/etc/pam.d/of-the-admin",
        "/etc/ours:2",
    ),
    (
        "echo 'auth required pam_countersign.so' >/etc/pam.d/sshd.dpkg-old; \
         echo '@include sshd.dpkg-old' >/etc/pam.d/of-the-admin",
        "/etc/pam.d/sshd.dpkg-old:1",
    ),
    (
        "mkdir -p /usr/lib/pam.d; echo 'auth required pam_countersign.so' >/usr/lib/pam.d/of-a-vendor",
        "/usr/lib/pam.d/of-a-vendor:1",
    ),
    (
        "mkdir -p /etc/pam.d/ours; echo 'auth required pam_countersign.so' >/etc/pam.d/ours/lines; \
         echo 'auth substack ours/lines' >/etc/pam.d/of-the-admin",
        "/etc/pam.d/ours/lines:1",
    ),
    (
        "mkdir /etc/pam.site; echo 'auth required pam_countersign.so' >/etc/pam.site/of-the-admin; \
         ln -s ../pam.site/of-the-admin /etc/pam.d/of-the-admin",
        "/etc/pam.d/of-the-admin:1",
    ),
];
const TAKEN_OUT: &str = "rm -rf /etc/ours /etc/pam.site /etc/pam.d/ours /etc/pam.d/of-the-admin /etc/pam.d/sshd.dpkg-old /usr/lib/pam.d/of-a-vendor";

#[test]
#[ignore = "needs root: boots a container"]
fn a_refused_removal_has_changed_nothing_and_ssh_still_asks_for_a_code() {
    let mut guarded = machine("bookworm");
    // As Debian's sshd comes.
    guarded.must(&["sh", "-c", "rm -f /etc/ssh/sshd_config.d/*; systemctl reload ssh"]);
    let (pristine, sshd) = (stacks(&guarded), guarded.must(&["sh", "-c", SSHD]));
    install(&guarded, &deb());
    let mut alice: Alice = set_up_and_confirmed(&guarded);
    enable(&guarded);
    // Neither is a stack, and one would never end.
    guarded.must(&["sh", "-c", "mkfifo /etc/pam.d/a-fifo; mkdir /etc/pam.d/a-directory"]);
    for (script, line) in WRITTEN {
        guarded.must(&["sh", "-ec", script]);
        must_refuse(&guarded, &[line]);
        guarded.must(&["sh", "-c", TAKEN_OUT]);
    }
    guarded.must(&["sh", "-ec", WRITTEN[0].0]);
    must_refuse_by(&guarded, &["apt-get", "remove", "--yes", "libpam-countersign"], &[WRITTEN[0].1]);
    guarded.must(&["sh", "-c", TAKEN_OUT]);
    must_unattended(&guarded, &["pam-auth-update", "--disable", "countersign"]);
    is_guarded(&mut guarded, &mut alice);

    // A line of setup's own that somebody has changed: undoing would leave it.
    guarded.must(&[
        "sed",
        "-i.saved",
        "s/required    pam_countersign.so/optional    pam_countersign.so/",
        "/etc/pam.d/login",
    ]);
    let before = everything(&guarded);
    let refused = unattended(&guarded, &REMOVE);
    assert_ne!(refused.status, 0, "{refused:#?}");
    assert!(
        refused.stderr.contains("changed by somebody else since setup wrote it: /etc/pam.d/login"),
        "{refused:#?}"
    );
    assert!(refused.stderr.contains("cannot remove countersign: "), "{refused:#?}");
    assert_eq!(changed_since(&guarded, &before), [""; 0]);
    guarded.must(&["mv", "/etc/pam.d/login.saved", "/etc/pam.d/login"]);

    // Once nothing but its own is left, the package goes and takes that along.
    must_unattended(&guarded, &REMOVE);
    guarded.must(&["sh", "-c", "rm /etc/pam.d/countersign /etc/pam.d/a-fifo; rmdir /etc/pam.d/a-directory"]);
    assert_eq!((stacks(&guarded), guarded.must(&["sh", "-c", SSHD])), (pristine, sshd));
}
