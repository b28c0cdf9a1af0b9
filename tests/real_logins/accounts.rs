//! Accounts that are not what they seem: in capitals, renamed, made anew; and what is kept of people.

use crate::installed::Guarded;

/// A machine where people who are not enrolled get in with the password alone.
fn lenient_machine() -> Guarded {
    let guarded = Guarded::boot("bookworm");
    guarded.add_person("alice");
    guarded.add_person("bob");
    guarded.guard_ssh("sshd-password-and-code");
    guarded.add_argument("sshd", "nullok");
    guarded
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_name_in_capitals_is_the_same_person() {
    let guarded = lenient_machine();
    let (_, phone) = guarded.plant("alice");
    guarded.fold_case_of_names();
    guarded.restart("ssh.service");

    let in_capitals = || guarded.by_ssh("ALICE").password("the password of alice");
    in_capitals().code(&phone.wrong_code()).must_be_refused("wrong_code");
    let code = phone.code(0);
    let seen = in_capitals().code(&code).must_get_in();
    assert_eq!(seen.prompts, ["password", "code"]);
    assert_eq!(seen.in_as.as_deref(), Some("alice"));
    guarded.by_ssh("alice").code(&code).must_be_refused("spent_code");

    let seen = guarded.by_ssh("bob").seen().must_have_logged("event=ignored reason=not_enrolled");
    assert_eq!(seen.in_as.as_deref(), Some("bob"));
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_renamed_account_is_not_one_that_never_enrolled() {
    let guarded = lenient_machine();
    let alice = guarded.enroll("alice");
    guarded.must(&["usermod", "--login=alice2", "alice"]);
    let renamed = guarded.by_ssh("alice2").password("the password of alice");
    let seen = renamed.code(&alice.phone.code(1)).must_be_refused("renamed_account");
    seen.must_have_logged("event=error");
}

#[test]
#[ignore = "needs root: boots a container"]
fn an_account_made_anew_does_not_inherit() {
    let guarded = lenient_machine();
    let alice = guarded.enroll("alice");
    guarded.must(&["userdel", "--remove", "alice"]);
    guarded.must(&["useradd", "--create-home", "--uid=2345", "--shell=/bin/bash", "alice"]);
    guarded.must_with_input(&["chpasswd"], b"alice:the password of alice\n");
    let seen = guarded.by_ssh("alice").code(&alice.phone.code(1)).must_be_refused("other_account");
    seen.must_have_logged("event=error");
}

#[test]
#[ignore = "needs root: boots a container"]
fn nobody_but_root_can_read_list_or_lock_the_store() {
    let guarded = Guarded::boot("bookworm");
    guarded.add_person("alice");
    guarded.enroll("alice");
    let store = "/var/lib/countersign";
    let by_uid = format!("by-uid/{}", guarded.uid_of("alice"));
    let files = ["users/alice/credential.toml", "users/alice/state", &by_uid, "users/alice", ""];
    for file in files.map(|file| format!("{store}/{file}")) {
        guarded.must(&["stat", "--", &file]);
        for command in [
            &["ls", "--"][..],
            &["cat", "--"],
            &["flock", "--nonblock"],
            &["ln", "--"],
            &["mv", "--"],
            &["stat", "--"],
        ] {
            let words = [&["runuser", "-u", "alice", "--"], command, &[file.as_str(), "true"]].concat();
            let done = guarded.run(&words);
            // The store itself is there for all to see, and no more than that.
            let is_seen = command[0] == "stat" && file == format!("{store}/");
            let words_of_refusal = ["Permission denied", "hard link not allowed for directory"];
            let refused = done.status != 0 && words_of_refusal.iter().any(|text| done.stderr.contains(text));
            assert!(refused || is_seen, "{words:?}: {done:?}");
            assert!(is_seen || done.stdout.is_empty(), "{words:?}: {done:?}");
        }
    }
}
