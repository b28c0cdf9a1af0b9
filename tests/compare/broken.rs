//! Steps where something breaks: the process is killed, the file is no file, a system call fails.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::attempt::{Attempt, HOME};
use crate::cell::Cell;
use crate::ground::{Ground, names_in};
use crate::injection::{Step, recording_to, steps};
use crate::row::Row;
use crate::subject::Subject;

const KILLS: usize = 200;
/// The latest moment after its release at which a login is killed; most are over by then.
const LATEST_MICROSECONDS: u32 = 3000;
/// Where strace writes, in the machine.
const TRACE: &str = "/run/trace";

pub(crate) fn tell(ground: &Ground, subject: Subject) -> Vec<(Row, Cell)> {
    let mut cells = vec![(Row::SecretUntouched, secret_untouched(ground, subject))];
    cells.extend(killed(ground, subject));
    cells.push((Row::FifoDenies, fifo(ground, subject)));
    cells.push((Row::LinkDenies, link(ground, subject)));
    cells.extend(faults(ground, subject));
    cells
}

/// Neither another file nor other content.
fn secret_untouched(ground: &Ground, subject: Subject) -> Cell {
    ground.renew(subject);
    let path = ground.path(subject.secret_file());
    let look = || (fs::metadata(&path).expect("the file").ino(), fs::read(&path).expect("the file"));
    let before = look();
    assert!(Attempt::new(subject, &ground.phone.code(0)).run(ground).let_in());
    let after = look();
    let figure = match (before.0 == after.0, before.1 == after.1) {
        (true, true) => "untouched",
        (true, false) => "rewritten in place",
        (false, _) => "replaced by a new file",
    };
    Cell::holds_if(before == after, figure)
}

/// Where the files of alice are, seen from here.
fn home_of_files(ground: &Ground, subject: Subject) -> std::path::PathBuf {
    ground.path(subject.secret_file()).parent().expect("a directory").to_owned()
}

fn killed(ground: &Ground, subject: Subject) -> [(Row, Cell); 2] {
    let mut crowd = ground.crowd(subject, 0);
    let directory = home_of_files(ground, subject);
    let (mut kills, mut rounds) = (0, 0);
    let (mut with_secret, mut others, mut refused) = (0, 0, 0);
    while kills < KILLS && rounds < 20 * KILLS {
        rounds += 1;
        ground.renew(subject);
        let expected = names_in(&directory);
        let after = Duration::from_micros(u64::from(1 + random_below(LATEST_MICROSECONDS)));
        let ends = crowd.log_in_and_die(1, after, HOME, &ground.phone.code(0));
        kills += ends.with("killed");
        if ends.with("killed") == 0 {
            continue;
        }
        let left: Vec<_> = names_in(&directory).into_iter().filter(|name| !expected.contains(name)).collect();
        let holds_secret = |name: &String| holds_secret(ground, subject, &directory.join(name));
        with_secret += left.iter().filter(|name| holds_secret(name)).count();
        others += left.iter().filter(|name| !holds_secret(name)).count();
        refused += usize::from(crowd.log_in(1, HOME, &ground.phone.code(1)).accepted() == 0);
    }
    let left = format!("after {kills} kills {with_secret} files with the secret, {others} others");
    [
        (Row::KillsLeaveNothing, Cell::holds_if(with_secret + others == 0, left)),
        (
            Row::KillsLockNobodyOut,
            Cell::holds_if(refused == 0, format!("refused after {refused} of {kills}")),
        ),
    ]
}

fn holds_secret(ground: &Ground, subject: Subject, path: &Path) -> bool {
    let text = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&text).contains(&ground.secret_text(subject))
}

fn random_below(bound: u32) -> u32 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("randomness");
    u32::from_le_bytes(bytes) % bound
}

/// Each file in its turn, in place of which something else lies.
fn in_place_of_each(
    ground: &Ground,
    subject: Subject,
    replace: impl Fn(&Path),
) -> Vec<(&'static str, String)> {
    let mut outcomes = Vec::new();
    for file in subject.files() {
        ground.renew(subject);
        replace(&ground.path(file));
        let ended = Attempt::new(subject, &ground.phone.code(0)).run(ground);
        let name = file.rsplit('/').next().unwrap_or(file);
        outcomes.push((name, ended.outcome().to_owned()));
    }
    ground.renew(subject);
    outcomes
}

