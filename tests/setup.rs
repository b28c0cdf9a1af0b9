//! `countersign setup` in booted machines, by a person who comes over ssh: the real sshd, sudo, login and libpam.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "container/mod.rs"]
mod container;
#[path = "setup/ground.rs"]
mod ground;
#[path = "injection/mod.rs"]
mod injection;
#[path = "installed/mod.rs"]
mod installed;
#[path = "setup/killed.rs"]
mod killed;
#[path = "planting/mod.rs"]
mod planting;

use std::path::Path;

use container::Terminal;
use ground::{Ground, MADE};

const CONFIRM: &str = "sudo countersign setup --confirm";
const CONFIRMED: &str = "confirmed: the change stays";
const BACK: &str = "all is put back as it was";

/// Answers what ssh, sudo and the module ask until one of these texts comes; returns which.
fn talk(ground: &Ground, terminal: &mut Terminal, ends: &[&str]) -> usize {
    let questions = ["assword: ", "assword for alice: ", installed::CODE_PROMPT];
    let texts = [&questions[..], ends].concat();
    loop {
        match terminal.expect_any(&texts) {
            0 | 1 => terminal.send_line(&installed::password_of("alice")),
            2 => terminal.send_line(&ground.code()),
            end => return end - questions.len(),
        }
    }
}

/// Alice begins a setup over ssh, tries a login as it asks her to, and the change is made.
fn made(ground: &Ground, key: Option<&Path>, options: &str) -> Terminal {
    let mut terminal = begun(ground, key, options);
    let asked = talk(ground, &mut terminal, &["make the change if it works? [y/N] ", MADE]);
    if asked == 0 {
        terminal.send_line("y");
        talk(ground, &mut terminal, &[MADE]);
    }
    terminal
}

fn begun(ground: &Ground, key: Option<&Path>, options: &str) -> Terminal {
    by_ssh(ground, key, &format!("sudo countersign setup {options}"))
}

fn by_ssh(ground: &Ground, key: Option<&Path>, command: &str) -> Terminal {
    let client = ground.ssh("alice").option("RequestTTY=force");
    let client = if let Some(key) = key { client.key(key) } else { client };
    client.command(command).start()
}

/// Alice logs in a second time and confirms.
fn confirmed(ground: &Ground, key: Option<&Path>, first: &mut Terminal) {
    let mut second = by_ssh(ground, key, CONFIRM);
    talk(ground, &mut second, &[CONFIRMED]);
    assert_eq!(second.wait(), 0, "{}", second.transcript());
    first.expect(CONFIRMED);
    assert_eq!(first.wait(), 0, "{}", first.transcript());
}

fn undone(ground: &Ground) {
    let undo = ground.run(&["countersign", "setup", "--undo", "--yes"]);
    assert_eq!(undo.status, 0, "{undo:#?}");
}

fn password_code_console_and_sudo(suite: &str) {
    let mut ground = Ground::boot(suite);
    let before = ground.snapshot();
    let shown = ground.run(&["countersign", "setup", "--dry-run", "--user=alice", "--service=sudo"]);
    assert_eq!(shown.status, 0, "{shown:#?}");
    assert!(shown.stdout.contains("+auth    required    pam_countersign.so nullok\n"), "{shown:#?}");
    assert_eq!(ground.snapshot(), before);

    // Somebody is in already when the change is made.
    let mut former = ground.ssh("alice").start();
    talk(&ground, &mut former, &["alice@localhost:~$ "]);
    let options = "--service sshd --service login --service sudo --service su --unenrolled refuse";
    let mut first = made(&ground, None, options);
    for path in [
        "/etc/pam.d/sshd",
        "/etc/pam.d/login",
        "/etc/pam.d/sudo-i",
        "/etc/ssh/sshd_config.d/00-countersign.conf",
    ] {
        assert!(first.transcript().contains(&format!("+++ {path}\r\n")), "{}", first.transcript());
    }
    let doctor = ground.run(&["countersign", "doctor"]);
    assert!(doctor.stdout.contains("setup_pending"), "{doctor:#?}");

    // A code is accepted in a session from before, which says nothing about new logins.
    former.send_line(CONFIRM);
    talk(&ground, &mut former, &["this session was there before the change"]);
    let none = ground.run(&["countersign", "setup", "--confirm"]);
    assert_eq!((none.status, none.stderr.contains("this is no login session")), (3, true), "{none:#?}");
    assert_eq!(ground.run(&["countersign", "setup", "--yes", "--user=alice"]).status, 3);

    confirmed(&ground, None, &mut first);
    assert_eq!(ground.rollback_units(), "");
    ground.by_ssh("alice").code(&ground.code()).must_get_in();
    ground.by_ssh("alice").must_be_refused("malformed");
    ground.by_ssh("bob").code("123456").must_be_refused("not_enrolled");
    ground.by_sudo("alice").code(&ground.code()).must_get_in();
    ground.by_sudo("alice").must_be_refused("malformed");
    // Root is asked for nothing by su, so alice is whom the trial has called it.
    ground.by_su("bob", "alice").code(&ground.code()).must_get_in();
    let code = ground.code();
    ground.by_console("alice", &code).must_be_in();

    changed_since_is_not_overwritten(&ground);
    undone(&ground);
    ground.must(&["sed", "-i", "/^# mine$/d", "/etc/pam.d/login"]);
    assert_eq!(ground.snapshot(), before);
    undone(&ground);
    let seen = ground.by_ssh("alice").seen();
    assert_eq!((seen.in_as.as_deref(), &seen.prompts[..]), (Some("alice"), &["password"][..]), "{seen:#?}");
}

