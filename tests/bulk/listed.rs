//! The list: whatever is in it, each line is judged alone.

use std::fs;

use crate::command::{machine, nothing_is_kept, on_terminal, run};
use crate::planting::Planted;
use crate::{Said, WORDS, all_have_their_pages, enroll, enroll_again, list, names, pages, with_input};

#[test]
fn what_is_wrong_with_a_line_is_a_line_and_never_the_end() {
    let sandbox = machine();
    let text = b"\xef\xbb\xbfUser,Email\r\n\
        # all of us\r\n\
        \r\n\
        \"alice\",\"alice@example.org\"\r\n\
        nobody-here\r\n\
        alice@EXAMPLE.COM\r\n\
        \"bob\r\n\
        b\0ob\r\n\
        b\xffob\r\n\
        bob,b@x,more\r\n\
        bob,Bob\r\n\
        al\x1b[2Jice\r\n\
        bob\r\n\
        alice\r\n\
        carol,\r\n";
    let said = enroll(&sandbox, text);
    assert_eq!(
        said.out,
        "line 5: nobody-here: not enrolled: there is no account nobody-here\n\
         line 6: alice@EXAMPLE.COM: not enrolled: there is no account alice@EXAMPLE.COM\n\
         line 7: not enrolled: a quotation mark in it is not closed, or stands inside of a column\n\
         line 8: not enrolled: the user name holds a control character\n\
         line 9: not enrolled: it is not UTF-8\n\
         line 10: not enrolled: it has more columns than user and e-mail address\n\
         line 11: not enrolled: the second column is no e-mail address\n\
         line 12: not enrolled: the user name holds a control character\n\
         line 14: alice: left out: the same account as in line 4\n"
    );
    assert_eq!((said.status, said.counts()), (Some(3), [3, 0, 1, 8, 0]));
    all_have_their_pages(&sandbox, &["alice", "bob", "carol"]);
}

#[test]
fn names_of_one_account_are_one_user() {
    let sandbox = machine();
    let passwd = sandbox.path().join("passwd");
    let text = fs::read_to_string(&passwd).expect("the accounts");
    fs::write(&passwd, text + "alias:x:1000:1000::/:/bin/sh\n").expect("the accounts");
    let said = enroll(&sandbox, "alice\nalias\nalice\n");
    assert_eq!((said.status, said.counts()), (Some(0), [1, 0, 2, 0, 0]));
    assert!(said.out.starts_with("line 2: alias: left out: the same account as in line 1\n"), "{said:?}");
}

#[test]
fn a_second_run_is_about_the_others_and_changes_nobody() {
    let sandbox = machine();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let credential = alice.directory(&sandbox.store()).join("credential.toml");
    let before = fs::read(&credential).expect("the credential");
    let said = enroll(&sandbox, "alice\nbob\n");
    assert_eq!((said.status, said.out.as_str(), said.counts()), (Some(0), "", [1, 1, 0, 0, 0]));
    assert_eq!(names(&pages(&sandbox)), ["bob.html"]);
    let page = fs::read(pages(&sandbox).join("bob.html")).expect("a page");
    let again = enroll_again(&sandbox);
    assert_eq!((again.status, again.out.as_str(), again.counts()), (Some(0), "", [0, 2, 0, 0, 0]));
    assert_eq!(fs::read(pages(&sandbox).join("bob.html")).expect("a page"), page);
    assert_eq!(fs::read(credential).expect("the credential"), before);
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let sandbox = machine();
    list(&sandbox, "alice\nnobody-here\nalice\n");
    let said = Said::of(&run(&sandbox, &[&WORDS[..], &["--dry-run"]].concat()));
    assert_eq!((said.status, said.counts()), (Some(3), [1, 0, 1, 1, 0]));
    assert_eq!(
        said.errors,
        "1 can be enrolled, 0 enrolled already, 1 named twice, 1 refused, 0 failed\n\
         nothing was changed; without --dry-run it is done\n"
    );
    assert!(nothing_is_kept(&sandbox) && !pages(&sandbox).exists() && sandbox.log_lines().is_empty());
    assert_eq!(enroll_again(&sandbox).out, said.out);
}

