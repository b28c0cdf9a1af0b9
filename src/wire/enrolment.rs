//! What goes over the socket when a user changes his own enrolment.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::enrol::Purpose;

/// `io.countersign.ProvePassword`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProveParameters {
    /// The name of the account.
    pub user: String,
    /// Its uid as the caller knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The answer to the last question; none begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Zeroizing<String>>,
}

/// A text to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// As the PAM module gave it.
    pub text: String,
    /// Whether it tells of an error.
    pub error: bool,
}

/// What `io.countersign.ProvePassword` replies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProveReply {
    /// What to show first.
    pub told: Vec<Told>,
    /// The next question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// Whether its answer may be seen while it is typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<bool>,
    /// Without a question: what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<bool>,
}

/// What a new device is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewDevice {
    /// The first of a user.
    First,
    /// Beside those that he has.
    Beside,
    /// In place of the one of the same name.
    InPlace,
}

impl From<NewDevice> for Purpose {
    fn from(asked: NewDevice) -> Self {
        match asked {
            NewDevice::First => Self::First,
            NewDevice::Beside => Self::Beside,
            NewDevice::InPlace => Self::InPlaceOfOne,
        }
    }
}

/// `io.countersign.BeginDevice`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginParameters {
    /// The name of the account.
    pub user: String,
    /// Its uid as the caller knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// What it is for.
    pub purpose: NewDevice,
    /// What people call the device.
    pub device: String,
    /// Who the app says has issued the code.
    pub issuer: String,
    /// A code or recovery code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passcode: Option<Zeroizing<String>>,
}

/// What `io.countersign.BeginDevice` replies.
#[derive(Serialize, Deserialize)]
pub struct BegunReply {
    /// What the QR code says.
    pub uri: Zeroizing<String>,
    /// The secret in groups, for typing in.
    pub key: Zeroizing<String>,
}

/// `io.countersign.ConfirmDevice`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmParameters {
    /// The name of the account.
    pub user: String,
    /// Its uid as the caller knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// A code of the new device.
    pub code: Zeroizing<String>,
}

/// What `io.countersign.ConfirmDevice` replies.
#[derive(Serialize, Deserialize)]
pub struct ConfirmedReply {
    /// Whether the code was right; then the device is kept.
    pub confirmed: bool,
    /// With the first device: to be shown once.
    pub recovery_codes: Vec<Zeroizing<String>>,
}

/// `io.countersign.RemoveDevice` and, without a device, `io.countersign.NewRecoveryCodes`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeParameters {
    /// The name of the account.
    pub user: String,
    /// Its uid as the caller knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// What people call the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// A code or recovery code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passcode: Option<Zeroizing<String>>,
}

/// What `io.countersign.RemoveDevice` replies.
#[derive(Debug, Serialize, Deserialize)]
pub struct RemovedReply {
    /// Whether there are other devices.
    pub enrolled: bool,
}

/// What `io.countersign.NewRecoveryCodes` replies.
#[derive(Serialize, Deserialize)]
pub struct RecoveryCodesReply {
    /// To be shown once.
    pub recovery_codes: Vec<Zeroizing<String>>,
}

/// The parameters of `io.countersign.Refused`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedParameters {
    /// A word of the closed list of the interface.
    pub reason: String,
    /// For how long, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}
