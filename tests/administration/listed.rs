//! `countersign list`: everybody of whom something is kept.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use pam_countersign::credential::SourceName;
use pam_countersign::policy::throttle::welcome;
use pam_countersign::user::UserName;
use serde_json::{Value, json};

use crate::command::{machine, must, run};
use crate::planting::Planted;
use crate::said;
use crate::sandbox::Sandbox;
use crate::schema::reported;

/// Alice in order, bob disabled, carol with nothing confirmed, dave whose credential is damaged, erin whom a
/// hundred failures keep out, and frank whose state is lost. Only some have accounts here: a list asks nobody.
fn plant_six(sandbox: &Sandbox) {
    let store = sandbox.store();
    let planted = |name: &str, uid| Planted::new(name, uid).0;
    let mut alice = planted("alice", 1000);
    let source = SourceName::new("addr:192.0.2.7".to_owned()).expect("a source");
    welcome(&mut alice.state, &source, 1_790_000_000);
    alice.put_into(&store);
    let mut bob = planted("bob", 1001);
    bob.credential.disabled = true;
    bob.credential.recovery.as_mut().expect("a set").digests.truncate(1);
    bob.put_into(&store);
    let mut carol = planted("carol", 1002);
    carol.credential.authenticators[0].confirmed = None;
    carol.put_into(&store);
    let dave = planted("dave", 1003);
    dave.put_into(&store);
    fs::write(dave.directory(&store).join("credential.toml"), "format = 1\nuser = 5\n").expect("a file");
    let mut erin = planted("erin", 1004);
    erin.state.counters[2].count = 100;
    erin.put_into(&store);
    let frank = planted("frank", 1005);
    frank.put_into(&store);
    fs::remove_file(frank.directory(&store).join("state")).expect("a state");
}

/// An enrolment under a name of any length.
fn named(name: &str, uid: u32) -> Planted {
    let (mut planted, _) = Planted::new("somebody", uid);
    planted.credential.user = UserName::new(name.as_bytes()).expect("a name");
    planted
}

fn names(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let output = said(&run(sandbox, &[&["list", "--names"], words].concat()));
    output.1.lines().map(str::to_owned).collect()
}

#[test]
fn everybody_has_a_row_and_who_is_damaged_too() {
    let sandbox = machine();
    plant_six(&sandbox);
    assert_eq!(
        said(&run(&sandbox, &["list"])),
        (
            1,
            "USER   STATE     DEVICES  CODES  FAILURES  LAST LOGIN            NOTES\n\
             alice  enrolled        1    3/3         0  2026-09-21T14:13:20Z\n\
             bob    disabled        1    1/1         0  -\n\
             carol  pending         1    3/3         0  -\n\
             dave   damaged   credential.toml: line 2 column 8: not TOML, an unknown or missing key, or a value \
             of the wrong type\n\
             erin   enrolled        1    3/3       100  -                     locked\n\
             frank  enrolled        1    0/3         0  -                     needs repair\n"
                .to_owned(),
            "1 could not be read, which keeps them out\n".to_owned()
        )
    );
    assert_eq!(sandbox.log_lines(), Vec::<String>::new(), "looking is no change");
}

#[test]
fn states_are_any_of_those_asked_for_and_conditions_all() {
    let sandbox = machine();
    plant_six(&sandbox);
    for (words, expected) in [
        (&["--enrolled"][..], &["alice", "erin", "frank"][..]),
        (&["--pending"], &["carol"]),
        (&["--disabled"], &["bob"]),
        (&["--damaged"], &["dave"]),
        (&["--disabled", "--pending"], &["bob", "carol"]),
        (&["--locked"], &["erin"]),
        (&["--needs-repair"], &["frank"]),
        (&["--codes", "1"], &["bob", "frank"]),
        (&["--codes", "1", "--enrolled"], &["frank"]),
        (&["--locked", "--needs-repair"], &[]),
        (&["--damaged", "--locked"], &[]),
    ] {
        assert_eq!(names(&sandbox, words), expected, "{words:?}");
    }
    let (status, text, errors) = said(&run(&sandbox, &["list", "--disabled", "--locked"]));
    assert_eq!((status, text.lines().count()), (1, 1), "bob could be in what cannot be read");
    assert_eq!(errors, "nobody to list\n1 could not be read, which keeps them out\n");
}

