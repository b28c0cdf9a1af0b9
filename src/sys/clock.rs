//! The clock of the machine, believed only when it has been set.

/// 2020-01-01: a clock before this has never been set, and every code would be judged wrongly.
const EARLIEST: u64 = 1_577_836_800;

/// Seconds since 1970, or `None` while the clock is not set.
pub fn now() -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    let now = std::time::SystemTime::now();
    let seconds = now.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    (seconds >= EARLIEST).then_some(seconds)
}
