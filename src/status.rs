//! What is known of a user, for whoever looks after him or is him: never a secret.
//!
//! Pure, and the same for the command, which prints it, and for the service, which sends it.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

use crate::credential::{Authenticator, Credential, Kind, Refused, State};
use crate::enrol::repair::examine;
use crate::policy::recovery::codes_left;
use crate::policy::replay::{UsedUp, used_up};
use crate::policy::throttle::{Standing, standing, standing_of_strangers};

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

/// How a user stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Codes are taken, as far as nothing else speaks against them.
    Enrolled,
    /// No device has been proven by a first code, and none but recovery codes are taken.
    Pending,
    /// Kept but refused.
    Disabled,
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
    /// For `totp`: when the last code was shown that counts as used. Repairing and adopting let those of the
    /// next eleven periods count so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_code: Option<u64>,
    /// For `totp`: until when all codes count as used, where that is still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_until: Option<u64>,
    /// For `hotp`: the next counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_counter: Option<u64>,
}

/// What logins leave behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// Where logins came from.
    pub known_sources: Vec<KnownSourceStatus>,
    /// Failures from everywhere else.
    pub other_failures: u64,
    /// For how many seconds codes from some of those places are refused, at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_wait: Option<u64>,
    /// Whether codes from all of those places are refused, and no time ends it.
    #[serde(default)]
    pub others_capped: bool,
    /// Wrong recovery codes since the last good one.
    #[serde(default)]
    pub recovery_failures: u32,
    /// Wrong codes since the last login by a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedStatus>,
    /// Wrong codes between the last two logins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_before: Option<RefusedStatus>,
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
    /// For how many seconds codes from there are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<u64>,
    /// Whether codes from there are refused, and no time ends it.
    #[serde(default)]
    pub capped: bool,
    /// When codes were taken there that may spare the next login one, where the policy remembers logins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remembered: Vec<u64>,
}

/// Wrong codes between two logins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedStatus {
    /// How many.
    pub count: u32,
    /// When the first one was.
    pub first: u64,
    /// Where the last one came from.
    pub last_from: String,
}

impl Status {
    /// Whether codes could still be proven without this device, as [`Credential::can_spare`].
    pub fn can_spare(&self, id: &str) -> bool {
        self.authenticators.iter().any(|other| other.id != id && other.confirmed.is_some())
    }

    /// Puts together what credential and state say. Without a clock nothing is said of repairs and waits.
    pub fn of(credential: &Credential, state: Option<&State>, now: Option<u64>) -> Self {
        let set = credential.recovery.as_ref();
        Self {
            user: credential.user.to_string(),
            disabled: credential.disabled,
            authenticators: credential
                .authenticators
                .iter()
                .map(|authenticator| AuthenticatorStatus::of(authenticator, state, now))
                .collect(),
            recovery_codes_made: set.map_or(0, |set| set.digests.len()),
            recovery_codes_left: set.zip(state).map_or(0, |(set, state)| codes_left(set, state)),
            needs_repair: now.is_some_and(|now| !examine(credential, state, now).is_empty()),
            records: state.map(|state| Records::of(state, now)),
        }
    }

    /// How the user stands.
    pub fn phase(&self) -> Phase {
        let is_proven = self.authenticators.iter().any(|device| device.confirmed.is_some());
        match (self.disabled, is_proven) {
            (true, _) => Phase::Disabled,
            (false, true) => Phase::Enrolled,
            (false, false) => Phase::Pending,
        }
    }
}

impl Phase {
    /// The word for people and programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::Pending => "pending",
            Self::Disabled => "disabled",
        }
    }
}

impl AuthenticatorStatus {
    fn of(authenticator: &Authenticator, state: Option<&State>, now: Option<u64>) -> Self {
        let Authenticator { id, kind, algorithm, digits, confirmed, .. } = authenticator;
        let period = if let Kind::Totp(period) = kind { Some(period.seconds()) } else { None };
        let record = state.and_then(|state| state.key(authenticator.key_name()));
        let used = record.zip(now).map(|(record, now)| used_up(record, *kind, now));
        Self {
            id: id.clone(),
            r#type: kind.name().to_owned(),
            algorithm: algorithm.to_string(),
            digits: digits.number(),
            period,
            confirmed: *confirmed,
            drift: record.map(|record| record.drift),
            last_code: if let Some(UsedUp::Since(time)) = used { Some(time) } else { None },
            refused_until: if let Some(UsedUp::Until(time)) = used { Some(time) } else { None },
            next_counter: if let Some(UsedUp::Below(counter)) = used { Some(counter) } else { None },
        }
    }
}

