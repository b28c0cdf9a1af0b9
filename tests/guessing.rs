//! The arithmetic of `docs/guessing.md`, computed from the constants that the code uses and from the
//! code itself: a figure in the text that is not computed here fails.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::expect_used, clippy::disallowed_methods, reason = "those rules are for the module")]

use pam_countersign::credential::record::MOST_AUTHENTICATORS;
use pam_countersign::credential::state::COUNTERS;
use pam_countersign::credential::{SourceName, State};
use pam_countersign::policy::resync::{MOST_COUNTERS, MOST_STEPS};
use pam_countersign::policy::throttle::{
    CAP, FIRST_WAIT, FREE_FAILURES, LONGEST_WAIT, Standing, charge, standing, wait_after, welcome,
};
use pam_countersign::policy::window::{LOOK_AHEAD, WINDOW};

const START: u64 = 1_800_000_000;

/// What the page says.
fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guessing.md"))
        .expect("docs/guessing.md")
}

fn must_say(what: &str) {
    let page = page().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains(what), "docs/guessing.md does not say {what:?}");
}

/// The chance that one of `guesses` wrong-looking codes is one of `good` among 10^`digits`, in percent.
fn chance(guesses: u32, good: f64, digits: i32) -> f64 {
    (1.0 - (1.0 - good / 10_f64.powi(digits)).powf(f64::from(guesses))) * 100.0
}

fn good_codes() -> f64 {
    f64::from(2 * WINDOW + 1)
}

fn source(number: u32) -> SourceName {
    SourceName::new(format!("addr:198.51.{}.{}", number / 256, number % 256)).expect("a source")
}

/// Guesses as fast as the code lets it, each time from the source that waits the shortest, and tells
/// how many guesses were judged and after how many seconds the cap stopped them.
fn guess_until_capped(sources: u32, mut state: State) -> (u32, u64) {
    let (mut judged, mut now) = (0, START);
    loop {
        let standings: Vec<_> = (0..sources).map(|number| standing(&state, &source(number), now)).collect();
        if standings.contains(&Standing::Capped) {
            return (judged, now - START);
        }
        let free = standings.iter().position(|standing| *standing == Standing::Free);
        match free.and_then(|number| u32::try_from(number).ok()) {
            Some(number) => {
                charge(&mut state, &source(number), now);
                judged += 1;
            }
            None => now += 1,
        }
    }
}

#[test]
fn the_constants_are_the_ones_in_the_text() {
    must_say(&format!("{FREE_FAILURES} failures are free"));
    must_say(&format!("{FIRST_WAIT} s"));
    must_say(&format!("{} minutes", LONGEST_WAIT / 60));
    must_say(&format!("{CAP} failures"));
    must_say(&format!("{COUNTERS} counters"));
    must_say(&format!("{} codes are good", good_codes()));
    must_say(&format!("{LOOK_AHEAD} codes are good"));
    must_say(&format!("within {MOST_STEPS} time steps or {MOST_COUNTERS} counters"));
    must_say(&format!("at most {} or {MOST_COUNTERS} are good", 2 * MOST_STEPS));
    let waits: Vec<String> =
        (FREE_FAILURES..=FREE_FAILURES + 5).map(|count| wait_after(count).to_string()).collect();
    must_say(&waits.join(", "));
}

#[test]
fn the_chances_are_the_ones_in_the_text() {
    for digits in [6, 7, 8] {
        must_say(&format!(
            "| {digits} | {:.4} % | {:.4} % |",
            chance(CAP, good_codes(), digits),
            chance(CAP, 10.0, digits)
        ));
    }
}

#[test]
fn every_device_is_a_chance_of_its_own() {
    let all = f64::from(u32::try_from(MOST_AUTHENTICATORS).expect("a few"));
    must_say(&format!("{:.4} % by time", chance(CAP, all * good_codes(), 6)));
    must_say(&format!(
        "{:.4} % by counter",
        chance(CAP, all * f64::from(u32::try_from(LOOK_AHEAD).expect("a few")), 6)
    ));
}

/// How many guesses a source that is known as the owner's has judged within so many seconds of the owner's login, if
/// the guesser leaves the last one before the cap, so that the owner can still log in.
fn guesses_after_a_login(seconds: u64) -> u32 {
    let home = source(7);
    let mut state = State::new([5; 16], START);
    welcome(&mut state, &home, START);
    let mut judged = 0;
    for now in START..START + seconds {
        while judged < CAP - 1 && standing(&state, &home, now) == Standing::Free {
            charge(&mut state, &home, now);
            judged += 1;
        }
    }
    assert_ne!(standing(&state, &home, START + seconds), Standing::Capped);
    welcome(&mut state, &home, START + seconds);
    assert_eq!(standing(&state, &home, START + seconds), Standing::Free, "the login gives the budget back");
    judged
}

#[test]
fn who_shares_the_owners_source_has_the_budget_again_after_each_login() {
    let all = f64::from(u32::try_from(MOST_AUTHENTICATORS).expect("a few"));
    for (words, hours) in [("once a day", 24), ("every 8 hours", 8), ("every hour", 1)] {
        let guesses = guesses_after_a_login(hours * 3600);
        let a_year = guesses * u32::try_from(24 / hours * 365).expect("a year of logins");
        let (one, five) = (chance(a_year, good_codes(), 6), chance(a_year, all * good_codes(), 6));
        must_say(&format!("| {words} | {guesses} | {a_year} | {one:.2} % | {five:.2} % |"));
    }
}

#[test]
fn strangers_reach_the_cap_after_as_many_guesses_and_seconds_as_the_text_says() {
    let state = State::new([5; 16], START);
    let (one, one_takes) = guess_until_capped(1, state.clone());
    assert_eq!(one, CAP);
    must_say(&format!("From one address: {one} guesses in {:.1} hours", seconds_in_hours(one_takes)));
    let (many, many_take) = guess_until_capped(400, state);
    assert_eq!(many, CAP);
    must_say(&format!("From hundreds of addresses: {many} guesses in {many_take} s"));
}

#[test]
fn an_owner_at_a_known_place_never_notices_them() {
    let mut state = State::new([5; 16], START);
    let home = SourceName::new("addr:192.0.2.7".to_owned()).expect("a source");
    welcome(&mut state, &home, START);
    for number in 0..1000 {
        charge(&mut state, &source(number), START);
    }
    assert_eq!(standing(&state, &home, START), Standing::Free);
}

/// The worst that an owner who never comes from a known place can do for a guesser: clear a counter
/// with each login.
#[test]
fn a_login_gives_a_guesser_back_no_more_than_the_text_says() {
    let mut state = State::new([5; 16], START);
    let mut judged = 0;
    for number in 0..400 {
        while standing(&state, &source(number), START) == Standing::Free {
            charge(&mut state, &source(number), START);
            judged += 1;
        }
    }
    let before = judged;
    welcome(&mut state, &source(1000), START);
    for number in 0..400 {
        while standing(&state, &source(number), START) == Standing::Free {
            charge(&mut state, &source(number), START);
            judged += 1;
        }
    }
    assert!(judged - before <= FREE_FAILURES, "{}", judged - before);
    must_say(&format!("gives back at most {FREE_FAILURES} free failures at once"));
}

#[expect(clippy::cast_precision_loss, reason = "seconds of days are small")]
fn seconds_in_hours(seconds: u64) -> f64 {
    seconds as f64 / 3600.0
}
