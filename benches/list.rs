//! `make bench`: how long it takes to list 100,000 users, and how much memory, beside what `ls` takes for the
//! directory of their names. Prints the table, and writes `docs/benchmarks-list.md` where that is named.
//!
//! It judges nothing: a figure is no test.
#![allow(unsafe_code, reason = "wait4 tells what a process has used")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "it stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "it stops at what it does not expect")]

#[path = "../tests/planting/mod.rs"]
mod planting;
#[path = "../tests/sandbox/mod.rs"]
mod sandbox;

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::mem::MaybeUninit;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pam_countersign::credential::format;
use pam_countersign::credential::slot::{self, Sequenced};
use pam_countersign::otp::RecoveryDigest;
use pam_countersign::policy::throttle;
use pam_countersign::user::UserName;
use planting::Planted;
use sandbox::Sandbox;

/// How many users there are.
const USERS: u32 = 100_000;
/// How often each row is measured.
const ROUNDS: usize = 5;

/// What is measured, in the order of the table.
const ROWS: [&[&str]; 7] = [
    &["ls", "-f", "/var/lib/countersign/users"],
    &["ls", "/var/lib/countersign/users"],
    &["ls", "-lR", "/var/lib/countersign/users"],
    &["countersign", "list", "--sort", "none"],
    &["countersign", "list"],
    &["countersign", "list", "--sort", "login"],
    &["countersign", "list", "--json"],
];

/// What a run has taken.
#[derive(Clone, Copy)]
struct Taken {
    time: Duration,
    kilobytes: i64,
    bytes_written: usize,
}

fn main() {
    let sandbox = Sandbox::new();
    // Where the sandbox shows it.
    fs::copy(released_command(), sandbox.path().join("countersign")).expect("a copy of the command");
    let start = Instant::now();
    plant(&sandbox.store());
    eprintln!("{USERS} users made in {} s", start.elapsed().as_secs());
    let mut runs = ROWS.map(|row| (row, Vec::new()));
    for (row, _) in &runs {
        run(&sandbox, row);
    }
    // In turn, so that each has the same share of what else the computer does.
    for _ in 0..ROUNDS {
        for (row, taken) in &mut runs {
            taken.push(run(&sandbox, row));
        }
    }
    let table = table(&runs);
    println!("{table}");
    // Cargo adds words of its own.
    if let Some(path) = std::env::args().skip(1).find(|word| !word.starts_with('-')) {
        fs::write(path, page(&sandbox.store(), &table)).expect("the file can be written");
    }
}

/// Makes the users as enrolment does, but for holes between the slots of their states, which spare the disk
/// six gigabytes and are never read.
fn plant(store: &Path) {
    let (mut planted, _) = Planted::new("user", 1);
    planted.credential.recovery.as_mut().expect("a set").digests =
        (0..10).map(|number| RecoveryDigest([number; 32])).collect();
    let now = planting::now();
    for number in 0..USERS {
        let name = format!("user{number:06}");
        planted.credential.user = UserName::new(name.as_bytes()).expect("a name");
        planted.credential.uid = Some(100_000 + number);
        let source = format!("addr:198.51.100.{}", number % 250);
        let source = pam_countersign::credential::SourceName::new(source).expect("a source");
        planted.state.known.clear();
        throttle::welcome(&mut planted.state, &source, now - u64::from(number));
        put(&store.join("users").join(&name), &planted);
    }
}

fn put(directory: &Path, planted: &Planted) {
    fs::DirBuilder::new().mode(0o700).create(directory).expect("a directory");
    let text = format::write(&planted.credential).expect("a credential that can be written");
    planting::write(&directory.join("credential.toml"), text.as_bytes());
    let state = fs::File::create_new(directory.join("state")).expect("a state");
    state.set_permissions(fs::Permissions::from_mode(0o600)).expect("its mode");
    for (sequence, offset) in [(planted.state.written, 0), (planted.state.written + 1, 65_536)] {
        let current = Sequenced { sequence, state: planted.state.clone() };
        let bytes = slot::encode(&planted.credential.user, &current).expect("a state that can be written");
        state.write_all_at(&bytes, offset).expect("a slot");
    }
}

#[expect(clippy::zombie_processes, reason = "wait4 waits for it")]
fn run(sandbox: &Sandbox, words: &[&str]) -> Taken {
    let ours = words[0] == "countersign";
    let program = if ours { sandbox.path().join(words[0]) } else { PathBuf::from(words[0]) };
    let mut command = sandbox.command(program);
    let start = Instant::now();
    let mut child = command.args(&words[1..]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut written = Vec::new();
    child.stdout.take().expect("its output").read_to_end(&mut written).expect("its output");
    let kilobytes = wait(&child);
    Taken { time: start.elapsed(), kilobytes, bytes_written: written.len() }
}

/// Waits for a process, and tells the most memory that it or one of its own had.
fn wait(child: &std::process::Child) -> i64 {
    let pid = libc::pid_t::try_from(child.id()).expect("a number of a process");
    let (mut status, mut usage) = (0, MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: both are places for what wait4(2) writes, and the child is ours and not waited for yet.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()) };
    assert_eq!((waited, status), (pid, 0), "it fails");
    // SAFETY: it was zeroed, and wait4 has filled it.
    unsafe { usage.assume_init() }.ru_maxrss
}

/// The released command, beside the module.
fn released_command() -> PathBuf {
    let named = std::env::var_os("COUNTERSIGN_COMMAND").expect("COUNTERSIGN_COMMAND names the command");
    fs::canonicalize(named).expect("the command: run `make build`")
}

fn table(runs: &[(&[&str], Vec<Taken>)]) -> String {
    let mut text = "| | time | memory | written |\n|---|---|---|---|\n".to_owned();
    for (row, taken) in runs {
        let mut times: Vec<Duration> = taken.iter().map(|taken| taken.time).collect();
        times.sort_unstable();
        let most = taken.iter().map(|taken| taken.kilobytes).max().expect("a run");
        let _ = writeln!(
            text,
            "| `{}` | {:.2} s | {:.1} MB | {:.1} MB |",
            row.join(" "),
            times[ROUNDS / 2].as_secs_f64(),
            thousand(most),
            thousand(i64::try_from(taken[0].bytes_written).expect("a length")) / 1000.0,
        );
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
fn thousand(number: i64) -> f64 {
    number as f64 / 1000.0
}

/// The page, with what the figures depend on.
fn page(store: &Path, table: &str) -> String {
    let processors = thread::available_parallelism().expect("a number of processors");
    let found = Command::new("findmnt").args(["-n", "-o", "FSTYPE", "--target"]).arg(store).output();
    let file_system = String::from_utf8_lossy(&found.expect("findmnt").stdout).trim().to_owned();
    format!(
        "<!-- Written by `make bench`; do not edit. -->\n\
         # How long it takes to list everybody\n\n\
         A store with {USERS} users, each with a credential of one phone and ten recovery codes and a state with one\n\
         source, on {file_system}, on a computer with {processors} processors. Each row is the middle of {ROUNDS} runs, in turn,\n\
         with all files in memory, and the most memory that a run had, which cannot be told below that of the program that\n\
         measures: the first row. The start of the sandbox is in every row, and those of `ls` tell how busy the computer was.\n\n\
         {table}\n\
         `ls` reads the names alone, and `ls -lR` looks at every file without reading it. `countersign list` opens, checks,\n\
         reads and understands three files for each user, as a login does. It keeps the names in memory to sort them, with\n\
         `--sort none` nothing, and a row for each user where something else than the name decides.\n"
    )
}
