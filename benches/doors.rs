//! `make bench`: how long a login's code takes by each door, side by side, in a booted machine on a real
//! disk, beside the one write and flush that no login can do without. Prints the table, and writes
//! `docs/benchmarks-service.md` where that is named.
//!
//! It judges nothing: a figure is no test.
#![allow(unsafe_code, reason = "a thread that connects as somebody else")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "it stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "it stops at what it does not expect")]

#[path = "../tests/container/mod.rs"]
mod container;
#[path = "../tests/installed/mod.rs"]
mod installed;
#[path = "../tests/service/peer.rs"]
#[allow(dead_code, reason = "the tests say more to the service")]
mod peer;
#[path = "../tests/planting/mod.rs"]
mod planting;
#[path = "../tests/sandbox/mod.rs"]
mod sandbox;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use installed::Guarded;
use peer::Peer;
use planting::CountingDevice;

/// How often each row is measured.
const ROUNDS: usize = 500;
/// As much as a login writes.
const SLOT: [u8; 4096] = [b'x'; 4096];
/// How many connections bob keeps open.
const CROWD: usize = 1000;
/// The program that logs in, and says how long `pam_authenticate` took.
const CLIENT: &str = "/usr/local/bin/pam-client";
/// The module alone: hashing passwords would take most of the time.
const SERVICE: &str = "auth required pam_countersign.so attempts=1\n";

const AS_ALICE: [&str; 4] = ["runuser", "-u", "alice", "--"];

/// What is measured, in the order of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Write,
    Files,
    ServiceForRoot,
    ServiceForAlice,
    ServiceBesideACrowd,
}

impl Row {
    const ALL: [Self; 5] =
        [Self::Write, Self::Files, Self::ServiceForRoot, Self::ServiceForAlice, Self::ServiceBesideACrowd];

    fn title(self) -> &'static str {
        match self {
            Self::Write => "4096 bytes written and flushed, nothing else (pwrite, fdatasync)",
            Self::Files => "a code by the files, as root",
            Self::ServiceForRoot => "a code by the service, as root",
            Self::ServiceForAlice => "a code by the service, as its user",
            Self::ServiceBesideACrowd => {
                "the same while another user opens 1,000 connections, again and again"
            }
        }
    }
}

fn main() {
    let mut ground = Ground::boot();
    let mut times = Row::ALL.map(|row| (row, Vec::new()));
    // The first round finds nothing in memory and the service not started.
    for row in Row::ALL {
        ground.measure(row);
    }
    // In turn, so that each has the same share of what else the computer does.
    for _ in 0..ROUNDS {
        for (row, times) in &mut times {
            times.push(ground.measure(*row));
        }
    }
    let table = table(&mut times);
    println!("{table}");
    // Cargo adds words of its own.
    if let Some(path) = std::env::args().skip(1).find(|word| !word.starts_with('-')) {
        fs::write(path, page(&ground, &table)).expect("the file can be written");
    }
}

/// A machine with the service and alice, whose device has any number of codes.
struct Ground {
    guarded: Guarded,
    device: CountingDevice,
    next: u64,
    bob: u32,
    /// On the file system of the store.
    scratch: File,
}

impl Ground {
    fn boot() -> Self {
        let guarded = Guarded::boot("bookworm");
        for name in ["alice", "bob"] {
            guarded.add_person(name);
        }
        guarded.copy_in(&sandbox::example("pam-client"), CLIENT, 0o755);
        guarded.write("/etc/pam.d/measured", 0o644, SERVICE);
        guarded.must(&["systemctl", "enable", "--now", "countersign.socket"]);
        let (_, device) = guarded.plant_counting("alice");
        let bob = guarded.uid_of("bob");
        let scratch = File::create_new(guarded.store().join("scratch")).expect("a file");
        scratch.write_all_at(&SLOT, 0).and_then(|()| scratch.sync_all()).expect("a file of real bytes");
        Self { guarded, device, next: 0, bob, scratch }
    }

