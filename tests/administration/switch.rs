//! `countersign disable` and `countersign enable`.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::command::{log_in, machine, run};
use crate::planting::{Planted, RECOVERY_CODES};
use crate::said;

#[test]
fn a_disabled_user_is_refused_whatever_he_types_until_he_is_enabled() {
    let sandbox = machine();
    sandbox.service(
        "lenient",
        &format!("auth required {} nullok attempts=1\n", crate::sandbox::module().display()),
    );
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    assert_eq!(
        said(&run(&sandbox, &["disable", "alice"])),
        (
            0,
            String::new(),
            "alice is disabled: no code and no recovery code is taken\n\
             take it back with: countersign enable alice\n"
                .to_owned()
        )
    );
    let code = phone.code(0);
    assert_eq!(log_in(&sandbox, &code), "PAM_AUTH_ERR");
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_AUTH_ERR");
    assert_eq!(sandbox.login("lenient", "alice", &[&code]).authenticate(), "PAM_AUTH_ERR", "with nullok too");
    let log = sandbox.log_lines().join("\n");
    assert!(log.contains("event=disabled by=uid:0 user=\"alice\""), "{log}");
    assert!(log.contains("event=denied reason=disabled"), "{log}");
    assert!(
        said(&run(&sandbox, &["status", "alice"]))
            .1
            .starts_with("alice: disabled, and refused whatever is typed\n")
    );
    assert_eq!(
        said(&run(&sandbox, &["enable", "alice"])),
        (0, String::new(), "alice is enabled: codes are taken again\n".to_owned())
    );
    assert!(sandbox.log_lines().join("\n").contains("event=enabled by=uid:0 user=\"alice\""));
    assert_eq!(log_in(&sandbox, &code), "PAM_SUCCESS", "nothing was spent meanwhile");
    assert_eq!(log_in(&sandbox, &code), "PAM_AUTH_ERR", "and now it is");
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[0]), "PAM_SUCCESS");
}

#[test]
fn enabling_forgives_no_failure_and_keeps_everything_else() {
    let sandbox = machine();
    let (mut alice, phone) = Planted::new("alice", 1000);
    alice.state.counters[3].count = 100;
    alice.put_into(&sandbox.store());
    assert_eq!(run(&sandbox, &["disable", "alice"]).status.code(), Some(0));
    assert_eq!(run(&sandbox, &["enable", "alice"]).status.code(), Some(0));
    let after = alice.state_in_store(&sandbox.store());
    assert_eq!((&after.counters, &after.keys), (&alice.state.counters, &alice.state.keys));
    assert_eq!(after.recovery, alice.state.recovery);
    assert_eq!(log_in(&sandbox, &phone.code(0)), "PAM_AUTH_ERR", "capped as before");
}

#[test]
fn where_nothing_changes_nothing_is_written_and_nothing_logged() {
    let sandbox = machine();
    let (mut alice, _) = Planted::new("alice", 1000);
    for (disabled, verb, words) in
        [(true, "disable", "alice is disabled already\n"), (false, "enable", "alice is not disabled\n")]
    {
        alice.credential.disabled = disabled;
        alice.put_into(&sandbox.store());
        let file = alice.directory(&sandbox.store()).join("credential.toml");
        let before = fs::metadata(&file).expect("a credential").ino();
        assert_eq!(said(&run(&sandbox, &[verb, "alice"])), (0, String::new(), words.to_owned()));
        assert_eq!(fs::metadata(&file).expect("a credential").ino(), before);
    }
    assert_eq!(sandbox.log_lines(), Vec::<String>::new());
}

#[test]
fn whom_a_switch_cannot_be_about_is_told_with_a_hint_and_a_status_of_its_own() {
    let sandbox = machine();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    for verb in ["disable", "enable"] {
        let (code, _, errors) = said(&run(&sandbox, &[verb, "bob"]));
        assert_eq!((code, errors.lines().next()), (4, Some("countersign: bob is not enrolled")));
        let (code, _, errors) = said(&run(&sandbox, &[verb, "no\u{1b}[2Jbody"]));
        assert_eq!(code, 1, "{errors}");
        assert!(errors.contains("hint: ") && !errors.contains('\u{1b}'), "{errors}");
        let (code, _, errors) = said(&run(&sandbox, &[verb, "nobody-here"]));
        assert_eq!((code, errors.lines().next()), (1, Some("countersign: there is no account nobody-here")));
        assert_eq!(run(&sandbox, &[verb]).status.code(), Some(2), "who is meant is never guessed");
        assert_eq!(run(&sandbox, &[verb, "alice", "--yes"]).status.code(), Some(2));
    }
    fs::write(alice.directory(&sandbox.store()).join("credential.toml"), "nonsense").expect("a file");
    let (code, _, errors) = said(&run(&sandbox, &["disable", "alice"]));
    assert_eq!(code, 1);
    assert!(errors.starts_with("countersign: credential.toml: line 1 column"), "{errors}");
    fs::remove_dir_all(sandbox.store().join("users")).expect("the users");
    let (code, _, errors) = said(&run(&sandbox, &["disable", "alice"]));
    assert_eq!((code, errors.lines().next()), (1, Some("countersign: /var/lib/countersign is not there")));
}

#[test]
fn a_misspelt_verb_is_suggested() {
    let sandbox = machine();
    for (typed, meant) in [("disabel", "disable"), ("enabel", "enable")] {
        let (code, _, errors) = said(&run(&sandbox, &[typed, "alice"]));
        assert_eq!(code, 2);
        assert!(errors.contains("similar subcommand") && errors.contains(&format!("'{meant}'")), "{errors}");
    }
}
