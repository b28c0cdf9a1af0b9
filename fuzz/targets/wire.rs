//! What goes over the socket of the service. A reply lets somebody in only where it plainly says so, and
//! what a caller sends is read as a plain reader of JSON reads it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_countersign::otp::Passcode;
use pam_countersign::wire::reply::answer_in;
use pam_countersign::wire::{VerifyParameters, VerifyReply};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let plain: Value = serde_json::from_slice(bytes).unwrap_or_default();
    if let Ok(judged) = answer_in::<VerifyReply>(bytes).and_then(VerifyReply::judged_by_root) {
        let parameters = &plain["parameters"];
        assert!(plain["error"].is_null());
        assert_eq!(judged.verdict.is_ok(), parameters["accepted"].is_object());
        assert_eq!(judged.verdict.is_err(), parameters["denied"].is_string());
        let again = serde_json::json!({ "parameters": VerifyReply::new(&judged) }).to_string();
        let again = answer_in::<VerifyReply>(again.as_bytes()).and_then(VerifyReply::judged_by_root);
        let again = again.expect("what we have understood we can say");
        assert_eq!(again.verdict, judged.verdict);
        assert_eq!((again.health, again.clock_back), (judged.health, judged.clock_back));
    }
    let parameters = serde_json::from_slice::<VerifyParameters>(bytes);
    if let (Ok(parameters), true) = (parameters, plain.is_object()) {
        assert_eq!(plain["user"].as_str(), Some(parameters.user.as_str()));
        assert_eq!(plain["passcode"].as_str(), Some(parameters.passcode.as_str()));
        assert_eq!(plain["source"].as_str(), parameters.source.as_deref());
        let is_passcode = Passcode::parse(parameters.passcode.as_bytes()).is_some();
        assert_eq!(parameters.typed().is_some(), is_passcode);
    }
});
