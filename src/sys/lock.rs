//! Waiting for a lock, but not for ever.

use std::fs::{File, TryLockError};
use std::io;
use std::time::Duration;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(10);
/// How often a lock is tried: 3 seconds in all.
const TRIES: u32 = 300;

/// Takes the exclusive flock(2) of a file, waiting at most 3 seconds. `Ok(false)` when someone else
/// still has it then.
///
/// It ends with [`File::unlock`] or with the last descriptor of this opening of the file.
pub fn take(file: &File) -> io::Result<bool> {
    for _ in 0..TRIES {
        if try_take(file)? {
            return Ok(true);
        }
        std::thread::sleep(PAUSE);
    }
    Ok(false)
}

/// Takes it without waiting. `Ok(false)` when someone else has it.
pub fn try_take(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
