use super::*;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

fn connection_over(stream: UnixStream) -> Connection {
    Connection::from(OwnedFd::from(stream))
}

/// What the process sends, and how it ends, when all of this has been sent to it and `prove` is what PAM
/// does. The service hangs up after it has sent, unless it `listens`.
fn run_with(
    sent: &str,
    listens: bool,
    prove: impl FnOnce(&UserName, &mut dyn Conversation) -> Verdict,
) -> (Vec<String>, io::Result<()>) {
    let (mut service, stream) = UnixStream::pair().unwrap();
    service.write_all(sent.replace('|', "\0").as_bytes()).unwrap();
    if listens {
        service.shutdown(std::net::Shutdown::Write).unwrap();
    }
    let mut listener = listens.then_some(service);
    let done =
        converse(Channel::new(connection_over(stream)), Deadline::after(Duration::from_secs(20)), prove);
    let mut heard = Vec::new();
    if let Some(service) = listener.as_mut() {
        service.read_to_end(&mut heard).unwrap();
    }
    let heard = String::from_utf8(heard).unwrap();
    (heard.split_terminator('\0').map(str::to_owned).collect(), done)
}

/// A stack that tells, asks once and compares.
fn one_question(user: &UserName, person: &mut dyn Conversation) -> Verdict {
    person.tell("hello", false);
    let answer = person.ask("Password: ", false);
    match answer.as_deref().map(Vec::as_slice) {
        Some(b"right\"\\\xc3\xbc") if user.as_str() == "alice" => Verdict::Proven,
        Some(_) => Verdict::Refused,
        None => Verdict::Unavailable,
    }
}

const HELLO: &str = r#"{"tell":"hello","error":false}"#;
const QUESTION: &str = r#"{"ask":"Password: ","echo":false}"#;

#[test]
fn a_proof_is_asked_for_relayed_and_told() {
    let sent = r#"{"user":"alice"}|{"answer":"right\"\\ü"}|"#;
    let (heard, done) = run_with(sent, true, one_question);
    assert_eq!(heard, [HELLO, QUESTION, r#"{"end":"proven"}"#]);
    done.unwrap();
}

#[test]
fn a_refusal_is_told_and_is_no_error() {
    for (user, answer) in [("alice", "wrong"), ("bob", r#"right\"\\ü"#)] {
        let sent = format!(r#"{{"user":"{user}"}}|{{"answer":"{answer}"}}|"#);
        let (heard, done) = run_with(&sent, true, one_question);
        assert_eq!(heard, [HELLO, QUESTION, r#"{"end":"refused"}"#]);
        done.unwrap();
    }
    let (heard, _) = run_with(r#"{"user":"alice"}|"#, true, |_, _| Verdict::Unavailable);
    assert_eq!(heard, [r#"{"end":"unavailable"}"#]);
}

#[test]
fn several_questions_are_answered_in_turn() {
    let sent = r#"{"user":"alice"}|{"answer":"one"}|{"answer":"two"}|"#;
    let (heard, done) = run_with(sent, true, |_, person| {
        assert_eq!(person.ask("Password: ", false).unwrap().as_slice(), b"one");
        person.tell("caution", true);
        assert_eq!(person.ask("Colour? ", true).unwrap().as_slice(), b"two");
        Verdict::Proven
    });
    let colour = r#"{"ask":"Colour? ","echo":true}"#;
    assert_eq!(heard, [QUESTION, r#"{"tell":"caution","error":true}"#, colour, r#"{"end":"proven"}"#]);
    done.unwrap();
}

#[test]
fn without_a_start_nothing_is_begun() {
    for sent in ["", "|", r#"{"user":"alice"}"#, r#"{"answer":"x"}|"#, r#"{"user":""}|"#, "no json|"] {
        for listens in [true, false] {
            let (heard, done) = run_with(sent, listens, |_, _| panic!("begun after {sent}"));
            assert!(heard.is_empty(), "{sent}");
            done.unwrap_err();
        }
    }
}

#[test]
fn whatever_the_service_does_instead_of_answering_ends_it_without_a_verdict() {
    for rest in ["", r#"{"answer":"x"}"#, r#"{"user":"alice"}|"#, "{}|", r#"{"answer":1}|"#] {
        for listens in [true, false] {
            let sent = format!(r#"{{"user":"alice"}}|{rest}"#);
            // Even a stack that needs no answer.
            let (heard, done) = run_with(&sent, listens, |_, person| {
                assert!(person.ask("Password: ", false).is_none());
                assert!(person.ask("Password: ", false).is_none());
                person.tell("after all", false);
                Verdict::Proven
            });
            assert!(!listens || heard == [QUESTION], "{heard:?}");
            done.unwrap_err();
        }
    }
}

#[test]
fn a_service_that_is_gone_when_it_is_told_is_an_error() {
    let sent = r#"{"user":"alice"}|{"answer":"right"}|"#;
    let (_, done) = run_with(sent, false, one_question);
    done.unwrap_err();
    let (_, done) = run_with(r#"{"user":"alice"}|"#, false, |_, _| Verdict::Proven);
    done.unwrap_err();
}

#[test]
fn a_prompt_that_no_message_can_hold_ends_it() {
    let sent = r#"{"user":"alice"}|{"answer":"x"}|"#;
    let (heard, done) = run_with(sent, true, |_, person| {
        assert!(person.ask(&"x".repeat(9000), false).is_none());
        Verdict::Proven
    });
    assert!(heard.is_empty());
    done.unwrap_err();
}

#[test]
fn nobody_is_asked_after_the_time_is_over() {
    let (mut service, stream) = UnixStream::pair().unwrap();
    service.write_all(b"{\"user\":\"alice\"}\0").unwrap();
    let done = converse(
        Channel::new(connection_over(stream)),
        Deadline::after(Duration::from_millis(50)),
        |_, person| {
            assert!(person.ask("Password: ", false).is_none());
            Verdict::Proven
        },
    );
    assert_eq!(done.unwrap_err().kind(), io::ErrorKind::TimedOut);
    let mut heard = String::new();
    service.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, format!("{QUESTION}\0"));
}

#[test]
fn to_hang_up_is_no_mistake_and_to_say_nonsense_is() {
    for (sent, is_mistake) in [("", false), ("{\"user\":", false), ("nonsense|", true)] {
        let (_, done) = run_with(sent, false, |_, _| panic!("begun after {sent}"));
        assert_eq!(!has_hung_up(&done.unwrap_err()), is_mistake, "{sent}");
    }
    for rest in ["", r#"{"answer":"x"}|"#] {
        let (_, done) = run_with(&format!(r#"{{"user":"alice"}}|{rest}"#), false, one_question);
        assert!(has_hung_up(&done.unwrap_err()), "{rest}");
    }
}

#[test]
fn only_root_is_answered() {
    let (mut service, stream) = UnixStream::pair().unwrap();
    service.write_all(b"not a message\0").unwrap();
    let refusal = run(connection_over(stream)).unwrap_err().kind();
    let own = nix::unistd::geteuid();
    let expected = if own.is_root() { io::ErrorKind::InvalidData } else { io::ErrorKind::PermissionDenied };
    assert_eq!(refusal, expected);
}
