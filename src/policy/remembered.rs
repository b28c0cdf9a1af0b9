//! Remembered logins: who was let in by a code may be let in again from the same place for a while.
//!
//! A place is the source and what else must be the same ([`place_of`]). Where the clock was set or the machine
//! was started since, nothing is remembered, and no login of a recovery code ever is.

use core::net::IpAddr;

use sha2::{Digest, Sha256};

use super::decide::Accepted;
use super::source::{Facts, address_told, has_publickey, methods_told, source_of, terminal_told};
use super::throttle::{Standing, standing};
use crate::credential::state::MOST_REMEMBERED;
use crate::credential::{Credential, Remembered, SourceName, State};
use crate::user::UserName;

/// By how many seconds the start of the machine may seem to have moved: clocks are set in whole seconds.
const SAME_START: u64 = 5;

/// The present, and what it is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970.
    pub now: u64,
    /// When the machine was started, by the same clock.
    pub booted: u64,
}

/// What must be the same for a login to be remembered, besides user and source: a digest of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub [u8; 32]);

/// Where an attempt comes from, for counting its failures and for remembering it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where its failures count.
    pub source: SourceName,
    /// Where it may be remembered; `None` where nothing is.
    pub place: Option<Place>,
}

impl Origin {
    /// Of an attempt that is not remembered.
    pub fn not_remembered(source: SourceName) -> Self {
        Self { source, place: None }
    }
}

/// The place of an attempt of `user` to get in, if there is one.
///
/// From afar it is service, address and the keys that were proven; without a key an address may be shared, and one
/// that stands for a relay on this machine always is. On this machine it is service, terminal, caller and audit
/// session: without such a session, terminals are used again by others.
pub fn place_of(facts: &Facts, user: &UserName) -> Option<Place> {
    if source_of(facts).is_nowhere() {
        return None;
    }
    let mut parts = vec![user.to_string(), facts.service.clone()];
    if let Some(address) = address_told(facts) {
        if is_of_a_relay(address) && !has_publickey(facts) {
            return None;
        }
        parts.push(format!("address {address}"));
        parts.push(methods_told(facts).unwrap_or_default().to_owned());
    } else {
        let caller = facts.ruser_uid.unwrap_or(facts.real_uid);
        parts.push(format!("terminal {}", terminal_told(facts)?));
        parts.push(format!("caller {} {caller} session {}", facts.real_uid, facts.audit_session?));
    }
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    Some(Place(hash.finalize().into()))
}

/// Whether an address is that of this machine or of no other network: whoever comes by a relay has it.
fn is_of_a_relay(address: IpAddr) -> bool {
    let is_local = match address {
        IpAddr::V4(four) => four.is_link_local(),
        IpAddr::V6(six) => six.is_unicast_link_local(),
    };
    address.is_loopback() || address.is_unspecified() || is_local
}

/// Lets a login in that is remembered, if it is no older than `lifetime` seconds. Nothing is spent.
///
/// The caller holds the user's lock.
pub fn recall(
    credential: &Credential,
    state: &State,
    origin: &Origin,
    moment: Moment,
    lifetime: u64,
) -> Option<Accepted> {
    let clock_is_as_it_was = is_same_start(state, moment) && state.written <= moment.now;
    let is_free = standing(state, &origin.source, moment.now) == Standing::Free;
    if credential.disabled || origin.source.is_nowhere() || !clock_is_as_it_was || !is_free {
        return None;
    }
    let name = name_of(state, origin.place?);
    let source = state.known.iter().find(|known| known.source == origin.source)?;
    let login = source.remembered.iter().find(|login| login.place == name)?;
    let age = moment.now.checked_sub(login.since)?;
    (age < lifetime).then(|| Accepted::by_memory(login.since))
}

/// Remembers a login that a code has let in. The oldest makes room.
pub fn remember(state: &mut State, origin: &Origin, moment: Moment) {
    let Some(place) = origin.place.filter(|_| !origin.source.is_nowhere()) else { return };
    forget_those_before(state, moment);
    state.booted = moment.booted;
    let login = Remembered { place: name_of(state, place), since: moment.now };
    state.known.iter_mut().for_each(|source| source.remembered.retain(|old| old.place != login.place));
    if remembered(state).count() >= MOST_REMEMBERED {
        let oldest = remembered(state).min_by_key(|old| old.since).copied();
        state.known.iter_mut().for_each(|source| source.remembered.retain(|old| Some(*old) != oldest));
    }
    if let Some(known) = state.known.iter_mut().find(|known| known.source == origin.source) {
        known.remembered.push(login);
        state.written = moment.now;
    }
}

/// Forgets the logins of another start of the machine, or of another clock.
pub fn forget_those_before(state: &mut State, moment: Moment) {
    if !is_same_start(state, moment) {
        state.forget_logins();
    }
}

/// All remembered logins.
pub fn remembered(state: &State) -> impl Iterator<Item = &Remembered> {
    state.known.iter().flat_map(|known| &known.remembered)
}

fn is_same_start(state: &State, moment: Moment) -> bool {
    state.booted.abs_diff(moment.booted) <= SAME_START
}

/// What a place is called in a state. Nobody outside can compute it.
fn name_of(state: &State, place: Place) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(b"place");
    hash.update(state.counter_key);
    hash.update(place.0);
    let digest: [u8; 32] = hash.finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
#[path = "remembered_tests.rs"]
mod tests;
