//! Verifying: the seam between the login and whoever keeps the secrets.
//!
//! [`LocalVerifier`] reads the store of this machine; the service that judges for others is another
//! [`Verifier`]. The login knows only the trait.
#![forbid(unsafe_code)]

mod failure;

pub use failure::{ServiceError, VerifierError};

use crate::credential::{CredentialStore, StateHealth, Updated};
use crate::otp::{Code, Ending, Passcode, RecoveryCode, RecoveryDigest, RecoverySalt};
use crate::policy::remembered::{recall, remember};
use crate::policy::{Accepted, Attempt, Denial, Moment, Origin, Presented, Proof, decide};
use crate::user::User;

/// The present, for whoever must decide by it.
pub trait Clock {
    /// Seconds since 1970.
    fn now(&self) -> Result<u64, ClockError>;

    /// When the machine was started, by the same clock: another time after it was set.
    fn booted(&self) -> Result<u64, ClockError>;
}

/// The clock cannot be believed: a code that depends on it cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockError;

/// Whether a user has a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrolment {
    /// He has one.
    Enrolled,
    /// He positively has none.
    NotEnrolled,
}

/// Who can tell whether a passcode lets a user in.
pub trait Verifier {
    /// Whether the user is enrolled.
    fn enrolment(&self, user: &User) -> Result<Enrolment, VerifierError>;

    /// Judges one typed passcode. When this returns, what follows from the verdict is on disk.
    ///
    /// It takes as long for a user who is not enrolled, and answers [`Denial::NotEnrolled`]. A code that is
    /// taken is remembered at the place of its origin, if that has one.
    fn verify(&self, user: &User, typed: &Typed, origin: &Origin) -> Result<Judged, VerifierError>;

    /// Lets in whom a code has let in from there within so many seconds. `Ok(None)` where nothing is
    /// remembered: then he is to be asked.
    fn recall(&self, user: &User, origin: &Origin, seconds: u64) -> Result<Option<Judged>, VerifierError>;
}

/// What a person typed in one conversation.
#[derive(Clone, Debug)]
pub struct Typed {
    /// Now.
    pub passcode: Passcode,
    /// Just before, if that was refused as [`Denial::WrongCode`] or [`Denial::ClockWentBack`].
    pub previous: Option<Code>,
}

/// A verdict, and in what shape state and clock were found on the way.
#[derive(Debug)]
pub struct Judged {
    /// In, or why not.
    pub verdict: Result<Accepted, Denial>,
    /// For the log.
    pub health: StateHealth,
    /// By how many seconds the clock was behind the last write of the state; 0 when it was not.
    pub clock_back: u64,
    /// Where the verdict was made.
    pub door: Door,
}

impl Judged {
    /// A verdict for which the store was not even asked.
    pub fn at_first_sight(denial: Denial) -> Self {
        Self { verdict: Err(denial), health: StateHealth::Whole, clock_back: 0, door: Door::Files }
    }
}

/// Where a verdict was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// In the process that asked, from the files.
    Files,
    /// In the service, over its socket.
    Socket,
}

impl Door {
    /// The word for the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Socket => "socket",
        }
    }
}

/// The verifier of this machine: its store, its clock, and the rules of [`decide`].
pub struct LocalVerifier<Store, Time> {
    store: Store,
    clock: Time,
}

impl<Store: CredentialStore, Time: Clock> LocalVerifier<Store, Time> {
    /// Puts store and clock together.
    pub fn new(store: Store, clock: Time) -> Self {
        Self { store, clock }
    }

    fn moment(&self) -> Result<Moment, ClockError> {
        Ok(Moment { now: self.clock.now()?, booted: self.clock.booted()? })
    }

    /// What is compared under the lock. Recovery codes are derived here, outside of it.
    fn present(&self, user: &User, typed: &Typed) -> Result<Presented, VerifierError> {
        let previous = typed.previous.clone();
        Ok(match &typed.passcode {
            Passcode::Code(code) => Presented::Code { code: code.clone(), previous },
            Passcode::Recovery(code) => {
                let (salt, digest) = self.derive(user, code)?;
                Presented::Recovery { salt, digest, previous }
            }
            Passcode::Ending(Ending { codes, recovery, .. }) => {
                let derived = recovery.as_ref().map(|code| self.derive(user, code)).transpose()?;
                Presented::Ending { codes: codes.clone(), recovery: derived }
            }
        })
    }

    /// For a user without a set with a fixed salt, so that nobody learns from the time it takes.
    fn derive(
        &self,
        user: &User,
        code: &RecoveryCode,
    ) -> Result<(RecoverySalt, RecoveryDigest), VerifierError> {
        let set = self.store.read(user)?.and_then(|credential| credential.recovery);
        let salt = set.map_or(RecoverySalt::FOR_UNKNOWN_USERS, |set| set.salt);
        Ok((salt, code.digest(&salt)))
    }
}

impl<Store: CredentialStore, Time: Clock> Verifier for LocalVerifier<Store, Time> {
    fn enrolment(&self, user: &User) -> Result<Enrolment, VerifierError> {
        Ok(match self.store.read(user)? {
            Some(_) => Enrolment::Enrolled,
            None => Enrolment::NotEnrolled,
        })
    }

    fn verify(&self, user: &User, typed: &Typed, origin: &Origin) -> Result<Judged, VerifierError> {
        let attempt = Attempt { presented: self.present(user, typed)?, source: origin.source.clone() };
        let updated = self.store.update(user, |credential, state| {
            let moment = self.moment()?;
            let clock_back = state.written.saturating_sub(moment.now);
            let verdict = decide(credential, state, &attempt, moment.now);
            if verdict.as_ref().is_ok_and(|accepted| matches!(accepted.proof(), Proof::Code { .. })) {
                remember(state, origin, moment);
            }
            Ok((verdict, clock_back))
        })?;
        let Some(Updated { value, health }) = updated else {
            return Ok(Judged::at_first_sight(Denial::NotEnrolled));
        };
        let (verdict, clock_back) = value.map_err(|ClockError| VerifierError::Clock)?;
        Ok(Judged { verdict, health, clock_back, door: Door::Files })
    }

    fn recall(&self, user: &User, origin: &Origin, seconds: u64) -> Result<Option<Judged>, VerifierError> {
        let updated = self.store.update(user, |credential, state| {
            Ok(recall(credential, state, origin, self.moment()?, seconds))
        })?;
        let Some(Updated { value, health }) = updated else { return Ok(None) };
        let recalled = value.map_err(|ClockError| VerifierError::Clock)?;
        Ok(recalled.map(|accepted| Judged {
            verdict: Ok(accepted),
            health,
            clock_back: 0,
            door: Door::Files,
        }))
    }
}
