//! Who is asked and who is not, by the rules.

use super::{policy, ssh_machine};
use crate::installed::{Guarded, password_of};

#[test]
#[ignore = "needs root: boots a container"]
fn rules_decide_about_ssh_by_user_group_network_and_key() {
    for suite in ["bookworm", "trixie"] {
        let guarded = ssh_machine(suite, &["alice", "robot"]);
        let (_, phone) = guarded.plant("alice");
        guarded.must(&["groupadd", "robots"]);
        guarded.must(&["usermod", "--append", "--groups=robots", "robot"]);
        policy(
            &guarded,
            "[[rule]]\nname = \"robots\"\nusers = [\"@robots\"]\nservices = [\"sshd\"]\n\
             from = [\"127.0.0.0/8\"]\nthen = \"exempt\"\n",
        );
        let seen = guarded.by_ssh("robot").seen();
        assert_eq!(
            (seen.in_as.as_deref(), &seen.prompts[..]),
            (Some("robot"), &["password"][..]),
            "{seen:#?}"
        );
        seen.must_have_logged("event=ignored reason=exempt rule=robots service=sshd source=addr:127.0.0.1");
        guarded.by_ssh("robot").password("wrong").seen().must_be_out();
        guarded.by_ssh("alice").code(&phone.code(0)).must_get_in();
        guarded.by_ssh("alice").code(&phone.wrong_code()).must_be_refused("wrong_code");

        let explained = guarded.must(&["countersign", "explain", "robot", "--from", "127.0.0.1"]);
        assert!(
            explained.starts_with("robot: no code is asked for\n  rule 1 (robots): decides\n"),
            "{explained}"
        );

        // Elsewhere, and for whoever is not of the group, nothing is exempt.
        policy(&guarded, "[[rule]]\nusers = [\"@robots\"]\nfrom = [\"192.0.2.0/24\"]\nthen = \"exempt\"\n");
        guarded.by_ssh("robot").code("123456").must_be_refused("not_enrolled");
        // A group that is gone exempts nobody.
        policy(&guarded, "[[rule]]\nusers = [\"@no-such-group\"]\nthen = \"exempt\"\n");
        guarded.by_ssh("robot").code("123456").must_be_refused("not_enrolled");
        guarded.write("/etc/security/countersign.toml", 0o644, "[[rule]]\nthen = \"exept\"\n");
        let seen = guarded.by_ssh("alice").code(&phone.code(1)).seen().must_be_out();
        seen.must_have_logged("event=error reason=bad_policy service=sshd")
            .must_have_logged("line 2, column 8: unknown word `exept`, did you mean `exempt`");
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_fact_that_is_unknown_exempts_neither_from_ssh_nor_from_su() {
    let guarded = ssh_machine("bookworm", &["alice", "bob"]);
    guarded.guard_also("su");
    let (_, phone) = guarded.plant("alice");
    let wrong = phone.wrong_code();
    for condition in [
        // Only keyboard-interactive runs here, of which sshd says nothing, and su never says anything.
        "first_factor = [\"!password\"]",
        "first_factor = [\"!publickey\"]",
        // sshd names no terminal.
        "ttys = [\"!tty*\", \"!pts/*\"]",
    ] {
        policy(&guarded, &format!("[[rule]]\n{condition}\nthen = \"exempt\"\n"));
        guarded.by_ssh("alice").code(&wrong).must_be_refused("wrong_code");
        guarded.by_su("bob", "alice").code(&wrong).must_be_refused("wrong_code");
        guarded.must(&["countersign", "unlock", "--yes", "alice"]);
    }
    guarded.by_ssh("alice").code(&phone.code(0)).must_get_in();
}

/// What alice is shown who logs in to a shell, from her last answer to the shell's prompt: sshd shows no notices to
/// whoever runs a command.
fn shown_in_a_shell(guarded: &Guarded, code: Option<&str>) -> String {
    let mut session = guarded.ssh("alice").start();
    session.expect("Password: ");
    session.send_line(&password_of("alice"));
    if let Some(code) = code {
        session.expect("Verification code: ");
        session.send_line(code);
    }
    let shown = session.expect("alice@localhost:~$ ");
    session.send_line("exit");
    session.wait();
    shown
}

fn with_notices(suite: &str) -> Guarded {
    let guarded = ssh_machine(suite, &["alice"]);
    guarded.must(&["sh", "-c", "echo 'session optional pam_countersign.so' >>/etc/pam.d/sshd"]);
    guarded
}

#[test]
#[ignore = "needs root: boots a container"]
fn who_is_not_enrolled_is_let_through_until_a_day_and_told_so() {
    let guarded = with_notices("bookworm");
    policy(&guarded, "unenrolled = \"allow\"\nrequired_from = 2099-01-01\n");
    let before = guarded.cursor();
    let shown = shown_in_a_shell(&guarded, None);
    assert!(shown.contains("From 2099-01-01 on this login needs a second factor ("), "{shown}");
    assert!(shown.contains("days left). Enrol with `countersign enroll`."), "{shown}");
    guarded.wait_for_journal(&before, "event=ignored reason=not_enrolled");
    policy(&guarded, "unenrolled = \"allow\"\nrequired_from = 2099-01-01\nnotices = false\n");
    let shown = shown_in_a_shell(&guarded, None);
    assert!(!shown.contains("second factor"), "{shown}");
    policy(&guarded, "unenrolled = \"allow\"\nrequired_from = 2020-01-01\n");
    guarded.by_ssh("alice").code("123456").must_be_refused("not_enrolled");
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_login_tells_of_wrong_codes_before_it() {
    let guarded = with_notices("trixie");
    let (_, phone) = guarded.plant("alice");
    guarded.by_ssh("alice").code(&phone.wrong_code()).must_be_refused("wrong_code");
    let shown = shown_in_a_shell(&guarded, Some(&phone.code(0)));
    assert!(
        shown.contains("3 wrong codes since 20") && shown.contains(", the last one from 127.0.0.1."),
        "{shown}"
    );
    let shown = shown_in_a_shell(&guarded, Some(&phone.code(1)));
    assert!(!shown.contains("wrong code"), "{shown}");
}

#[test]
#[ignore = "needs root: boots a container"]
fn su_asks_for_the_caller_s_code_where_a_rule_says_so() {
    for suite in ["bookworm", "trixie"] {
        let guarded = Guarded::boot(suite);
        for name in ["alice", "bob"] {
            guarded.add_person(name);
        }
        guarded.guard_also("su");
        let (_, phone) = guarded.plant("bob");
        policy(&guarded, "[[rule]]\nname = \"callers\"\nservices = [\"su\", \"su-l\"]\nwhose = \"caller\"\n");
        let seen = guarded.by_su("bob", "alice").code(&phone.code(0)).must_get_in();
        assert_eq!(seen.in_as.as_deref(), Some("alice"));
        seen.must_have_logged("event=accepted service=su source=uid:");
        guarded.by_su("bob", "alice").code(&phone.code(0)).must_be_refused("spent_code");
        guarded.by_su("alice", "bob").code(&phone.code(1)).must_be_refused("not_enrolled");
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_console_is_asked_by_terminal_and_every_word_can_be_set() {
    for suite in ["bookworm", "trixie"] {
        let mut guarded = Guarded::boot(suite);
        guarded.add_person("alice");
        guarded.guard_also("login");
        let (_, phone) = guarded.plant("alice");
        policy(
            &guarded,
            "[texts]\nwrong = \"Falsch.\"\n[[rule]]\nservices = [\"login\"]\nttys = [\"!console\", \"!pts/*\"]\nthen = \"exempt\"\n",
        );
        let seen = guarded.by_console("alice", &phone.wrong_code()).must_be_refused("wrong_code");
        seen.must_have_shown("Falsch.");
        guarded.by_console("alice", &phone.code(0)).must_be_in();
        policy(
            &guarded,
            "[[rule]]\nservices = [\"login\"]\nttys = [\"console\", \"pts/*\", \"tty*\"]\nthen = \"exempt\"\n",
        );
        let seen = guarded.by_console("alice", "");
        assert_eq!(
            (seen.in_as.as_deref(), &seen.prompts[..]),
            (Some("alice"), &["password"][..]),
            "{seen:#?}"
        );
    }
}

/// A directory that is away: what it does not tell exempts nobody, and who waits for it keeps nobody else out.
#[test]
#[ignore = "needs root: boots a container"]
fn groups_that_cannot_be_had_exempt_nobody_and_hold_nobody_up() {
    let guarded = ssh_machine("bookworm", &["alice", "bob"]);
    let (_, phone) = guarded.plant("alice");
    guarded.sicken_groups();
    let rules =
        "[[rule]]\nusers = [\"@vpn\"]\nthen = \"exempt\"\n[[rule]]\nusers = [\"!@vpn\"]\nthen = \"exempt\"\n";
    guarded.write("/etc/security/countersign.toml", 0o644, rules);
    guarded.by_ssh("bob").code("123456").must_be_refused("not_enrolled");
    guarded.by_ssh("alice").code(&phone.code(0)).must_get_in();
    // Bob's login waits for the directory; alice is asked by a rule that needs none.
    let by_name = "[[rule]]\nusers = [\"alice\"]\nthen = \"require\"\n";
    guarded.write("/etc/security/countersign.toml", 0o644, format!("{by_name}{rules}"));
    guarded.let_groups_hang();
    let mut hanging = guarded.ssh("bob").start();
    hanging.expect("Password: ");
    hanging.send_line(&password_of("bob"));
    guarded.by_ssh("alice").code(&phone.code(1)).must_get_in();
    drop(hanging);
}

#[test]
#[ignore = "needs root: boots a container"]
fn sudo_goes_by_the_rules_of_both_its_services() {
    for suite in ["bookworm", "trixie"] {
        let guarded = Guarded::boot(suite);
        guarded.add_person("alice");
        guarded.must(&["usermod", "--append", "--groups=sudo", "alice"]);
        guarded.guard_also("sudo");
        policy(
            &guarded,
            "[[rule]]\nname = \"admins\"\nusers = [\"@sudo\"]\nservices = [\"sudo\"]\nthen = \"exempt\"\n",
        );
        let seen = guarded.by_sudo("alice").seen();
        assert_eq!(
            (seen.in_as.as_deref(), &seen.prompts[..]),
            (Some("root"), &["password"][..]),
            "{seen:#?}"
        );
        seen.must_have_logged("event=ignored reason=exempt rule=admins service=sudo source=uid:");
        policy(
            &guarded,
            "[[rule]]\nusers = [\"@sudo\"]\nservices = [\"sudo\", \"sudo-i\"]\nthen = \"require\"\n",
        );
        guarded.by_sudo("alice").code("123456").must_be_refused("not_enrolled");
    }
}
