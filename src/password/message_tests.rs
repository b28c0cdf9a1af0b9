use super::*;
use proptest::prelude::*;

/// A message without the NUL that must end it, and no other NUL.
fn body(encoded: &Encoded) -> &[u8] {
    let (last, body) = encoded.split_last().unwrap();
    assert_eq!(*last, 0);
    assert!(!body.contains(&0));
    body
}

#[test]
fn the_messages_are_those_of_the_table() {
    let alice = UserName::new(b"alice").unwrap();
    assert_eq!(body(&encode_start(&alice).unwrap()), br#"{"user":"alice"}"#);
    assert_eq!(body(&encode_answer("a\"b\\c\nü").unwrap()), "{\"answer\":\"a\\\"b\\\\c\\nü\"}".as_bytes());
    let said = [
        (Said::Ask { ask: "Password: ".to_owned(), echo: false }, r#"{"ask":"Password: ","echo":false}"#),
        (Said::Tell { tell: "no".to_owned(), error: true }, r#"{"tell":"no","error":true}"#),
        (Said::End { end: End::Proven }, r#"{"end":"proven"}"#),
        (Said::End { end: End::Refused }, r#"{"end":"refused"}"#),
        (Said::End { end: End::Unavailable }, r#"{"end":"unavailable"}"#),
    ];
    for (message, text) in said {
        assert_eq!(body(&message.encode().unwrap()), text.as_bytes());
        assert_eq!(Said::decode(text.as_bytes()), Ok(message));
    }
}

#[test]
fn a_message_of_the_longest_length_is_taken_and_one_byte_more_is_not() {
    let frame = r#"{"answer":""}"#.len();
    let longest = "x".repeat(MOST_BYTES - frame);
    let encoded = encode_answer(&longest).unwrap();
    assert_eq!(encoded.len(), MOST_BYTES + 1);
    assert_eq!(*decode_answer(body(&encoded)).unwrap(), longest);
    let longer = format!("{longest}x");
    assert_eq!(encode_answer(&longer), Err(BadMessage::TooLong));
    let text = format!(r#"{{"answer":"{longer}"}}"#);
    assert_eq!(decode_answer(text.as_bytes()), Err(BadMessage::TooLong));
}

#[test]
fn what_is_not_exactly_a_message_is_refused() {
    let not_said = [
        "",
        "{}",
        "[\"Password: \",false]",
        "\"proven\"",
        r#"{"end":"proven""#,
        r#"{"end":"proven"}x"#,
        r#"{"end":"proven"}{"end":"proven"}"#,
        r#"{"end":"PROVEN"}"#,
        r#"{"end":"proven","end":"proven"}"#,
        r#"{"end":"refused","end":"proven"}"#,
        r#"{"end":"proven","more":1}"#,
        r#"{"end":["proven"]}"#,
        r#"{"end":null}"#,
        r#"{"end":{"proven":null},"x":1}"#,
        r#"{"ask":"Password: "}"#,
        r#"{"ask":"Password: ","echo":0}"#,
        r#"{"ask":"Password: ","echo":false,"end":"proven"}"#,
        r#"{"tell":"no","echo":false}"#,
        r#"{"tell":"no","error":false,"echo":false}"#,
        r#" {"end":"proven"}"#,
    ];
    for text in not_said {
        assert_eq!(Said::decode(text.as_bytes()), Err(BadMessage::NotUnderstood), "{text}");
    }
    assert!(Said::decode(b"{\"tell\":\"\xff\",\"error\":true}").is_err());
}

#[test]
fn what_is_not_exactly_a_start_is_refused() {
    let not_starts = [
        "{}",
        r#"["alice"]"#,
        r#"{"user":""}"#,
        r#"{"user":"al\nice"}"#,
        r#"{"user":"al\u0000ice"}"#,
        r#"{"user":1000}"#,
        r#"{"user":"alice","uid":0}"#,
        r#"{"user":"alice","user":"bob"}"#,
        r#"{"answer":"x"}"#,
    ];
    for text in not_starts {
        assert_eq!(decode_start(text.as_bytes()), Err(BadMessage::NotUnderstood), "{text}");
    }
    assert!(decode_start(b"{\"user\":\"\xff\"}").is_err());
    assert_eq!(decode_start(br#"{"user":"alice"}"#).unwrap().as_str(), "alice");
}

#[test]
fn what_is_not_exactly_an_answer_is_refused() {
    let not_answers = [
        "{}",
        r#"["x"]"#,
        r#"{"answer":null}"#,
        r#"{"answer":1}"#,
        r#"{"answer":{"x":"y"}}"#,
        r#"{"answer":["x"]}"#,
        r#"{"answer":"x","more":1}"#,
        r#"{"answer":"x","answer":"y"}"#,
        r#"{"answer":"\ud800"}"#,
        r#"{"answer":"\ud800x"}"#,
        r#"{"answer":"\ud800\n"}"#,
        r#"{"answer":"\ud800A"}"#,
        r#"{"answer":"\udc00\ud800"}"#,
        r#"{"answer":"\x"}"#,
        r#"{"answer":"\u00g0"}"#,
        r#"{"answer":"x}"#,
        r#"{"user":"alice"}"#,
    ];
    for text in not_answers {
        assert_eq!(decode_answer(text.as_bytes()), Err(BadMessage::NotUnderstood), "{text}");
    }
    assert!(decode_answer(b"{\"answer\":\"\xff\"}").is_err());
    let escaped = br#"{ "answer" : "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00" }"#;
    assert_eq!(*decode_answer(escaped).unwrap(), "\"\\/\u{8}\u{c}\n\r\té😀");
}

#[test]
fn memory_for_an_answer_is_never_outgrown() {
    for answer in ["", "\"\\\n\u{1}", "😀😀😀"] {
        let encoded = encode_answer(answer).unwrap();
        assert!(encoded.capacity() > MOST_BYTES);
        let quoted = serde_json::to_string(answer).unwrap();
        let text = unquoted(&quoted).unwrap();
        assert!(text.len() <= quoted.len() - 2 && text.capacity() >= quoted.len() - 2, "{answer}");
    }
}

proptest! {
    #[test]
    fn every_answer_comes_back(answer in "\\PC{0,200}|(?s).{0,200}") {
        let encoded = encode_answer(&answer).unwrap();
        prop_assert_eq!(&*decode_answer(body(&encoded)).unwrap(), &answer);
    }

    /// serde_json is the second opinion.
    #[test]
    fn an_answer_is_read_as_serde_json_reads_it(inner in r#"([a-z"é]|\\[a-z"\\/]|\\u(00[0-9a-f]{2}|d[89cd][0-9a-f]{2}|[0-9A-F]{4})){0,6}"#) {
        let quoted = format!("\"{inner}\"");
        let message = format!("{{\"answer\":{quoted}}}");
        let read = decode_answer(message.as_bytes()).ok().map(|text| text.to_string());
        prop_assert_eq!(read, serde_json::from_str::<String>(&quoted).ok());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = (Said::decode(&bytes), decode_start(&bytes), decode_answer(&bytes));
        let object = [b"{", &bytes[..]].concat();
        let _ = (Said::decode(&object), decode_start(&object), decode_answer(&object));
    }
}
