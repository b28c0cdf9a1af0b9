//! SIGKILL through su: whoever calls su may kill it whenever he likes, and gains nothing by it: what
//! was told stays, what was charged is not refunded, and nobody else is kept out.

use std::time::Duration;

use crate::caller::{Caller, End, SU};
use crate::troubled::{BOUND, Door, Others, Traces, random_below, rounds};

/// Kills where the test runs with all others, and in the full form.
const KILLS: (u32, u32) = (200, 10_000);
/// How many rounds the same state is used for: after five wrong codes bob would have to wait.
const ROUNDS_OF_A_STATE: u32 = 16;

/// What bob types.
#[derive(Clone, Copy)]
enum Typed {
    Code,
    Guess,
    RecoveryCode,
}

/// Bob, who kills his su, and how long each verdict usually takes.
struct Bob {
    su: Caller,
    usual: [Duration; 3],
}

/// What came of it all.
#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    before_the_verdict: u32,
    while_locked: u32,
    between_trace_and_verdict: u32,
    beside_another_login: u32,
    longest_of_others: Duration,
}

impl Bob {
    /// Takes the time of one verdict of each kind. The state must be new.
    fn take_times(&mut self, door: &mut Door) {
        let guess = self.su.calls(&door.wrong_code());
        assert!(guess.is_wrong() && door.traces().charges == 1, "{guess:?}");
        let code = self.su.calls(&door.code(0));
        assert!(code.is_in() && door.traces().codes == 1, "{code:?}");
        let recovery_code = self.su.calls(door.recovery_codes().0.expect("one that is not used"));
        assert!(recovery_code.is_in() && door.traces().recovery_codes == 1, "{recovery_code:?}");
        self.usual = [code.took, guess.took, recovery_code.took];
    }

    /// Starts a su that is killed somewhere between the code and a little after its verdict.
    fn call_and_kill(&mut self, typed: Typed, code: &str) {
        let usual = u32::try_from(self.usual[typed as usize].as_micros()).expect("a short time");
        let after = Duration::from_micros(u64::from(random_below(usual + usual / 4)));
        self.su.call(after, "SIGKILL", code);
    }
}

impl Tally {
    fn count(&mut self, end: &End, traces: Traces) {
        self.kills += 1;
        self.before_the_verdict += u32::from(end.told == "nothing");
        self.while_locked += u32::from(end.sent == "later");
        self.between_trace_and_verdict += u32::from(end.told == "nothing" && traces.writes > 0);
    }
}

/// A good code. Whoever was told that he is in has its trace on disk.
fn kill_with_a_code(door: &mut Door, bob: &mut Bob, tally: &mut Tally) {
    bob.call_and_kill(Typed::Code, &door.code(0));
    let end = bob.su.end();
    let traces = door.traces();
    assert_eq!((traces.writes, traces.charges.max(0)), (traces.codes, 0), "{end:?} {traces:?}");
    assert!(traces.codes <= 1, "{end:?} {traces:?}");
    assert!(traces.codes == 1 || !end.is_in(), "told and not on disk: {end:?}");
    tally.count(&end, traces);
}

/// A good code, and meanwhile carol comes with the next one.
fn kill_beside_another_login(door: &mut Door, bob: &mut Bob, carol: &mut Others, tally: &mut Tally) {
    let next = door.code(1);
    bob.call_and_kill(Typed::Code, &door.code(0));
    let of_carol = carol.to_alice.calls(&next);
    let end = bob.su.end();
    let traces = door.traces();
    assert!(of_carol.is_in() && of_carol.took < BOUND, "carol is kept out: {of_carol:?}, bob {end:?}");
    assert_eq!(traces.codes, 2, "{end:?} {traces:?}");
    let told = u64::from(end.is_in()) + u64::from(end.is_wrong());
    assert!((1 + told..=2).contains(&traces.writes), "told and not on disk: {end:?} {traces:?}");
    assert!(traces.charges == 1 || !end.is_wrong(), "told and not charged: {end:?} {traces:?}");
    tally.count(&end, traces);
    tally.beside_another_login += 1;
    tally.longest_of_others = tally.longest_of_others.max(of_carol.took);
}

/// A wrong code. Whoever was told so has been charged, and no charge goes away.
fn kill_with_a_guess(door: &mut Door, bob: &mut Bob, tally: &mut Tally) {
    bob.call_and_kill(Typed::Guess, &door.wrong_code());
    let end = bob.su.end();
    let traces = door.traces();
    assert!((0..=1).contains(&traces.charges) && traces.codes == 0, "{end:?} {traces:?}");
    assert!(traces.charges == 1 || !end.is_wrong(), "told and not charged: {end:?}");
    assert!(!end.is_in(), "{end:?}");
    tally.count(&end, traces);
}

/// A recovery code, good once.
fn kill_with_a_recovery_code(door: &mut Door, bob: &mut Bob, tally: &mut Tally) {
    let (Some(code), _) = door.recovery_codes() else { return };
    bob.call_and_kill(Typed::RecoveryCode, code);
    let end = bob.su.end();
    let traces = door.traces();
    assert!(traces.recovery_codes <= 1 && traces.codes == 0, "{end:?} {traces:?}");
    assert!(traces.recovery_codes == 1 || !end.is_in(), "told and not on disk: {end:?}");
    tally.count(&end, traces);
}

/// What was accepted is refused, to whoever is not killed.
fn nothing_is_good_again(door: &mut Door, carol: &mut Others) {
    let (_, used) = door.recovery_codes();
    let spent = door.spent_code().into_iter().chain(used.iter().map(|&code| code.to_owned()));
    for code in spent {
        let end = carol.to_alice.calls(&code);
        assert!(end.text.contains("was already used"), "{end:?}");
        assert_eq!(door.traces().writes, 0);
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_su_killed_at_any_moment_loses_and_refunds_nothing() {
    let mut door = Door::new();
    let mut bob = Bob { su: Caller::at_a_pipe(&door.guarded, "bob", SU), usual: [Duration::ZERO; 3] };
    let mut carol = Others::of(&door.guarded);
    let mut tally = Tally::default();
    let kills = rounds(KILLS.0, KILLS.1);
    for round in 0.. {
        if round % ROUNDS_OF_A_STATE == 0 {
            door.renew();
            bob.take_times(&mut door);
        }
        match round % 4 {
            0 => kill_with_a_code(&mut door, &mut bob, &mut tally),
            1 => kill_with_a_guess(&mut door, &mut bob, &mut tally),
            2 => kill_beside_another_login(&mut door, &mut bob, &mut carol, &mut tally),
            _ => kill_with_a_recovery_code(&mut door, &mut bob, &mut tally),
        }
        if (round + 1) % ROUNDS_OF_A_STATE == 0 {
            nothing_is_good_again(&mut door, &mut carol);
            door.others_get_in(&mut carol);
        }
        if tally.kills == kills {
            break;
        }
    }
    println!("{tally:?}");
    // Else the moments are badly chosen, and this shows nothing.
    let early = tally.before_the_verdict;
    assert!(early > kills / 20 && early < kills, "at bad moments");
    assert!(tally.between_trace_and_verdict > 0, "never between the trace and the verdict");
    assert!(tally.while_locked > 0, "never while the lock was held");
}
