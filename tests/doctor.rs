//! `countersign doctor` in booted machines: nothing to find on the recommended set-ups, and each fault found
//! when it is planted alone.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "a test stops at what it does not expect")]

#[path = "container/mod.rs"]
mod container;
#[path = "installed/mod.rs"]
mod installed;
#[path = "planting/mod.rs"]
mod planting;

use installed::Guarded;
use serde_json::Value;

/// Where the machine is kept as it was when all was well.
const WELL: &str = "/root/well";
/// What the faults may change.
const CHANGED: &str = "/etc/pam.d /etc/ssh /etc/security /etc/passwd /etc/shadow /var/lib/countersign";

/// What is planted, and what is found then. In scripts, `M` is the module's path.
const FAULTS: [(&str, &str); 48] = [
    ("sed -i 's/^@include common-auth/auth sufficient pam_unix.so/' /etc/pam.d/sshd", "without_code"),
    (
        "sed -i 's/^auth *required *pam_countersign/auth optional pam_countersign/' /etc/pam.d/sshd",
        "without_code",
    ),
    ("sed -i '1i auth sufficient pam_fprintd.so' /etc/pam.d/sudo", "without_code"),
    (
        "printf 'auth [success=2 default=ignore] pam_unix.so\\nauth requisite pam_deny.so\\nauth required \
         pam_countersign.so\\nauth required pam_permit.so\\n' > /etc/pam.d/login",
        "without_code",
    ),
    ("sed -i '/^@include common-auth/d' /etc/pam.d/sshd", "code_alone"),
    ("sed -i '/^@include common-auth/i auth sufficient pam_countersign.so' /etc/pam.d/su", "code_alone"),
    (
        "sed -i -e '/^auth.*countersign/d' -e '/^@include common-auth/i auth required pam_countersign.so' /etc/pam.d/sudo",
        "code_first",
    ),
    ("sed -i 's/pam_countersign.so$/pam_countersign.so nulok/' /etc/pam.d/sshd", "bad_argument"),
    ("sed -i 's/pam_countersign.so$/pam_countersign.so attempts=99/' /etc/pam.d/sudo", "bad_argument"),
    (
        "sed -i 's/^auth *required *pam_countersign/auth requird pam_countersign/' /etc/pam.d/su",
        "unreadable_stack",
    ),
    ("sed -i 's/^@include common-auth/@include comon-auth/' /etc/pam.d/sshd", "unreadable_stack"),
    ("sed -i '/pam_countersign/a auth required pam_deny.so' /etc/pam.d/login", "nobody_gets_in"),
    ("sed -i '/pam_countersign/p' /etc/pam.d/login", "asked_twice"),
    ("echo 'auth required pam_countersign.so' >> /etc/pam.d/common-auth", "in_shared_file"),
    ("echo 'account required pam_countersign.so' >> /etc/pam.d/sshd", "wrong_facility"),
    ("sed -i '/^auth.*pam_countersign/d' /etc/pam.d/sudo-i", "open_sibling"),
    ("sed -i 's/pam_countersign.so$/pam_countersign.so nullok/' /etc/pam.d/sudo", "nullok"),
    (
        "sed -i 's/pam_countersign.so$/pam_countersign.so first_factor=publickey/' /etc/pam.d/sudo",
        "key_elsewhere",
    ),
    ("mv $M /root/away", "module_missing"),
    ("chmod 666 $M", "wrong_file"),
    ("chmod 666 /etc/pam.d/sshd", "wrong_file"),
    ("chown alice /etc/pam.d/common-auth", "wrong_file"),
    ("chmod g+w /etc/ssh/sshd_config", "wrong_file"),
    ("echo 'auth required pam_permit.so' > /etc/pam.d/countersign", "own_stack"),
    ("sed -i '1i @include sshd' /etc/pam.d/countersign", "own_stack"),
    ("rm /etc/pam.d/countersign", "own_stack_missing"),
    ("sed -i 's/^UsePAM.*/UsePAM no/' $S", "sshd_without_pam"),
    (
        "sed -i -e 's/^KbdInteractive.*/KbdInteractiveAuthentication no/' -e '/^AuthenticationMethods/d' $S",
        "sshd_cannot_ask",
    ),
    ("sed -i 's/^PasswordAuth.*/PasswordAuthentication yes/' $S", "sshd_password_method"),
    ("sed -i '/^AuthenticationMethods/d' $S", "sshd_key_alone"),
    ("sed -i 's/^AuthenticationMethods/& publickey/' $S", "sshd_way_without_code"),
    ("echo 'LoginGraceTime 10' >> $S", "sshd_short_grace"),
    ("echo 'NoSuchOption yes' >> $S", "sshd_unreadable"),
    ("printf 'Match User bob\\n  AuthenticationMethods publickey\\n' >> $S", "sshd_match"),
    ("echo 'format = 2' > /var/lib/countersign/users/alice/credential.toml", "unusable_enrolment"),
    ("chmod 644 /var/lib/countersign/users/alice/state", "unusable_enrolment"),
    ("usermod -u 4321 alice", "unusable_enrolment"),
    ("chmod 755 /var/lib/countersign", "unusable_store"),
    ("rm -r /var/lib/countersign", "unusable_store"),
    ("rm /var/lib/countersign/users/alice/state", "needs_repair"),
    ("userdel alice", "stale_enrolment"),
    ("useradd -m -s /bin/bash carol", "not_enrolled"),
    ("printf '[service]\\nverifiers = [\"radiusd\"]\\n' > /etc/security/countersign.toml", "unknown_name"),
    ("printf '[[rule]]\nthen = \"exempt\"\n' > /etc/security/countersign.toml", "everybody_exempt"),
    (
        "printf '[[rule]]\n[[rule]]\nservices = [\"sudo\"]\n' > /etc/security/countersign.toml",
        "rule_never_matches",
    ),
    (
        "printf '[[rule]]\nusers = [\"@no-such-group\"]\nthen = \"require\"\n' > /etc/security/countersign.toml",
        "unknown_name",
    ),
    (
        "printf 'required_from = 2027-01-01\nunenrolled = \"deny\"\n' > /etc/security/countersign.toml",
        "day_without_meaning",
    ),
    ("install -m 0600 /dev/null /etc/security/countersign.toml", "policy_closed"),
];

