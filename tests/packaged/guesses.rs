//! fail2ban, by the lines that real logins leave: who guesses is banned, and nobody else.

use super::container::Terminal;
use super::debian::install;
use super::installed::{Guarded, password_of};
use super::made::deb;
use std::fs;
use std::net::IpAddr;

/// One image for all that needs more than a plain Debian.
pub(super) const PACKAGES: [&str; 4] = ["apparmor", "fail2ban", "python3-systemd", "rpm"];
/// From where the owner comes, and who guesses.
const OWNER: &str = "127.0.0.1";
const GUESSER: &str = "127.0.0.7";
const GUESSER_6: &str = "2001:db8:0:7::9";
const FORGER: &str = "127.0.0.8";
/// Whom a forger would like to see banned.
const VICTIM: &str = "203.0.113.9";

/// Everybody is asked for both, so that strangers reach the module too.
fn machine() -> Guarded {
    let guarded = Guarded::boot_without("bookworm", &PACKAGES);
    guarded.must(&["cp", "-a", "/etc/pam.d", "/root/pam.d"]);
    install(&guarded, &deb());
    guarded.add_person("alice");
    guarded.guard_ssh("sshd-password-and-code");
    guarded.hide_wrong_passwords("sshd");
    guarded.must(&["ip", "address", "add", &format!("{GUESSER_6}/128"), "dev", "lo", "nodad"]);
    guarded
}

/// Three wrong answers to the question for a code.
fn guess(guarded: &Guarded, user: &str, from: &str, code: &str) {
    let from: IpAddr = from.parse().expect("an address");
    let seen = guarded.by_ssh_with(user, |ssh| ssh.from(from)).password("guessed").code(code).seen();
    seen.must_be_out();
}

/// A name that no command line of ssh takes, from a configuration file of the client.
fn guess_as(guarded: &Guarded, name: &str) {
    let config = guarded.directory().join("forger");
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    let lines = ["StrictHostKeyChecking no", "UserKnownHostsFile /dev/null", "NumberOfPasswordPrompts 1"];
    fs::write(&config, format!("{}\nUser \"{quoted}\"\n", lines.join("\n"))).expect("a file");
    let (leader, config) = (guarded.leader().to_string(), config.display().to_string());
    let enter = ["nsenter", "--target", &leader, "--net", "--"];
    let client = ["ssh", "-F", &config, "-b", FORGER, "--", "127.0.0.1"];
    let mut terminal = Terminal::start(&[&enter[..], &client[..]].concat());
    for _ in 0..4 {
        if terminal
            .expect_any_or_end(&["assword: ", "code: ", "Permission denied ("])
            .is_some_and(|one| one < 2)
        {
            terminal.send_line("123456");
        }
    }
    terminal.kill();
}

