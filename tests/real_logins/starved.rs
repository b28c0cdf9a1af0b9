//! A caller of su may give it as little of the processor as he likes (`docs/decisions/0011-first-in-turn.md`),
//! and still it holds the lock no longer than any other.

use std::thread;
use std::time::{Duration, Instant};

use crate::caller::{Caller, PROGRAM};
use crate::troubled::{Door, Others};

const ROUNDS: u32 = 3;
/// A su that runs only when its processor is idle, which it never is: bob keeps it busy.
const STARVED: &str = "for i in 1 2 3; do taskset --cpu-list 0 timeout 100 sh -c 'while :; do :; done' & done; \
                       exec \"$0\" chrt --idle 0 taskset --cpu-list 0 su alice -c 'echo in as alice.'";
/// How long the lock may be held where nothing goes wrong, on a machine that is busy otherwise too.
/// Without a turn of its own, such a su needs seconds.
const SHORT: Duration = Duration::from_millis(300);
/// How long such a su may take to come to its verdict.
const PATIENCE: Duration = Duration::from_secs(60);

/// For how long alice's lock is held next.
fn next_hold(door: &Door) -> Duration {
    let wait_until = |is_locked: bool| {
        let deadline = Instant::now() + PATIENCE;
        while door.is_locked() != is_locked {
            assert!(Instant::now() < deadline, "never locked: {is_locked}");
            thread::sleep(Duration::from_micros(200));
        }
        Instant::now()
    };
    let start = wait_until(true);
    wait_until(false) - start
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_su_without_a_processor_holds_the_lock_no_longer_than_others() {
    let mut door = Door::new();
    let mut carol = Others::of(&door.guarded);
    let bob = ["runuser", "-u", "bob", "--", "sh", "-c", STARVED, PROGRAM];
    let mut bob = Caller::start(&door.guarded, &bob);
    let mut shortest = Duration::MAX;
    for _ in 0..ROUNDS {
        bob.call(Duration::ZERO, "early", &door.code(0));
        shortest = shortest.min(next_hold(&door));
        let end = bob.end();
        assert_eq!(door.traces().codes, 1, "{end:?}");
        door.others_get_in(&mut carol);
    }
    println!("the lock was held for {shortest:?} at least");
    assert!(shortest < SHORT, "held for {shortest:?} at least");
}
