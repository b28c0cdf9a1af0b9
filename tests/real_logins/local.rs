//! At the machine itself: login(1) on the console, su and sudo.

use crate::installed::Guarded;

fn machine(examples: &[&str]) -> Guarded {
    let guarded = Guarded::boot("bookworm");
    for name in ["alice", "bob"] {
        guarded.add_person(name);
    }
    guarded.must(&["usermod", "--append", "--groups=sudo", "alice"]);
    for example in examples {
        guarded.guard_also(example);
    }
    guarded
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_console_asks_for_password_and_code() {
    let mut guarded = machine(&["login"]);
    let (_, phone) = guarded.plant("alice");
    let code = phone.code(0);

    let seen = guarded.by_console("alice", &code).must_be_in();
    assert_eq!(seen.in_as.as_deref(), Some("alice"));
    assert_eq!(seen.prompts, ["password", "code"]);
    seen.must_have_logged("event=accepted service=login source=none: ");
    let seen = guarded.by_console("alice", &code).must_be_refused("spent_code");
    seen.must_have_shown("This code was already used");
    let seen = guarded.by_console("alice", &phone.wrong_code()).must_be_refused("wrong_code");
    seen.must_have_shown("Wrong code.");
    guarded.by_console("alice", "").must_be_refused("malformed").must_have_shown("Wrong code.");
    guarded.by_console("alice", &phone.code(1)).must_be_in();
}

#[test]
#[ignore = "needs root: boots a container"]
fn su_asks_for_the_code_of_the_account_one_changes_to() {
    let guarded = machine(&["su"]);
    let (_, phone) = guarded.plant("alice");
    let code = phone.code(0);
    let bob = guarded.uid_of("bob");

    let seen = guarded.by_su("bob", "alice").code(&code).must_get_in();
    assert_eq!(seen.in_as.as_deref(), Some("alice"));
    assert_eq!(seen.prompts, ["password", "code"]);
    seen.must_have_logged(&format!("event=accepted service=su source=uid:{bob} "));
    let seen = guarded.by_su("bob", "alice").code(&code).must_be_refused("spent_code");
    seen.must_have_shown("This code was already used");
    let seen = guarded.by_su("bob", "alice").code(&phone.wrong_code()).must_be_refused("wrong_code");
    seen.must_have_shown("Wrong code.").must_have_logged("attempts=3");
    guarded.by_su("bob", "alice").must_be_refused("malformed");
    guarded.by_su("bob", "alice").password("wrong").seen().must_not_have_been_asked_for_a_code();
    guarded.by_su("alice", "bob").code(&phone.code(1)).must_be_refused("not_enrolled");
    guarded.by_su("bob", "alice").code(&phone.code(1)).must_get_in();
    assert_eq!(guarded.must(&["su", "alice", "-c", "id -un"]), "alice\n", "root is asked for nothing");
}

#[test]
#[ignore = "needs root: boots a container"]
fn sudo_asks_for_ones_own_code() {
    let guarded = machine(&["sudo"]);
    let (_, phone) = guarded.plant("alice");
    let code = phone.code(0);
    let alice = guarded.uid_of("alice");

    let seen = guarded.by_sudo("alice").code(&code).must_get_in();
    assert_eq!(seen.in_as.as_deref(), Some("root"));
    assert_eq!(seen.prompts, ["password", "code"]);
    seen.must_have_logged(&format!("event=accepted service=sudo source=uid:{alice} "));
    // sudo asks for silence: prompts are shown, reasons are not.
    let seen = guarded.by_sudo("alice").code(&code).must_be_refused("spent_code");
    assert!(!seen.transcript.contains("already used"), "{seen:#?}");
    guarded.by_sudo("alice").code(&phone.wrong_code()).must_be_refused("wrong_code");
    guarded.by_sudo("alice").must_be_refused("malformed");

    let shell = ["runuser", "-u", "alice", "--", "sudo", "-k", "-i", "echo", "in", "as", "root."];
    let by_sudo_i = |code: &str| guarded.attempt("alice", || guarded.terminal(&shell)).code(code);
    by_sudo_i(&code).must_be_refused("spent_code").must_have_logged("service=sudo-i");
    by_sudo_i(&phone.code(1)).must_get_in();
}

#[test]
#[ignore = "needs root: boots a container"]
fn su_and_sudo_ask_within_a_session_of_ssh() {
    let guarded = machine(&["sshd-password-and-code", "su", "sudo"]);
    guarded.sshd_config(&crate::installed::Example::read("sshd-password-and-code").sshd_config());
    let (planted, phone) = guarded.plant("alice");
    let (_, phone_of_bob) = guarded.plant("bob");
    let before = guarded.cursor();

    let mut session = guarded.ssh("alice").start();
    session.expect("Password: ");
    session.send_line("the password of alice");
    session.expect("Verification code: ");
    session.send_line(&phone.code(0));
    session.expect("alice@localhost:~$ ");
    guarded.renew(&planted);

    session.send_line("sudo id -un");
    session.expect("password for alice: ");
    session.send_line("the password of alice");
    session.expect("Verification code: ");
    session.send_line(&phone.code(0));
    session.expect("root\r\n");
    session.expect("alice@localhost:~$ ");
    // sudo remembers, as it always does.
    session.send_line("sudo -n id -un");
    session.expect("\r\nroot\r\n");
    session.expect("alice@localhost:~$ ");

    session.send_line("su bob -c 'id -un'");
    session.expect("Password: ");
    session.send_line("the password of bob");
    session.expect("Verification code: ");
    session.send_line(&phone_of_bob.code(0));
    session.expect("\r\nbob\r\n");
    session.send_line("exit");
    assert_eq!(session.wait(), 0);

    let log = guarded.log_since(&before);
    let services: Vec<&str> = log.iter().filter_map(|line| line.split("event=accepted ").nth(1)).collect();
    let starts =
        ["service=sshd source=addr:127.0.0.1 ", "service=sudo source=uid:", "service=su source=uid:"];
    assert_eq!(services.len(), starts.len(), "{log:#?}");
    for (line, start) in services.iter().zip(starts) {
        assert!(line.starts_with(start), "{start:?} in {log:#?}");
    }
}
