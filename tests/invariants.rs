//! What holds of every decision, whatever is typed from wherever, whatever the clock does: random
//! histories, and those that fuzzing kept, against the model in `model`.
//!
//! `COUNTERSIGN_DECISIONS=10000000` compares so many decisions instead of a few (`make soak`).
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "those rules are for the module")]

mod model;

use std::cell::RefCell;
use std::collections::BTreeMap;

use model::history::History;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// How many decisions are compared where nothing else is said.
const FEW: u64 = 50_000;

/// All that can come of a decision.
const VERDICTS: [&str; 14] = [
    "accepted",
    "backed_off",
    "brought_back",
    "capped",
    "clock_went_back",
    "disabled",
    "no_usable_authenticator",
    "recovered",
    "resynchronised",
    "spent_code",
    "spent_recovery_code",
    "unvouched_recovery_codes",
    "wrong_code",
    "wrong_recovery_code",
];

#[test]
fn every_decision_of_random_histories_is_the_one_that_the_model_makes() {
    let wanted = std::env::var("COUNTERSIGN_DECISIONS").map_or(FEW, |number| number.parse().unwrap());
    let verdicts = RefCell::new(BTreeMap::new());
    let config = ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() };
    let history = (any::<[u8; 2]>(), proptest::collection::vec(any::<[u8; 4]>(), 1..200));
    while verdicts.borrow().values().sum::<u64>() < wanted {
        let result = TestRunner::new(config.clone()).run(&history, |(first, events)| {
            let bytes = [&first[..], events.as_flattened()].concat();
            let history = History::run(&bytes).map_err(TestCaseError::fail)?;
            for (verdict, times) in history.verdicts {
                *verdicts.borrow_mut().entry(verdict).or_default() += times;
            }
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{error}"));
    }
    let verdicts = verdicts.into_inner();
    println!("{} decisions compared: {verdicts:?}", verdicts.values().sum::<u64>());
    assert!(verdicts.keys().eq(&VERDICTS), "histories do not reach everything: {verdicts:?}");
}

/// Each of these reached something that no other one did.
#[test]
fn every_decision_of_the_histories_that_fuzzing_kept_is_the_one_that_the_model_makes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/decide");
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match History::run(&std::fs::read(&path).unwrap()) {
            Ok(history) => compared += history.decisions,
            Err(what) => panic!("{}: {what}", path.display()),
        }
    }
    assert!(compared > 1000, "only {compared} decisions");
}
