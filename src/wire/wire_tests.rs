use super::*;
use crate::user::UserName;

fn alice() -> User {
    User { name: UserName::new(b"alice").unwrap(), uid: Some(1000) }
}

fn there_and_back(judged: &Judged) -> Judged {
    let text = serde_json::to_string(&VerifyReply::new(judged)).unwrap();
    serde_json::from_str::<VerifyReply>(&text).unwrap().judged_by_root().unwrap()
}

fn judged(verdict: Result<Accepted, Denial>) -> Judged {
    Judged { verdict, health: StateHealth::FellBack, clock_back: 7, door: Door::Files }
}

#[test]
fn every_denial_comes_over_as_it_was() {
    for denial in Denial::ALL {
        let over = there_and_back(&judged(Err(denial)));
        assert_eq!(over.verdict, Err(denial));
        assert_eq!((over.health, over.clock_back, over.door), (StateHealth::FellBack, 7, Door::Socket));
    }
    let waiting = Denial::BackedOff { seconds: 480 };
    assert_eq!(there_and_back(&judged(Err(waiting))).verdict, Err(waiting));
}

#[test]
fn every_proof_comes_over_as_it_was() {
    let code = || Proof::Code { authenticator: "phone".to_owned(), drift: -3, resynchronised: true };
    let recovery = || Proof::Recovery { left: 4, brought_back: true };
    for proof in [code, || Proof::Recovery { left: 0, brought_back: false }, recovery] {
        let over = there_and_back(&judged(Ok(Accepted::by_word_of_root(proof()))));
        assert_eq!(over.verdict.unwrap().proof(), &proof());
    }
}

#[test]
fn a_reply_that_is_not_wholly_understood_is_none() {
    for text in [
        r#"{"state":"whole","clock_back":0}"#,
        r#"{"accepted":{"authenticator":"phone","drift":0},"denied":"wrong_code","state":"whole","clock_back":0}"#,
        r#"{"accepted":{},"state":"whole","clock_back":0}"#,
        r#"{"accepted":{"authenticator":"phone"},"state":"whole","clock_back":0}"#,
        r#"{"accepted":{"authenticator":"phone","drift":0,"recovery_codes_left":3},"state":"whole","clock_back":0}"#,
        r#"{"accepted":{"authenticator":"phone","drift":0},"state":"fine","clock_back":0}"#,
        r#"{"denied":"rained_off","state":"whole","clock_back":0}"#,
    ] {
        let reply: VerifyReply = serde_json::from_str(text).unwrap();
        assert!(matches!(reply.judged_by_root(), Err(ServiceError::Unintelligible)), "{text}");
    }
    for text in [
        r#"{"accepted":{"authenticator":"phone","drift":0},"state":"whole"}"#,
        r#"{"accepted":true,"state":"whole","clock_back":0}"#,
        r#"{"accepted":{"authenticator":"phone","drift":0},"state":"whole","clock_back":-1}"#,
        "{}",
        "true",
    ] {
        assert!(serde_json::from_str::<VerifyReply>(text).is_err(), "{text}");
    }
}

#[test]
fn what_was_typed_comes_over_as_it_was() {
    for (now, before) in [("123456", None), ("0123-4567-89AB-CDEF", Some("012345"))] {
        let code = |text: &str| match Passcode::parse(text.as_bytes()) {
            Some(Passcode::Code(code)) => code,
            _ => panic!("{text}"),
        };
        let typed = Typed { passcode: Passcode::parse(now.as_bytes()).unwrap(), previous: before.map(code) };
        let source = SourceName::new("addr:192.0.2.7".to_owned()).unwrap();
        let text = serde_json::to_string(&VerifyParameters::new(&alice(), &typed, &source)).unwrap();
        let over: VerifyParameters = serde_json::from_str(&text).unwrap();
        assert_eq!((over.user.as_str(), over.uid), ("alice", Some(1000)));
        assert_eq!((over.passcode.as_str(), over.source.as_deref()), (now, Some("addr:192.0.2.7")));
        assert_eq!(over.previous.as_ref().map(|text| text.as_str()), before);
        assert!(over.typed().is_some_and(|typed| typed.previous.is_some() == before.is_some()));
    }
}

#[test]
fn a_reason_that_is_no_word_does_not_reach_the_log() {
    let failure =
        |reason: &str| Failure { reason: reason.to_owned(), cause: "c".to_owned(), mend: "m".to_owned() };
    assert_eq!(failure("store_failed").into_error().reason(), "store_failed");
    for reason in ["", "a b", "x\nevent=accepted", "A", &"a".repeat(41)] {
        assert!(matches!(failure(reason).into_error(), ServiceError::Unintelligible), "{reason:?}");
    }
}
