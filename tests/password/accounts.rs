//! Passwords and accounts as Debian keeps them, by the stack that is installed.

use crate::ground::{Ground, Held, Way};
use crate::installed::password_of;

const QUESTION: &str = "ask hidden Password: ";

fn accounts_in(suite: &str) {
    let ground = Ground::boot(suite);
    for name in ["locked", "expired", "stale", "empty", "quoted"] {
        ground.machine.add_person(name);
    }
    ground.machine.must(&["usermod", "--lock", "locked"]);
    ground.machine.must(&["usermod", "--expiredate", "1970-01-02", "expired"]);
    ground.machine.must(&["chage", "--lastday", "0", "stale"]);
    ground.machine.must(&["passwd", "--delete", "empty"]);
    ground.machine.must_with_input(&["chpasswd"], "quoted:a \"b\\c\tdäß€😀\n".as_bytes());
    for way in [Way::Unit, Way::Child] {
        ground.go(way);
        let right = ground.prove("alice", &[&password_of("alice")]);
        let journal = || ground.machine.journal();
        assert_eq!(right, [QUESTION, "proven alice", "Proven"], "{way:?}: {}", journal());
        let wrong = ground.prove("alice", &["wrong"]);
        assert_eq!(wrong, [QUESTION, "refused", "Failed"], "{way:?}");
        for answer in ["", &password_of("bob")] {
            assert_eq!(ground.verdict("alice", answer), "refused", "{way:?} {answer:?}");
        }
        assert_eq!(ground.verdict("quoted", "a \"b\\c\tdäß€😀"), "proven quoted", "{way:?}");
        for user in ["locked", "expired", "stale"] {
            assert_eq!(ground.verdict_of_right(user), "refused", "{way:?} {user}");
        }
        assert_eq!(ground.verdict("empty", ""), "refused", "{way:?}");
        assert_eq!(ground.verdict("nobody-of-that-name", "x"), "refused", "{way:?}");
        ground.wait_until_none_is_left();
    }
    let journal = ground.machine.journal();
    assert!(journal.contains("pam_unix(countersign:auth): authentication failure"), "{journal}");
    assert!(!journal.contains(&password_of("alice")), "{journal}");
}

#[test]
#[ignore = "needs root: boots a container"]
fn on_debian_12_a_right_password_of_an_account_in_use_is_proven_and_nothing_else() {
    accounts_in("bookworm");
}

#[test]
#[ignore = "needs root: boots a container"]
fn on_debian_13_a_right_password_of_an_account_in_use_is_proven_and_nothing_else() {
    accounts_in("trixie");
}

/// What a program that a module starts would have open, but for standard error: what is not closed on
/// exec(2).
fn handed_on(ground: &Ground, process: u32) -> Vec<String> {
    let script = "cd \"$0\"; for fd in fd/*; do
        flags=$(sed -n 's/^flags:[[:space:]]*//p' \"fdinfo/${fd#fd/}\")
        [ $((flags & 02000000)) -ne 0 ] || [ $fd = fd/2 ] || readlink $fd
    done";
    let listed = ground.machine.must(&["sh", "-c", script, &format!("/proc/{process}")]);
    listed.lines().map(str::to_owned).collect()
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_process_is_the_units_where_it_listens_and_a_child_elsewhere() {
    let ground = Ground::boot("bookworm");
    for way in [Way::Unit, Way::Child] {
        ground.go(way);
        let mut held = Held::start(&ground, "alice", &[&password_of("alice")]);
        held.wait_until_held();
        let processes = ground.processes();
        let [(process, parent)] = processes[..] else { panic!("{processes:?}") };
        let is_of_unit = parent == 1;
        assert_eq!(is_of_unit, way == Way::Unit, "{way:?}");
        let handed_on = handed_on(&ground, process);
        assert_eq!(handed_on.first().map(String::as_str), Some("/dev/null"), "{way:?}");
        assert!(!handed_on.iter().any(|name| name.starts_with("socket:")), "{way:?}: {handed_on:?}");
        held.go_on();
        assert_eq!(held.line(), "proven alice", "{way:?}");
    }
}
