//! A caller of su may give it as little of the processor as he likes (`docs/decisions/0011-first-in-turn.md`),
//! and still it holds the lock no longer than any other.

use std::thread;
use std::time::{Duration, Instant};

use crate::caller::{Caller, End};
use crate::troubled::{Door, Others};

const ROUNDS: u32 = 3;
/// A su that runs only when the first processor is idle.
const SU_WHEN_IDLE: &str = "exec chrt --idle 0 taskset --cpu-list 0 su alice -c 'echo in as alice.'";
/// How long the lock may be held where nothing goes wrong, on a machine that is busy otherwise too.
/// Without a turn of its own, such a su needs seconds.
const SHORT: Duration = Duration::from_millis(500);

/// Bob's su, starved while it judges a wrong code, and for how long alice's lock can have been held at most,
/// by looking again and again whether it is free.
fn hold(door: &mut Door, bob: &mut Caller) -> (End, Duration) {
    bob.call(Duration::ZERO, "starve", &door.wrong_code());
    thread::scope(|scope| {
        let round = scope.spawn(|| bob.end());
        let (mut longest, mut seen_free) = (Duration::ZERO, Instant::now());
        while !round.is_finished() {
            let now = Instant::now();
            if !door.is_locked() {
                longest = longest.max(now - seen_free);
                seen_free = now;
            }
            thread::sleep(Duration::from_micros(200));
        }
        (round.join().expect("a report"), longest)
    })
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_su_without_a_processor_holds_the_lock_no_longer_than_others() {
    let mut door = Door::new();
    let mut carol = Others::of(&door.guarded);
    let mut bob = Caller::at_a_pipe(&door.guarded, "bob", SU_WHEN_IDLE);
    let mut shortest = Duration::MAX;
    for _ in 0..ROUNDS {
        let (end, longest) = hold(&mut door, &mut bob);
        assert!(end.is_wrong(), "{end:?}");
        assert_eq!(door.traces().charges, 1, "{end:?}");
        shortest = shortest.min(longest);
        println!("the verdict took {:?}, and the lock was held for {longest:?} at most", end.took);
        door.others_get_in(&mut carol);
    }
    assert!(shortest < SHORT, "held for {shortest:?}");
}
