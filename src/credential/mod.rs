//! What is kept of a user: the credential, which holds secrets and is written by enrolment only,
//! and the state, which holds none and is written by every login.
//!
//! Types, their text on disk, and the trait of whoever keeps them. No file is opened here.
#![forbid(unsafe_code)]

pub mod format;
mod parameters;
mod problem;
pub mod record;
mod removal;
pub mod slot;
pub mod state;
mod state_text;
pub mod store;

pub use parameters::CodeParameters;
pub use record::{Authenticator, Credential, Kind, RecoverySet};
pub use removal::{Removal, Unreadable};
pub use state::{
    Failures, KeyName, KeyRecord, KnownSource, Refused, Remembered, SourceName, State, VouchedSet,
};
pub use store::{CredentialStore, EnrolmentStore, StateHealth, StoreError, Updated};
