use super::*;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

fn connection_over(stream: UnixStream) -> Connection {
    Connection::from(OwnedFd::from(stream))
}

fn alice() -> UserName {
    UserName::new(b"alice").unwrap()
}

/// A proof whose process has said all of this and, unless it `stays`, gone.
fn proof_of(said: &str, stays: bool) -> (Proof, Option<UnixStream>) {
    let (mut process, stream) = UnixStream::pair().unwrap();
    process.write_all(said.replace('|', "\0").as_bytes()).unwrap();
    let proof =
        Proof::over(connection_over(stream), None, &alice(), Deadline::after(Duration::from_secs(20)))
            .unwrap();
    (proof, stays.then_some(process))
}

const QUESTION: &str = r#"{"ask":"Password: ","echo":false}|"#;
const PROVEN: &str = r#"{"end":"proven"}|"#;

/// What it goes through, each question answered by `x`.
fn steps(proof: &mut Proof) -> Vec<Step> {
    let mut steps = Vec::new();
    loop {
        let step = proof.next();
        if matches!(step, Step::Ask { .. }) {
            proof.answer(b"x").unwrap();
        }
        let is_last = matches!(step, Step::Proven(_) | Step::Refused | Step::Unavailable);
        steps.push(step);
        if is_last {
            return steps;
        }
    }
}

#[test]
fn questions_and_texts_come_in_turn_and_the_proof_names_the_user() {
    let said = r#"{"tell":"hello","error":false}|{"ask":"Password: ","echo":false}|{"ask":"Colour? ","echo":true}|{"tell":"caution","error":true}|{"end":"proven"}|"#;
    let (mut proof, mut process) = proof_of(said, true);
    let seen = steps(&mut proof);
    assert_eq!(seen.len(), 5);
    assert_eq!(seen[0], Step::Tell { text: "hello".to_owned(), error: false });
    assert_eq!(seen[1], Step::Ask { prompt: "Password: ".to_owned(), echo: false });
    assert_eq!(seen[2], Step::Ask { prompt: "Colour? ".to_owned(), echo: true });
    assert_eq!(seen[3], Step::Tell { text: "caution".to_owned(), error: true });
    let Step::Proven(proven) = &seen[4] else { panic!("{seen:?}") };
    assert_eq!(proven.user(), &alice());
    assert_eq!(proof.ended(), Ended::Proven);
    drop(proof);
    let mut heard = String::new();
    process.as_mut().unwrap().read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "{\"user\":\"alice\"}\0{\"answer\":\"x\"}\0{\"answer\":\"x\"}\0");
}

#[test]
fn nothing_comes_after_the_end() {
    for (end, first) in [("refused", Step::Refused), ("unavailable", Step::Unavailable)] {
        let (mut proof, _process) = proof_of(&format!("{{\"end\":\"{end}\"}}|{PROVEN}"), true);
        assert_eq!(proof.next(), first);
        assert_eq!(proof.next(), Step::Unavailable);
        assert_eq!(proof.answer(b"x"), Err(BadAnswer));
    }
    let (mut proof, _process) = proof_of(&format!("{PROVEN}{PROVEN}"), true);
    assert!(matches!(proof.next(), Step::Proven(_)));
    assert_eq!(proof.next(), Step::Unavailable);
    assert_eq!(proof.ended(), Ended::Proven);
}

#[test]
fn a_process_that_dies_at_any_point_has_proven_nothing() {
    let said = format!("{{\"tell\":\"hello\",\"error\":false}}|{QUESTION}{PROVEN}");
    // All but the last byte, which ends the last message.
    for length in 0..said.len() {
        let (mut proof, _) = proof_of(said.get(..length).unwrap(), false);
        let seen = steps(&mut proof);
        assert_eq!(seen.last(), Some(&Step::Unavailable), "{length}");
        assert_ne!(proof.ended(), Ended::Proven);
    }
    let (mut proof, _) = proof_of(&said, false);
    assert!(matches!(steps(&mut proof).last(), Some(Step::Proven(_))));
}

