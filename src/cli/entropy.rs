//! The kernel's randomness, for what enrolment makes.

use std::io;

use super::error::Error;
use crate::enrol::Entropy;
use crate::otp::secret::BadSecret;
use crate::sys;

/// The kernel's randomness.
pub(super) struct Kernel;

/// There was no randomness, or it made an impossible secret.
pub(super) struct RandomError(Error);

impl From<BadSecret> for RandomError {
    fn from(problem: BadSecret) -> Self {
        Self(Error::System(io::Error::other(problem.to_string())))
    }
}

impl From<RandomError> for Error {
    fn from(RandomError(error): RandomError) -> Self {
        error
    }
}

impl Entropy for Kernel {
    type Error = RandomError;

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        sys::entropy::fill(bytes).map_err(|error| RandomError(Error::System(error)))
    }
}
