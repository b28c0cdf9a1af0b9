//! What goes over the socket of the service: the parameters and replies of `io.countersign`
//! (`docs/io.countersign.varlink`), and how they become ours.
//!
//! Pure. A reply that is not wholly understood is none: whoever reads it denies.
#![forbid(unsafe_code)]

pub mod enrolment;
mod failure;
mod recall;
pub mod reply;

pub use failure::{Failure, error};
pub use recall::{RecallParameters, RecallReply};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::credential::{SourceName, StateHealth};
use crate::otp::{Code, Ending, Passcode, RecoveryCode};
use crate::policy::{Accepted, Denial, Origin, Place, Proof};
use crate::status::Status;
use crate::user::User;
use crate::verifier::{Door, Enrolment, Judged, ServiceError, Typed};

/// The name of the interface.
pub const INTERFACE: &str = "io.countersign";
/// Where the service listens.
pub const SOCKET: &str = "/run/countersign/io.countersign";
/// Where root asks it: no other user can enter the directory.
pub const ROOT_SOCKET: &str = "/run/countersign/root/io.countersign";
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
    /// Of a line with a password and a code in one: what else it could end in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endings: Vec<Zeroizing<String>>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digits: Option<u8>,
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
        let mut texts = match &typed.passcode {
            Passcode::Code(code) => vec![code.to_text()],
            Passcode::Recovery(code) => vec![code.to_text()],
            Passcode::Ending(Ending { codes, recovery, .. }) => {
                codes.iter().map(Code::to_text).chain(recovery.as_ref().map(RecoveryCode::to_text)).collect()
            }
        };
        let endings = texts.split_off(texts.len().min(1));
        let passcode = texts.pop().unwrap_or_default();
        Self {
            user: user.name.to_string(),
            uid: user.uid,
            passcode,
            endings,
            previous: typed.previous.as_ref().map(Code::to_text),
            source: Some(origin.source.to_string()),
            place: origin.place.map(|place| HEXLOWER.encode(&place.0)),
        }
    }

    /// What was typed, where it has a shape that can be judged.
    pub fn typed(&self) -> Option<Typed> {
        let code = |text: &str| match Passcode::parse(text.as_bytes()) {
            Some(Passcode::Code(code)) => Some(code),
            _ => None,
        };
        let previous = self.previous.as_ref().and_then(|text| code(text));
        let passcode = Passcode::parse(self.passcode.as_bytes())?;
        if self.endings.is_empty() {
            return Some(Typed { passcode, previous });
        }
        Some(Typed { passcode: Passcode::Ending(self.ending(passcode)?), previous: None })
    }

    /// What a line could end in: a code of each length at the most, and a recovery code.
    fn ending(&self, first: Passcode) -> Option<Ending> {
        let (mut codes, mut recovery) = (Vec::new(), None);
        let others = self.endings.iter().map(|text| Passcode::parse(text.as_bytes()));
        for passcode in std::iter::once(Some(first)).chain(others) {
            match passcode? {
                Passcode::Code(code) => codes.push(code),
                Passcode::Recovery(code) if recovery.is_none() => recovery = Some(code),
                Passcode::Recovery(_) | Passcode::Ending(_) => return None,
            }
        }
        let mut lengths: Vec<u8> = codes.iter().map(|code| code.digits().number()).collect();
        lengths.dedup();
        let is_one_guess = lengths.len() == codes.len() && lengths.is_sorted();
        is_one_guess.then(|| Ending::from_parts(codes, recovery))
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
            digits: None,
            drift: None,
            resynchronised: false,
            recovery_codes_left: None,
            brought_back: false,
        };
        match proof {
            Proof::Code { authenticator, digits, drift, resynchronised } => Some(Self {
                authenticator: Some(authenticator.clone()),
                digits: Some(*digits),
                drift: Some(*drift),
                resynchronised: *resynchronised,
                ..nothing
            }),
            Proof::Recovery { left, brought_back } => {
                Some(Self { recovery_codes_left: Some(*left), brought_back: *brought_back, ..nothing })
            }
            Proof::Remembered { .. } | Proof::Enrolled { .. } => None,
        }
    }

    fn proof(self) -> Result<Proof, ServiceError> {
        match (self.authenticator, self.drift, self.recovery_codes_left) {
            (Some(authenticator), Some(drift), None) => {
                let digits = self.digits.unwrap_or(0);
                Ok(Proof::Code { authenticator, digits, drift, resynchronised: self.resynchronised })
            }
            (None, None, Some(left)) => Ok(Proof::Recovery { left, brought_back: self.brought_back }),
            _ => Err(ServiceError::Unintelligible),
        }
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