#[test]
fn what_is_not_understood_ends_it_for_good() {
    let nonsense = ["|", "{}|", "no json|", r#"{"user":"alice"}|"#, r#"{"end":"proven","x":1}|"#];
    for said in nonsense {
        let (mut proof, _process) = proof_of(&format!("{said}{PROVEN}"), true);
        assert_eq!(proof.next(), Step::Unavailable, "{said}");
        assert_eq!(proof.next(), Step::Unavailable, "{said}");
    }
    let (mut proof, _process) = proof_of(&"x".repeat(9000), true);
    assert_eq!(proof.next(), Step::Unavailable);
}

#[test]
fn a_question_that_is_not_answered_ends_it() {
    let (mut proof, _process) = proof_of(&format!("{QUESTION}{PROVEN}"), true);
    assert!(matches!(proof.next(), Step::Ask { .. }));
    assert_eq!(proof.next(), Step::Unavailable);
    assert_eq!(proof.next(), Step::Unavailable);
    assert_eq!(proof.ended(), Ended::Untried);
}

#[test]
fn what_cannot_be_an_answer_is_refused_and_the_question_stays() {
    let (mut proof, mut process) = proof_of(QUESTION, true);
    assert_eq!(proof.answer(b"too early"), Err(BadAnswer));
    assert!(matches!(proof.next(), Step::Ask { .. }));
    for answer in [&b"\xff"[..], b"right\0wrong", &[b'x'; 512]] {
        assert_eq!(proof.answer(answer), Err(BadAnswer));
    }
    assert_eq!(proof.ended(), Ended::Untried);
    assert_eq!(proof.answer(&[b'x'; 511]), Ok(()));
    assert_eq!(proof.answer(b"again"), Err(BadAnswer));
    drop(proof);
    let mut heard = String::new();
    process.as_mut().unwrap().read_to_string(&mut heard).unwrap();
    assert_eq!(heard, format!("{{\"user\":\"alice\"}}\0{{\"answer\":\"{}\"}}\0", "x".repeat(511)));
}

#[test]
fn an_answer_that_no_proof_followed_counts_as_a_failure() {
    let after = |rest: &str, stays| {
        let (mut proof, process) = proof_of(&format!("{QUESTION}{rest}"), stays);
        assert!(matches!(proof.next(), Step::Ask { .. }));
        proof.answer(b"x").unwrap();
        let given_up = proof.ended();
        let _ = proof.next();
        drop(process);
        (given_up, proof.ended())
    };
    for rest in ["{\"end\":\"refused\"}|", "{\"end\":\"unavailable\"}|", "", "x|"] {
        assert_eq!(after(rest, false), (Ended::Failed, Ended::Failed), "{rest}");
    }
    assert_eq!(after(PROVEN, true), (Ended::Failed, Ended::Proven));
    let (mut proof, _) = proof_of("", false);
    assert_eq!(
        (proof.ended(), proof.next(), proof.ended()),
        (Ended::Unasked, Step::Unavailable, Ended::Unasked)
    );
    let (mut proof, _) = proof_of("{\"end\":\"refused\"}|", false);
    assert_eq!((proof.next(), proof.ended()), (Step::Refused, Ended::Failed));
}

#[test]
fn a_silent_process_is_not_waited_for_for_ever() {
    let (process, stream) = UnixStream::pair().unwrap();
    let total = Deadline::after(Duration::from_millis(50));
    let mut proof = Proof::over(connection_over(stream), None, &alice(), total).unwrap();
    assert_eq!(proof.next(), Step::Unavailable);
    drop(process);
}

#[test]
fn what_cannot_be_reached_or_started_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let route = Route { socket: folder.path().join("socket"), program: folder.path().join("absent") };
    assert!(Proof::start_by(&route, &alice()).is_err());
    // Only where nobody listens a child is started.
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let route = Route { socket: file.join("socket"), program: "/bin/true".into() };
    let refusal = Proof::start_by(&route, &alice()).map(drop).unwrap_err();
    assert_eq!(refusal.kind(), io::ErrorKind::NotADirectory);
}
