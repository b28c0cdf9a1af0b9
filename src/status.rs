//! What is known of a user, for whoever looks after him or is him: never a secret.
//!
//! Pure, and the same for the command, which prints it, and for the service, which sends it.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use crate::credential::{Authenticator, Credential, Kind, State};
use crate::enrol::repair::examine;
use crate::policy::recovery::codes_left;

/// What is known of a user who is enrolled. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The name of the account.
    pub user: String,
    /// The credential is kept but refused.
    pub disabled: bool,
    /// What makes codes.
    pub authenticators: Vec<AuthenticatorStatus>,
    /// How many recovery codes the set had.
    pub recovery_codes_made: usize,
    /// How many of them are not used yet.
    pub recovery_codes_left: usize,
    /// Something is refused that need not be.
    pub needs_repair: bool,
    /// What logins leave behind; nothing where it is lost.
    pub records: Option<Records>,
}

/// An authenticator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticatorStatus {
    /// A name for people.
    pub id: String,
    /// `totp` or `hotp`.
    pub r#type: String,
    /// The hash: `SHA1`, `SHA256`, `SHA512`.
    pub algorithm: String,
    /// How long its codes are.
    pub digits: u8,
    /// For `totp`: for how many seconds a code is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<u64>,
    /// When it was proven by a first code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<u64>,
    /// By how many time steps its clock is off, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<i8>,
}

/// What logins leave behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// Where logins came from.
    pub known_sources: Vec<KnownSourceStatus>,
    /// Failures from everywhere else.
    pub other_failures: u64,
}

/// A source that has logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownSourceStatus {
    /// Which.
    pub source: String,
    /// When it last did.
    pub accepted: u64,
    /// What failed from there since.
    pub failures: u32,
}

impl Status {
    /// Whether codes could still be proven without this device, as [`Credential::can_spare`].
    pub fn can_spare(&self, id: &str) -> bool {
        self.authenticators.iter().any(|other| other.id != id && other.confirmed.is_some())
    }

    /// Puts together what credential and state say. Without a clock nothing is said of repairs.
    pub fn of(credential: &Credential, state: Option<&State>, now: Option<u64>) -> Self {
        let set = credential.recovery.as_ref();
        Self {
            user: credential.user.to_string(),
            disabled: credential.disabled,
            authenticators: credential
                .authenticators
                .iter()
                .map(|authenticator| AuthenticatorStatus::of(authenticator, state))
                .collect(),
            recovery_codes_made: set.map_or(0, |set| set.digests.len()),
            recovery_codes_left: set.zip(state).map_or(0, |(set, state)| codes_left(set, state)),
            needs_repair: now.is_some_and(|now| !examine(credential, state, now).is_empty()),
            records: state.map(Records::of),
        }
    }
}

impl AuthenticatorStatus {
    fn of(authenticator: &Authenticator, state: Option<&State>) -> Self {
        let (kind, period) = match authenticator.kind {
            Kind::Totp(period) => ("totp", Some(period.seconds())),
            Kind::Hotp => ("hotp", None),
        };
        let record = state.and_then(|state| state.key(authenticator.key_name()));
        Self {
            id: authenticator.id.clone(),
            r#type: kind.to_owned(),
            algorithm: authenticator.algorithm.to_string(),
            digits: authenticator.digits.number(),
            period,
            confirmed: authenticator.confirmed,
            drift: record.map(|record| record.drift),
        }
    }
}

impl Records {
    fn of(state: &State) -> Self {
        let known = state.known.iter().map(|known| KnownSourceStatus {
            source: known.source.to_string(),
            accepted: known.accepted,
            failures: known.failures.count,
        });
        Self {
            known_sources: known.collect(),
            other_failures: state.counters.iter().map(|counter| u64::from(counter.count)).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::record::tests::alice;

    #[test]
    fn a_status_holds_no_secret_and_comes_over_as_it_was() {
        let credential = alice();
        let state = State::new([1; 16], 1_800_000_000);
        let status = Status::of(&credential, Some(&state), Some(1_800_000_000));
        let text = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
        for authenticator in &credential.authenticators {
            assert!(!text.contains(authenticator.secret.to_base32().as_str()));
        }
        assert_eq!(status.authenticators.len(), credential.authenticators.len());
        assert!(Status::of(&credential, None, Some(1_800_000_000)).needs_repair);
    }
}