impl Records {
    fn of(state: &State, now: Option<u64>) -> Self {
        let known = state.known.iter().map(|known| {
            let (wait, capped) = refusal(now.map(|now| standing(state, &known.source, now)));
            KnownSourceStatus {
                source: known.source.to_string(),
                accepted: known.accepted,
                failures: known.failures.count,
                wait,
                capped,
                remembered: known.remembered.iter().map(|login| login.since).collect(),
            }
        });
        let (other_wait, others_capped) = refusal(now.map(|now| standing_of_strangers(state, now)));
        Self {
            known_sources: known.collect(),
            other_failures: state.counters.iter().map(|counter| u64::from(counter.count)).sum(),
            other_wait,
            others_capped,
            recovery_failures: state.recovery.failures,
            refused: RefusedStatus::of(&state.refused),
            refused_before: RefusedStatus::of(&state.refused_before),
        }
    }

    /// Whether codes are refused from somewhere.
    pub fn is_refused_somewhere(&self) -> bool {
        let here = |known: &KnownSourceStatus| known.capped || known.wait.is_some();
        self.others_capped || self.other_wait.is_some() || self.known_sources.iter().any(here)
    }

    /// All failures, wherever they came from.
    pub fn failures(&self) -> u64 {
        let known = self.known_sources.iter().map(|known| u64::from(known.failures));
        known.fold(self.other_failures, u64::saturating_add)
    }

    /// When the last login was let in from a source that could be named.
    pub fn last_login(&self) -> Option<u64> {
        self.known_sources.iter().map(|known| known.accepted).max()
    }
}

impl RefusedStatus {
    fn of(refused: &Refused) -> Option<Self> {
        let Refused { count, first, last_from } = refused;
        (*count > 0).then(|| Self { count: *count, first: *first, last_from: last_from.to_string() })
    }
}

/// The seconds of a wait, and whether no time ends it.
fn refusal(standing: Option<Standing>) -> (Option<u64>, bool) {
    match standing {
        None | Some(Standing::Free) => (None, false),
        Some(Standing::Wait(seconds)) => (Some(seconds), false),
        Some(Standing::Capped) => (None, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::SourceName;
    use crate::credential::record::tests::alice;
    use crate::policy::throttle::{charge, welcome};

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

    #[test]
    fn who_is_proven_is_enrolled_unless_he_is_disabled() {
        let mut credential = alice();
        let phase = |credential: &Credential| Status::of(credential, None, None).phase();
        assert_eq!(phase(&credential), Phase::Enrolled);
        credential.authenticators[0].confirmed = None;
        assert_eq!(phase(&credential), Phase::Pending);
        credential.disabled = true;
        assert_eq!(phase(&credential), Phase::Disabled);
    }

    #[test]
    fn waits_are_told_by_source_and_caps_where_no_time_ends_them() {
        const NOW: u64 = 1_800_000_000;
        let mut state = State::new([1; 16], NOW);
        let source = |text: &str| SourceName::new(text.to_owned()).unwrap();
        welcome(&mut state, &source("addr:192.0.2.7"), NOW);
        welcome(&mut state, &source("addr:192.0.2.8"), NOW);
        for _ in 0..6 {
            charge(&mut state, &source("addr:192.0.2.7"), NOW);
            charge(&mut state, &source("addr:192.0.2.9"), NOW);
        }
        let records = |state: &State, now| Status::of(&alice(), Some(state), Some(now)).records.unwrap();
        let soon = records(&state, NOW + 10);
        let waits: Vec<_> = soon.known_sources.iter().map(|known| (known.failures, known.wait)).collect();
        assert_eq!(waits, [(6, Some(50)), (0, None)]);
        assert_eq!((soon.other_failures, soon.other_wait, soon.others_capped), (6, Some(50), false));
        assert_eq!((soon.failures(), soon.is_refused_somewhere()), (12, true));
        assert!(!records(&state, NOW + 60).is_refused_somewhere());
        state.counters[0].count = 100;
        let capped = records(&state, NOW + 10_000);
        assert_eq!((capped.other_wait, capped.others_capped), (None, true));
        assert_eq!(capped.last_login(), Some(NOW));
    }

    /// What an older service sends is understood: it may run on until it is restarted.
    #[test]
    fn a_status_without_the_newer_fields_is_taken() {
        let status = Status::of(&alice(), Some(&State::new([1; 16], 1)), None);
        let mut json = serde_json::to_value(&status).unwrap();
        let records = json["records"].as_object_mut().unwrap();
        for newer in ["others_capped", "recovery_failures"] {
            assert!(records.remove(newer).is_some());
        }
        assert_eq!(serde_json::from_value::<Status>(json).unwrap(), status);
    }
}