#[test]
fn the_order_is_that_of_names_or_of_what_needs_looking_after() {
    let sandbox = machine();
    plant_six(&sandbox);
    for (words, expected) in [
        (&["--reverse"][..], "frank erin dave carol bob alice"),
        (&["--sort", "failures"], "dave erin alice bob carol frank"),
        (&["--sort", "codes"], "dave frank bob alice carol erin"),
        (&["--sort", "login"], "dave bob carol erin frank alice"),
        (&["--sort", "login", "-r"], "alice frank erin carol bob dave"),
    ] {
        assert_eq!(names(&sandbox, words).join(" "), expected, "{words:?}");
    }
    let mut unsorted = names(&sandbox, &["--sort", "none"]);
    unsorted.sort_unstable();
    assert_eq!(unsorted.join(" "), "alice bob carol dave erin frank");
    assert_eq!(run(&sandbox, &["list", "--sort", "size"]).status.code(), Some(2));
}

#[test]
fn the_json_of_a_list_is_as_its_schema_has_it() {
    let sandbox = machine();
    plant_six(&sandbox);
    for order in ["name", "none", "login"] {
        let (status, json) = reported(&sandbox, &["list", "--json", "--sort", order], "");
        assert_eq!((status, &json["listed"], &json["damaged"]), (1, &json!(6), &json!(1)));
        let row = |name: &str| {
            let rows = json["users"].as_array().expect("rows");
            rows.iter().find(|row| row["user"] == name).unwrap_or(&Value::Null).clone()
        };
        assert_eq!(
            row("alice"),
            json!({
                "user": "alice", "state": "enrolled", "devices": 1, "recovery_codes_made": 3,
                "recovery_codes_left": 3, "failures": 0, "last_login": 1_790_000_000, "locked": false,
                "needs_repair": false,
            })
        );
        assert_eq!(row("dave")["problem"]["reason"], json!("credential_damaged"));
        assert_eq!((&row("erin")["locked"], &row("frank")["needs_repair"]), (&json!(true), &json!(true)));
    }
    let (status, json) = reported(&sandbox, &["list", "--json", "--pending", "--locked"], "");
    assert_eq!((status, &json["users"], &json["damaged"]), (1, &json!([]), &json!(1)));
}

#[test]
fn names_that_are_long_or_odd_are_told_and_cannot_write_to_the_terminal() {
    let sandbox = machine();
    let store = sandbox.store();
    let long = "x".repeat(200);
    let odd =
        [("zoë", "zo%C3%AB"), ("Зоя", "%D0%97%D0%BE%D1%8F"), ("a\u{202e}b", "a%E2%80%AEb"), (&long, &long)];
    for (uid, (name, directory)) in (2000..).zip(odd) {
        let planted = named(name, uid);
        let made = store.join("users").join(name);
        planted.put_into(&store);
        fs::rename(made, store.join("users").join(directory)).expect("its encoded name");
    }
    let (status, text, errors) = said(&run(&sandbox, &["list"]));
    assert_eq!(status, 0, "{text} {errors}");
    assert!(!text.contains('\u{202e}') && text.contains("a\\u{202e}b"), "{text}");
    for name in ["zoë", "Зоя", &long] {
        assert!(text.contains(&format!("{name}  ")) || text.contains(&format!("{name} ")), "{name}: {text}");
    }
    let (_, json) = reported(&sandbox, &["list", "--json"], "");
    let told: Vec<&str> =
        json["users"].as_array().expect("rows").iter().filter_map(|row| row["user"].as_str()).collect();
    assert!(told.contains(&"a\u{202e}b") && told.contains(&"Зоя"), "{json}");
}

#[test]
fn what_is_wrong_with_the_files_of_one_user_keeps_no_other_from_being_listed() {
    let sandbox = machine();
    let users = sandbox.store().join("users");
    let in_order = |name: &str, uid| Planted::new(name, uid).0.put_into(&sandbox.store());
    in_order("alice", 1000);
    in_order("zoe", 1009);
    let make = |name: &str| {
        fs::create_dir(users.join(name)).expect("a directory");
        fs::set_permissions(users.join(name), fs::Permissions::from_mode(0o700)).expect("its mode");
    };
    make("empty");
    make("not encoded");
    make(".new-0123456789abcdef");
    fs::write(users.join("file"), "").expect("a file");
    std::os::unix::fs::symlink("alice", users.join("link")).expect("a link");
    in_order("open", 1003);
    fs::set_permissions(users.join("open"), fs::Permissions::from_mode(0o755)).expect("its mode");
    in_order("other", 1004);
    fs::rename(users.join("other"), users.join("taken")).expect("a name");
    in_order("torn", 1005);
    fs::write(users.join("torn/state"), "x").expect("a state");
    let (status, text, errors) = said(&run(&sandbox, &["list"]));
    assert_eq!(status, 1, "{errors}");
    let rows: Vec<&str> = text.lines().skip(1).collect();
    let expected = [
        ("alice", "enrolled"),
        ("empty", "the user's directory holds no credential"),
        ("file", "the user's directory is not an ordinary file or directory"),
        ("link", "the user's directory is not an ordinary file or directory"),
        ("not encoded", "no account has a directory of this name"),
        ("open", "the user's directory is open to others than root"),
        ("taken", "the credential belongs to another account"),
        ("torn", "the state has the wrong size"),
        ("zoe", "enrolled"),
    ];
    assert_eq!(rows.len(), expected.len(), "{text}");
    for (row, (name, words)) in rows.iter().zip(expected) {
        assert!(row.starts_with(name) && row.contains(words), "{row}");
    }
    assert_eq!(errors, "7 could not be read, which keeps them out\n");
    let (_, json) = reported(&sandbox, &["list", "--json", "--damaged"], "");
    assert_eq!((&json["listed"], &json["damaged"]), (&json!(7), &json!(7)));
}