fn denied_everywhere(outcomes: &[(&'static str, String)]) -> Cell {
    let figures: Vec<_> = outcomes.iter().map(|(name, outcome)| format!("`{name}`: {outcome}")).collect();
    Cell::holds_if(outcomes.iter().all(|(_, outcome)| outcome == "denied"), figures.join(", "))
}

fn fifo(ground: &Ground, subject: Subject) -> Cell {
    let outcomes = in_place_of_each(ground, subject, |path| {
        let owner = fs::metadata(path).expect("the file");
        fs::remove_file(path).expect("the file");
        let made = Command::new("mkfifo").arg("--mode=0600").arg(path).status().expect("mkfifo");
        assert!(made.success());
        std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid())).expect("its owner");
    });
    denied_everywhere(&outcomes)
}

/// The file itself lies beside it under another name.
fn link(ground: &Ground, subject: Subject) -> Cell {
    let outcomes = in_place_of_each(ground, subject, |path| {
        let name = path.file_name().expect("a name").to_string_lossy();
        let other = format!("{name}.moved");
        fs::rename(path, path.with_file_name(&other)).expect("another name");
        symlink(&other, path).expect("a link");
    });
    denied_everywhere(&outcomes)
}

/// What came of all logins in which one system call failed.
#[derive(Default)]
struct Faults {
    made: usize,
    twice: usize,
    lost: usize,
    let_in_and_lost: usize,
    ended: usize,
}

fn faults(ground: &Ground, subject: Subject) -> [(Row, Cell); 4] {
    let mut faults = Faults::default();
    let steps = steps_of_a_login(ground, subject);
    let trace = fs::read_to_string(ground.path(TRACE)).expect("what strace wrote");
    for step in steps {
        faults.try_step(ground, subject, &step);
    }
    let Faults { made, twice, lost, let_in_and_lost, ended } = faults;
    let cell = |count| Cell::holds_if(count == 0, format!("{count} of {made} calls"));
    let lets_in = format!("refused after {lost} of {made} calls, {let_in_and_lost} of which let in");
    [
        (Row::Flushed, flushed(&trace, subject)),
        (Row::FaultsGrantNothing, cell(twice)),
        (Row::FaultsLoseNothing, Cell::holds_if(lost == 0, lets_in)),
        (Row::FaultsEndNoProcess, cell(ended)),
    ]
}

/// By the calls of a login in their order: a new file that was flushed under another name has its name
/// on the disk only after a flush that follows.
fn flushed(trace: &str, subject: Subject) -> Cell {
    let calls: Vec<&str> = trace.lines().filter_map(|line| what_it_does_to_the_disk(line, subject)).collect();
    let last = |word: &str| calls.iter().rposition(|call| call.contains(word));
    let holds = last("flush") > last("rename") && last("flush").is_some();
    let figure = if calls.is_empty() { "no flush".to_owned() } else { calls.join(", then ") };
    Cell::holds_if(holds, figure)
}

fn what_it_does_to_the_disk(line: &str, subject: Subject) -> Option<&'static str> {
    if line.contains("RWF_DSYNC") {
        return Some("a write with its flush");
    }
    let call = line.split('(').next().unwrap_or(line);
    match call {
        "fsync" | "fdatasync" | "syncfs" => Some("a flush"),
        "rename" | "renameat" | "renameat2" if line.contains(subject.directory()) => Some("a rename"),
        _ => None,
    }
}

/// From where libpam has loaded the module until the verdict.
fn steps_of_a_login(ground: &Ground, subject: Subject) -> Vec<Step> {
    ground.renew(subject);
    let trace = strace(&recording_to(Path::new(TRACE)));
    let ended = Attempt::new(subject, &ground.phone.code(0)).under(&trace).run(ground);
    assert!(ended.let_in(), "{}{}", ended.0.raw, ended.0.stderr);
    steps(&ground.path(TRACE), "/etc/pam.d/other", "write(1, \"authenticate ")
}

fn strace(options: &[String]) -> Vec<String> {
    [&["strace".to_owned()], options].concat()
}

impl Faults {
    /// A login of which this step fails, the same code without a fault, and the next one.
    fn try_step(&mut self, ground: &Ground, subject: Subject, step: &Step) {
        ground.renew(subject);
        self.made += 1;
        let code = ground.phone.code(0);
        let next = ground.phone.code(1);
        let faulty = Attempt::new(subject, &code).under(&strace(&step.failing_with("EIO"))).run(ground);
        if faulty.let_in() && Attempt::new(subject, &code).run(ground).let_in() {
            self.twice += 1;
            eprintln!("{}: lets in twice: {step}", subject.name());
        }
        if faulty.0.results.is_empty() {
            self.ended += 1;
            eprintln!("{}: {}: {step}", subject.name(), faulty.outcome());
        }
        if !Attempt::new(subject, &next).run(ground).let_in() {
            self.lost += 1;
            self.let_in_and_lost += usize::from(faulty.let_in());
            eprintln!("{}: the next code is refused: {step}", subject.name());
        }
    }
}
