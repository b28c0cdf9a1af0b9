//! What goes over the socket of the service: the parameters and replies of `io.countersign`
//! (`docs/io.countersign.varlink`), and how they become ours.
//!
//! Pure. A reply that is not wholly understood is none: whoever reads it denies.
#![forbid(unsafe_code)]

pub mod enrolment;
mod failure;
pub mod reply;

pub use failure::{Failure, error};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::credential::{SourceName, StateHealth};
use crate::otp::{Code, Passcode};
use crate::policy::{Accepted, Denial, Origin, Place, Proof};
use crate::status::Status;
use crate::user::User;
use crate::verifier::{Door, Enrolment, Judged, ServiceError, Typed};

/// The name of the interface.
pub const INTERFACE: &str = "io.countersign";
/// Where the service listens.
pub const SOCKET: &str = "/run/countersign/io.countersign";
/// The longest answer that a caller takes, in bytes.
pub const LONGEST_MESSAGE: usize = 65_536;
/// The longest question that the service takes, in bytes. None needs more.
pub const LONGEST_QUESTION: usize = 8192;

/// `io.countersign.GetEnrolment`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AboutUser {
    /// The name of the account.
    pub user: String,
    /// Its uid as the caller knows it: another one is another account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
}

/// What a method replies that only does something.
#[derive(Debug, Serialize, Deserialize)]
pub struct Nothing {}

/// What `io.countersign.GetEnrolment` replies.
#[derive(Debug, Serialize, Deserialize)]
pub struct EnrolmentReply {
    /// Whether the user has a credential.
    pub enrolled: bool,
}

/// What `io.countersign.GetStatus` replies.
#[derive(Debug, Serialize, Deserialize)]
pub struct StatusReply {
    /// Nothing where the user is not enrolled.
    pub status: Option<Status>,
}

/// `io.countersign.Verify`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyParameters {
    /// The name of the account.
    pub user: String,
    /// Its uid as the caller knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// What was typed.
    pub passcode: Zeroizing<String>,
    /// The code that was typed just before in the same conversation and refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Zeroizing<String>>,
    /// Where the attempt comes from. Only root may say that; for all others it is their uid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where a login may be remembered, 64 hex digits. Only root may say that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

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

/// What `io.countersign.Verify` replies: either what was proven or why not.
#[derive(Debug, Serialize, Deserialize)]
pub struct VerifyReply {
    /// What was proven and spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<Proven>,
    /// A word of the closed list of `docs/log.md`.
    #[serde(skip_serializing_if = "Option::is_none")]
    denied: Option<String>,
    /// For `backed_off`: how long codes are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
    /// In what shape the state was found.
    state: String,
    /// By how many seconds the clock was behind the last write of the state.
    clock_back: u64,
}

/// [`Proof`], on its way.
#[derive(Debug, Serialize, Deserialize)]
struct Proven {
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<i8>,
    #[serde(default)]
    resynchronised: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes_left: Option<usize>,
    #[serde(default)]
    brought_back: bool,
}

impl AboutUser {
    /// Names a user.
    pub fn new(user: &User) -> Self {
        Self { user: user.name.to_string(), uid: user.uid }
    }
}

impl EnrolmentReply {
    /// For the wire.
    pub fn new(enrolment: Enrolment) -> Self {
        Self { enrolled: enrolment == Enrolment::Enrolled }
    }

    /// Ours again.
    pub fn enrolment(&self) -> Enrolment {
        if self.enrolled { Enrolment::Enrolled } else { Enrolment::NotEnrolled }
    }
}

impl VerifyParameters {
    /// For the wire.
    pub fn new(user: &User, typed: &Typed, origin: &Origin) -> Self {
        let passcode = match &typed.passcode {
            Passcode::Code(code) => code.to_text(),
            Passcode::Recovery(code) => code.to_text(),
        };
        Self {
            user: user.name.to_string(),
            uid: user.uid,
            passcode,
            previous: typed.previous.as_ref().map(Code::to_text),
            source: Some(origin.source.to_string()),
            place: origin.place.map(|place| HEXLOWER.encode(&place.0)),
        }
    }

    /// What was typed, where it has a shape that can be judged.
    pub fn typed(&self) -> Option<Typed> {
        let code = |text: &str| match Passcode::parse(text.as_bytes()) {
            Some(Passcode::Code(code)) => Some(code),
            Some(Passcode::Recovery(_)) | None => None,
        };
        let previous = self.previous.as_ref().and_then(|text| code(text));
        Some(Typed { passcode: Passcode::parse(self.passcode.as_bytes())?, previous })
    }
}

/// Where root says that an attempt comes from.
pub fn origin_of(source: String, place: Option<&str>) -> Option<Origin> {
    let place = match place {
        Some(text) => Some(Place(HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()?)),
        None => None,
    };
    Some(Origin { source: SourceName::new(source)?, place })
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
            Proof::Code { .. } | Proof::Recovery { .. } => None,
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

impl VerifyReply {
    /// For the wire.
    pub fn new(judged: &Judged) -> Self {
        let denial = judged.verdict.as_ref().err();
        Self {
            accepted: judged.verdict.as_ref().ok().and_then(|accepted| Proven::new(accepted.proof())),
            denied: denial.map(|denial| denial.reason().to_owned()),
            seconds: match denial {
                Some(Denial::BackedOff { seconds }) => Some(*seconds),
                _ => None,
            },
            state: judged.health.word().to_owned(),
            clock_back: judged.clock_back,
        }
    }

    /// Ours again. The caller has made sure that it was root who said so.
    pub fn judged_by_root(self) -> Result<Judged, ServiceError> {
        let health = StateHealth::from_word(&self.state).ok_or(ServiceError::Unintelligible)?;
        let verdict = match (self.accepted, self.denied) {
            (Some(proven), None) => Ok(Accepted::by_word_of_root(proven.proof()?)),
            (None, Some(reason)) => {
                let denial = Denial::from_reason(&reason, self.seconds.unwrap_or(1));
                Err(denial.ok_or(ServiceError::Unintelligible)?)
            }
            _ => return Err(ServiceError::Unintelligible),
        };
        Ok(Judged { verdict, health, clock_back: self.clock_back, door: Door::Socket })
    }
}

impl Proven {
    /// Nothing for what was proven before: no verdict on a passcode says so.
    fn new(proof: &Proof) -> Option<Self> {
        let nothing = Self {
            authenticator: None,
            drift: None,
            resynchronised: false,
            recovery_codes_left: None,
            brought_back: false,
        };
        match proof {
            Proof::Code { authenticator, drift, resynchronised } => Some(Self {
                authenticator: Some(authenticator.clone()),
                drift: Some(*drift),
                resynchronised: *resynchronised,
                ..nothing
            }),
            Proof::Recovery { left, brought_back } => {
                Some(Self { recovery_codes_left: Some(*left), brought_back: *brought_back, ..nothing })
            }
            Proof::Remembered { .. } => None,
        }
    }

    fn proof(self) -> Result<Proof, ServiceError> {
        match (self.authenticator, self.drift, self.recovery_codes_left) {
            (Some(authenticator), Some(drift), None) => {
                Ok(Proof::Code { authenticator, drift, resynchronised: self.resynchronised })
            }
            (None, None, Some(left)) => Ok(Proof::Recovery { left, brought_back: self.brought_back }),
            _ => Err(ServiceError::Unintelligible),
        }
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