    fn measure(&mut self, row: Row) -> Duration {
        match row {
            Row::Write => self.write(),
            Row::Files => self.by_files(),
            Row::ServiceForRoot => self.log_in(&[]),
            Row::ServiceForAlice => self.log_in(&AS_ALICE),
            Row::ServiceBesideACrowd => self.beside_a_crowd(),
        }
    }

    fn write(&self) -> Duration {
        let start = Instant::now();
        self.scratch.write_all_at(&SLOT, 0).and_then(|()| self.scratch.sync_data()).expect("a write");
        start.elapsed()
    }

    /// With the socket out of the way.
    fn by_files(&mut self) -> Duration {
        let directory = PathBuf::from(format!("/proc/{}/root/run/countersign", self.guarded.leader()));
        let (socket, aside) = (directory.join("root/io.countersign"), directory.join("root/aside"));
        fs::rename(&socket, &aside).expect("a socket");
        let took = self.log_in(&[]);
        fs::rename(&aside, &socket).expect("a socket");
        took
    }

    fn beside_a_crowd(&mut self) -> Duration {
        let is_over = AtomicBool::new(false);
        let (tell, told) = mpsc::channel();
        let (guarded, bob, is_over) = (&self.guarded, self.bob, &is_over);
        let code = self.device.code(self.next);
        let took = thread::scope(|scope| {
            scope.spawn(move || {
                let mut crowd: VecDeque<Peer> = (0..CROWD).map(|_| Peer::of(guarded, bob)).collect();
                tell.send(()).expect("somebody waits");
                while !is_over.load(Ordering::Relaxed) {
                    crowd.pop_front();
                    crowd.push_back(Peer::of(guarded, bob));
                }
            });
            told.recv().expect("a crowd");
            let took = log_in(guarded, &AS_ALICE, &code);
            is_over.store(true, Ordering::Relaxed);
            took
        });
        self.next += 1;
        took
    }

    fn log_in(&mut self, before: &[&str]) -> Duration {
        let took = log_in(&self.guarded, before, &self.device.code(self.next));
        self.next += 1;
        took
    }
}

/// A login of alice by this program and what stands before it, which must succeed.
fn log_in(guarded: &Guarded, before: &[&str], code: &str) -> Duration {
    let client = [CLIENT, "--confdir=/etc/pam.d", "--service=measured", "--user=alice", "--timing"];
    let said = guarded.must(&[before, &client, &["--reply", code]].concat());
    let took = said.lines().find_map(|line| line.strip_prefix("took ")).expect("a time");
    Duration::from_nanos(took.parse().expect("nanoseconds"))
}

fn table(times: &mut [(Row, Vec<Duration>)]) -> String {
    let mut text = "| | p50 | p99 |\n|---|---|---|\n".to_owned();
    for (row, times) in times {
        times.sort_unstable();
        let (middle, late) = (times[ROUNDS / 2], times[ROUNDS * 99 / 100]);
        let _ = writeln!(text, "| {} | {} | {} |", row.title(), milliseconds(middle), milliseconds(late));
    }
    text
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// The page, with what the figures depend on.
fn page(ground: &Ground, table: &str) -> String {
    let processors = thread::available_parallelism().expect("a number of processors");
    let file_system = file_system_of(&ground.guarded.store());
    format!(
        "<!-- Written by `make bench`; do not edit. -->\n\
         # How long a code takes, by the files and by the service\n\n\
         A program calls `pam_authenticate` of a stack with this module alone, types a right code, and looks at the clock\n\
         before and after: {ROUNDS} times for each row, in turn, in a booted Debian 12 with {processors} processors, on {file_system}. Every login is\n\
         a process of its own, so loading the module and asking the name service are in the figure. The service runs\n\
         already. The first row tells how busy the disk was meanwhile.\n\n\
         {table}\n\
         By the service there are two connections: one for whether the user is enrolled, one for the verdict. Root judges from\n\
         the files where nobody listens.\n"
    )
}

fn file_system_of(path: &Path) -> String {
    let found = Command::new("findmnt").args(["-n", "-o", "FSTYPE", "--target"]).arg(path).output();
    String::from_utf8_lossy(&found.expect("findmnt").stdout).trim().to_owned()
}
