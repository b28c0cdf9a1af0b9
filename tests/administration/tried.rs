//! `countersign test`: what would be made of a code, without anything being made of it.

use std::fs;

use serde_json::json;

use crate::command::{log_in, machine, on_terminal, run};
use crate::planting::{Planted, RECOVERY_CODES};
use crate::sandbox::Sandbox;
use crate::schema::reported;
use crate::{said, with_input};

/// The files of a store, and all that is in them.
fn everything(sandbox: &Sandbox, planted: &Planted) -> Vec<(String, Vec<u8>)> {
    let directory = planted.directory(&sandbox.store());
    let mut files: Vec<_> = fs::read_dir(directory)
        .expect("the directory")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            (path.display().to_string(), fs::read(path).expect("a file"))
        })
        .collect();
    files.sort();
    files
}

/// `countersign test alice` with this typed, and what it says.
fn test(sandbox: &Sandbox, typed: &str) -> (i32, String) {
    let (status, text, errors) = said(&with_input(sandbox, &["test", "alice"], &format!("{typed}\n")));
    assert!(errors.starts_with("code or recovery code of alice: "), "{errors}");
    (status, text)
}

#[test]
fn a_code_is_tested_without_being_spent() {
    let sandbox = machine();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let before = everything(&sandbox, &alice);
    let code = phone.code(0);
    for _ in 0..3 {
        let accepted = "alice: this would be accepted, as a code of phone\n";
        assert_eq!(test(&sandbox, &code), (0, accepted.to_owned()));
    }
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    assert_eq!(test(&sandbox, &spaced).0, 0, "as it may be typed at a login");
    assert_eq!(
        test(&sandbox, RECOVERY_CODES[1]),
        (0, "alice: this would be accepted, as a recovery code, after which 2 are left\n".to_owned())
    );
    assert_eq!(everything(&sandbox, &alice), before);
    let log = sandbox.log_lines().join("\n");
    assert_eq!(log.matches("event=tested by=uid:0 user=\"alice\"").count(), 5, "{log}");
    assert!(!log.contains(&code), "{log}");

    assert_eq!(log_in(&sandbox, &code), "PAM_SUCCESS");
    assert_eq!(
        test(&sandbox, &code),
        (3, "alice: this would be refused, this code, or a later one, counts as used\n".to_owned())
    );
    assert_eq!(log_in(&sandbox, RECOVERY_CODES[1]), "PAM_SUCCESS");
    assert_eq!(
        test(&sandbox, RECOVERY_CODES[1]),
        (3, "alice: this would be refused, this recovery code was used\n".to_owned())
    );
}

#[test]
fn wrong_codes_are_not_counted_and_are_explained() {
    let sandbox = machine();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let before = everything(&sandbox, &alice);
    for _ in 0..10 {
        assert_eq!(test(&sandbox, &phone.wrong_code()).0, 3);
    }
    let (status, text) = test(&sandbox, &phone.code(8));
    assert_eq!(status, 3);
    // A period may have ended since the code was asked for.
    let explained = |ahead: u32| {
        format!(
            "alice: this would be refused, no device makes this code now\n\
             phone makes it, {ahead} ahead: typed in one login, this code and the next one would be accepted\n"
        )
    };
    assert!(text == explained(8) || text == explained(7), "{text}");
    let typed = [
        ("password", "it is neither a code nor a recovery code"),
        ("", "it is neither a code nor a recovery code"),
        ("7777-7777-7777-7777", "it is no recovery code of the set in force"),
    ];
    for (typed, why) in typed {
        assert_eq!(test(&sandbox, typed), (3, format!("alice: this would be refused, {why}\n")));
    }
    assert_eq!(everything(&sandbox, &alice), before);
}

#[test]
fn what_stands_in_the_way_of_a_right_code_is_told_with_the_verb_that_mends_it() {
    let sandbox = machine();
    let (mut alice, phone) = Planted::new("alice", 1000);
    alice.credential.disabled = true;
    alice.put_into(&sandbox.store());
    assert_eq!(
        test(&sandbox, &phone.code(0)),
        (
            3,
            "alice: this would be refused, the user is disabled\n\
             but for that it is right, as a code of phone\n\
             countersign enable alice\n"
                .to_owned()
        )
    );
    alice.credential.disabled = false;
    alice.state.counters[0].count = 100;
    alice.put_into(&sandbox.store());
    let (status, text) = test(&sandbox, &phone.code(0));
    assert_eq!(status, 3);
    assert!(text.contains("a hundred failures from there\nbut for that it is right"), "{text}");
    assert!(text.ends_with("\ncountersign unlock alice\n"), "{text}");

    alice.state.counters[0].count = 0;
    alice.put_into(&sandbox.store());
    fs::remove_file(alice.directory(&sandbox.store()).join("state")).expect("a state");
    let (status, text) = test(&sandbox, RECOVERY_CODES[0]);
    assert_eq!(status, 3);
    assert!(
        text.ends_with("which recovery codes are used is not known\ncountersign repair alice\n"),
        "{text}"
    );
    assert_eq!(everything(&sandbox, &alice).len(), 1, "no state was made");
}

