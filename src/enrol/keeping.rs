//! Making changes to an enrolment what logins go by: each is kept whole or not at all.

use subtle::ConstantTimeEq as _;

use super::Confirmed;
use super::pending::Purpose;
use crate::credential::{
    Authenticator, Credential, EnrolmentStore, KeyRecord, RecoverySet, Removal, State, StoreError, Unreadable,
};
use crate::otp::Code;
use crate::policy::Accepted;
use crate::policy::replay::{burned, is_fresh, spend};
use crate::policy::window::{Candidate, candidates};
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
    /// There is one of the same secret, whose code would then count twice.
    SameSecret,
    /// None waits for its first code.
    NonePending,
    /// Several wait for their first code.
    WhichPending,
    /// That is not a code of it.
    WrongCode,
    /// The secret was here before, and this code of it is used up.
    SpentCode,
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
        confirmed.enter_into(state, &credential)?;
        Ok(credential)
    })
}

/// Keeps the first device of a user inside of his login, for which its first code is the proof.
pub fn keep_at_login(
    store: &impl EnrolmentStore,
    confirmed: &Confirmed,
    now: u64,
) -> Result<Accepted, StoreError> {
    let (credential, state) = (confirmed.first_credential(), confirmed.first_state(now));
    store.create(&confirmed.user, &credential, &state)?;
    Ok(Accepted::by_first_code(confirmed.id().to_owned()))
}

/// Proves a device that is kept without its first code, by that code; its name. Without `id` it is the only
/// one that waits for one.
pub fn confirm_kept(
    store: &impl EnrolmentStore,
    user: &User,
    id: Option<&str>,
    typed: &Code,
    now: u64,
) -> Result<String, KeepError> {
    let mut confirmed = String::new();
    change(store, user, None, now, |former, state| {
        let in_use: Vec<_> = former.authenticators.iter().map(Authenticator::key_name).collect();
        let mut after = former.clone();
        let device = waiting_in(&mut after, id)?;
        let record = first_code_spent(device, state, typed, now)?;
        state.put_key(record, &in_use);
        device.confirmed = Some(now);
        confirmed.clone_from(&device.id);
        Ok(after)
    })?;
    Ok(confirmed)
}

/// The device that waits for its first code.
pub fn waiting_in<'a>(
    credential: &'a mut Credential,
    id: Option<&str>,
) -> Result<&'a mut Authenticator, DeviceProblem> {
    let is_meant = |device: &Authenticator| device.confirmed.is_none() && id.is_none_or(|id| device.id == id);
    let mut waiting = credential.authenticators.iter_mut().filter(|device| is_meant(device));
    match (waiting.next(), waiting.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(DeviceProblem::WhichPending),
        (None, _) => Err(DeviceProblem::NonePending),
    }
}