#[test]
fn a_store_that_is_empty_or_missing_or_not_roots_is_told() {
    let sandbox = machine();
    let (status, text, errors) = said(&run(&sandbox, &["list", "--names"]));
    assert_eq!((status, text.as_str(), errors.as_str()), (0, "", "nobody to list\n"));
    assert_eq!(reported(&sandbox, &["list", "--json"], "").1["users"], json!([]));
    fs::set_permissions(sandbox.store(), fs::Permissions::from_mode(0o755)).expect("a mode");
    let (status, _, errors) = said(&run(&sandbox, &["list"]));
    assert_eq!(
        (status, errors.lines().next()),
        (1, Some("countersign: the store is open to others than root"))
    );
    fs::set_permissions(sandbox.store(), fs::Permissions::from_mode(0o700)).expect("a mode");
    fs::remove_dir(sandbox.store().join("users")).expect("the users");
    for words in [&["list"][..], &["list", "--json"], &["status", "alice"]] {
        let (status, text, errors) = said(&run(&sandbox, words));
        assert_eq!((status, text.as_str()), (1, ""));
        assert!(errors.starts_with("countersign: /var/lib/countersign is not there\nhint: run "), "{errors}");
    }
}

#[test]
fn who_is_not_root_is_told_to_use_sudo() {
    let sandbox = machine();
    for words in [&["list"][..], &["list", "--json"], &["test", "alice"], &["disable", "alice"]] {
        let mut command = sandbox.command("unshare");
        command.args(["--user", "--map-user=1000", env!("CARGO_BIN_EXE_countersign")]).args(words);
        let (status, text, errors) = said(&command.stdin(Stdio::null()).output().expect("it runs"));
        assert_eq!((status, text.as_str()), (3, ""), "{errors}");
        assert_eq!(errors, "countersign: only root may do this\nhint: run it with sudo\n");
    }
}

#[test]
fn a_reader_who_has_had_enough_ends_a_list_in_peace() {
    let sandbox = machine();
    let mut planted = named("somebody", 5000);
    for number in 0..1000 {
        // More than a pipe and a piece of the output hold.
        planted.credential.user = UserName::new(format!("u{number:0>190}").as_bytes()).expect("a name");
        planted.put_credential_into(&sandbox.store());
    }
    for words in [&["list"][..], &["list", "--json"], &["list", "--sort", "codes"]] {
        let mut command = sandbox.command(env!("CARGO_BIN_EXE_countersign"));
        command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut first = String::new();
        let mut out = BufReader::with_capacity(100, child.stdout.take().expect("its output"));
        out.read_line(&mut first).expect("a line");
        drop(out);
        let (status, _, errors) = said(&child.wait_with_output().expect("its end"));
        assert_eq!((status, errors.as_str()), (0, ""), "{words:?} {first}");
    }
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_countersign"));
    command.arg("list").stdout(fs::File::options().write(true).open("/dev/full").expect("a full device"));
    let (status, _, errors) = said(&command.stderr(Stdio::piped()).output().expect("it runs"));
    assert_eq!(status, 1, "{errors}");
    assert!(errors.starts_with("countersign: No space left on device"), "{errors}");
}

#[test]
fn who_was_enrolled_disabled_or_removed_by_the_command_is_listed_so() {
    let sandbox = machine();
    for (name, uid) in [("alice", 1000), ("bob", 1001), ("carol", 1002)] {
        Planted::new(name, uid).0.put_into(&sandbox.store());
    }
    must(&sandbox, &["disable", "bob"]);
    must(&sandbox, &["remove", "carol", "--yes"]);
    assert_eq!(names(&sandbox, &["--enrolled"]), ["alice"]);
    assert_eq!(names(&sandbox, &["--disabled"]), ["bob"]);
    assert_eq!(names(&sandbox, &[]), ["alice", "bob"]);
}
