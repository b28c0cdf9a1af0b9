//! Two accounts of one uid, such as root and toor: each is enrolled or not for itself.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "command/mod.rs"]
mod command;
#[path = "container/mod.rs"]
mod container;
#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::fs;

use command::{must, phone_of, run};
use planting::{Phone, Planted};
use sandbox::{Conversation, Sandbox, example, module};

/// A machine whose account toor has the uid of root, with the services `strict` and `lenient`.
fn machine() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.add_account("toor:x:0:0:root:/root:/bin/sh");
    for (service, arguments) in [("strict", "attempts=1"), ("lenient", "attempts=1 nullok")] {
        let module = module();
        let line = format!("auth [success=done ignore=1 default=die] {} {arguments}", module.display());
        sandbox.service(
            service,
            &format!(
                "{line}\nauth requisite pam_deny.so\nauth [default=die] pam_debug.so auth=cred_unavail\n"
            ),
        );
    }
    sandbox
}

/// What the application sees of the module's PAM_IGNORE.
const NOT_ASKED: &str = "PAM_CRED_UNAVAIL";

fn plant(sandbox: &Sandbox, name: &str) -> Phone {
    let (planted, phone) = Planted::new(name, 0);
    planted.put_into(&sandbox.store());
    phone
}

fn enroll(sandbox: &Sandbox, name: &str) -> Phone {
    let mut terminal = command::on_terminal(sandbox, &["enroll", name]);
    let phone = phone_of(&mut terminal);
    terminal.send_line(&phone.code(0));
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    phone
}

fn result(sandbox: &Sandbox, service: &str, user: &str, code: &str) -> String {
    sandbox.login(service, user, &[code]).authenticate().to_owned()
}

fn reason(sandbox: &Sandbox) -> String {
    let lines = sandbox.log_lines().join("\n");
    let reason = lines.split("reason=").nth(1).unwrap_or_else(|| panic!("{lines}"));
    reason.split(' ').next().unwrap_or_default().to_owned()
}

fn entry(sandbox: &Sandbox) -> Option<String> {
    fs::read_to_string(sandbox.store().join("by-uid/0")).ok()
}

#[test]
fn an_account_is_not_enrolled_because_another_of_its_uid_is() {
    let sandbox = machine();
    let phone = plant(&sandbox, "root");
    assert_eq!(result(&sandbox, "lenient", "toor", ""), NOT_ASKED);
    assert_eq!(reason(&sandbox), "not_enrolled");
    assert_eq!(result(&sandbox, "strict", "toor", "000000"), "PAM_AUTH_ERR");
    assert_eq!(reason(&sandbox), "not_enrolled");
    assert_eq!(result(&sandbox, "lenient", "root", &phone.code(0)), "PAM_SUCCESS");
}

#[test]
fn an_account_that_shared_its_uid_and_was_renamed_is_still_refused() {
    let sandbox = machine();
    plant(&sandbox, "former");
    assert_eq!(result(&sandbox, "lenient", "toor", ""), "PAM_AUTHINFO_UNAVAIL");
    assert_eq!(reason(&sandbox), "renamed_account");
    // An account of that name with another uid is not the one that enrolled.
    sandbox.add_account("former:x:1003:1003::/home/former:/bin/sh");
    assert_eq!(result(&sandbox, "lenient", "toor", ""), "PAM_AUTHINFO_UNAVAIL");
    assert_eq!(reason(&sandbox), "renamed_account");
    assert_eq!(run(&sandbox, &["enroll", "toor", "--force"]).status.code(), Some(1));
}

#[test]
fn an_account_whose_former_name_cannot_be_looked_up_is_refused() {
    let sandbox = machine();
    plant(&sandbox, "root");
    let login = |options: &[&str]| {
        let mut command = sandbox.command("strace");
        command
            .args(["-qq", "-f", "-o", "/dev/null", "-P", "/etc/passwd", "-e", "trace=openat"])
            .args(options);
        command.arg(example("pam-client")).args(["--confdir=/etc/pam.d", "--service=lenient", "--user=toor"]);
        Conversation::of(command).authenticate().to_owned()
    };
    assert_eq!(login(&[]), NOT_ASKED);
    sandbox.log_lines();
    for look_up in 1..=2 {
        let inject = format!("inject=openat:error=EIO:when={look_up}");
        assert_eq!(login(&["-e", &inject]), "PAM_AUTHINFO_UNAVAIL", "look-up {look_up}");
        assert_eq!(reason(&sandbox), "accounts_unreadable", "look-up {look_up}");
    }
}

#[test]
fn both_accounts_of_a_uid_can_be_enrolled_and_each_removed_without_the_other() {
    let sandbox = machine();
    let phones = ["root", "toor"].map(|name| (name, enroll(&sandbox, name)));
    for (name, phone) in &phones {
        assert_eq!(result(&sandbox, "lenient", name, &phone.code(1)), "PAM_SUCCESS", "{name}");
    }
    assert_eq!(entry(&sandbox).as_deref(), Some("root\ntoor\n"));
    must(&sandbox, &["remove", "root", "--yes"]);
    assert_eq!(entry(&sandbox).as_deref(), Some("toor\n"));
    assert_eq!(result(&sandbox, "lenient", "root", ""), NOT_ASKED);
    assert_eq!(result(&sandbox, "lenient", "toor", "000000"), "PAM_AUTH_ERR");
    must(&sandbox, &["remove", "toor", "--yes"]);
    assert_eq!(entry(&sandbox), None);
    assert_eq!(result(&sandbox, "lenient", "toor", ""), NOT_ASKED);
}

/// The entry may stand for an enrolment that is lost: then the account of that name is refused, and no other.
#[test]
fn an_enrolment_that_is_lost_refuses_its_own_account_alone() {
    let sandbox = machine();
    enroll(&sandbox, "root");
    enroll(&sandbox, "toor");
    fs::remove_dir_all(sandbox.store().join("users/toor")).expect("the directory of toor");
    assert_eq!(result(&sandbox, "lenient", "toor", ""), "PAM_AUTHINFO_UNAVAIL");
    must(&sandbox, &["remove", "root", "--yes"]);
    assert_eq!(result(&sandbox, "lenient", "root", ""), NOT_ASKED);
    sandbox.log_lines();
    assert_eq!(result(&sandbox, "lenient", "toor", ""), "PAM_AUTHINFO_UNAVAIL");
    assert_eq!(reason(&sandbox), "credential_missing");
}

#[test]
fn adopting_one_account_keeps_the_other_of_its_uid() {
    let sandbox = machine();
    plant(&sandbox, "root");
    Planted::new("toor", 0).0.put_credential_into(&sandbox.store());
    must(&sandbox, &["adopt", "toor"]);
    assert_eq!(entry(&sandbox).as_deref(), Some("root\ntoor\n"));
    // A name of which neither an account nor an enrolment is left is forgotten.
    planting::write(&sandbox.store().join("by-uid/0"), b"former\nroot\n");
    must(&sandbox, &["adopt", "toor"]);
    assert_eq!(entry(&sandbox).as_deref(), Some("root\ntoor\n"));
}
