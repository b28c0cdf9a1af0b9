//! The text of a credential: any bytes are read or refused, an error names a place in the text, and what
//! was read is written so that it reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_countersign::credential::format::{FormatError, parse, write};
use pam_countersign::credential::{Authenticator, Credential};

fuzz_target!(|bytes: &[u8]| {
    match parse(bytes) {
        Ok(credential) => reads_back(&credential),
        Err(error) => names_a_place(bytes, &error),
    }
});

fn reads_back(credential: &Credential) {
    assert_eq!(credential.check(), Ok(()));
    let text = write(credential).expect("what was read can be written");
    let again = parse(text.as_bytes()).expect("what was written can be read");
    // The secrets do not print, so they are compared apart.
    assert_eq!(format!("{credential:?}"), format!("{again:?}"));
    assert!(credential.authenticators.iter().map(secret).eq(again.authenticators.iter().map(secret)));
    assert_eq!(*write(&again).expect("again"), *text);
}

fn secret(authenticator: &Authenticator) -> &[u8] {
    authenticator.secret.as_bytes()
}

fn names_a_place(bytes: &[u8], error: &FormatError) {
    let (line, column) = (error.line, error.column);
    assert_eq!(line == 0, column == 0);
    if line > 0 {
        let length = bytes.split(|byte| *byte == b'\n').nth(line - 1).map(<[u8]>::len);
        assert!(length.is_some_and(|length| column <= length + 1), "{line}:{column}");
    }
    assert!(error.to_string().len() < 120);
}
