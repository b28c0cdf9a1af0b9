//! What goes over the socket when a user changes his own enrolment.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::credential::{CodeParameters, Kind};
use crate::enrol::Purpose;
use crate::otp::{Algorithm, Digits, Period};

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
    /// Whose code the app says it is; without it, the name of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How its codes are made, where not as every app takes as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Parameters>,
    /// A code or recovery code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passcode: Option<Zeroizing<String>>,
}

/// How the codes of a device are made; what is not there is as every app takes as given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// `totp` or `hotp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// `SHA1`, `SHA256` or `SHA512`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// 6 to 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digits: Option<u8>,
    /// 15 to 120 s, for `totp` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<u64>,
}

impl Parameters {
    /// On their way; nothing where they are the usual ones, which every version knows.
    pub fn of(parameters: CodeParameters) -> Option<Self> {
        let CodeParameters { kind, algorithm, digits } = parameters;
        (parameters != CodeParameters::default()).then(|| Self {
            r#type: Some(kind.name().to_owned()),
            algorithm: Some(algorithm.name().to_owned()),
            digits: Some(digits.number()),
            period: if let Kind::Totp(period) = kind { Some(period.seconds()) } else { None },
        })
    }

    /// What they mean; nothing where they cannot be.
    pub fn understood(&self) -> Option<CodeParameters> {
        let usual = CodeParameters::default();
        let kind = match (self.r#type.as_deref(), self.period) {
            (Some("hotp"), None) => Kind::Hotp,
            (None | Some("totp"), None) => usual.kind,
            (None | Some("totp"), Some(seconds)) => Kind::Totp(Period::new(seconds)?),
            _ => return None,
        };
        Some(CodeParameters {
            kind,
            algorithm: self.algorithm.as_deref().map_or(Some(usual.algorithm), Algorithm::from_name)?,
            digits: self.digits.map_or(Some(usual.digits), Digits::new)?,
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_over_as_they_were_and_the_usual_ones_not_at_all() {
        assert_eq!(Parameters::of(CodeParameters::default()), None);
        assert_eq!(Parameters::default().understood(), Some(CodeParameters::default()));
        let usual = CodeParameters::default();
        for kind in [Kind::Hotp, Kind::Totp(Period::new(15).unwrap())] {
            let odd = CodeParameters { kind, algorithm: Algorithm::Sha512, digits: Digits::Seven };
            for parameters in [odd, CodeParameters { kind, ..usual }] {
                assert_eq!(Parameters::of(parameters).unwrap().understood(), Some(parameters));
            }
        }
    }

    #[test]
    fn parameters_that_cannot_be_are_refused() {
        for text in [
            r#"{"type":"hotp","period":30}"#,
            r#"{"type":"steam"}"#,
            r#"{"algorithm":"sha1"}"#,
            r#"{"digits":5}"#,
            r#"{"digits":9}"#,
            r#"{"period":14}"#,
            r#"{"period":121}"#,
        ] {
            assert_eq!(serde_json::from_str::<Parameters>(text).unwrap().understood(), None, "{text}");
        }
        assert!(serde_json::from_str::<Parameters>(r#"{"secret":"GEZDGNBVGY3TQOJQ"}"#).is_err());
    }
}
