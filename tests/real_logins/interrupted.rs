//! Signals of the terminal and of the clock: whoever calls su may interrupt it, close its terminal or
//! stop it whenever he likes, and gains no more by it than by a kill.

use std::time::Duration;

use crate::caller::{Caller, End, Report, SU};
use crate::troubled::{BOUND, Door, Others, Traces, random_below, rounds};

/// Rounds of each trouble where the test runs with all others, and in the full form.
const ROUNDS: (u32, u32) = (8, 500);
/// Rounds in which the same state is used: after five wrong codes bob would have to wait.
const ROUNDS_OF_A_STATE: u32 = 8;
/// What bob sends as nobody but himself.
const SIGNALS: [&str; 8] =
    ["SIGINT", "SIGQUIT", "SIGTSTP", "SIGHUP", "SIGTERM", "SIGALRM", "SIGXCPU", "SIGSTOP"];
/// What he does at his terminal: Control and C, \ and D, and closing it. Control and Z do nothing where
/// no shell looks after what is stopped (`stopped.rs` has one).
const AT_THE_TERMINAL: [&str; 4] = ["key:c", "key:\\", "key:d", "hangup"];

/// What came of one trouble.
#[derive(Debug, Default)]
struct Tally {
    before_the_verdict: u32,
    while_locked: u32,
    between_trace_and_verdict: u32,
    stopped: u32,
}

/// Bob, who troubles his su in one way, and carol, who does not.
struct People {
    bob: Caller,
    carol: Others,
    usual: Duration,
}

impl People {
    fn new(door: &Door, bob: Caller) -> Self {
        Self { bob, carol: Others::of(&door.guarded), usual: Duration::ZERO }
    }

    /// A moment between the code and a little after its verdict.
    fn some_moment(&self) -> Duration {
        let usual = u32::try_from(self.usual.as_micros()).expect("a short time");
        Duration::from_micros(u64::from(random_below(usual + usual / 4)))
    }

    /// One su and its trouble. Where it stops, others get in before it goes on.
    fn round(&mut self, door: &mut Door, trouble: &str, code: &str, tally: &mut Tally) -> (End, Traces) {
        self.bob.call(self.some_moment(), trouble, code);
        let mut traces = None;
        let end = loop {
            match self.bob.report() {
                Report::End(end) => break end,
                Report::Stopped => {
                    tally.stopped += 1;
                    let before = door.traces();
                    door.others_get_in(&mut self.carol);
                    traces = Some(before);
                    self.bob.go_on();
                }
            }
        };
        let mut sum = door.traces();
        if let Some(before) = traces {
            sum.writes += before.writes;
            sum.codes += before.codes;
            sum.charges += before.charges;
        }
        tally.before_the_verdict += u32::from(end.told == "nothing");
        tally.while_locked += u32::from(end.sent == "later");
        tally.between_trace_and_verdict += u32::from(end.told == "nothing" && sum.writes > 0);
        (end, sum)
    }

    fn new_state(&mut self, door: &mut Door, trouble: &str) {
        door.renew();
        // An alarm is set before su starts, so its time is that of all of su.
        let calm = if trouble == "alarm" { "early" } else { "none" };
        self.bob.call(Duration::ZERO, calm, &door.code(0));
        let end = self.bob.end();
        assert!(end.is_in() && door.traces().codes == 1, "{end:?}");
        self.usual = end.took;
    }
}

/// Rounds with good and wrong codes.
fn trouble(door: &mut Door, people: &mut People, trouble: &str) {
    let mut tally = Tally::default();
    for round in 0..rounds(ROUNDS.0, ROUNDS.1) {
        if round % ROUNDS_OF_A_STATE == 0 {
            people.new_state(door, trouble);
        }
        let is_good = round % 2 == 0;
        let code = if is_good { door.code(0) } else { door.wrong_code() };
        let (end, traces) = people.round(door, trouble, &code, &mut tally);
        let seen = format!("{trouble}, round {round}: {end:?} {traces:?}");
        assert!(traces.writes <= 1, "{seen}");
        assert!(!end.is_in() || is_good && traces.codes == 1, "told and not on disk: {seen}");
        assert!(!end.is_wrong() || traces.charges == 1, "told and not charged: {seen}");
        assert_ne!(end.told, "silent", "{seen}");
        assert!(end.took < BOUND * 2, "{seen}");
    }
    door.others_get_in(&mut people.carol);
    println!("{trouble}: {tally:?}");
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_su_signalled_at_any_moment_loses_and_refunds_nothing() {
    let mut door = Door::new();
    let mut people = People::new(&door, Caller::at_a_pipe(&door.guarded, "bob", SU));
    for signal in SIGNALS {
        trouble(&mut door, &mut people, signal);
    }
    trouble(&mut door, &mut people, "alarm");
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_su_whose_terminal_interrupts_it_loses_and_refunds_nothing() {
    let mut door = Door::new();
    let mut people = People::new(&door, Caller::at_a_terminal(&door.guarded, "bob", SU));
    for key in AT_THE_TERMINAL {
        trouble(&mut door, &mut people, key);
    }
}
