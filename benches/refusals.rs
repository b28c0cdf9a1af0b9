//! `make bench`: whether the time that a refusal takes tells who is enrolled. Each kind of user types a wrong code and a
//! wrong recovery code into the real module, a new process each time, in turn, and a two-sample test compares their times.
//! Prints the page, and writes `docs/benchmarks-refusals.md` where that is named.
//!
//! It judges nothing: a figure is no test.
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "it stops at surprises")]
#![allow(clippy::cast_precision_loss, reason = "times and counts are small")]

#[path = "../tests/planting/mod.rs"]
mod planting;
#[path = "../tests/sandbox/mod.rs"]
mod sandbox;

use std::fmt::Write as _;
use std::fs;
use std::thread;

use pam_countersign::credential::{Failures, State};
use planting::{Planted, now};
use sandbox::{Sandbox, module};

/// How often each kind of user is refused, at either kind of passcode.
const ROUNDS: usize = 1000;
/// How many logins run at the same time. They wait for most of theirs.
const WORKERS: usize = 4;

/// What is typed: neither is ever right.
const CODE: &str = "000000";
const RECOVERY_CODE: &str = "ZZZZ-ZZZZ-ZZZZ-ZZZZ";

/// A user, and what the module knows of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unknown,
    NotEnrolled,
    Enrolled,
    EnrolledAndWaiting,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Unknown, Self::NotEnrolled, Self::Enrolled, Self::EnrolledAndWaiting];

    fn name(self) -> &'static str {
        match self {
            Self::Unknown => "there is no such account",
            Self::NotEnrolled => "not enrolled",
            Self::Enrolled => "enrolled; the failure is charged",
            Self::EnrolledAndWaiting => "enrolled; after too many failures",
        }
    }

    fn user(self) -> &'static str {
        match self {
            Self::Unknown => "dave",
            Self::NotEnrolled => "bob",
            Self::Enrolled | Self::EnrolledAndWaiting => "alice",
        }
    }
}

/// How long one login took, in microseconds: from the call to the answer, and from the answer to the refusal.
struct Took {
    until_answer: f64,
    refusal: f64,
}

/// A private machine with alice, who is enrolled.
struct Ground(Sandbox);

impl Ground {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.service("door", &format!("auth required {} attempts=1\n", module().display()));
        sandbox.configuration("tell = \"never\"\n");
        Self(sandbox)
    }

    fn refuse(&self, kind: Kind, passcode: &str) -> Took {
        let (mut alice, _) = Planted::new("alice", 1000);
        if kind == Kind::EnrolledAndWaiting {
            wait_for_long(&mut alice.state);
        }
        alice.put_into(&self.0.store());
        let mut client = self.0.client();
        client.args(["--service", "door", "--user", kind.user(), "--reply", passcode, "--timing"]);
        let output = client.output().expect("pam-client runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("authenticate PAM_AUTH_ERR"), "{text}");
        let told = |what: &str| -> f64 {
            let line =
                text.lines().find_map(|line| line.strip_prefix(what)).unwrap_or_else(|| panic!("{text}"));
            line.trim().parse::<f64>().expect("nanoseconds") / 1000.0
        };
        let refusal = told("verdict ");
        Took { until_answer: told("took ") - refusal, refusal }
    }
}

/// Failures that codes and recovery codes from everywhere wait for.
fn wait_for_long(state: &mut State) {
    let failures = Failures { count: 50, last: now() };
    state.counters = [failures; 16];
}

/// The times of all kinds of users who typed this, in the order of [`Kind::ALL`].
fn measure(passcode: &'static str) -> Vec<Vec<Took>> {
    let worker = || {
        let ground = Ground::new();
        let mut times: Vec<Vec<Took>> = Kind::ALL.iter().map(|_| Vec::new()).collect();
        for round in 0..ROUNDS / WORKERS {
            // Each kind is as often the first as any other.
            for place in 0..Kind::ALL.len() {
                let number = (place + round) % Kind::ALL.len();
                times[number].push(ground.refuse(Kind::ALL[number], passcode));
            }
        }
        times
    };
    let workers: Vec<_> = (0..WORKERS).map(|_| thread::spawn(worker)).collect();
    let mut all: Vec<Vec<Took>> = Kind::ALL.iter().map(|_| Vec::new()).collect();
    for worker in workers {
        for (all, times) in all.iter_mut().zip(worker.join().expect("a worker ends")) {
            all.extend(times);
        }
    }
    all
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// The largest distance between the distribution functions of two samples (Kolmogorov and Smirnov), both sorted.
fn distance(one: &[f64], other: &[f64]) -> f64 {
    let share = |sample: &[f64], limit: f64| {
        sample.partition_point(|value| *value <= limit) as f64 / sample.len() as f64
    };
    let differences = one.iter().chain(other).map(|limit| (share(one, *limit) - share(other, *limit)).abs());
    differences.fold(0.0, f64::max)
}

/// The probability of such a distance between samples of one distribution (Stephens 1970).
fn probability(distance: f64, one: usize, other: usize) -> f64 {
    let size = (one as f64 * other as f64 / (one + other) as f64).sqrt();
    let scaled = (size + 0.12 + 0.11 / size) * distance;
    let term = |number: i32| {
        let sign = if number % 2 == 1 { 1.0 } else { -1.0 };
        sign * (-2.0 * f64::from(number * number) * scaled * scaled).exp()
    };
    // The series does not converge where the distance is next to nothing.
    if scaled < 0.2 { 1.0 } else { (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0) }
}

fn table(title: &str, times: &[Vec<Took>], of: fn(&Took) -> f64) -> String {
    let samples: Vec<Vec<f64>> = times.iter().map(|times| sorted(times.iter().map(of).collect())).collect();
    let mut text = format!(
        "{title}\n\n| user | median | 99th percentile | distance | probability |\n|---|---|---|---|---|\n"
    );
    for (kind, sample) in Kind::ALL.into_iter().zip(&samples) {
        let at = |share: usize| sample[(sample.len() - 1) * share / 100];
        let distance = distance(sample, &samples[0]);
        let probability = probability(distance, sample.len(), samples[0].len());
        let name = kind.name();
        let _ = writeln!(
            text,
            "| {name} | {:.0} µs | {:.0} µs | {distance:.3} | {probability:.2} |",
            at(50),
            at(99)
        );
    }
    text
}

fn main() {
    let (codes, recovery_codes) = (measure(CODE), measure(RECOVERY_CODE));
    let page = format!(
        "<!-- Written by `make bench`; do not edit. -->\n\
         # Whether the time of a refusal tells who is enrolled\n\n\
         Each row is {ROUNDS} logins with `tell = \"never\"`, each in a new process, in turn, {WORKERS} at the same time. *Distance* is\n\
         the largest one between the distribution of a row and that of the first (Kolmogorov and Smirnov), *probability* how often\n\
         samples of one and the same distribution lie so far apart: a small one means that the rows can be told apart.\n\n{}\n{}\n{}",
        table("A wrong code, from the answer to the refusal:", &codes, |took| took.refusal),
        table("A wrong recovery code, from the answer to the refusal:", &recovery_codes, |took| took.refusal),
        table("From the call to the prompt, which has no least time:", &codes, |took| took.until_answer),
    );
    println!("{page}");
    // Cargo adds words of its own.
    if let Some(path) = std::env::args().skip(1).find(|word| !word.starts_with('-')) {
        fs::write(path, page).expect("the file can be written");
    }
}
