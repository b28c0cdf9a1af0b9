//! The errors of the interface, and what stands in them.

use serde::{Deserialize, Serialize};

use crate::verifier::{ServiceError, VerifierError};

/// The errors of the interface, by their names.
pub mod error {
    /// This caller may not ask about this user.
    pub const NOT_PERMITTED: &str = "io.countersign.NotPermitted";
    /// Nothing was done, and who asks can do something about it; the parameters are
    /// [`RefusedParameters`](super::super::enrolment::RefusedParameters).
    pub const REFUSED: &str = "io.countersign.Refused";
    /// There are too many callers.
    pub const BUSY: &str = "io.countersign.Busy";
    /// No verdict could be had; the parameters are [`Failure`](super::Failure).
    pub const FAILED: &str = "io.countersign.Failed";
}

/// The parameters of `io.countersign.Failed`: the same words as in the log.
#[derive(Debug, Serialize, Deserialize)]
pub struct Failure {
    /// A word of the closed list.
    pub reason: String,
    /// What is behind it.
    pub cause: String,
    /// What an administrator can do about it.
    pub mend: String,
}

impl Failure {
    /// The words of an error.
    pub fn new(error: &VerifierError) -> Self {
        Self { reason: error.reason().to_owned(), cause: error.to_string(), mend: error.mend().to_owned() }
    }

    /// Ours again. The reason goes to the log unquoted, so it must be a word.
    pub fn into_error(self) -> ServiceError {
        let Self { reason, cause, mend } = self;
        if !is_word(&reason) {
            return ServiceError::Unintelligible;
        }
        ServiceError::Failed { reason, cause, mend }
    }
}

/// Whether a text can be a word of a closed list.
pub(super) fn is_word(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
