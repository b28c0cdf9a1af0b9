//! A run that ends early, in whatever way: who is enrolled has his page, and a second run does the rest.

use std::fmt::Write as _;
use std::fs;

use crate::command::{log_in, machine, on_terminal, start};
use crate::injection::{recording_to, steps};
use crate::planting::Phone;
use crate::sandbox::{Running, Sandbox};
use crate::{WORDS, all_have_their_pages, enroll_again, key_in_store, key_on, list, names, pages};

const BOTH: &str = "alice\nbob\n";
const USERS: [&str; 2] = ["alice", "bob"];

/// What may come between a page and its enrolment.
const CHANGES: [&str; 12] = [
    "openat",
    "write",
    "pwritev2",
    "fsync",
    "fdatasync",
    "renameat",
    "renameat2",
    "mkdirat",
    "mkdir",
    "unlinkat",
    "sendto",
    "flock",
];

/// Nobody is enrolled without the page of his device.
fn nobody_lacks_a_page(sandbox: &Sandbox, when: &str) {
    for user in USERS {
        if let Some(key) = key_in_store(sandbox, user) {
            let page = fs::read_to_string(pages(sandbox).join(format!("{user}.html")));
            let page = page.unwrap_or_else(|error| panic!("{user} has no page: {error}; {when}"));
            assert_eq!(key, key_on(&page), "{user}; {when}");
        }
    }
}

/// The names of the pages that are whole.
fn pages_in(sandbox: &Sandbox) -> Vec<String> {
    names(&pages(sandbox)).into_iter().filter(|name| !name.starts_with(".page")).collect()
}

/// A run under strace.
fn traced(sandbox: &Sandbox, options: &[String]) -> i32 {
    let mut command = sandbox.command("strace");
    command.args(options).arg(env!("CARGO_BIN_EXE_countersign")).args(WORDS);
    start(&command).wait()
}

#[test]
fn killed_at_any_step_it_leaves_nobody_without_a_page_and_the_next_run_does_the_rest() {
    let sandbox = machine();
    list(&sandbox, BOTH);
    let trace = sandbox.path().join("trace");
    assert_eq!(traced(&sandbox, &recording_to(&trace)), 0);
    let steps = steps(&trace, "/run/list", "exit_group(");
    let (mut killed, mut between) = (0, 0);
    for step in steps.iter().filter(|step| step.is_one_of(&CHANGES)) {
        let sandbox = machine();
        list(&sandbox, BOTH);
        killed += u32::from(traced(&sandbox, &step.killing()) != 0);
        let when = format!("killed at {step}");
        nobody_lacks_a_page(&sandbox, &when);
        let page_alone = |user: &&str| {
            pages(&sandbox).join(format!("{user}.html")).exists() && key_in_store(&sandbox, user).is_none()
        };
        between += USERS.iter().filter(|user| page_alone(user)).count();
        let rest = enroll_again(&sandbox);
        assert_eq!((rest.status, rest.out.as_str()), (Some(0), ""), "{when}: {rest:?}");
        all_have_their_pages(&sandbox, &USERS);
    }
    println!("killed {killed} times, {between} of them between a page and its enrolment");
    assert!(killed > 50, "killed only {killed} times");
    assert!(between > 10, "only {between} times between a page and its enrolment");
}

#[test]
fn a_step_that_fails_leaves_nobody_without_a_page_and_no_page_without_its_user() {
    let sandbox = machine();
    list(&sandbox, BOTH);
    let trace = sandbox.path().join("trace");
    assert_eq!(traced(&sandbox, &recording_to(&trace)), 0);
    let mut failed = 0;
    for step in steps(&trace, "/run/list", "exit_group(").iter().filter(|step| step.is_one_of(&CHANGES)) {
        let sandbox = machine();
        list(&sandbox, BOTH);
        failed += u32::from(traced(&sandbox, &step.failing_with("EIO")) != 0);
        nobody_lacks_a_page(&sandbox, &format!("after {step}"));
        let enrolled: Vec<String> = USERS
            .iter()
            .filter(|user| key_in_store(&sandbox, user).is_some())
            .map(|user| format!("{user}.html"))
            .collect();
        assert_eq!(pages_in(&sandbox), enrolled, "after {step}");
        let rest = enroll_again(&sandbox);
        assert_eq!(rest.status, Some(0), "after {step}: {rest:?}");
        all_have_their_pages(&sandbox, &USERS);
    }
    println!("{failed} steps of those that failed were told");
    assert!(failed > 20, "only {failed} failed");
}

#[test]
fn control_and_c_ends_it_between_two_users() {
    let sandbox = machine();
    let (mut many, mut accounts) = (String::new(), "root:x:0:0::/:/bin/sh\n".to_owned());
    for number in 0..200 {
        writeln!(many, "u{number:03}").expect("a line");
        writeln!(accounts, "u{number:03}:x:{}:1::/:/bin/sh", 2000 + number).expect("a line");
    }
    fs::write(sandbox.path().join("passwd"), accounts).expect("the accounts");
    list(&sandbox, &many);
    let mut terminal = on_terminal(&sandbox, &WORDS);
    terminal.expect(" 5 users");
    terminal.send_control('c');
    assert_ne!(terminal.wait(), 0);
    let enrolled = names(&sandbox.store().join("users"));
    assert!((5..200).contains(&enrolled.len()), "{}", enrolled.len());
    let users: Vec<&str> = enrolled.iter().map(String::as_str).collect();
    all_have_their_pages(&sandbox, &users);
    let rest = enroll_again(&sandbox);
    let done = enrolled.len() as u64;
    assert_eq!((rest.status, rest.counts()), (Some(0), [200 - done, done, 0, 0, 0]));
    let all = names(&sandbox.store().join("users"));
    assert_eq!(all.len(), 200);
    all_have_their_pages(&sandbox, &all.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn of_two_runs_at_once_each_user_has_the_page_of_one() {
    let sandbox = machine();
    list(&sandbox, BOTH);
    let run = |directory: &str| {
        let mut command = sandbox.command(env!("CARGO_BIN_EXE_countersign"));
        command.args(["enroll", "--from", "/run/list", "--into", directory]);
        Running::start(command)
    };
    let (first, second) = (run("/run/pages"), run("/run/others"));
    let ends = [first.finish(), second.finish()];
    assert!(ends.iter().all(|end| end.status == 0), "{ends:?}");
    for user in USERS {
        let key = key_in_store(&sandbox, user).expect("he is enrolled");
        let page = |directory: &str| {
            fs::read_to_string(sandbox.path().join("run").join(directory).join(format!("{user}.html")))
        };
        let found: Vec<String> = ["pages", "others"].into_iter().flat_map(page).collect();
        assert_eq!(found.iter().map(|page| key_on(page)).collect::<Vec<_>>(), [key], "{user}");
    }
    let page = fs::read_to_string(pages(&sandbox).join("alice.html"));
    let page =
        page.or_else(|_| fs::read_to_string(sandbox.path().join("run/others/alice.html"))).expect("a page");
    assert_eq!(log_in(&sandbox, &Phone::new(&key_on(&page)).code(0)), "PAM_SUCCESS");
}
