//! Remembered logins, and programs with one prompt.

use super::{policy, ssh_machine};
use std::path::{Path, PathBuf};

use crate::installed::{Guarded, password_of};
use crate::planting::Phone;

/// Somebody with alice's key is in, and nobody has asked for a code.
fn must_be_remembered(guarded: &Guarded, key: &Path) {
    let seen = guarded.by_key("alice", key).seen();
    assert_eq!((seen.in_as.is_some(), &seen.prompts[..]), (true, &[][..]), "{seen:#?}");
    seen.must_have_logged("event=remembered service=sshd source=addr:127.0.0.1 since=");
}

/// A machine whose ssh asks for key and code, alice's phone and her key.
fn with_key(suite: &str) -> (Guarded, Phone, PathBuf) {
    let guarded = Guarded::boot(suite);
    for name in ["alice", "bob"] {
        guarded.add_person(name);
    }
    guarded.guard_ssh("sshd-key-and-code");
    let (_, phone) = guarded.plant("alice");
    let key = guarded.authorize_key("alice");
    (guarded, phone, key)
}

#[test]
#[ignore = "needs root: boots a container"]
fn ssh_is_remembered_by_address_and_key_until_it_is_forgotten() {
    for (suite, service) in [("bookworm", false), ("trixie", true)] {
        let (guarded, phone, key) = with_key(suite);
        if service {
            guarded.must(&["systemctl", "enable", "--now", "countersign.socket"]);
        }
        policy(&guarded, "remember = \"12h\"\n");
        guarded.by_key("alice", &key).code(&phone.code(0)).must_get_in();
        must_be_remembered(&guarded, &key);
        // Another key of the same person, from the same address.
        guarded.must(&["sh", "-c", "mv /home/alice/.ssh/authorized_keys /home/alice/.ssh/first"]);
        let (first, public) = (key.with_extension("first"), key.with_extension("pub"));
        std::fs::rename(&key, &first).expect("the first key");
        std::fs::remove_file(&public).expect("what goes with it");
        let other = guarded.authorize_key("alice");
        guarded.by_key("alice", &other).code("").must_be_refused("malformed");
        guarded.must(&["sh", "-c", "mv /home/alice/.ssh/first /home/alice/.ssh/authorized_keys"]);
        std::fs::rename(&first, &key).expect("the first key");
        std::fs::remove_file(&public).expect("what goes with the other");
        must_be_remembered(&guarded, &key);

        let status = guarded.must(&["countersign", "status", "alice"]);
        assert!(status.contains("remembered since 20"), "{status}");
        if service {
            let others = guarded.run(&["runuser", "-u", "bob", "--", "countersign", "forget", "alice"]);
            assert_eq!(others.status, 3, "{others:#?}");
            must_be_remembered(&guarded, &key);
            guarded.must(&["runuser", "-u", "alice", "--", "countersign", "forget"]);
        } else {
            guarded.must(&["countersign", "forget", "--all"]);
        }
        guarded.by_key("alice", &key).code("").must_be_refused("malformed");
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn what_is_remembered_ends_with_its_time_and_with_a_rule() {
    let (guarded, phone, key) = with_key("bookworm");
    policy(&guarded, "remember = \"12h\"\n");
    guarded.by_key("alice", &key).code(&phone.code(0)).must_get_in();
    must_be_remembered(&guarded, &key);
    policy(&guarded, "remember = \"1s\"\n");
    // The first may come within that second.
    let is_asked = |_| guarded.by_key("alice", &key).seen().in_as.is_none();
    assert!((0..10).any(is_asked), "a second never ends");
    policy(
        &guarded,
        "remember = \"12h\"\n[[rule]]\nusers = [\"alice\"]\nthen = \"require\"\nremember = \"never\"\n",
    );
    guarded.by_key("alice", &key).code("").must_be_refused("malformed");
    policy(&guarded, "remember = \"12h\"\n");
    must_be_remembered(&guarded, &key);
}

/// Behind a relay everybody comes from the address of this machine.
#[test]
#[ignore = "needs root: boots a container"]
fn a_password_from_the_address_of_a_relay_is_not_remembered() {
    let guarded = ssh_machine("bookworm", &["alice"]);
    let (_, phone) = guarded.plant("alice");
    policy(&guarded, "remember = \"12h\"\n");
    guarded.by_ssh("alice").code(&phone.code(0)).must_get_in();
    guarded.by_ssh("alice").code("").must_be_refused("malformed");
    assert!(!guarded.must(&["countersign", "status", "alice"]).contains("remembered"));
}

/// Inside of a session of ssh, where pam_loginuid has made an audit session, or could not.
#[test]
#[ignore = "needs root: boots a container"]
fn sudo_is_remembered_in_its_audit_session_and_never_without_one() {
    let guarded = ssh_machine("bookworm", &["alice"]);
    guarded.guard_also("sudo");
    guarded.must(&["usermod", "--append", "--groups=sudo", "alice"]);
    guarded.write("/etc/sudoers.d/always", 0o440, "Defaults timestamp_timeout=0\n");
    policy(&guarded, "[[rule]]\nservices = [\"sudo\"]\nremember = \"1h\"\n");
    let (_, phone) = guarded.plant("alice");

    let mut sessions = Vec::new();
    for step in 0..2_i64 {
        let mut session = guarded.ssh("alice").start();
        session.expect("Password: ");
        session.send_line(&password_of("alice"));
        session.expect("Verification code: ");
        session.send_line(&phone.code(step));
        session.expect("alice@localhost:~$ ");
        sessions.push(session);
    }
    let session = &mut sessions[0];
    session.send_line("cat /proc/self/sessionid; echo");
    session.expect("echo\r\n");
    let audit = session.expect("\r\n");
    session.expect("alice@localhost:~$ ");
    let has_session = audit.trim() != u32::MAX.to_string();

    guarded.must(&["countersign", "forget", "alice"]);
    let device = guarded.plant_counting_beside("alice");
    let mut sudo = |asked_for: Option<u64>| {
        session.send_line("sudo id -un");
        session.expect("password for alice: ");
        session.send_line(&password_of("alice"));
        if let Some(counter) = asked_for {
            session.expect("Verification code: ");
            session.send_line(&device.code(counter));
        }
        session.expect("\r\nroot\r\n");
        session.expect("alice@localhost:~$ ");
    };
    sudo(Some(1));
    // The same session on the same terminal, where the kernel knows of one.
    sudo((!has_session).then_some(2));
    // Another session of the same user, on another terminal, is asked.
    let other = &mut sessions[1];
    other.send_line("sudo id -un");
    other.expect("password for alice: ");
    other.send_line(&password_of("alice"));
    other.expect("Verification code: ");
    other.send_line(&device.code(3));
    other.expect("\r\nroot\r\n");
}

/// The stack of a locker: the module first, with a prompt for both.
const ONE_PROMPT: &str = "auth required pam_countersign.so forward_pass\n\
                          auth required pam_unix.so use_first_pass\naccount required pam_permit.so\n";

#[test]
#[ignore = "needs root: boots a container"]
fn a_program_with_one_prompt_takes_password_and_code_in_one_line() {
    for suite in ["bookworm", "trixie"] {
        let guarded = Guarded::boot_with(suite, &["pamtester"]);
        guarded.add_person("alice");
        guarded.must_with_input(&["chpasswd"], b"alice:pass123456\n");
        guarded.must(&["systemctl", "enable", "--now", "countersign.socket"]);
        guarded.write("/etc/pam.d/locker", 0o644, ONE_PROMPT);
        let (_, phone) = guarded.plant("alice");
        let locker = |before: &[&str], line: &str| {
            let command = [before, &["pamtester", "locker", "alice", "authenticate"]].concat();
            guarded.run_with_input(&command, format!("{line}\n").as_bytes())
        };
        let as_alice = &["runuser", "-u", "alice", "--"][..];
        for (step, way) in [(0, &[][..]), (1, as_alice)] {
            let code = phone.code(step);
            let wrong = locker(way, &format!("pass12345{}", phone.wrong_code()));
            assert_ne!(wrong.status, 0, "{wrong:#?}");
            let right = locker(way, &format!("pass123456{code}"));
            assert_eq!(right.status, 0, "{right:#?}");
            assert!(right.stderr.contains("Password & verification code: "), "{right:#?}");
            assert_ne!(locker(way, &format!("pass123456{code}")).status, 0, "the code is spent");
        }
        policy(&guarded, "[[rule]]\nservices = [\"locker\"]\nthen = \"exempt\"\n");
        let exempt = locker(as_alice, "pass123456");
        assert_eq!(exempt.status, 0, "{exempt:#?}");
        assert_ne!(locker(as_alice, "pass12345").status, 0);
    }
}
