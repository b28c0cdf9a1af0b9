//! The one place that knows every kind of store and verifier, and picks those of this machine.
#![forbid(unsafe_code)]

mod at_login;
mod here;
mod policy;

pub use at_login::AtLogin;
pub use here::Here;
pub use policy::{PolicyError, policy_file, policy_file_at};

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::credential::{CredentialStore as _, EnrolmentStore as _, StoreError};
use crate::enrol::Entropy;
use crate::otp::secret::BadSecret;
use crate::policy::remembered::{forget_those_before, remembered};
use crate::policy::{Moment, Origin};
use crate::remote::Service;
use crate::status::Status;
use crate::store::FileStore;
use crate::sys;
use crate::user::User;
use crate::verifier::{
    Clock, ClockError, Enrolment, Judged, LocalVerifier, ServiceError, Typed, Verifier, VerifierError,
};
use crate::wire;

/// How often the service is asked again that had no seat, and after what time.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// The clock of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Result<u64, ClockError> {
        sys::clock::now().ok_or(ClockError)
    }

    fn booted(&self) -> Result<u64, ClockError> {
        sys::clock::booted().ok_or(ClockError)
    }
}

/// The kernel's randomness.
#[derive(Clone, Copy, Debug)]
pub struct KernelEntropy;

/// There was no randomness, or what was made of it is no secret.
#[derive(Debug)]
pub struct NoEntropy(pub io::Error);

impl From<BadSecret> for NoEntropy {
    fn from(problem: BadSecret) -> Self {
        Self(io::Error::other(problem.to_string()))
    }
}

impl Entropy for KernelEntropy {
    type Error = NoEntropy;

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        sys::entropy::fill(bytes).map_err(NoEntropy)
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
        unless_busy(|| match service()? {
            Some(service) => service.enrolment(user),
            None => files()?.enrolment(user),
        })
    }

    fn verify(&self, user: &User, typed: &Typed, origin: &Origin) -> Result<Judged, VerifierError> {
        unless_busy(|| match service()? {
            Some(service) => service.verify(user, typed, origin),
            None => files()?.verify(user, typed, origin),
        })
    }

    /// Callers that are not root have no logins remembered: the service would not believe their places.
    fn recall(&self, user: &User, origin: &Origin, seconds: u64) -> Result<Option<Judged>, VerifierError> {
        if !sys::user::is_root() {
            return Ok(None);
        }
        unless_busy(|| match service()? {
            Some(service) => service.recall(user, origin, seconds),
            None => files()?.recall(user, origin, seconds),
        })
    }
}

/// Asks again for a while where the service had no seat: then nothing was judged.
fn unless_busy<T>(ask: impl Fn() -> Result<T, VerifierError>) -> Result<T, VerifierError> {
    for _ in 0..TRIES {
        match ask() {
            Err(VerifierError::Service(ServiceError::Busy)) => std::thread::sleep(PAUSE),
            answer => return answer,
        }
    }
    ask()
}

/// The service, at root's own socket for root: there no user's connection is before this one.
fn service() -> Result<Option<Service>, ServiceError> {
    let socket = if sys::user::is_root() { wire::ROOT_SOCKET } else { wire::SOCKET };
    Service::connect(Path::new(socket))
}

fn files() -> Result<impl Verifier, ServiceError> {
    if sys::user::is_root() { Ok(local()) } else { Err(ServiceError::NotRunning) }
}

/// Who judges from the files: the service itself, and root where there is none.
pub fn local() -> LocalVerifier<FileStore, SystemClock> {
    LocalVerifier::new(store(), SystemClock)
}

/// The service, for what a user does for himself.
pub fn require_service() -> Result<Service, ServiceError> {
    service()?.ok_or(ServiceError::NotRunning)
}

/// What is known of a user: root reads the files, whoever else asks the service. `Ok(None)` when the user
/// is not enrolled.
pub fn status(user: &User) -> Result<Option<Status>, VerifierError> {
    if sys::user::is_root() {
        return local_status(user);
    }
    Ok(require_service()?.status(user)?)
}

/// Forgets the remembered logins of a user, so that the next one from anywhere is asked for a code; whether
/// there were any. `Ok(None)` when the user is not enrolled.
pub fn forget_logins(user: &User) -> Result<Option<bool>, StoreError> {
    let done = store().update(user, |_, state| {
        let had_some = remembered(state).next().is_some();
        state.forget_logins();
        had_some
    })?;
    Ok(done.map(|done| done.value))
}

/// What is known of a user, from the files.
pub fn local_status(user: &User) -> Result<Option<Status>, VerifierError> {
    let store = store();
    let Some(credential) = store.read(user)? else { return Ok(None) };
    let mut state = store.read_state(user)?;
    let now = sys::clock::now();
    if let (Some(state), Some(now), Some(booted)) = (&mut state, now, sys::clock::booted()) {
        forget_those_before(state, Moment { now, booted });
    }
    Ok(Some(Status::of(&credential, state.as_ref(), now)))
}

/// Where this machine keeps credentials.
pub fn store() -> FileStore {
    FileStore::of_this_machine()
}
