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
    let code =
        || Proof::Code { authenticator: "phone".to_owned(), digits: 6, drift: -3, resynchronised: true };
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
        let origin = Origin { source, place: Some(Place([7; 32])) };
        let text = serde_json::to_string(&VerifyParameters::new(&alice(), &typed, &origin)).unwrap();
        let over: VerifyParameters = serde_json::from_str(&text).unwrap();
        assert_eq!((over.user.as_str(), over.uid), ("alice", Some(1000)));
        assert_eq!((over.passcode.as_str(), over.source.as_deref()), (now, Some("addr:192.0.2.7")));
        assert_eq!(origin_of(over.source.clone().unwrap(), over.place.as_deref()), Some(origin));
        assert_eq!(over.previous.as_ref().map(|text| text.as_str()), before);
        assert!(over.typed().is_some_and(|typed| typed.previous.is_some() == before.is_some()));
    }
}

#[test]
fn the_end_of_a_line_comes_over_without_the_password_before_it() {
    let line = b"correct horse 0123-4567-89AB-2345-6789";
    let line = &line[..];
    let ending = Ending::of(b"hunter99123456").unwrap();
    let over = |ending: Ending| {
        let typed = Typed { passcode: Passcode::Ending(ending), previous: None };
        let origin = Origin::not_remembered(SourceName::nowhere());
        let text = serde_json::to_string(&VerifyParameters::new(&alice(), &typed, &origin)).unwrap();
        assert!(!text.contains("hunter") && !text.contains("horse"), "{text}");
        serde_json::from_str::<VerifyParameters>(&text).unwrap().typed().unwrap().passcode
    };
    let Passcode::Ending(Ending { codes, .. }) = over(ending) else { panic!("no ending") };
    let codes: Vec<String> = codes.iter().map(|code| code.to_text().to_string()).collect();
    assert_eq!(codes, ["123456", "9123456", "99123456"]);
    assert!(matches!(over(Ending::of(b"hunter123456").unwrap()), Passcode::Code(_)));
    assert!(matches!(over(Ending::of(line).unwrap()), Passcode::Recovery(_)));
}

#[test]
fn nobody_tries_two_codes_of_one_length_at_once() {
    for endings in [
        r#"["654321"]"#,
        r#"["1234567","7654321"]"#,
        r#"["12345678","1234567"]"#,
        r#"["0123-4567-89AB-CDEF","0123-4567-89AB-CDEE"]"#,
        r#"["x"]"#,
    ] {
        let text = format!(r#"{{"user":"alice","passcode":"123456","endings":{endings}}}"#);
        assert!(serde_json::from_str::<VerifyParameters>(&text).unwrap().typed().is_none(), "{text}");
    }
}

#[test]
fn a_remembered_login_comes_over_and_no_verdict_on_a_passcode_says_so() {
    let remembered = || judged(Ok(Accepted::by_word_of_root(Proof::Remembered { since: 1_800_000_000 })));
    let over = |recalled: Option<&Judged>| {
        let text = serde_json::to_string(&RecallReply::of(recalled)).unwrap();
        serde_json::from_str::<RecallReply>(&text).unwrap().judged_by_root().unwrap()
    };
    let found = over(Some(&remembered())).unwrap();
    assert_eq!(found.verdict.unwrap().proof(), &Proof::Remembered { since: 1_800_000_000 });
    assert_eq!((found.health, found.door), (StateHealth::FellBack, Door::Socket));
    assert!(over(None).is_none());
    let text = serde_json::to_string(&VerifyReply::new(&remembered())).unwrap();
    assert!(serde_json::from_str::<VerifyReply>(&text).unwrap().judged_by_root().is_err(), "{text}");
    let odd: RecallReply = serde_json::from_str(r#"{"remembered_since":1,"state":"fine"}"#).unwrap();
    assert!(odd.judged_by_root().is_err());
}

#[test]
fn a_place_has_64_hex_digits() {
    let origin = |place: &str| origin_of("addr:192.0.2.7".to_owned(), Some(place));
    assert!(origin(&"0a".repeat(32)).is_some());
    for place in ["", "0a", &"0A".repeat(32), &"0a".repeat(33), &"0g".repeat(32)] {
        assert_eq!(origin(place), None, "{place:?}");
    }
    assert_eq!(origin_of("a b".to_owned(), None), None);
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
