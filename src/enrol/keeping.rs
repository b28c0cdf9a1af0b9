//! Making changes to an enrolment what logins go by: each is kept whole or not at all.

use super::Confirmed;
use super::pending::Purpose;
use crate::credential::{Credential, EnrolmentStore, RecoverySet, State, StoreError};
use crate::user::User;

/// Why a device cannot be added, replaced or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceProblem {
    /// There is one of that name.
    NameTaken,
    /// There is none of that name.
    Unknown,
    /// There are as many as there can be.
    TooMany,
    /// It is the last one: what is left to do is to remove the enrolment.
    Last,
    /// Somebody else has changed the enrolment since this was begun.
    ChangedMeanwhile,
}

/// Why a change was not kept.
#[derive(Debug)]
pub enum KeepError {
    /// The store.
    Store(StoreError),
    /// The user is not enrolled, or no longer.
    NotEnrolled,
    /// What the user has does not allow it.
    Device(DeviceProblem),
}

impl From<StoreError> for KeepError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Keeps a proven authenticator. When this returns, logins go by it.
///
/// `began` is the credential that it was begun with, and what it may change: whoever has begun before an
/// administrator changed something may not undo that afterwards. Without it anything may be changed.
pub fn keep(
    store: &impl EnrolmentStore,
    confirmed: &Confirmed,
    began: Option<&Credential>,
    now: u64,
) -> Result<(), KeepError> {
    if confirmed.purpose == Purpose::First {
        let (credential, state) = (confirmed.first_credential(), confirmed.first_state(now));
        return Ok(store.create(&confirmed.user, &credential, &state)?);
    }
    change(store, &confirmed.user, began, now, |former, state| {
        let credential = confirmed.credential_after(former)?;
        confirmed.enter_into(state, &credential);
        Ok(credential)
    })
}

/// Keeps a new set of recovery codes in place of the former one.
pub fn keep_recovery_codes(
    store: &impl EnrolmentStore,
    user: &User,
    set: &RecoverySet,
    began: Option<&Credential>,
    now: u64,
) -> Result<(), KeepError> {
    change(store, user, began, now, |former, state| {
        state.recovery.vouch_for(set.name());
        state.recovery.failures = 0;
        Ok(Credential { recovery: Some(set.clone()), ..former.clone() })
    })
}

/// Forgets a device. The record of its key stays, so that a secret put back makes no used code good.
pub fn remove_device(
    store: &impl EnrolmentStore,
    user: &User,
    id: &str,
    began: Option<&Credential>,
    now: u64,
) -> Result<(), KeepError> {
    change(store, user, began, now, |former, _| {
        let mut after = former.clone();
        after.authenticators.retain(|device| device.id != id);
        if after.authenticators.len() == former.authenticators.len() {
            return Err(DeviceProblem::Unknown);
        }
        if former.can_spare(id) { Ok(after) } else { Err(DeviceProblem::Last) }
    })
}

/// Forgets all that is kept of a user, if it is still what it was when this was begun.
pub fn remove_all(store: &impl EnrolmentStore, user: &User, began: &Credential) -> Result<(), KeepError> {
    match store.remove_if(user, |former| former.is_same_as(began))? {
        Some(true) => Ok(()),
        Some(false) => Err(KeepError::Device(DeviceProblem::ChangedMeanwhile)),
        None => Err(KeepError::NotEnrolled),
    }
}

/// A change that what the user has may not allow; then it stays as it is.
fn change(
    store: &impl EnrolmentStore,
    user: &User,
    began: Option<&Credential>,
    now: u64,
    mut by: impl FnMut(&Credential, &mut State) -> Result<Credential, DeviceProblem>,
) -> Result<(), KeepError> {
    let mut outcome = Ok(());
    let done = store.replace(user, |former, state| {
        let is_as_begun = began.is_none_or(|began| began.is_same_as(former));
        let changed = if is_as_begun { by(former, state) } else { Err(DeviceProblem::ChangedMeanwhile) };
        match changed {
            Ok(credential) => {
                outcome = Ok(());
                state.written = now;
                credential
            }
            Err(problem) => {
                outcome = Err(problem);
                former.clone()
            }
        }
    })?;
    done.ok_or(KeepError::NotEnrolled)?;
    outcome.map_err(KeepError::Device)
}
