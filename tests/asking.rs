//! Questions: each can be answered by a flag, no is what is meant where nothing is said, and whoever gives up in the
//! middle has changed nothing. And what a terminal or a pipe is like.
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

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use command::{QUESTION, after, alone_with_signals, machine, on_terminal, run, start};
use pam_countersign::credential::Authenticator;
use pam_countersign::otp::SharedSecret;
use planting::Planted;
use sandbox::Sandbox;

const COMMAND: &str = env!("CARGO_BIN_EXE_countersign");
/// 128 and the number of SIGINT, as a shell has it.
const INTERRUPTED: i32 = 130;
const GIVEN_UP: i32 = 3;

/// The verbs that ask whether they may, each with its question, the flag that answers it, and what it then says.
const MAY_I: [(&[&str], &str, &str); 4] = [
    (&["unlock", "alice"], "forget all wrong codes that were typed for alice?", ""),
    (
        &["remove", "alice"],
        "remove the authenticators and recovery codes of alice?",
        "alice is no longer enrolled\n",
    ),
    (&["remove", "alice", "--device", "tablet"], "remove tablet of alice?", "tablet of alice is removed\n"),
    (&["repair", "alice", "--force"], "repair this for alice?", "keep these codes"),
];

/// The verbs that ask for something else.
const WHAT: [(&[&str], &str); 6] = [
    (&["enroll", "bob"], QUESTION),
    (&["enroll", "alice", "--replace"], QUESTION),
    (&["add", "token", "--user", "alice"], QUESTION),
    (&["replace", "phone", "--user", "alice"], QUESTION),
    (&["confirm", "alice"], QUESTION),
    (&["test", "alice"], "code or recovery code of alice: "),
];

/// Alice has a phone, a tablet, one that waits for its first code, wrong codes, and recovery codes of which nothing is
/// known, so that every verb has something to ask.
fn place() -> Sandbox {
    let sandbox = machine();
    let (mut alice, _) = Planted::new("alice", 1000);
    let phone = alice.credential.authenticators[0].clone();
    for (id, byte, confirmed) in [("tablet", 1, Some(1)), ("waiting", 2, None)] {
        let secret = SharedSecret::from_bytes(&[byte; 20]).expect("a secret");
        let device = Authenticator { id: id.to_owned(), secret, confirmed, ..phone.clone() };
        let record =
            pam_countersign::credential::KeyRecord { key: device.key_name(), next: 0, drift: 0, lean: 0 };
        alice.state.put_key(record, &[]);
        alice.credential.authenticators.push(device);
    }
    alice.state.counters[0].count = 7;
    alice.state.recovery.sets.clear();
    alice.put_into(&sandbox.store());
    sandbox
}

/// All that is in the store.
fn store(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![sandbox.store()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(&path).expect("a file");
                found.insert(path, content);
            }
        }
    }
    found
}

#[test]
fn every_question_has_a_flag_that_answers_it() {
    for (words, question, done) in MAY_I {
        let sandbox = place();
        let before = store(&sandbox);
        let unasked = run(&sandbox, words);
        let errors = String::from_utf8_lossy(&unasked.stderr).into_owned();
        assert_eq!(unasked.status.code(), Some(GIVEN_UP), "{words:?}: {errors}");
        assert!(errors.contains(&format!("{question} [y/N] ")), "{words:?}: {errors}");
        assert_eq!(store(&sandbox), before, "{words:?}");
        for yes in ["-y", "--yes"] {
            let sandbox = place();
            let told = run(&sandbox, &[words, &[yes]].concat());
            let text = [told.stdout, told.stderr].concat();
            let text = String::from_utf8_lossy(&text).into_owned();
            assert_eq!(told.status.code(), Some(0), "{words:?} {yes}: {text}");
            assert!(!text.contains("[y/N]") && text.contains(done), "{words:?} {yes}: {text}");
            assert_ne!(store(&sandbox), before, "{words:?} {yes}");
        }
    }
}