/// The addresses that the filter finds in these lines.
fn found(guarded: &Guarded, lines: &str) -> Vec<String> {
    guarded.write("/root/lines.log", 0o600, lines);
    let told = guarded.run(&["fail2ban-regex", "--out", "ip", "/root/lines.log", "countersign"]);
    told.stdout.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Names that would be taken for something else by a filter that looks anywhere in a line.
fn names() -> Vec<String> {
    let line = format!("event=denied reason=wrong_code service=sshd source=addr:{VICTIM} attempts=1");
    vec![
        format!("x\" {line} user=\"y"),
        format!("pam_countersign(sshd:auth): {line}"),
        format!("sshd[1]: pam_countersign(sshd:auth): {line}"),
        format!("x Nov 26 17:00:00 localhost sshd[1]: pam_countersign(sshd:auth): {line}"),
    ]
}

/// A name as PAM would get it from a daemon that takes any: sshd keeps of one only what is before a colon.
fn guess_at_the_module_as(guarded: &Guarded, name: &str) {
    guarded.copy_in(&super::debian::example("pam-client"), "/usr/local/bin/sshd", 0o755);
    guarded.write("/etc/pam.d/sshd", 0o644, "auth required pam_countersign.so\n");
    let (user, from) = (format!("--user={name}"), format!("--rhost={FORGER}"));
    let client = ["sshd", "--confdir", "/etc/pam.d", "--service=sshd", &user, &from, "--reply=123456"];
    let refused = guarded.run(&client);
    assert_ne!(refused.status, 0, "{refused:#?}");
}

#[test]
#[ignore = "needs root: boots a container"]
fn fail2ban_finds_who_guesses_and_no_name_forges_an_address() {
    let guarded = machine();
    let (_, phone) = guarded.plant("alice");

    // The owner errs, and gets in.
    let before = guarded.cursor();
    guarded.by_ssh("alice").password(&password_of("alice")).code(&phone.code(0)).must_get_in();
    guarded.by_ssh("alice").password(&password_of("alice")).code(&phone.same_code()).seen().must_be_out();
    guarded.by_ssh("alice").password(&password_of("alice")).code("my password").seen().must_be_out();
    assert_eq!(
        found(&guarded, &guarded.journal_since(&before)),
        [""; 0],
        "{}",
        guarded.journal_since(&before)
    );

    let before = guarded.cursor();
    guess(&guarded, "alice", GUESSER, &phone.wrong_code());
    guess(&guarded, "nobody-here", GUESSER, "123456");
    guess(&guarded, "alice", GUESSER_6, &phone.wrong_code());
    let banned = found(&guarded, &guarded.journal_since(&before));
    assert!(banned.contains(&GUESSER.to_owned()), "{banned:?}");
    assert!(banned.contains(&"2001:db8:0:7::/64".to_owned()), "{banned:?}");
    assert!(banned.iter().all(|ip| ip == GUESSER || ip == "2001:db8:0:7::/64"), "{banned:?}");
    assert!(!banned.contains(&OWNER.to_owned()));

    // What sshd keeps of such a name, and what it says of it itself.
    let before = guarded.cursor();
    for name in names() {
        guess_as(&guarded, &name);
    }
    let journal = guarded.journal_since(&before);
    assert!(journal.contains("Invalid user x\" event=denied reason=wrong_code service=sshd "), "{journal}");
    assert!(journal.contains("source=addr:127.0.0.8 attempts=1 user=\"x\\\" event=denied "), "{journal}");
    assert_eq!(found(&guarded, &journal), [""; 0], "{journal}");

    let before = guarded.cursor();
    for name in names() {
        guess_at_the_module_as(&guarded, &name);
    }
    let journal = guarded.journal_since(&before);
    assert!(journal.matches(&format!("source=addr:{VICTIM}")).count() >= names().len(), "{journal}");
    let banned = found(&guarded, &journal);
    assert!(banned.len() == names().len() && banned.iter().all(|ip| ip == FORGER), "{banned:?}\n{journal}");
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_jail_is_off_until_enabled_and_then_bans_who_guesses() {
    let guarded = machine();
    let (_, phone) = guarded.plant("alice");
    // Debian's own jail looks for a file that this machine does not have.
    guarded.write("/etc/fail2ban/jail.d/zz.local", 0o644, "[sshd]\nenabled = false\n");
    guarded.restart("fail2ban.service");
    let jails = || {
        guarded.must(&[
            "sh",
            "-c",
            "until fail2ban-client ping >/dev/null; do :; done; fail2ban-client status",
        ])
    };
    assert!(jails().contains("Number of jail:\t0"), "{}", jails());

    // No packet filter in a test: the ban itself is fail2ban's.
    let on = "[countersign]\nenabled = true\nmaxretry = 3\naction = dummy\n";
    guarded.write("/etc/fail2ban/jail.d/countersign.local", 0o644, on);
    guarded.restart("fail2ban.service");
    assert!(jails().contains("countersign"), "{}", jails());
    // Somebody who is not root writes such lines to the journal.
    let forged = format!(
        "pam_countersign(sshd:auth): event=denied reason=wrong_code service=sshd source=addr:{VICTIM} attempts=1"
    );
    for _ in 0..5 {
        guarded.must(&[
            "runuser",
            "-u",
            "alice",
            "--",
            "logger",
            "-p",
            "authpriv.notice",
            "-t",
            "sshd",
            &forged,
        ]);
    }
    guess(&guarded, "alice", GUESSER, &phone.wrong_code());
    guess(&guarded, "alice", GUESSER, &phone.wrong_code());
    let banned = "for i in $(seq 200); do fail2ban-client get countersign banip | grep -q . && break; sleep .1; done; \
                  fail2ban-client get countersign banip";
    assert_eq!(guarded.must(&["sh", "-c", banned]).trim_end(), GUESSER);
}