/// What somebody has done to our lines is named and nothing is touched; what he has done beside them stays.
fn changed_since_is_not_overwritten(ground: &Ground) {
    ground.must(&["sh", "-c", "echo '# mine' >>/etc/pam.d/login"]);
    let sudo = ground.read("/etc/pam.d/sudo");
    ground.write("/etc/pam.d/sudo", 0o644, sudo.replace("required    pam_c", "optional    pam_c"));
    let changed = ground.snapshot();
    let refused = ground.run(&["countersign", "setup", "--undo", "--yes"]);
    assert_eq!(refused.status, 3, "{refused:#?}");
    assert!(refused.stderr.contains("since setup wrote it: /etc/pam.d/sudo\n"), "{refused:#?}");
    assert_eq!(ground.snapshot(), changed);
    ground.write("/etc/pam.d/sudo", 0o644, sudo);
}

#[test]
#[ignore = "needs root: boots a container"]
fn setup_guards_ssh_console_and_sudo_of_debian_12_and_undo_leaves_no_trace() {
    password_code_console_and_sudo("bookworm");
}

#[test]
#[ignore = "needs root: boots a container"]
fn setup_guards_ssh_console_and_sudo_of_debian_13_and_undo_leaves_no_trace() {
    password_code_console_and_sudo("trixie");
}

#[test]
#[ignore = "needs root: boots a container"]
fn who_has_a_key_and_reads_nothing_has_key_and_code_and_locks_nobody_out() {
    let ground = Ground::boot("trixie");
    let [key, other] = ["alice", "bob"].map(|name| ground.authorize_key(name));
    // Modes and owners that are not the usual ones are kept.
    ground.must(&["sh", "-c", "chmod 0640 /etc/pam.d/sshd; chgrp adm /etc/pam.d/sshd"]);
    let before = ground.snapshot();
    let mut first = made(&ground, Some(&key), "--yes");
    assert!(first.transcript().contains("not enrolled yet: bob"), "{}", first.transcript());
    confirmed(&ground, Some(&key), &mut first);
    let sshd = ground.read("/etc/pam.d/sshd");
    assert!(sshd.contains("\nauth    requisite   pam_countersign.so first_factor=publickey\n"), "{sshd}");
    assert!(ground.must(&["stat", "-c", "%a %G", "/etc/pam.d/sshd"]).contains("640 adm"));
    ground.by_key("alice", &key).code(&ground.code()).must_get_in();
    ground.by_key("alice", &key).must_be_refused("malformed");
    ground.by_ssh("alice").seen().must_be_out();
    let seen = ground.by_key("bob", &other).seen();
    assert_eq!((seen.in_as.as_deref(), seen.prompts.len()), (Some("bob"), 0), "{seen:#?}");
    undone(&ground);
    assert_eq!(ground.snapshot(), before);
}

