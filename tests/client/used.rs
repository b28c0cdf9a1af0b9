//! What this process has used.
#![allow(unsafe_code, reason = "clocks of processes are a C interface")]

use std::mem::MaybeUninit;
use std::time::Duration;

/// The processor time of this process.
pub(crate) fn processor_time() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: it is a place for what clock_gettime(2) writes.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, time.as_mut_ptr()) };
    // SAFETY: it was zeroed, which is a time.
    let time = unsafe { time.assume_init() };
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The most memory that this process has had, in kilobytes.
pub(crate) fn peak_kilobytes() -> i64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: it is a place for what getrusage(2) writes.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
    // SAFETY: it was zeroed, which is a usage.
    unsafe { usage.assume_init() }.ru_maxrss
}
