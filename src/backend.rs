//! The one place that knows every kind of store and verifier, and picks those of this machine.
#![forbid(unsafe_code)]

use std::path::Path;

use crate::credential::SourceName;
use crate::remote::Service;
use crate::store::FileStore;
use crate::sys;
use crate::user::User;
use crate::verifier::{
    Clock, ClockError, Enrolment, Judged, LocalVerifier, ServiceError, Typed, Verifier, VerifierError,
};
use crate::wire;

/// The clock of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Result<u64, ClockError> {
        sys::clock::now().ok_or(ClockError)
    }
}

/// Who judges codes on this machine: the service, and where nobody listens at its socket, root may judge
/// from the files.
///
/// Each question finds its own way, for a person types in between and the service may come and go. Once a
/// question was sent to the service, only its answer counts.
#[derive(Clone, Copy, Debug)]
pub struct ThisMachine;

impl Verifier for ThisMachine {
    fn enrolment(&self, user: &User) -> Result<Enrolment, VerifierError> {
        match service()? {
            Some(service) => service.enrolment(user),
            None => files()?.enrolment(user),
        }
    }

    fn verify(&self, user: &User, typed: &Typed, source: &SourceName) -> Result<Judged, VerifierError> {
        match service()? {
            Some(service) => service.verify(user, typed, source),
            None => files()?.verify(user, typed, source),
        }
    }
}

fn service() -> Result<Option<Service>, ServiceError> {
    Service::connect(Path::new(wire::SOCKET))
}

fn files() -> Result<impl Verifier, ServiceError> {
    if sys::user::is_root() { Ok(local()) } else { Err(ServiceError::NotRunning) }
}

/// Who judges from the files: the service itself, and root where there is none.
pub fn local() -> LocalVerifier<FileStore, SystemClock> {
    LocalVerifier::new(store(), SystemClock)
}

/// Where this machine keeps credentials.
pub fn store() -> FileStore {
    FileStore::of_this_machine()
}