#[test]
#[ignore = "needs root: boots a container"]
fn what_nobody_confirms_is_put_back_by_itself_also_without_the_session_and_after_a_restart() {
    let mut ground = Ground::boot("bookworm");
    let before = ground.snapshot();
    let mut first = made(&ground, None, "--yes --wait 10s");
    assert_ne!(ground.snapshot(), before);
    first.expect(BACK);
    assert_eq!(first.wait(), 3, "{}", first.transcript());
    assert_eq!((ground.snapshot(), ground.rollback_units().as_str()), (before.clone(), ""));

    // The connection is cut, the clock is killed, and somebody tries to help himself in the file.
    let mut first = made(&ground, None, "--yes --wait 10s");
    first.kill();
    ground.must(&["systemctl", "kill", "--signal=KILL", "countersign-setup-clock.service"]);
    ground.must(&["sed", "-i", "s/required    pam_c/optional    pam_c/", "/etc/pam.d/sshd"]);
    ground.wait_until("all is put back", |ground| ground.snapshot() == before);
    ground.wait_until("the clock has ended", |ground| ground.rollback_units().is_empty());
    assert!(ground.read("/var/lib/countersign/setup/found-0").contains("optional    pam_countersign.so"));
    // sshd goes by the former settings again, and asks for nothing but the password.
    let seen = ground.by_ssh("alice").seen();
    assert_eq!((seen.in_as.as_deref(), &seen.prompts[..]), (Some("alice"), &["password"][..]), "{seen:#?}");

    // Somebody is asked whether he means it, and does not answer.
    let _first = made(&ground, None, "--yes --wait 20s");
    let mut asked = by_ssh(&ground, None, "sudo countersign setup --undo");
    talk(&ground, &mut asked, &["as they were before countersign setup? [y/N] "]);
    ground.wait_until("all is put back", |ground| ground.snapshot() == before);
    asked.send_line("y");
    asked.expect("nothing to undo");

    // No systemd, as far as the command can see.
    ground.must(&["mv", "/run/systemd/system", "/run/systemd/away"]);
    let mut first = made(&ground, None, "--yes --wait 10s");
    assert!(!ground.snapshot().contains("countersign-setup"), "{}", ground.snapshot());
    first.kill();
    ground.wait_until("all is put back", |ground| ground.snapshot() == before);
    ground.must(&["mv", "/run/systemd/away", "/run/systemd/system"]);
    ground.wait_until("sshd has read its settings", |ground| {
        ground.by_ssh("alice").seen().prompts == ["password"]
    });

    // What runs at the next start leaves alone what a clock runs for; without one, all is put back.
    let mut first = made(&ground, None, "--yes --wait 1h");
    let changed = ground.snapshot();
    let at_boot = ["systemctl", "start", "countersign-setup-rollback.service"];
    ground.must(&["systemctl", "daemon-reload"]);
    ground.must(&at_boot);
    assert_eq!(ground.snapshot(), changed);
    ground.must(&["systemctl", "stop", "countersign-setup-clock.service"]);
    ground.must(&at_boot);
    first.expect(BACK);
    assert_eq!(ground.snapshot(), before);

    let first = made(&ground, None, "--yes --wait 1h");
    assert_ne!(ground.snapshot(), before);
    let cursor = ground.cursor();
    drop(first);
    ground.cut_power_and_start();
    assert_eq!((ground.snapshot(), ground.rollback_units().as_str()), (before, ""));
    ground.wait_for_journal(&cursor, "event=setup_rolled_back by=uid:0 user=\"alice\"");
    ground.must(&["sh", "-c", "! systemctl --failed --quiet | grep countersign"]);
}

/// Each line spoils the machine and names what setup says then; nothing is changed by it.
const SPOILERS: [(&str, &str); 7] = [
    (
        "printf 'auth sufficient pam_unix.so\\nauth required pam_countersign.so\\n' >/etc/pam.d/door",
        "error without_code: /etc/pam.d/door:1",
    ),
    (
        "sed -i 's/^@include common-auth/auth required pam_unix.so/' /etc/pam.d/sshd",
        "/etc/pam.d/sshd cannot be changed by setup: its line 4 ",
    ),
    (
        "mv /etc/pam.d/sshd /etc/pam.d/away; ln -s away /etc/pam.d/sshd",
        "/etc/pam.d/sshd: it is a link, or no plain file",
    ),
    (
        "sed -i /^Include/d /etc/ssh/sshd_config",
        "hint: write as its first line: Include /etc/ssh/sshd_config.d/*.conf",
    ),
    (
        "echo 'Port 22' >/etc/ssh/sshd_config.d/00-a.conf",
        "sshd reads /etc/ssh/sshd_config.d/00-a.conf before ",
    ),
    (
        "printf 'Match User alice\\nPasswordAuthentication yes\\n' >>/etc/ssh/sshd_config",
        "configuration overrides: PasswordAuthentication no",
    ),
    ("usermod --password '!' alice", "alice has neither a password nor a key"),
];

