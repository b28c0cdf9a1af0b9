//! What goes over the socket of the service. A reply lets somebody in only where it plainly says so, and
//! what a caller sends is read as a plain reader of JSON reads it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_countersign::otp::Passcode;
use pam_countersign::wire::reply::answer_in;
use pam_countersign::wire::{RecallReply, VerifyParameters, VerifyReply};
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
    if let Ok(recalled) = answer_in::<RecallReply>(bytes).and_then(RecallReply::judged_by_root) {
        assert_eq!(recalled.is_some(), plain["parameters"]["remembered_since"].is_u64());
    }
    let parameters = serde_json::from_slice::<VerifyParameters>(bytes);
    if let (Ok(parameters), true) = (parameters, plain.is_object()) {
        assert_eq!(plain["user"].as_str(), Some(parameters.user.as_str()));
        assert_eq!(plain["passcode"].as_str(), Some(parameters.passcode.as_str()));
        assert_eq!(plain["source"].as_str(), parameters.source.as_deref());
        let is_passcode = |text: &str| Passcode::parse(text.as_bytes()).is_some();
        match parameters.typed().map(|typed| typed.passcode) {
            Some(Passcode::Ending(ending)) => {
                // A code of each length at the most: one guess.
                let mut lengths: Vec<u8> = ending.codes.iter().map(|code| code.digits().number()).collect();
                lengths.dedup();
                assert!(lengths.len() == ending.codes.len() && lengths.is_sorted());
                let count = ending.codes.len() + usize::from(ending.recovery.is_some());
                assert_eq!(count, parameters.endings.len() + 1);
            }
            Some(_) => assert!(parameters.endings.is_empty() && is_passcode(&parameters.passcode)),
            None => assert!(!parameters.endings.is_empty() || !is_passcode(&parameters.passcode)),
        }
        assert_eq!(plain["place"].as_str(), parameters.place.as_deref());
    }
});
