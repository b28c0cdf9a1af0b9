//! The question whether a login is remembered, which only root may ask.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::credential::{SourceName, StateHealth};
use crate::policy::{Accepted, Place, Proof};
use crate::user::User;
use crate::verifier::{Door, Judged, ServiceError};

/// `io.countersign.Recall`, which only root may ask.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecallParameters {
    /// The name of the account.
    pub user: String,
    /// Its uid as the caller knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Where the attempt comes from.
    pub source: String,
    /// Where the login may be remembered, 64 hex digits.
    pub place: String,
    /// For how long a login is remembered.
    pub seconds: u64,
}

/// What `io.countersign.Recall` replies.
#[derive(Debug, Serialize, Deserialize)]
pub struct RecallReply {
    /// When a code was taken there that need not be asked for again; nothing where none is remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    remembered_since: Option<u64>,
    /// In what shape the state was found.
    state: String,
}

impl RecallParameters {
    /// For the wire.
    pub fn new(user: &User, source: &SourceName, place: Place, seconds: u64) -> Self {
        let (source, place) = (source.to_string(), HEXLOWER.encode(&place.0));
        Self { user: user.name.to_string(), uid: user.uid, source, place, seconds }
    }
}

impl RecallReply {
    /// For the wire.
    pub fn of(recalled: Option<&Judged>) -> Self {
        let health = recalled.map_or(StateHealth::Whole, |judged| judged.health);
        let since = recalled.and_then(|judged| match judged.verdict.as_ref().ok()?.proof() {
            Proof::Remembered { since } => Some(*since),
            Proof::Code { .. } | Proof::Recovery { .. } | Proof::Enrolled { .. } => None,
        });
        Self { remembered_since: since, state: health.word().to_owned() }
    }

    /// Ours again. The caller has made sure that it was root who said so.
    pub fn judged_by_root(self) -> Result<Option<Judged>, ServiceError> {
        let health = StateHealth::from_word(&self.state).ok_or(ServiceError::Unintelligible)?;
        Ok(self.remembered_since.map(|since| {
            let verdict = Ok(Accepted::by_word_of_root(Proof::Remembered { since }));
            Judged { verdict, health, clock_back: 0, door: Door::Socket }
        }))
    }
}
