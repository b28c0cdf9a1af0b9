//! Why no verdict could be had, and whose turn it is to mend that.

use std::fmt;
use std::io;

use crate::credential::StoreError;

/// Why no verdict could be had. The caller denies.
#[derive(Debug)]
pub enum VerifierError {
    /// The store.
    Store(StoreError),
    /// The clock.
    Clock,
    /// The service that judges for others.
    Service(ServiceError),
    /// The stack by which passwords are proven.
    Password,
}

/// Why the service gave no verdict.
#[derive(Debug)]
pub enum ServiceError {
    /// Nobody listens at its socket, and only root may read the files in its place.
    NotRunning,
    /// Somebody else than root listens there.
    NotRoot,
    /// It could not be reached, and nothing was sent.
    Unreachable(io::Error),
    /// It was asked, and no whole answer came.
    Lost(io::Error),
    /// Its answer could not be understood.
    Unintelligible,
    /// It does not answer this caller about this user.
    NotPermitted,
    /// It has as many callers as it can bear.
    Busy,
    /// It did nothing, and the person who asks can do something about it.
    Refused {
        /// A word of the interface.
        reason: String,
        /// For how long, where that is known.
        seconds: Option<u64>,
    },
    /// It could have no verdict either; these are its words for the log.
    Failed {
        /// A word of the closed list.
        reason: String,
        /// What is behind it.
        cause: String,
        /// What an administrator can do about it.
        mend: String,
    },
}

impl VerifierError {
    /// The word for the log, from a closed list.
    pub fn reason(&self) -> &str {
        match self {
            Self::Store(error) => error.reason(),
            Self::Clock => StoreError::Clock.reason(),
            Self::Service(error) => error.reason(),
            Self::Password => "password_unavailable",
        }
    }

    /// What an administrator can do about it.
    pub fn mend(&self) -> &str {
        match self {
            Self::Password => "look at /etc/pam.d/countersign, and at what its modules log",
            Self::Store(error) => error.mend(),
            Self::Clock => StoreError::Clock.mend(),
            Self::Service(error) => error.mend(),
        }
    }
}

impl ServiceError {
    /// The word for the log, from a closed list.
    pub fn reason(&self) -> &str {
        match self {
            Self::NotRunning => "service_missing",
            Self::NotRoot => "service_distrusted",
            Self::Unreachable(_) | Self::Lost(_) | Self::Unintelligible => "service_failed",
            Self::NotPermitted => "not_permitted",
            Self::Busy => "service_busy",
            Self::Refused { reason, .. } | Self::Failed { reason, .. } => reason,
        }
    }

    /// What an administrator can do about it.
    pub fn mend(&self) -> &str {
        match self {
            Self::NotRunning => {
                "run `systemctl enable --now countersign.socket`, or keep `countersign serve` running"
            }
            Self::NotRoot => "find out which process listens at the sockets in /run/countersign",
            Self::Unreachable(_) | Self::Lost(_) => "look at the log of countersign.service and try again",
            Self::Unintelligible => {
                "restart countersign.service: it may be of another version than the module"
            }
            Self::NotPermitted => {
                "run the caller as root or as this user, or name it in `verifiers`, see countersign-serve(8)"
            }
            Self::Busy => "try again, and look for a program that keeps connections open",
            Self::Refused { .. } => "try again when that is so",
            Self::Failed { mend, .. } => mend,
        }
    }
}

impl fmt::Display for VerifierError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(out),
            Self::Clock => StoreError::Clock.fmt(out),
            Self::Service(error) => error.fmt(out),
            Self::Password => out.write_str("the password could not be tried"),
        }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning => out.write_str("the service is not running, and the caller is not root"),
            Self::NotRoot => out.write_str("who listens at the socket of the service is not root"),
            Self::Unreachable(error) => write!(out, "the service cannot be reached: {error}"),
            Self::Lost(error) => write!(out, "the service has not answered: {error}"),
            Self::Unintelligible => out.write_str("the answer of the service cannot be understood"),
            Self::NotPermitted => out.write_str("the caller may not ask about this user"),
            Self::Busy => out.write_str("the service has too many callers"),
            Self::Refused { reason, .. } => write!(out, "the service refused: {reason}"),
            Self::Failed { cause, .. } => out.write_str(cause),
        }
    }
}

impl From<StoreError> for VerifierError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ServiceError> for VerifierError {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}