/// The record of a device that has never been accepted, once this code of it is spent. Of one without a
/// record nobody knows what is used: then the present window counts as used, and no counter is good.
fn first_code_spent(
    device: &Authenticator,
    state: &State,
    typed: &Code,
    now: u64,
) -> Result<KeyRecord, DeviceProblem> {
    let key = device.key_name();
    let record = state.key(key).copied().or_else(|| burned(key, device.kind, now));
    let mut record = record.ok_or(DeviceProblem::WrongCode)?;
    let generator = device.generator();
    let is_typed = |candidate: &Candidate| bool::from(generator.code(candidate.factor).ct_eq(typed));
    let mut matched = candidates(device.kind, &record, now).into_iter().filter(is_typed);
    // Two factors can make one code; the last is the one that is least likely to be used up.
    let matched = matched.next_back().ok_or(DeviceProblem::WrongCode)?;
    if !is_fresh(&record, matched) {
        return Err(DeviceProblem::SpentCode);
    }
    spend(&mut record, matched);
    Ok(record)
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
pub fn remove_all(
    store: &impl EnrolmentStore,
    user: &User,
    began: &Credential,
) -> Result<Unreadable, KeepError> {
    match store.remove_if(user, |former| former.is_same_as(began))? {
        Some(Removal::Done(unreadable)) => Ok(unreadable),
        Some(Removal::Kept) => Err(KeepError::Device(DeviceProblem::ChangedMeanwhile)),
        None => Err(KeepError::NotEnrolled),
    }
}

/// Refuses a user from now on, whatever he types. What is kept of him stays, and so does what was used.
pub fn disable(store: &impl EnrolmentStore, user: &User, now: u64) -> Result<(), KeepError> {
    change(store, user, None, now, |former, _| Ok(Credential { disabled: true, ..former.clone() }))
}

/// Takes back [`disable`]. Failures are not forgiven by it: waits and caps are where they were.
pub fn enable(store: &impl EnrolmentStore, user: &User, now: u64) -> Result<(), KeepError> {
    change(store, user, None, now, |former, _| Ok(Credential { disabled: false, ..former.clone() }))
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
                // Whoever changes something may have lost something: everybody is asked again.
                state.forget_logins();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Kind;
    use crate::credential::record::tests::{alice, phone};
    use crate::policy::window::LOOK_AHEAD;

    const NOW: u64 = 1_800_000_000;

    fn waiting(kind: Kind) -> Authenticator {
        Authenticator { kind, confirmed: None, ..phone(b"09876543210987654321") }
    }

    #[test]
    fn the_device_that_waits_is_found_by_its_name_or_alone() {
        let mut credential = alice();
        assert_eq!(waiting_in(&mut credential, None).unwrap_err(), DeviceProblem::NonePending);
        let tablet = Authenticator { id: "tablet".to_owned(), ..waiting(Kind::Hotp) };
        credential.authenticators.push(tablet.clone());
        assert_eq!(waiting_in(&mut credential, None).unwrap().id, "tablet");
        let found = waiting_in(&mut credential, Some("phone"));
        assert_eq!(found.unwrap_err(), DeviceProblem::NonePending, "it is proven");
        credential.authenticators.push(Authenticator { id: "token".to_owned(), ..tablet });
        assert_eq!(waiting_in(&mut credential, None).unwrap_err(), DeviceProblem::WhichPending);
        assert_eq!(waiting_in(&mut credential, Some("token")).unwrap().id, "token");
    }

    #[test]
    fn a_first_code_that_comes_late_counts_once() {
        let device = waiting(phone(b"09876543210987654321").kind);
        let mut state = State::new([1; 16], NOW);
        state.put_key(KeyRecord { key: device.key_name(), next: 0, drift: 0, lean: 0 }, &[]);
        let code = device.generator().code(NOW / 30);
        let record = first_code_spent(&device, &state, &code, NOW).unwrap();
        assert_eq!(record.next, NOW / 30 + 1);
        state.put_key(record, &[]);
        let again = first_code_spent(&device, &state, &code, NOW);
        assert_eq!(again.unwrap_err(), DeviceProblem::SpentCode);
        let far = device.generator().code(NOW / 30 + 9);
        assert_eq!(first_code_spent(&device, &state, &far, NOW).unwrap_err(), DeviceProblem::WrongCode);
    }

    #[test]
    fn a_counter_begins_where_it_stands_and_not_where_nobody_knows() {
        let device = waiting(Kind::Hotp);
        let mut state = State::new([1; 16], NOW);
        let code = |counter: u64| device.generator().code(counter);
        let unknown = first_code_spent(&device, &state, &code(0), NOW);
        assert_eq!(unknown.unwrap_err(), DeviceProblem::WrongCode);
        state.put_key(KeyRecord { key: device.key_name(), next: 700, drift: 0, lean: 0 }, &[]);
        let record = first_code_spent(&device, &state, &code(700 + LOOK_AHEAD - 1), NOW).unwrap();
        assert_eq!(record.next, 700 + LOOK_AHEAD);
        let before = first_code_spent(&device, &state, &code(699), NOW);
        assert_eq!(before.unwrap_err(), DeviceProblem::SpentCode);
    }
}
