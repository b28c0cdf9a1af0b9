//! Randomness fit for secrets, straight from the kernel: no state that a fork could copy.

use std::io;

/// Fills the bytes with random ones from getrandom(2).
pub fn fill(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(io::Error::from)
}
