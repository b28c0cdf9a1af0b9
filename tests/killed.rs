//! SIGKILL at random moments of a login: nothing that was told is lost, nothing charged is refunded, and
//! nothing is left lying about.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "crowd/mod.rs"]
mod crowd;
#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::fs;
use std::time::Duration;

use crowd::{Crowd, Ends, rounds};
use pam_countersign::credential::slot::Sequenced;
use planting::{CountingDevice, Planted, RECOVERY_CODES};
use sandbox::{Sandbox, module};

/// Kills where the test runs with all others, and in the full form.
const KILLS: (u32, u32) = (1000, 10_000);
/// The latest moment after its release at which a login is killed; most are over by then.
const LATEST_MICROSECONDS: u32 = 3000;
/// How many rounds the same state is used for. Then what has been counted is taken down, for a guesser
/// who is refused leaves nothing to be killed.
const ROUNDS_OF_A_STATE: u32 = 25;

/// Alice's door, and what is known of her state.
struct Door {
    sandbox: Sandbox,
    crowd: Crowd,
    alice: Planted,
    device: CountingDevice,
    before: Sequenced,
}

/// What came of it all.
#[derive(Default)]
struct Tally {
    kills: u32,
    died_before_the_verdict: u32,
    died_between_trace_and_verdict: u32,
}

impl Door {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.service("door", &format!("auth required {} attempts=1\n", module().display()));
        let (alice, device) = Planted::counting("alice", 1000);
        alice.put_into(&sandbox.store());
        let before = alice.current_in_store(&sandbox.store());
        let crowd = Crowd::in_sandbox(&sandbox);
        Self { sandbox, crowd, alice, device, before }
    }

    /// The state of a new round: the counter goes on, failures and recovery codes begin anew.
    fn renew(&mut self) {
        self.alice.state.keys[0].next = self.next();
        self.alice.put_state_into(&self.sandbox.store());
        self.before = self.alice.current_in_store(&self.sandbox.store());
        self.sandbox.log_lines();
    }

    fn next(&self) -> u64 {
        self.before.state.keys[0].next
    }

    /// So many log in at once and are killed; what they told, and what is on disk then.
    fn kill(&mut self, count: usize, rhost: &str, reply: &str) -> (Ends, Sequenced) {
        let after = Duration::from_micros(u64::from(1 + random_below(LATEST_MICROSECONDS)));
        let ends = self.crowd.log_in_and_die(count, after, rhost, reply);
        let now = self.alice.current_in_store(&self.sandbox.store());
        assert!(now.sequence >= self.before.sequence, "the state went back: {ends:?}");
        let names = fs::read_dir(self.alice.directory(&self.sandbox.store())).expect("her directory").count();
        assert_eq!(names, 2, "a file is left");
        (ends, now)
    }
}

impl Tally {
    fn count(&mut self, ends: &Ends, has_trace: bool) {
        self.kills += 1;
        self.died_before_the_verdict += u32::from(ends.with("killed") > 0);
        let silent = ends.with("PAM_") == 0;
        self.died_between_trace_and_verdict += u32::from(silent && has_trace);
    }
}

fn random_below(bound: u32) -> u32 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("randomness");
    u32::from_le_bytes(bytes) % bound
}

/// One code for a few at once. Whoever was told that it is good has its trace on disk.
fn kill_with_a_code(door: &mut Door, tally: &mut Tally) {
    let code = door.device.code(door.next());
    let (ends, now) = door.kill(1 + random_below(3) as usize, "192.0.2.7", &code);
    let spent = now.state.keys[0].next == door.next() + 1;
    assert!(spent || now.state.keys == door.before.state.keys, "neither spent nor as before: {ends:?}");
    assert!(ends.accepted() <= 1, "{ends:?}");
    assert!(spent || ends.accepted() == 0, "told and not on disk: {ends:?}");
    tally.count(&ends, spent);
    door.before = now;
}

/// A wrong code. Whoever was told so has been charged, and no charge goes away.
fn kill_with_a_guess(door: &mut Door, tally: &mut Tally) {
    let place = format!("198.51.{}.{}", random_below(250), 1 + random_below(250));
    let charges = |state: &Sequenced| state.state.counters.iter().map(|counter| counter.count).sum::<u32>();
    let guess = door.device.wrong_code(door.next());
    let (ends, now) = door.kill(1, &place, &guess);
    let (before, after) = (charges(&door.before), charges(&now));
    assert!(after == before || after == before + 1, "{before} charges became {after}");
    assert!(after > before || ends.with("Wrong code.") == 0, "told and not charged: {ends:?}");
    tally.count(&ends, after > before);
    door.before = now;
}

/// A recovery code, good once.
fn kill_with_a_recovery_code(door: &mut Door, tally: &mut Tally) {
    let used = |state: &Sequenced| state.state.recovery.sets.iter().map(|set| set.used.len()).sum::<usize>();
    let number = used(&door.before);
    let Some(code) = RECOVERY_CODES.get(number) else { return };
    let (ends, now) = door.kill(2, "192.0.2.7", code);
    assert!(used(&now) == number || used(&now) == number + 1);
    assert!(ends.accepted() <= used(&now) - number, "told and not on disk: {ends:?}");
    tally.count(&ends, used(&now) > number);
    door.before = now;
}

/// What was accepted is refused, by whoever is not killed.
fn nothing_is_good_again(door: &mut Door) {
    let Some(last) = door.next().checked_sub(1) else { return };
    let ends = door.crowd.log_in(1, "192.0.2.7", &door.device.code(last));
    assert_eq!(ends.accepted(), 0, "{ends:?}");
    let number = door.before.state.recovery.sets[0].used.len();
    for code in &RECOVERY_CODES[..number] {
        let ends = door.crowd.log_in(1, "192.0.2.7", code);
        assert_eq!(ends.with("was already used"), 1, "{ends:?}");
    }
}

#[test]
fn killed_at_any_moment_a_login_loses_and_refunds_nothing() {
    let mut door = Door::new();
    let mut tally = Tally::default();
    let kills = rounds(KILLS.0, KILLS.1);
    let mut round = 0;
    while tally.kills < kills {
        match round % 4 {
            0 | 1 => kill_with_a_code(&mut door, &mut tally),
            2 => kill_with_a_guess(&mut door, &mut tally),
            _ => kill_with_a_recovery_code(&mut door, &mut tally),
        }
        round += 1;
        if round % ROUNDS_OF_A_STATE == 0 {
            nothing_is_good_again(&mut door);
            door.renew();
        }
    }
    let Tally { kills, died_before_the_verdict, died_between_trace_and_verdict } = tally;
    println!(
        "{kills} kills: {died_before_the_verdict} came before a verdict, \
         {died_between_trace_and_verdict} between its trace and its telling"
    );
    // Else the moments are badly chosen, and this shows nothing.
    assert!(died_before_the_verdict > kills / 20 && died_before_the_verdict < kills, "at bad moments");
    assert!(died_between_trace_and_verdict > 0, "never between the trace and the verdict");
}
