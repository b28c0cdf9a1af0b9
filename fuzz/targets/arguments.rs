//! The arguments of a PAM line, one a line of the input: what is accepted is what a plain reading accepts,
//! and an error is short, whatever was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_countersign::config::FirstPass;
use pam_countersign::config::args::{ArgumentError, KNOWN, RawArguments};

fuzz_target!(|bytes: &[u8]| {
    let arguments: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let read = RawArguments::parse(arguments.iter().copied());
    assert_eq!(read.as_ref().ok(), plainly(&arguments).as_ref());
    if let Err(error) = read {
        let text = error.to_string();
        assert!(text.chars().count() < 64 + 128, "{text}");
        if let ArgumentError::Unknown { meant: Some(meant), .. } = error {
            assert!(KNOWN.contains(&meant));
        }
    }
});

/// The same, argument by argument; none may come twice.
fn plainly(arguments: &[&[u8]]) -> Option<RawArguments> {
    let mut read = RawArguments::default();
    for argument in arguments {
        let argument = std::str::from_utf8(argument).ok()?;
        let (name, value) =
            argument.split_once('=').map_or((argument, None), |(name, value)| (name, Some(value)));
        let is_first = match (name, value) {
            ("nullok", None) => !std::mem::replace(&mut read.nullok, true),
            ("debug", None) => !std::mem::replace(&mut read.debug, true),
            ("echo" | "echo_verification_code" | "echo-verification-code", None) => {
                !std::mem::replace(&mut read.echo, true)
            }
            ("forward_pass", None) => !std::mem::replace(&mut read.forward_pass, true),
            ("try_first_pass", None) => read.first_pass.replace(FirstPass::Try).is_none(),
            ("use_first_pass", None) => read.first_pass.replace(FirstPass::Use).is_none(),
            ("noskewadj" | "no_increment_hotp", None) => true,
            ("window" | "digits", Some(number)) => number.parse::<u16>().is_ok(),
            ("first_factor", Some("publickey")) => !std::mem::replace(&mut read.first_factor, true),
            ("attempts", Some(number)) => {
                let attempts = (1..=10).find(|attempts| number.parse() == Ok(*attempts))?;
                read.attempts.replace(attempts).is_none()
            }
            ("prompt" | "authtok_prompt", Some(text)) => {
                let fits = (1..=256).contains(&text.len()) && !text.contains(char::is_control);
                fits && read.prompt.replace(text.to_owned()).is_none()
            }
            ("remember" | "grace_period", Some(text)) => read.remember.replace(seconds(text)?).is_none(),
            ("conf", Some(path)) => {
                path.starts_with('/') && path.len() < 4096 && read.conf.replace(path.to_owned()).is_none()
            }
            _ => false,
        };
        if !is_first {
            return None;
        }
    }
    Some(read)
}

/// A time of one second to thirty days, by its last letter.
fn seconds(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => 0,
    };
    let number = if unit == 0 { text } else { &text[..text.len() - 1] };
    let is_number = !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit());
    let number: u128 = number.parse().ok().filter(|_| is_number)?;
    let seconds = number.checked_mul(unit.max(1))?;
    u64::try_from(seconds).ok().filter(|seconds| (1..=30 * 86_400).contains(seconds))
}