#[test]
fn from_a_source_that_waits_a_code_would_be_refused_and_from_another_not() {
    use pam_countersign::credential::SourceName;
    use pam_countersign::policy::throttle::{charge, welcome};

    let sandbox = machine();
    let (mut alice, phone) = Planted::new("alice", 1000);
    let source = SourceName::new("addr:192.0.2.7".to_owned()).expect("a source");
    welcome(&mut alice.state, &source, crate::planting::now());
    for _ in 0..12 {
        charge(&mut alice.state, &source, crate::planting::now());
    }
    alice.put_into(&sandbox.store());
    let code = format!("{}\n", phone.code(0));
    let words = ["test", "alice", "--json", "--from"];
    let (status, json) = reported(&sandbox, &[&words[..], &["192.0.2.7"]].concat(), &code);
    assert_eq!((status, &json["reason"]), (3, &json!("backed_off")));
    assert_eq!(json["otherwise"]["proof"]["authenticator"], json!("phone"), "{json}");
    assert!(json["seconds"].as_u64().is_some_and(|seconds| (800..=900).contains(&seconds)), "{json}");
    let (status, json) = reported(&sandbox, &[&words[..], &["uid:1000"]].concat(), &code);
    assert_eq!((status, &json["accepted"], &json["source"]), (0, &json!(true), &json!("uid:1000")));
    let (status, _, errors) = said(&run(&sandbox, &[&words[..], &["example.org"]].concat()));
    assert_eq!(status, 2);
    assert!(errors.contains("neither an address nor a source of the log"), "{errors}");
}

#[test]
fn the_json_of_a_test_is_as_its_schema_has_it() {
    let sandbox = machine();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let report = |typed: &str| reported(&sandbox, &["test", "--json", "alice"], &format!("{typed}\n"));
    let (status, json) = report(&phone.code(0));
    assert_eq!((status, &json["proof"]), (0, &json!({ "authenticator": "phone", "drift": 0 })));
    let (status, json) = report(RECOVERY_CODES[0]);
    assert_eq!((status, &json["proof"]), (0, &json!({ "recovery_codes_left": 2 })));
    let (status, json) = report(&phone.code(-9));
    assert_eq!((status, &json["reason"]), (3, &json!("wrong_code")));
    assert_eq!(json["clue"]["authenticator"], json!("phone"), "{json}");
    assert!(json["clue"]["off"].as_i64().is_some_and(|off| (-10..=-9).contains(&off)), "{json}");
    assert_eq!(report("x").1["reason"], json!("malformed"));
}

#[test]
fn what_is_tested_is_not_seen_on_the_terminal() {
    let sandbox = machine();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let mut terminal = on_terminal(&sandbox, &["test", "alice"]);
    terminal.expect("code or recovery code of alice: ");
    terminal.send_line(RECOVERY_CODES[0]);
    terminal.expect("this would be accepted, as a recovery code, after which 2 are left");
    assert_eq!(terminal.wait(), 0);
    assert!(!terminal.transcript().contains(RECOVERY_CODES[0]), "{}", terminal.transcript());
}

#[test]
fn whom_a_test_cannot_be_about_is_not_asked_for_a_code() {
    let sandbox = machine();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let (status, text, errors) = said(&run(&sandbox, &["test", "bob"]));
    assert_eq!(
        (status, text.as_str(), errors.lines().next()),
        (4, "", Some("countersign: bob is not enrolled"))
    );
    let (status, _, errors) = said(&run(&sandbox, &["test", "alice"]));
    assert_eq!(status, 3, "the input ends: {errors}");
    assert!(errors.contains("countersign: given up"), "{errors}");
    fs::write(alice.directory(&sandbox.store()).join("state"), "damaged").expect("a state");
    let (status, text, errors) = said(&with_input(&sandbox, &["test", "alice"], "123456\n"));
    assert_eq!((status, text.as_str()), (1, ""), "{errors}");
    assert!(errors.ends_with("hint: run `countersign repair`\n"), "{errors}");
}
