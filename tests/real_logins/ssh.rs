//! Through sshd: with password and code, with key and code, and what a wrong configuration does.

use crate::installed::{Guarded, Seen, password_of};
use crate::planting::RECOVERY_CODES;

const KEY_ALONE: &str = "PubkeyAuthentication yes\nKbdInteractiveAuthentication yes\n\
                         PasswordAuthentication no\nUsePAM yes\n";

fn machine(suite: &str, example: &str, people: &[&str]) -> Guarded {
    let guarded = Guarded::boot(suite);
    for name in people {
        guarded.add_person(name);
    }
    guarded.guard_ssh(example);
    guarded
}

fn used_already(seen: Seen) {
    seen.must_have_shown("This code was already used; wait for the next one.");
}

#[test]
#[ignore = "needs root: boots a container"]
fn who_has_enrolled_gets_in_with_password_and_code_once_for_each_code() {
    let guarded = machine("bookworm", "sshd-password-and-code", &["alice"]);
    let alice = guarded.enroll("alice");

    used_already(guarded.by_ssh("alice").code(&alice.first_code).must_be_refused("spent_code"));
    let code = alice.phone.code(1);
    let seen = guarded.by_ssh("alice").code(&code).must_get_in();
    assert_eq!(seen.in_as.as_deref(), Some("alice"));
    assert_eq!(seen.prompts, ["password", "code"]);
    assert!(!seen.transcript.contains(&code), "a code was echoed");
    let line = "pam_countersign(sshd:auth): event=accepted service=sshd source=addr:127.0.0.1 \
                authenticator=phone drift=0 attempts=1 door=files caller=0 user=\"alice\"";
    seen.must_have_logged(line);
    used_already(guarded.by_ssh("alice").code(&code).must_be_refused("spent_code"));

    let spaced = format!(" {} ", alice.recovery_codes[3].to_lowercase().replace('-', " "));
    let seen = guarded.by_ssh("alice").code(&spaced).must_get_in();
    seen.must_have_logged("recovery_codes_left=9");
    // The second try with a recovery code in one transaction is not judged.
    let seen = guarded.by_ssh("alice").code(&alice.recovery_codes[3]).seen().must_be_out();
    seen.must_have_shown("This recovery code was already used.");
    guarded.by_ssh("alice").code(&alice.recovery_codes[4]).must_get_in();
}

#[test]
#[ignore = "needs root: boots a container"]
fn ssh_refuses_a_wrong_code_a_missing_code_and_a_wrong_password() {
    let guarded = machine("bookworm", "sshd-password-and-code", &["alice"]);
    let (_, phone) = guarded.plant("alice");

    let seen = guarded.by_ssh("alice").code(&phone.wrong_code()).must_be_refused("wrong_code");
    // After this sshd names no method any more, and the client offers all it has on its own.
    assert!(seen.prompts.starts_with(&["password", "code", "code", "code"]), "{seen:#?}");
    seen.must_have_shown("Wrong code.").must_have_logged("attempts=3");
    guarded.by_ssh("alice").must_be_refused("malformed").must_have_shown("Wrong code.");
    let code = phone.code(0);
    guarded.by_ssh("alice").password("wrong").code(&code).seen().must_not_have_been_asked_for_a_code();
    guarded.by_ssh("alice").code(&code).must_get_in();

    // Without the code nobody gets in by the other methods either.
    let key = guarded.authorize_key("alice");
    guarded.by_key("alice", &key).code("").must_be_refused("malformed");
    let seen = guarded.by_ssh_with("alice", |ssh| ssh.option("PreferredAuthentications=password")).seen();
    seen.must_not_have_been_asked_for_a_code();
}

#[test]
#[ignore = "needs root: boots a container"]
fn ssh_with_key_and_code_needs_both() {
    let guarded = machine("bookworm", "sshd-key-and-code", &["alice", "bob"]);
    let (_, phone) = guarded.plant("alice");
    let key = guarded.authorize_key("alice");

    guarded.by_key("alice", &key).code(&phone.wrong_code()).must_be_refused("wrong_code");
    guarded.by_key("alice", &key).must_be_refused("malformed");
    let code = phone.code(0);
    guarded.by_ssh("alice").code(&code).seen().must_not_have_been_asked_for_a_code();
    let seen = guarded.by_key("alice", &key).code(&code).must_get_in();
    assert_eq!(seen.prompts, ["code"]);
    seen.must_have_logged("event=first_factor");
    used_already(guarded.by_key("alice", &key).code(&code).must_be_refused("spent_code"));

    exempt_people_need_the_key(&guarded);
}

