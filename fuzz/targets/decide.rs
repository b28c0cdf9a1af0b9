//! `policy::decide` over any history, against the model of the tests. Any bytes are a history.
#![no_main]

use std::sync::atomic::{AtomicU64, Ordering};

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/model/mod.rs"]
mod model;

/// Decisions compared since the start.
static COMPARED: AtomicU64 = AtomicU64::new(0);
/// After how many of them that is told.
const OFTEN: u64 = 100_000;

/// The longest history, in bytes: so that none takes seconds.
const LONGEST: usize = 1026;

fuzz_target!(|bytes: &[u8]| {
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    let history = model::history::History::run(bytes).unwrap_or_else(|what| panic!("{what}"));
    let before = COMPARED.fetch_add(history.decisions, Ordering::Relaxed);
    let after = before + history.decisions;
    if before / OFTEN < after / OFTEN {
        tell(after);
    }
});

#[expect(clippy::disallowed_macros, reason = "that rule is for the module")]
fn tell(compared: u64) {
    eprintln!("{compared} decisions compared");
}