#[test]
fn the_list_may_be_standard_input_and_must_be_readable() {
    let sandbox = machine();
    let words = ["enroll", "--from", "-", "--into", "/run/pages"];
    assert_eq!(with_input(&sandbox, &words, b"alice\nbob").counts(), [2, 0, 0, 0, 0]);
    all_have_their_pages(&sandbox, &["alice", "bob"]);
    assert_eq!(with_input(&sandbox, &words, b"").counts(), [0; 5]);
    for (path, why) in [("/run/absent", "No such file"), ("/run", "is a directory")] {
        let said = Said::of(&run(&sandbox, &["enroll", "--from", path, "--into", "/run/pages"]));
        assert_eq!(said.status, Some(1), "{said:?}");
        assert!(said.errors.starts_with(&format!("countersign: cannot read {path}: {why}")), "{said:?}");
        assert!(said.errors.contains("hint: name a file that can be read"), "{said:?}");
    }
}

#[test]
fn what_is_about_one_user_does_not_go_with_a_list() {
    let sandbox = machine();
    list(&sandbox, "alice\n");
    for words in [
        &["alice"][..],
        &["--replace"],
        &["--recovery-file", "/run/codes"],
        &["--label", "x"],
        &["--hotp"],
        &["--hotp", "--counter", "7"],
        &["--secret-stdin"],
        &["--no-confirm", "--force"],
        &["--ascii"],
        &["--png", "/run/png"],
        &["--svg", "/run/svg"],
        &["--private"],
        &["--force"],
    ] {
        let refused = run(&sandbox, &[&WORDS[..], words].concat());
        assert_eq!(refused.status.code(), Some(2), "{words:?}");
    }
    for words in [&WORDS[..3], &["enroll", "--into", "/run/pages"], &["enroll", "alice", "--dry-run"]] {
        assert_eq!(run(&sandbox, words).status.code(), Some(2), "{words:?}");
    }
    let colon = run(&sandbox, &[&WORDS[..], &["--issuer", "a:b"]].concat());
    assert_eq!(colon.status.code(), Some(2));
    assert!(nothing_is_kept(&sandbox) && !pages(&sandbox).exists());
}

#[test]
fn a_log_that_is_away_is_told_once_and_counted() {
    let sandbox = machine();
    fs::remove_file(sandbox.path().join("log")).expect("no logger");
    fs::write(sandbox.path().join("log"), "").expect("no logger");
    let said = enroll(&sandbox, "alice\nbob\n");
    assert_eq!((said.status, said.counts()), (Some(0), [2, 0, 0, 0, 0]), "{said:?}");
    assert_eq!(said.errors.matches("warning: the change was made, but could not be logged: ").count(), 1);
    assert!(said.errors.contains("\nwarning: 2 of these changes could not be logged\n"), "{said:?}");
}

/// Of 60 megabytes, with an address space of 48 for all of the command.
#[test]
fn a_list_of_a_hundred_thousand_lines_takes_no_more_memory_than_a_short_one() {
    let sandbox = machine();
    let mut text = String::new();
    for number in 0..100_000 {
        let line = format!("nobody-{number},{number:0>250}@x\n");
        text.push_str(if number == 50_000 { "alice\n" } else { &line });
    }
    // A line that never ends, and quotation marks that are never closed.
    let text = [text.as_bytes(), b"\"", &vec![b'x'; 35_000_000], b"\nbob\n"].concat();
    list(&sandbox, &text);
    let mut limited = sandbox.command("sh");
    let script = "ulimit -v 49152; exec \"$@\"";
    limited.args(["-c", script, "sh", env!("CARGO_BIN_EXE_countersign")]).args(WORDS);
    let said = Said::of(&limited.output().expect("the command runs"));
    assert_eq!((said.status, said.counts()), (Some(3), [2, 0, 0, 100_000, 0]), "{}", said.errors);
    assert!(said.out.ends_with("line 100001: not enrolled: it is longer than 1024 bytes\n"));
    all_have_their_pages(&sandbox, &["alice", "bob"]);
}

#[test]
fn on_a_terminal_a_line_says_how_far_it_is_and_a_pipe_gets_none_of_it() {
    let sandbox = machine();
    list(&sandbox, "alice\nnobody-here\nbob\n");
    let mut terminal = on_terminal(&sandbox, &WORDS);
    assert_eq!(terminal.wait(), 3);
    let shown = terminal.transcript();
    assert!(shown.contains("\r[") && shown.contains(" 100 %  2 users"), "{shown:?}");
    // What is said stands on a line of its own.
    assert!(
        shown.contains("\rline 2: nobody-here: not enrolled: there is no account nobody-here\r\n"),
        "{shown:?}"
    );
    assert!(!shown.contains('\u{1b}'), "no colours and no control sequences: {shown:?}");
    let again = enroll_again(&sandbox);
    assert!(!again.errors.contains('\r') && !again.errors.contains('%'), "{again:?}");
}
