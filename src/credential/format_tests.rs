//! The vectors of `tests/vectors/credential`: each breaks one property, line 1 has the verdict.

use super::super::record::tests::alice;
use super::*;

/// Every file there: `# accepted`, or `# refused: ` and the error's text.
#[test]
fn every_vector_gets_its_verdict() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/credential");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap();
        let verdict = std::str::from_utf8(first).unwrap();
        let found = match parse(&bytes) {
            Ok(_) => "# accepted".to_owned(),
            Err(error) => format!("# refused: {error}"),
        };
        assert_eq!(found, verdict, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 20, "only {seen} vectors");
}

#[test]
fn what_is_written_reads_back() {
    let mut credential = alice();
    credential.recovery =
        Some(RecoverySet { salt: RecoverySalt([7; 16]), digests: vec![RecoveryDigest([9; 32]); 10] });
    credential.authenticators.push(Authenticator {
        id: "key-ring".to_owned(),
        secret: SharedSecret::from_bytes(b"another secret").unwrap(),
        kind: Kind::Hotp,
        algorithm: Algorithm::Sha512,
        digits: Digits::Eight,
        confirmed: None,
    });
    let text = write(&credential).unwrap();
    let read = parse(text.as_bytes()).unwrap();
    assert_eq!(format!("{read:?}"), format!("{credential:?}"));
    assert_eq!(read.authenticators[0].secret.as_bytes(), b"12345678901234567890");
    assert_eq!(*write(&read).unwrap(), *text);
}

#[test]
fn times_survive_both_ways() {
    for seconds in [0, 1_795_300_200, 4_102_444_799, 253_402_300_799] {
        let text = format!("when = {}", datetime_of(seconds).unwrap());
        let document = Document::parse(&text).unwrap();
        assert_eq!(document.table().need("when").unwrap().moment(), Some(seconds));
    }
    assert_eq!(datetime_of(1_795_300_200).unwrap().to_string(), "2026-11-21T22:30:00Z");
    assert!(datetime_of(u64::MAX).is_none());
}

/// The parser quotes the line it stumbles over; nothing of that may come through.
#[test]
fn an_error_never_tells_the_text() {
    let text = "format = 1\nuser = \"alice\"\n[[authenticator]]\nid = \"p\"\nsecret = GEZDGNBVGY3TQOJQ\n";
    let error = parse(text.as_bytes()).unwrap_err();
    assert_eq!(error.line, 5);
    assert!(!format!("{error} {error:?}").contains("GEZD"));
}
