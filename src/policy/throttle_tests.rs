//! Counting, waiting, knowing and forgetting.

use super::*;

const NOW: u64 = 1_800_000_000;

fn state() -> State {
    State::new([3; 16], NOW)
}

fn address(number: u32) -> SourceName {
    SourceName::new(format!("addr:198.51.{}.{}", number / 256, number % 256)).unwrap()
}

fn fail(state: &mut State, source: &SourceName, times: u32, now: u64) {
    for _ in 0..times {
        charge(state, source, now);
    }
}

#[test]
fn waits_begin_after_five_failures_and_double_to_a_quarter_of_an_hour() {
    let waits: Vec<_> = (0..13).map(wait_after).collect();
    assert_eq!(waits, [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
    assert_eq!(wait_after(u32::MAX), 900);
}

#[test]
fn a_wait_runs_from_the_last_failure_and_ends() {
    let mut state = state();
    fail(&mut state, &address(1), 5, NOW);
    assert_eq!(standing(&state, &address(1), NOW), Standing::Wait(30));
    assert_eq!(standing(&state, &address(1), NOW + 29), Standing::Wait(1));
    assert_eq!(standing(&state, &address(1), NOW + 30), Standing::Free);
}

#[test]
fn a_known_source_is_not_kept_out_by_strangers() {
    let mut state = state();
    welcome(&mut state, &address(1), NOW);
    for number in 2..1000 {
        charge(&mut state, &address(number), NOW);
    }
    assert_eq!(standing(&state, &address(1), NOW), Standing::Free);
    assert_eq!(standing(&state, &address(2), NOW), Standing::Capped);
    assert_eq!(standing(&state, &address(5000), NOW), Standing::Capped);
}

#[test]
fn rotating_addresses_erases_nothing_and_gives_no_new_budget() {
    let mut state = state();
    let mut charged = 0;
    for number in 0..100_000 {
        if standing(&state, &address(number), NOW) == Standing::Free {
            charge(&mut state, &address(number), NOW);
            charged += 1;
        }
    }
    let counted: u32 = state.counters.iter().map(|counter| counter.count).sum();
    assert_eq!(counted, charged);
    assert!(charged <= 16 * FREE_FAILURES, "{charged} guesses at one moment");
    assert!(state.known.is_empty());
}

#[test]
fn a_hundred_failures_of_a_known_source_cap_it() {
    let mut state = state();
    welcome(&mut state, &address(1), NOW);
    fail(&mut state, &address(1), 99, NOW);
    assert_eq!(standing(&state, &address(1), NOW + 900), Standing::Free);
    fail(&mut state, &address(1), 1, NOW);
    assert_eq!(standing(&state, &address(1), NOW + 1_000_000), Standing::Capped);
    assert_eq!(standing(&state, &address(2), NOW), Standing::Free);
}

#[test]
fn a_success_clears_its_own_failures_and_nothing_else() {
    let mut state = state();
    let strangers: Vec<_> = (0..40).map(address).collect();
    for source in &strangers {
        charge(&mut state, source, NOW);
    }
    let own = counter_number(&state, &strangers[0]);
    let others: Vec<_> = (0..COUNTERS).filter(|number| *number != own).map(|n| state.counters[n]).collect();
    welcome(&mut state, &strangers[0], NOW);
    assert_eq!(state.counters[own], Failures::default());
    let after: Vec<_> = (0..COUNTERS).filter(|number| *number != own).map(|n| state.counters[n]).collect();
    assert_eq!(others, after);
}

#[test]
fn failures_never_evict_a_known_source_and_logins_evict_the_oldest() {
    let mut state = state();
    for number in 0..9 {
        welcome(&mut state, &address(number), NOW + u64::from(number));
    }
    assert_eq!(state.known.len(), MOST_KNOWN_SOURCES);
    assert!(known(&state, &address(0)).is_none());
    assert!(known(&state, &address(1)).is_some());
}

#[test]
fn a_source_is_known_for_thirty_days_and_the_newest_for_ever() {
    let mut state = state();
    welcome(&mut state, &address(1), NOW);
    welcome(&mut state, &address(2), NOW + KNOWN_FOR + 1);
    assert_eq!(state.known.len(), 1);
    welcome(&mut state, &address(2), NOW + 5 * KNOWN_FOR);
    assert!(known(&state, &address(2)).is_some());
}

#[test]
fn a_source_without_a_name_is_never_known() {
    let mut state = state();
    let nowhere = SourceName::nowhere();
    fail(&mut state, &nowhere, 5, NOW);
    welcome(&mut state, &nowhere, NOW);
    assert!(state.known.is_empty());
    assert_eq!(standing(&state, &nowhere, NOW), Standing::Free);
}

#[test]
fn a_clock_that_was_ahead_makes_nobody_wait_longer_than_the_longest_wait() {
    let mut state = state();
    fail(&mut state, &address(1), 20, NOW + 10 * 365 * 86_400);
    forget_future(&mut state, NOW);
    assert_eq!(standing(&state, &address(1), NOW), Standing::Wait(LONGEST_WAIT));
    assert_eq!(standing(&state, &address(1), NOW + LONGEST_WAIT), Standing::Free);
}

#[test]
fn an_administrator_forgets_all_failures_and_no_source() {
    let mut state = state();
    welcome(&mut state, &address(1), NOW);
    fail(&mut state, &address(1), 100, NOW);
    for number in 2..200 {
        charge(&mut state, &address(number), NOW);
    }
    unlock(&mut state);
    assert_eq!(standing(&state, &address(1), NOW), Standing::Free);
    assert_eq!(standing(&state, &address(2), NOW), Standing::Free);
    assert!(known(&state, &address(1)).is_some());
}

#[test]
fn a_recovery_code_lifts_the_cap_of_strangers() {
    let mut state = state();
    for number in 0..200 {
        charge(&mut state, &address(number), NOW);
    }
    assert_eq!(standing(&state, &address(1), NOW), Standing::Capped);
    lift_cap(&mut state, &address(1));
    assert_eq!(standing(&state, &address(1), NOW), Standing::Free);
}