#[test]
fn only_a_yes_is_a_yes() {
    for (words, question, _) in MAY_I {
        for answer in ["", "n", "no", "yess", "ja", " "] {
            let sandbox = place();
            let before = store(&sandbox);
            let mut terminal = on_terminal(&sandbox, words);
            terminal.expect(&format!("{question} [y/N] "));
            terminal.send_line(answer);
            terminal.expect("countersign: given up");
            terminal.expect("hint: nothing was changed");
            assert_eq!(terminal.wait(), GIVEN_UP, "{words:?} {answer:?}");
            assert_eq!(store(&sandbox), before, "{words:?} {answer:?}");
        }
    }
    let sandbox = place();
    let mut terminal = on_terminal(&sandbox, MAY_I[0].0);
    terminal.expect("[y/N] ");
    terminal.send_line(" Yes ");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn control_and_c_or_the_end_of_the_input_at_any_question_changes_nothing() {
    let questions = MAY_I.iter().map(|(words, question, _)| (*words, *question)).chain(WHAT);
    for (words, question) in questions {
        for (letter, status) in [('c', INTERRUPTED), ('d', GIVEN_UP)] {
            let sandbox = place();
            let before = store(&sandbox);
            let mut terminal = alone_with_signals(&sandbox, &[&[COMMAND], words].concat());
            terminal.expect(question);
            // Again and again: before all of the terminal is as it is while a code is typed, it may be lost.
            for _ in 0..100 {
                if terminal.has_ended() {
                    break;
                }
                terminal.send_control(letter);
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            assert_eq!(terminal.wait(), status, "{words:?} {letter}: {}", terminal.transcript());
            assert_eq!(store(&sandbox), before, "{words:?} {letter}");
        }
    }
}

#[test]
fn nobody_is_asked_for_colours_that_were_declined() {
    let sandbox = machine();
    let coloured = |set: &str, words: &[&str]| {
        let mut command = sandbox.command("env");
        command.args([set, COMMAND]).args(words);
        let mut terminal = start(&command);
        terminal.wait();
        terminal.transcript().contains('\u{1b}')
    };
    for words in [&["--help"][..], &["enroll", "--help"], &["stauts"]] {
        assert!(coloured("TERM=xterm", words), "{words:?}: or this shows nothing");
        assert!(!coloured("NO_COLOR=1", words), "{words:?}");
        assert!(!coloured("TERM=dumb", words), "{words:?}");
        let piped = run(&sandbox, words);
        assert!(!piped.stdout.contains(&0x1b) && !piped.stderr.contains(&0x1b), "{words:?}");
    }
    for words in [&["status", "alice"][..], &["list"], &["unlock", "alice", "--yes"], &["doctor"]] {
        assert!(!coloured("TERM=xterm", words), "{words:?}: nothing else is coloured at all");
    }
}

#[test]
fn twenty_columns_are_enough_for_help_and_progress() {
    let sandbox = machine();
    fs::write(sandbox.path().join("run/list"), "alice\nbob\n").expect("the list");
    let words = ["enroll", "--from", "/run/list", "--into", "/run/pages"];
    let mut terminal = after(&sandbox, "stty columns 20 rows 8", &words);
    assert_eq!(terminal.wait(), 0);
    let shown = terminal.transcript();
    let progress: Vec<&str> = shown.split('\r').filter(|piece| piece.contains(" %  ")).collect();
    assert!(progress.len() >= 2, "{shown:?}");
    assert!(progress.iter().all(|piece| piece.chars().count() < 20), "{progress:?}");

    let mut narrow = after(&sandbox, "stty columns 20 rows 8", &["unlock", "--help"]);
    assert_eq!(narrow.wait(), 0);
    let mut wide = after(&sandbox, "stty columns 100 rows 8", &["unlock", "--help"]);
    assert_eq!(wide.wait(), 0);
    assert!(narrow.transcript().lines().count() > wide.transcript().lines().count());
}

#[test]
fn whoever_has_read_enough_is_no_failure() {
    let sandbox = place();
    for words in [
        "list",
        "list --json",
        "status alice",
        "completions bash",
        "completions zsh",
        "--help",
        "enroll --help",
    ] {
        // `true` reads nothing, and is gone before anything is written.
        let script = format!("(sleep 0.2; \"$0\" {words}; echo $? >&2) | true");
        let mut command = sandbox.command("bash");
        let output = command.args(["-c", &script, COMMAND]).output().expect("bash");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(errors, "0\n", "{words}");
    }
}
