//! The one place that knows every kind of store and verifier, and picks those of this machine.
#![forbid(unsafe_code)]

use crate::store::FileStore;
use crate::sys;
use crate::verifier::{Clock, ClockError, LocalVerifier, Verifier};

/// The clock of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Result<u64, ClockError> {
        sys::clock::now().ok_or(ClockError)
    }
}

/// Who judges codes on this machine: its own files, which need root.
pub fn open() -> impl Verifier {
    LocalVerifier::new(store(), SystemClock)
}

/// Where this machine keeps credentials.
pub fn store() -> FileStore {
    FileStore::of_this_machine()
}
