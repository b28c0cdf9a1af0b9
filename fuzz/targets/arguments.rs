//! The arguments of a PAM line, one a line of the input: what is accepted is what a plain reading accepts,
//! and an error is short, whatever was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_countersign::config::args::{ArgumentError, RawArguments};

fuzz_target!(|bytes: &[u8]| {
    let arguments: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let read = RawArguments::parse(arguments.iter().copied());
    assert_eq!(read.as_ref().ok(), plainly(&arguments).as_ref());
    if let Err(error) = read {
        let text = error.to_string();
        assert!(text.chars().count() < 64 + 64, "{text}");
        if let ArgumentError::Unknown { meant: Some(meant), .. } = error {
            assert!(["nullok", "debug", "attempts=", "prompt=", "first_factor=publickey"].contains(&meant));
        }
    }
});

/// The same, argument by argument; none may come twice.
fn plainly(arguments: &[&[u8]]) -> Option<RawArguments> {
    let mut read = RawArguments::default();
    for argument in arguments {
        let argument = std::str::from_utf8(argument).ok()?;
        let first = if argument == "nullok" {
            !std::mem::replace(&mut read.nullok, true)
        } else if argument == "debug" {
            !std::mem::replace(&mut read.debug, true)
        } else if argument == "first_factor=publickey" {
            !std::mem::replace(&mut read.first_factor, true)
        } else if let Some(number) = argument.strip_prefix("attempts=") {
            let attempts = (1..=10).find(|attempts| number.parse() == Ok(*attempts))?;
            read.attempts.replace(attempts).is_none()
        } else {
            let text = argument.strip_prefix("prompt=")?;
            let fits = (1..=256).contains(&text.len()) && !text.contains(char::is_control);
            fits && read.prompt.replace(text.to_owned()).is_none()
        };
        if !first {
            return None;
        }
    }
    Some(read)
}