#[test]
#[ignore = "needs root: boots a container"]
fn what_would_lock_out_or_cannot_be_tried_stops_a_setup_before_it_asks_for_a_code() {
    let ground = Ground::boot("trixie");
    ground.must(&["cp", "-a", "/etc", "/var/etc"]);
    for (spoil, said) in SPOILERS {
        ground.must(&["sh", "-c", spoil]);
        let spoilt = ground.snapshot();
        let stopped = ground.run(&["countersign", "setup", "--yes", "--user=alice", "--service=sshd"]);
        assert!([1, 3].contains(&stopped.status), "{spoil}: {stopped:#?}");
        assert!(stopped.stderr.contains(said), "{spoil}: {stopped:#?}");
        assert!(!stopped.stderr.contains(installed::CODE_PROMPT), "{spoil}: {stopped:#?}");
        assert_eq!(ground.snapshot(), spoilt, "{spoil}");
        ground.must(&["sh", "-c", "rm -rf /etc/pam.d /etc/ssh; cp -a /var/etc/. /etc/"]);
    }
    // A key would keep bob out, who has a password alone; and a directory may know more people than it lists.
    ground.authorize_key("alice");
    let shown = ground.run(&["countersign", "setup", "--dry-run", "--user=alice", "--service=sshd"]);
    assert!(shown.stdout.contains("+AuthenticationMethods keyboard-interactive:pam\n"), "{shown:#?}");
    // What others are let in by is told, where it may be another way.
    let other_way = "printf 'Match User bob\\nAuthenticationMethods publickey\\n' >>/etc/ssh/sshd_config";
    ground.must(&["sh", "-c", other_way]);
    let shown = ground.run(&["countersign", "setup", "--dry-run", "--user=alice", "--service=sshd"]);
    assert!(
        shown.stderr.contains("for alice alone: what sshd does under \"Match User bob\"\n"),
        "{shown:#?}"
    );
    ground.must(&["userdel", "bob"]);
    let shown = ground.run(&["countersign", "setup", "--dry-run", "--user=alice", "--service=sshd"]);
    assert!(
        shown.stdout.contains("+AuthenticationMethods publickey,keyboard-interactive:pam\n"),
        "{shown:#?}"
    );
    assert!(!shown.stdout.contains("nullok"), "{shown:#?}");
    ground.must(&["sed", "-i", "s/^passwd:.*/passwd: files sss/", "/etc/nsswitch.conf"]);
    let shown = ground.run(&["countersign", "setup", "--dry-run", "--user=alice", "--service=sshd"]);
    assert!(shown.stdout.contains("+auth    required    pam_countersign.so nullok\n"), "{shown:#?}");
    assert!(shown.stdout.contains("+AuthenticationMethods keyboard-interactive:pam\n"), "{shown:#?}");

    // sshd as Debian has it lets root in with a key alone, and asks him for no code.
    ground.authorize_key("root");
    let root = ground.run(&["countersign", "setup", "--dry-run", "--user=root", "--service=sshd"]);
    assert_eq!(root.status, 3, "{root:#?}");
    assert!(root.stderr.contains("so root would be kept out"), "{root:#?}");
    let other = ground.run(&["runuser", "-u", "alice", "--", "countersign", "setup", "--dry-run"]);
    assert_eq!(other.status, 3, "{other:#?}");
    let both = ground.run(&["countersign", "setup", "--confirm", "--undo"]);
    assert_eq!(both.status, 2, "{both:#?}");
}

/// What holds systemd-run up, and with it the change, until somebody lets it go on.
const HELD_UP: &str = "mv /usr/bin/systemd-run /usr/bin/systemd-run.real; \
                       printf '#!/bin/sh\\n: >/run/held\\nuntil test -e /run/go; do sleep 0.1; done\\n\
                       exec systemd-run.real \"$@\"\\n' >/usr/bin/systemd-run; chmod +x /usr/bin/systemd-run";

