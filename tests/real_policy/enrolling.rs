//! Enrolment inside of a login, and the stacks on which it must not happen.

use super::{policy, ssh_machine};
use crate::container::Terminal;
use crate::installed::{Guarded, password_of};
use crate::planting::Phone;
use crate::screen::{Theme, read_qr_code_on};

const SCAN: &str = "Scan this with an authenticator app:";

/// What somebody sees who enrols, up to the question for the first code: the phone that holds the key.
fn scan(terminal: &mut Terminal) -> Phone {
    terminal.expect(SCAN);
    let shown = terminal.expect("Or type this key into it: ");
    let key = terminal.expect("\r\n").replace(' ', "");
    terminal.expect("Code that the app shows: ");
    let uri = read_qr_code_on(shown.trim_start_matches(['\r', '\n']), Theme::Dark);
    assert!(uri.contains(&format!("secret={key}&")) && uri.starts_with("otpauth://totp/localhost:"), "{uri}");
    Phone::new(&key)
}

/// Types the first code and goes on; the recovery codes that were shown.
fn prove(terminal: &mut Terminal, phone: &Phone) -> Vec<String> {
    terminal.send_line("000000");
    terminal.expect("That is not the code of this key.");
    terminal.expect("Code that the app shows: ");
    terminal.send_line(&phone.code(0));
    terminal.expect("each lets you in once:");
    let codes = terminal.expect("Press Enter once you have kept them: ");
    terminal.send_line("");
    let codes: Vec<String> =
        codes.lines().map(str::trim).filter(|line| line.len() == 19).map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    codes
}

