//! Who failed how often and when, who waits how long, and which places are known.

use sha2::{Digest, Sha256};

/// A place that someone has logged in from.
#[derive(Clone, Debug)]
pub struct Place {
    pub source: String,
    pub failures: Vec<u64>,
    pub login: u64,
}

/// The failures of every source, as the times of each.
pub struct Failures {
    pub counter_key: [u8; 16],
    pub known: Vec<Place>,
    pub strangers: [Vec<u64>; 16],
}

/// The wait that so many consecutive failures earn: five are free.
fn wait_after(failures: usize) -> u64 {
    match failures {
        0..5 => 0,
        5 => 30,
        6 => 60,
        7 => 120,
        8 => 240,
        9 => 480,
        _ => 900,
    }
}

/// How long a place is known after its last login, in seconds.
pub const THIRTY_DAYS: u64 = 30 * 24 * 60 * 60;

impl Failures {
    /// Nobody has failed, nobody is known.
    pub fn new(counter_key: [u8; 16]) -> Self {
        Self { counter_key, known: Vec::new(), strangers: Default::default() }
    }

    /// All failures are forgotten; who is known stays known.
    pub fn forget_all(&mut self) {
        self.known.iter_mut().for_each(|place| place.failures.clear());
        self.strangers.iter_mut().for_each(Vec::clear);
    }

    /// One more failure.
    pub fn charge(&mut self, source: &str, now: u64) {
        self.failures_of(source).push(now);
    }

    /// A recovery code lifts the cap where it is typed: among strangers, that of all of them.
    pub fn lift_cap(&mut self, source: &str) {
        if self.is_capped(source) && !self.is_known(source) {
            self.strangers.iter_mut().for_each(Vec::clear);
        }
    }

    /// A stored time in the future counts as now.
    pub fn no_failure_is_later_than(&mut self, now: u64) {
        let of_known = self.known.iter_mut().map(|place| &mut place.failures);
        for time in of_known.chain(&mut self.strangers).flatten() {
            *time = now.min(*time);
        }
    }

    fn is_known(&self, source: &str) -> bool {
        self.known.iter().any(|place| place.source == source)
    }

    /// The failures that count against a source: its own if it is known, else those of its counter.
    fn failures_of(&mut self, source: &str) -> &mut Vec<u64> {
        let mut hash = Sha256::new_with_prefix(self.counter_key);
        hash.update(source);
        let number = hash.finalize()[0] % 16;
        let own = self.known.iter_mut().find(|place| place.source == source);
        own.map_or(&mut self.strangers[usize::from(number)], |place| &mut place.failures)
    }

    /// A hundred failures of a known source, or of all others together.
    pub fn is_capped(&self, source: &str) -> bool {
        let own = self.known.iter().find(|place| place.source == source).map(|place| place.failures.len());
        own.unwrap_or_else(|| self.strangers.iter().map(Vec::len).sum()) >= 100
    }

    /// The seconds that codes from a source are still refused.
    pub fn wait(&mut self, source: &str, now: u64) -> u64 {
        let failures = self.failures_of(source);
        let last = failures.last().copied().unwrap_or(0).min(now);
        (last + wait_after(failures.len())).saturating_sub(now)
    }

    /// After a login its own failures are forgotten and its source is one of the eight that are known.
    /// Places that nobody has logged in from for 30 days are forgotten, but for the last one; a login in
    /// the future counts as now.
    pub fn login(&mut self, source: &str, now: u64) {
        self.failures_of(source).clear();
        if let Some(place) = self.known.iter_mut().find(|place| place.source == source) {
            place.login = now;
        } else if source != "none:" {
            if self.known.len() == 8 {
                let oldest = self.known.iter().map(|place| place.login).min().unwrap();
                let place = self.known.iter().position(|place| place.login == oldest).unwrap();
                self.known.remove(place);
            }
            self.known.push(Place { source: source.to_owned(), failures: Vec::new(), login: now });
        }
        self.known.iter_mut().for_each(|place| place.login = place.login.min(now));
        let newest = self.known.iter().map(|place| place.login).max().unwrap_or(now);
        self.known.retain(|place| place.login == newest || place.login + THIRTY_DAYS >= now);
    }
}