fn exempt_people_need_the_key(guarded: &Guarded) {
    let key = guarded.authorize_key("bob");
    guarded.by_key("bob", &key).code("123456").must_be_refused("not_enrolled");
    guarded.add_argument("sshd", "nullok");
    let seen = guarded.by_key("bob", &key).seen();
    assert_eq!(seen.in_as.as_deref(), Some("bob"), "{seen:#?}");
    assert_eq!(seen.prompts, [""; 0]);
    seen.must_have_logged("event=ignored reason=not_enrolled");
    guarded.by_ssh("bob").seen().must_not_have_been_asked_for_a_code();

    guarded.sshd_config(KEY_ALONE);
    let seen = guarded.by_ssh("bob").must_be_refused("first_factor_missing");
    assert_eq!(seen.prompts, [""; 0]);
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_forgotten_authentication_methods_line_lets_nobody_in_with_a_code_alone() {
    let guarded = machine("bookworm", "sshd-key-and-code", &["alice"]);
    let (_, phone) = guarded.plant("alice");
    guarded.sshd_config(KEY_ALONE);
    let only_a_code = guarded
        .by_ssh_with("alice", |ssh| ssh.option("PreferredAuthentications=keyboard-interactive"))
        .code(&phone.code(0))
        .must_be_refused("first_factor_missing");
    assert_eq!(only_a_code.prompts, [""; 0]);
}

/// Not as it should be but as it is, and the README warns of it: for a key alone sshd asks no PAM
/// module for authentication.
#[test]
#[ignore = "needs root: boots a container"]
fn a_key_alone_never_reaches_the_module() {
    let guarded = machine("bookworm", "sshd-password-and-code", &["alice"]);
    guarded.plant("alice");
    let key = guarded.authorize_key("alice");
    guarded.sshd_config(KEY_ALONE);
    let seen = guarded.by_key("alice", &key).seen();
    assert_eq!(seen.in_as.as_deref(), Some("alice"), "{seen:#?}");
    assert_eq!((seen.prompts, seen.log), (vec![], vec![]));
}

/// What somebody sees who types this password and this code until ssh gives up, and is not let in.
fn shown(guarded: &Guarded, user: &str, password: &str, code: &str) -> String {
    let seen = guarded.by_ssh(user).password(password).code(code).seen().must_be_out();
    seen.transcript.replace(user, "USER")
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_wrong_password_looks_the_same_whoever_types_it() {
    let guarded = machine("bookworm", "sshd-password-and-code", &["alice", "carol"]);
    guarded.plant("alice");
    let of_alice = shown(&guarded, "alice", "wrong", "");
    assert_eq!(of_alice.matches("Password: ").count(), 1, "{of_alice}");
    assert_eq!(shown(&guarded, "carol", "wrong", ""), of_alice);
    assert_eq!(shown(&guarded, "nobody-here", "wrong", ""), of_alice);
}

#[test]
#[ignore = "needs root: boots a container"]
fn where_everybody_is_asked_for_both_a_right_password_shows_nothing() {
    let guarded = machine("bookworm", "sshd-password-and-code", &["alice", "carol"]);
    guarded.hide_wrong_passwords("sshd");
    let (planted, phone) = guarded.plant("alice");
    let (wrong, right) = ("not the password", password_of("alice"));
    let code = phone.wrong_code();

    let of_alice = shown(&guarded, "alice", wrong, &code);
    assert_eq!(of_alice.matches("Verification code: ").count(), 3, "{of_alice}");
    assert_eq!(shown(&guarded, "carol", wrong, &code), of_alice);
    assert_eq!(shown(&guarded, "carol", &password_of("carol"), &code), of_alice);
    assert_eq!(shown(&guarded, "nobody-here", wrong, &code), of_alice);
    guarded.renew(&planted);
    assert_eq!(shown(&guarded, "alice", &right, &code), of_alice);

    // The next wrong codes earn her a wait, in which a right password shows as little.
    shown(&guarded, "alice", wrong, &code);
    let before = guarded.cursor();
    let of_alice = shown(&guarded, "alice", wrong, &code);
    assert_eq!(shown(&guarded, "alice", &right, &code), of_alice);
    let log = guarded.log_since(&before);
    assert!(log.len() == 2 && log.iter().all(|line| line.contains("reason=backed_off ")), "{log:#?}");

    guarded.renew(&planted);
    guarded.by_ssh("alice").password(wrong).code(&phone.code(0)).seen().must_be_out();
    guarded.by_ssh("alice").code(&phone.code(1)).must_get_in();
}

#[test]
#[ignore = "needs root: boots a container"]
fn debian_13_lets_in_and_refuses_alike() {
    let guarded = machine("trixie", "sshd-password-and-code", &["alice"]);
    let (planted, phone) = guarded.plant("alice");
    let code = phone.code(0);
    guarded.by_ssh("alice").code(&code).must_get_in();
    used_already(guarded.by_ssh("alice").code(&code).must_be_refused("spent_code"));
    guarded.by_ssh("alice").code(RECOVERY_CODES[0]).must_get_in();

    guarded.renew(&planted);
    guarded.guard_ssh("sshd-key-and-code");
    let key = guarded.authorize_key("alice");
    let code = phone.code(0);
    guarded.by_key("alice", &key).code(&code).must_get_in();
    used_already(guarded.by_key("alice", &key).code(&code).must_be_refused("spent_code"));
}