#[test]
#[ignore = "needs root: boots a container"]
fn who_must_enrol_does_so_inside_of_an_ssh_login_and_is_in() {
    for suite in ["bookworm", "trixie"] {
        let guarded = ssh_machine(suite, &["alice"]);
        policy(&guarded, "unenrolled = \"enroll\"\n");
        let before = guarded.cursor();
        let mut session = guarded.ssh("alice").start();
        session.expect("Password: ");
        session.send_line(&password_of("alice"));
        let phone = scan(&mut session);
        let codes = prove(&mut session, &phone);
        session.expect("alice@localhost:~$ ");
        guarded.wait_for_journal(
            &before,
            "event=enrolled service=sshd source=addr:127.0.0.1 authenticator=phone",
        );
        guarded.by_ssh("alice").code(&phone.code(0)).must_be_refused("spent_code");
        guarded.by_ssh("alice").code(&phone.code(1)).must_get_in();
        guarded.by_ssh("alice").code(&codes[0]).must_get_in();
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn who_logs_in_with_a_key_enrols_by_it() {
    let guarded = Guarded::boot("bookworm");
    guarded.add_person("alice");
    guarded.guard_ssh("sshd-key-and-code");
    policy(&guarded, "[[rule]]\nusers = [\"alice\"]\nthen = \"enroll\"\n");
    let key = guarded.authorize_key("alice");
    let mut session = guarded.ssh("alice").key(&key).start();
    let phone = scan(&mut session);
    prove(&mut session, &phone);
    session.expect("alice@localhost:~$ ");
    guarded.by_key("alice", &key).code(&phone.code(1)).must_get_in();
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_console_enrols_too_and_whoever_gives_up_is_not_enrolled() {
    let mut guarded = Guarded::boot("bookworm");
    guarded.add_person("alice");
    guarded.guard_also("login");
    policy(&guarded, "unenrolled = \"enroll\"\n");
    let console = guarded.fresh_console();
    console.send_line("alice");
    console.expect("Password: ");
    console.send_line(&password_of("alice"));
    scan(console);
    for _ in 0..4 {
        console.send_line("000000");
        console.expect("Code that the app shows: ");
    }
    console.send_line("000000");
    console.expect("Login incorrect");
    assert_eq!(guarded.run(&["countersign", "status", "alice"]).status, 4);
    let console = guarded.fresh_console();
    console.send_line("alice");
    console.expect("Password: ");
    console.send_line(&password_of("alice"));
    let phone = scan(console);
    prove(console, &phone);
    console.expect("alice@localhost:~$ ");
    guarded.by_console("alice", &phone.code(1)).must_be_in();
}

/// Stacks that reach the module also when the password was wrong, and one that does not.
const STACKS: [(&str, &str); 4] = [
    ("required", "auth required pam_unix.so\nauth required pam_countersign.so\n"),
    ("requisite", "auth requisite pam_unix.so\nauth required pam_countersign.so\n"),
    ("substack", "auth substack first\nauth required pam_countersign.so\n"),
    ("sufficient", "auth sufficient pam_unix.so\nauth required pam_countersign.so\n"),
];

#[test]
#[ignore = "needs root: boots a container"]
fn no_qr_code_is_shown_when_the_password_was_wrong() {
    let guarded = Guarded::boot_with("bookworm", &["pamtester"]);
    guarded.add_person("alice");
    policy(&guarded, "unenrolled = \"enroll\"\n");
    guarded.write("/etc/pam.d/first", 0o644, "auth required pam_unix.so\n");
    for (name, stack) in STACKS {
        guarded.write("/etc/pam.d/door", 0o644, format!("{stack}account required pam_permit.so\n"));
        let try_with = |password: &str| {
            let input = format!("{password}\n000000\n000000\n000000\n000000\n000000\n");
            guarded.run_with_input(&["pamtester", "door", "alice", "authenticate"], input.as_bytes())
        };
        for wrong in ["wrong", "", "the password of bob"] {
            let seen = try_with(wrong);
            let shown = seen.stdout + &seen.stderr;
            assert!(
                seen.status != 0 && !shown.contains(SCAN) && !shown.contains('█'),
                "{name} {wrong:?}: {shown}"
            );
        }
        let seen = try_with(&password_of("alice"));
        let shown = seen.stdout + &seen.stderr;
        // Under sufficient a right password is all that is asked for: the module is not reached.
        assert_eq!(shown.contains(SCAN), name != "sufficient", "{name}: {shown}");
        assert_eq!(guarded.run(&["countersign", "status", "alice"]).status, 4, "{name}");
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn sudo_and_callers_that_are_not_root_are_told_where_to_enrol() {
    let guarded = Guarded::boot_with("bookworm", &["pamtester"]);
    guarded.add_person("alice");
    guarded.must(&["usermod", "--append", "--groups=sudo", "alice"]);
    guarded.guard_also("sudo");
    guarded.must(&["systemctl", "enable", "--now", "countersign.socket"]);
    policy(&guarded, "unenrolled = \"enroll\"\n");
    // sudo asks for silence, so no QR code can be shown.
    let before = guarded.cursor();
    let mut sudo = guarded.terminal(&["runuser", "-u", "alice", "--", "sudo", "-k", "id"]);
    sudo.expect("password for alice: ");
    sudo.send_line(&password_of("alice"));
    let shown = sudo.expect("enrol with `countersign enroll`, or ask your administrator. Press Enter: ");
    assert!(!shown.contains('█'), "{shown}");
    sudo.send_line("");
    guarded.wait_for_journal(&before, "event=denied reason=enrolment_impossible service=sudo");
    // A locker of the user himself: nobody there can check a password, so nothing is shown.
    guarded.write(
        "/etc/pam.d/locker",
        0o644,
        "auth required pam_unix.so\nauth required pam_countersign.so\n",
    );
    let input = format!("{}\n123456\n123456\n123456\n", password_of("alice"));
    let seen = guarded.run_with_input(
        &["runuser", "-u", "alice", "--", "pamtester", "locker", "alice", "authenticate"],
        input.as_bytes(),
    );
    assert!(seen.status != 0 && !seen.stdout.contains('█'), "{seen:#?}");
}