/// Faults that need more than a changed file.
const MORE: [(&str, &str, &str); 4] = [
    ("printf '[service]\\nverifers = []\\n' > /etc/security/countersign.toml", "bad_policy", ""),
    (
        "mkdir -p /var/log/audit; echo 'type=AVC avc: denied { read } comm=\"sshd\" name=\"countersign\"' > \
         /var/log/audit/audit.log",
        "denied_by_policy",
        "rm -r /var/log/audit",
    ),
    (
        "mount -t tmpfs -o mode=700 tmpfs /var/lib/countersign",
        "odd_filesystem",
        "umount /var/lib/countersign",
    ),
    (
        "systemctl stop countersign.socket countersign.service; echo 'auth required pam_unix.so
auth required pam_countersign.so' > /etc/pam.d/swaylock",
        "service_needed",
        "systemctl start countersign.socket",
    ),
];

/// A machine set up as the examples say, in which everybody is enrolled.
fn well(suite: &str, ssh: &str) -> Guarded {
    let guarded = Guarded::boot(suite);
    for name in ["alice", "bob"] {
        guarded.add_person(name);
        guarded.plant(name);
    }
    guarded.plant("root");
    guarded.guard_ssh(ssh);
    for example in ["login", "sudo", "su"] {
        guarded.guard_also(example);
    }
    guarded.must(&["systemctl", "enable", "--now", "countersign.socket"]);
    let save = format!("mkdir {WELL}; touch /etc/security/.kept; cp -a --parents {CHANGED} {WELL}");
    guarded.must(&["sh", "-ec", &save]);
    guarded
}

/// What the doctor finds but for the clock, which is the host's, and how it ends.
fn examined(guarded: &Guarded) -> (Vec<Value>, i32) {
    let done = guarded.run(&["countersign", "doctor", "--json"]);
    let report: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    assert_eq!(report["report"], "doctor");
    let all = report["findings"].as_array().expect("findings").clone();
    let (of_clock, others): (Vec<Value>, Vec<Value>) =
        all.into_iter().partition(|finding| finding["code"] == "clock_not_synchronised");
    assert_eq!(of_clock.is_empty(), is_synchronised(guarded), "{of_clock:?}");
    let worst = others.first().map(|finding| finding["severity"].as_str().expect("a severity"));
    let expected = match worst {
        Some("error") => 6,
        Some("warning") => 5,
        _ if of_clock.is_empty() => 0,
        _ => 5,
    };
    assert_eq!(done.status, expected, "{others:?}");
    (others, done.status)
}