#[test]
#[ignore = "needs root: boots a container"]
fn who_comes_in_by_the_old_stacks_while_the_change_is_made_does_not_confirm_it() {
    let ground = Ground::boot("bookworm");
    ground.must(&["sh", "-c", HELD_UP]);
    let mut first = begun(&ground, None, "--yes --service sshd --service sudo");
    talk(&ground, &mut first, &["5. making the change"]);
    ground.wait_until("the change is being made", |ground| {
        ground.run(&["test", "-e", "/run/held"]).status == 0
    });
    let mut meanwhile = ground.ssh("alice").start();
    meanwhile.expect("assword: ");
    meanwhile.send_line(&installed::password_of("alice"));
    meanwhile.expect("alice@localhost:~$ ");
    ground.must(&["touch", "/run/go"]);
    first.expect(MADE);
    meanwhile.send_line(CONFIRM);
    talk(&ground, &mut meanwhile, &["this session was there before the change"]);
    confirmed(&ground, None, &mut first);
}

#[test]
#[ignore = "needs root: boots a container"]
fn nothing_is_changed_without_a_login_that_worked_and_what_is_typed_puts_it_back_at_once() {
    let ground = Ground::boot("bookworm");
    let before = ground.snapshot();
    let mut first = begun(&ground, None, "--yes");
    for _ in 0..3 {
        loop {
            match first.expect_any(&["assword: ", "assword for alice: ", installed::CODE_PROMPT]) {
                2 => break,
                _ => first.send_line(&installed::password_of("alice")),
            }
        }
        first.send_line(&ground.wrong_code());
    }
    first.expect("sshd: not let in");
    first.expect("assword: ");
    first.send_control('d');
    first.expect("given up");
    assert_eq!(first.wait(), 3, "{}", first.transcript());
    assert_eq!(ground.snapshot(), before);
    assert_eq!(
        ground.must(&["sh", "-c", "ls /var/lib/countersign; ls -d /run/countersign-setup-* || true"]),
        "by-uid\nusers\n"
    );

    let mut first = made(&ground, None, "--yes");
    first.send_line("back");
    first.expect("all is as it was before countersign setup");
    assert_eq!(first.wait(), 3, "{}", first.transcript());
    assert_eq!(ground.snapshot(), before);
}

#[test]
#[ignore = "needs root: boots a container"]
fn who_is_not_enrolled_is_enrolled_on_the_way_and_a_recovery_code_confirms_too() {
    let ground = Ground::boot("trixie");
    ground.must(&["countersign", "remove", "--yes", "alice"]);
    let mut first = begun(&ground, None, "");
    for (question, answer) in [
        ("assword: ", installed::password_of("alice").as_str()),
        ("assword for alice: ", &installed::password_of("alice")),
        ("guard ssh? [Y/n] ", ""),
        ("guard the console (login)? [y/N] ", ""),
        ("guard sudo? [y/N] ", ""),
        ("guard su? [y/N] ", ""),
        ("not enrolled yet: bob\r\nlet them in without a code until they are enrolled?", ""),
        ("make the change if it works? [y/N] ", "y"),
    ] {
        first.expect(question);
        first.send_line(answer);
    }
    first.expect("key for typing in: ");
    let phone = planting::Phone::new(&first.expect("\r\n").replace(' ', ""));
    first.expect("code that the app shows: ");
    first.send_line(&phone.code(0));
    first.expect("alice is enrolled.");
    first.expect("asked for. Keep this page where the phone is not");
    let page = first.expect("assword: ");
    let is_code = |line: &&str| line.len() == 19 && line.matches('-').count() == 3;
    let recovery_code = page.lines().map(str::trim).find(is_code).expect("a recovery code").to_owned();
    first.send_line(&installed::password_of("alice"));
    first.expect(installed::CODE_PROMPT);
    first.send_line(&phone.code(1));
    first.expect("sshd: let in with a code, and not without");
    first.expect(MADE);

    let mut second = by_ssh(&ground, None, CONFIRM);
    for (question, answer) in [
        ("assword: ", installed::password_of("alice").as_str()),
        (installed::CODE_PROMPT, &recovery_code),
        ("assword for alice: ", installed::password_of("alice").as_str()),
    ] {
        second.expect(question);
        second.send_line(answer);
    }
    second.expect(CONFIRMED);
    first.expect(CONFIRMED);
    assert_eq!((second.wait(), first.wait()), (0, 0));
}
