//! What went wrong below, as an error of the command.

use std::io;

use super::error::Error;
use crate::backend::NoEntropy;
use crate::credential::StoreError;
use crate::enrol::KeepError;
use crate::user::User;
use crate::verifier::{ServiceError, VerifierError};

impl Error {
    /// Why a change to this user's enrolment was not kept.
    pub fn of_keeping(error: KeepError, user: &User) -> Self {
        match error {
            KeepError::Store(error) => Self::Store(error),
            KeepError::NotEnrolled => Self::NotEnrolled(user.name.to_string()),
            KeepError::Device(problem) => Self::Device(problem),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ServiceError> for Error {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl From<VerifierError> for Error {
    fn from(error: VerifierError) -> Self {
        match error {
            VerifierError::Store(error) => Self::Store(error),
            // Only logins prove passwords so.
            VerifierError::Password => Self::WrongPassword,
            VerifierError::Clock => Self::Clock,
            VerifierError::Service(error) => Self::Service(error),
        }
    }
}

impl From<NoEntropy> for Error {
    fn from(NoEntropy(error): NoEntropy) -> Self {
        Self::System(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
