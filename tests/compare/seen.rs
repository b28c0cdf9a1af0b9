//! Steps about who sees what: the secret, the prompts, the log; and how long a login takes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::attempt::{Attempt, Ended, HOME};
use crate::cell::Cell;
use crate::ground::Ground;
use crate::row::Row;
use crate::subject::Subject;

const LOGINS: usize = 200;

pub(crate) fn tell(ground: &Ground, subject: Subject) -> Vec<(Row, Cell)> {
    vec![
        (Row::SecretUnreadable, unreadable(ground, subject)),
        (Row::SecretUnchangeable, unchangeable(ground, subject)),
        (Row::SamePrompts, same_prompts(ground, subject)),
        (Row::Logged, logged(ground, subject)),
    ]
}

/// What a program in alice's account does by this script, of which `$1` is the file.
fn as_alice(ground: &Ground, subject: Subject, script: &str) -> String {
    let words = ["runuser", "-u", "alice", "--", "sh", "-c", script, "sh", subject.secret_file()];
    ground.machine.run(&words).stdout
}

fn unreadable(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    let read = as_alice(ground, subject, "cat -- \"$1\"").contains(&ground.secret_text(subject));
    let mode = fs::metadata(ground.path(subject.secret_file())).expect("the file").permissions().mode();
    Cell::holds_if(!read, format!("mode {:04o}, {}", mode & 0o7777, if read { "read" } else { "not read" }))
}

/// It puts an empty file of its own there.
fn unchangeable(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    as_alice(ground, subject, "mv -f -- \"$1\" \"$1.old\" && echo mine >\"$1\"");
    let text = fs::read_to_string(ground.path(subject.secret_file())).unwrap_or_default();
    let replaced = text == "mine\n";
    ground.renew(subject);
    Cell::holds_if(!replaced, if replaced { "replaced" } else { "not replaced" })
}

/// What somebody sees who types a wrong code.
fn same_prompts(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    let wrong = ground.phone.wrong_code();
    let seen = |user| shown(&Attempt::new(subject, &wrong).user(user).run(ground));
    let (enrolled, unenrolled, unknown) = (seen("alice"), seen("bob"), seen("nosuchuser"));
    ground.renew(subject);
    let same = enrolled == unenrolled && enrolled == unknown;
    let figure = if same {
        format!("all: {enrolled}")
    } else {
        format!("enrolled: {enrolled}; unenrolled: {unenrolled}; unknown: {unknown}")
    };
    Cell::holds_if(same && !enrolled.contains("SUCCESS"), figure)
}

fn shown(ended: &Ended) -> String {
    let mut seen: Vec<String> = ended.0.messages.iter().map(|message| in_words(message)).collect();
    seen.push(ended.status().unwrap_or("no verdict").to_owned());
    seen.join(", ")
}

fn in_words(message: &str) -> String {
    let text = message.split_once(' ').map_or("", |(_, text)| text);
    format!("“{}”", text.trim_end())
}

fn logged(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    let cursor = ground.machine.cursor();
    Attempt::new(subject, &ground.phone.wrong_code()).run(ground);
    let log = ground.log_since(&cursor);
    let address = log.iter().any(|line| line.contains(HOME));
    let figure = match log.first() {
        None => "nothing".to_owned(),
        Some(line) => format!("`{}`", without_head(line)),
    };
    Cell::holds_if(address && !log.is_empty(), figure)
}

/// A line of the journal without its date and the program.
fn without_head(line: &str) -> &str {
    line.split_once("]: ").map_or(line, |(_, text)| text)
}

/// Logins of the three in turn, so that each has the same share of what else the computer does.
pub(crate) fn times(ground: &Ground) -> Vec<(Subject, Cell)> {
    let mut times: Vec<_> = Subject::ALL.map(|subject| (subject, Vec::new())).into();
    for _ in 0..LOGINS {
        for (subject, times) in &mut times {
            ground.renew(*subject);
            let ended = Attempt::new(*subject, &ground.phone.code(0)).run(ground);
            assert!(ended.let_in(), "{}", ended.0.raw);
            times.push(ended.microseconds());
        }
    }
    times.into_iter().map(|(subject, times)| (subject, time(times))).collect()
}

fn time(mut times: Vec<u64>) -> Cell {
    times.sort_unstable();
    let tenths = |index: usize| format!("{}.{}", times[index] / 1000, times[index] % 1000 / 100);
    let (middle, late) = (tenths(LOGINS / 2), tenths(LOGINS * 99 / 100));
    Cell::measured(format!("p50 {middle} ms, p99 {late} ms"))
}
