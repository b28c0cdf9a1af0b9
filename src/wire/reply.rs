//! What comes back over the socket: an answer, or why there is none. What is not wholly understood is none.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::enrolment::RefusedParameters;
use super::failure::is_word;
use super::{Failure, error};
use crate::verifier::ServiceError;

/// A reply of Varlink.
#[derive(Deserialize)]
struct Reply {
    parameters: Option<serde_json::Value>,
    error: Option<String>,
}

/// The answer in a message, without its NUL. An error comes first: only where there is none the parameters are an answer.
pub fn answer_in<Answer: DeserializeOwned>(text: &[u8]) -> Result<Answer, ServiceError> {
    let misunderstood = |_| ServiceError::Unintelligible;
    let reply: serde_json::Value = serde_json::from_slice(text).map_err(misunderstood)?;
    let reply: Reply = object(reply)?;
    let parameters = reply.parameters.unwrap_or_default();
    match reply.error.as_deref() {
        None => object(parameters),
        Some(error::NOT_PERMITTED) => Err(ServiceError::NotPermitted),
        Some(error::BUSY) => Err(ServiceError::Busy),
        Some(error::REFUSED) => {
            let RefusedParameters { reason, seconds } = object(parameters)?;
            if !is_word(&reason) {
                return Err(ServiceError::Unintelligible);
            }
            Err(ServiceError::Refused { reason, seconds })
        }
        Some(error::FAILED) => {
            let failure: Failure = object(parameters)?;
            Err(failure.into_error())
        }
        Some(_) => Err(ServiceError::Unintelligible),
    }
}

/// Serde would take a list for an object too; Varlink knows none.
fn object<Answer: DeserializeOwned>(value: serde_json::Value) -> Result<Answer, ServiceError> {
    if !value.is_object() {
        return Err(ServiceError::Unintelligible);
    }
    serde_json::from_value(value).map_err(|_| ServiceError::Unintelligible)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::EnrolmentReply;

    fn answer(text: &str) -> Result<bool, ServiceError> {
        answer_in::<EnrolmentReply>(text.as_bytes()).map(|reply| reply.enrolled)
    }

    #[test]
    fn an_answer_is_one_only_without_an_error() {
        assert!(matches!(answer(r#"{"parameters":{"enrolled":true}}"#), Ok(true)));
        let refused = answer(r#"{"error":"io.countersign.NotPermitted","parameters":{"enrolled":true}}"#);
        assert!(matches!(refused, Err(ServiceError::NotPermitted)));
        assert!(matches!(answer(r#"{"error":"io.countersign.Busy"}"#), Err(ServiceError::Busy)));
        let failed = answer(
            r#"{"error":"io.countersign.Failed","parameters":{"reason":"store_busy","cause":"c","mend":"m"}}"#,
        );
        assert_eq!(failed.unwrap_err().reason(), "store_busy");
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for text in [
            "",
            "{}",
            "null",
            "[]",
            "{\"parameters\":{}}",
            "{\"parameters\":[true]}",
            "[{\"enrolled\":true},null]",
            "{\"parameters\":{\"enrolled\":1}}",
            "{\"parameters\":{\"enrolled\":true}",
            "{\"error\":\"org.varlink.service.MethodNotFound\"}",
            "{\"error\":\"io.countersign.Failed\"}",
            "{\"error\":null}",
            "{\"error\":7,\"parameters\":{\"enrolled\":true}}",
            "\u{1}",
        ] {
            assert!(matches!(answer(text), Err(ServiceError::Unintelligible)), "{text:?}");
        }
        assert!(answer(&"[".repeat(60_000)).is_err());
    }
}
