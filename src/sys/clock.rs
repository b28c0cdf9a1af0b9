//! The clock of the machine, believed only when it has been set, and waiting that no clock changes.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

/// 2020-01-01: a clock before this has never been set, and every code would be judged wrongly.
const EARLIEST: u64 = 1_577_836_800;

/// Seconds since 1970, or `None` while the clock is not set.
pub fn now() -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    let now = std::time::SystemTime::now();
    let seconds = now.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    (seconds >= EARLIEST).then_some(seconds)
}

/// When the machine was started, in seconds since 1970 by the clock as it is set now: the time asleep counts
/// too. `None` while the clock is not set.
pub fn booted() -> Option<u64> {
    let since = clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?;
    now()?.checked_sub(u64::try_from(since.tv_sec()).ok()?)
}

/// Seconds since the machine was started, the time asleep included: a clock that nobody sets.
pub fn since_boot() -> std::io::Result<u64> {
    let since = clock_gettime(ClockId::CLOCK_BOOTTIME)?;
    u64::try_from(since.tv_sec()).map_err(std::io::Error::other)
}

/// A moment on a clock that is never set (CLOCK_MONOTONIC). Should the kernel refuse it, all moments are the same one.
pub fn moment() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default()
}

/// Whether the kernel takes the clock to be kept right by somebody. `None` where it does not tell.
pub fn is_synchronised() -> Option<bool> {
    // SAFETY: all fields are numbers or arrays of such, for which zero is a value.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes to the structure, which lives until it returns; no mode is set, so nothing is
    // changed.
    let told = unsafe { libc::adjtimex(&raw mut state) };
    (told != -1).then_some(told != libc::TIME_ERROR && state.status & libc::STA_UNSYNC == 0)
}

/// A moment to wait for at most, on a clock that nobody sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(wait: Duration) -> Self {
        #[expect(clippy::disallowed_methods, reason = "how long to wait is no question of the time")]
        let now = Instant::now();
        Self(now.checked_add(wait).unwrap_or(now))
    }

    /// How long it is until then; `None` when it has passed.
    pub fn left(self) -> Option<Duration> {
        let Self(now) = Self::after(Duration::ZERO);
        self.0.checked_duration_since(now).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes_and_the_earlier_one_counts() {
        let (soon, late) = (Deadline::after(Duration::ZERO), Deadline::after(Duration::from_secs(3600)));
        assert_eq!(soon.left(), None);
        assert!(late.left().unwrap() > Duration::from_secs(3590));
        assert_eq!(soon.min(late), soon);
    }
}