/// Whether the clock is kept right, by the word of systemd.
fn is_synchronised(guarded: &Guarded) -> bool {
    let told = guarded.must(&["timedatectl", "show", "--property=NTPSynchronized", "--value"]);
    told.trim_end() == "yes"
}

fn codes(findings: &[Value]) -> Vec<&str> {
    findings.iter().map(|finding| finding["code"].as_str().expect("a code")).collect()
}

/// Plants a fault in the machine, in which all is well again afterwards.
fn plant(guarded: &Guarded, script: &str, code: &str, undo: &str) {
    let variables =
        "M=$(ls /usr/lib/*/security/pam_countersign.so); S=$(ls /etc/ssh/sshd_config.d/*.conf | head -n1)";
    guarded.must(&["sh", "-ec", &format!("{variables}; {script}")]);
    let (findings, _) = examined(guarded);
    let found = codes(&findings);
    assert!(found.contains(&code), "{script}: {code} is not among {findings:#?}");
    // A fault is told as what it is, and not by a dozen findings besides.
    assert!(findings.len() <= 8, "{script}: {findings:#?}");
    for finding in &findings {
        for word in ["place", "what", "mend"] {
            assert!(finding[word].as_str().is_some_and(|text| !text.is_empty()), "{script}: {finding:#?}");
        }
    }
    let back = format!(
        "{undo}\n[ ! -e /root/away ] || mv /root/away $(dirname /usr/lib/*/security/pam_unix.so)/pam_countersign.so
         chmod 644 /usr/lib/*/security/pam_countersign.so
         rm -rf {CHANGED} 2>/dev/null; cp -a {WELL}/. /"
    );
    guarded.must(&["sh", "-c", &back]);
}

fn nothing_is_found(suite: &str) {
    for ssh in ["sshd-password-and-code", "sshd-key-and-code"] {
        let guarded = well(suite, ssh);
        let (findings, _) = examined(&guarded);
        assert_eq!(findings, [Value::Null; 0], "{ssh}");
        let person = guarded.run(&["runuser", "-u", "alice", "--", "countersign", "doctor"]);
        assert_eq!((person.status, person.stdout.as_str()), (3, ""), "{person:?}");
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn nothing_is_found_on_the_recommended_set_ups_of_debian_12() {
    nothing_is_found("bookworm");
}

#[test]
#[ignore = "needs root: boots a container"]
fn nothing_is_found_on_the_recommended_set_ups_of_debian_13() {
    nothing_is_found("trixie");
}

#[test]
#[ignore = "needs root: boots a container"]
fn each_planted_fault_is_found() {
    let guarded = well("bookworm", "sshd-password-and-code");
    assert_eq!(examined(&guarded).0, [Value::Null; 0]);
    for (script, code) in FAULTS {
        plant(&guarded, script, code, "");
    }
    for (script, code, undo) in MORE {
        plant(&guarded, script, code, undo);
    }
    assert_eq!(examined(&guarded).0, [Value::Null; 0], "all is well again");
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_person_reads_what_is_wrong_and_what_to_do() {
    let guarded = well("bookworm", "sshd-password-and-code");
    guarded.must(&["sed", "-i", "/^AuthenticationMethods/d", "/etc/ssh/sshd_config.d/10-test.conf"]);
    guarded.must(&["countersign", "remove", "bob", "--yes"]);
    let told = guarded.run(&["countersign", "doctor"]);
    assert_eq!(told.status, 6, "{told:?}");
    let error = "error sshd_key_alone: /etc/ssh/sshd_config\n  a key alone lets in over ssh: with it, sshd asks PAM for \
                 nothing\n  hint: write AuthenticationMethods keyboard-interactive:pam\n\n";
    assert!(told.stdout.starts_with(error), "{}", told.stdout);
    let warning = "warning not_enrolled: /etc/pam.d/login\n  not enrolled, and so refused by login: bob\n  hint: \
                   countersign enroll each of them, or write nullok at the end of the module's line\n\n";
    assert!(told.stdout.contains(warning), "{}", told.stdout);
    let warnings = if is_synchronised(&guarded) { 1 } else { 2 };
    assert!(told.stdout.ends_with(&format!("\nerrors: 1, warnings: {warnings}\n")), "{}", told.stdout);
}
