//! The otpauth URI: whatever the names, it is made of the characters of RFC 3986, and a simple parser gets
//! out of it what went in.
#![no_main]

use std::collections::HashMap;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pam_countersign::otp::uri::{Label, Moving, otpauth};
use pam_countersign::otp::{Algorithm, Digits, Period, SharedSecret};

/// What goes into a URI, as far as it can.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    issuer: &'a str,
    account: &'a str,
    algorithm: u8,
    digits: u8,
    period: u64,
    /// In place of a period.
    counter: Option<u64>,
    secret: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let Ok(secret) = SharedSecret::from_bytes(input.secret) else { return };
    let algorithms = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
    let algorithm = algorithms[usize::from(input.algorithm) % algorithms.len()];
    let digits = Digits::new(6 + input.digits % 3).expect("6 to 8");
    let period = Period::new(15 + input.period % 106).expect("15 to 120");
    let moving = input.counter.map_or(Moving::Totp(period), Moving::Hotp);
    let label = Label { issuer: input.issuer, account: input.account };
    let uri = otpauth(&label, &secret, algorithm, digits, moving);

    let (kind, names, mut parameters) = parsed(&uri);
    assert_eq!(names, [input.issuer, input.account]);
    let mut take = |name: &str, absent: &str| parameters.remove(name).unwrap_or_else(|| absent.to_owned());
    assert_eq!(take("issuer", ""), input.issuer);
    assert_eq!(from_base32(&take("secret", "")), input.secret);
    assert_eq!(take("algorithm", "SHA1"), algorithm.name());
    assert_eq!(take("digits", "6"), digits.number().to_string());
    match input.counter {
        Some(counter) => assert_eq!((kind, take("counter", "")), ("hotp", counter.to_string())),
        None => assert_eq!((kind, take("period", "30")), ("totp", period.seconds().to_string())),
    }
    assert!(parameters.is_empty(), "{parameters:?}");
});

/// Kind, names and parameters of a URI, each parameter there once.
fn parsed(uri: &str) -> (&str, Vec<String>, HashMap<&str, String>) {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    assert!(uri.bytes().all(allowed), "{uri}");
    let (kind, rest) = uri.strip_prefix("otpauth://").and_then(|uri| uri.split_once('/')).expect("a kind");
    let (label, query) = rest.split_once('?').expect("parameters");
    let mut parameters = HashMap::new();
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').expect("a value");
        assert!(parameters.insert(name, decoded(value)).is_none(), "{name} twice");
    }
    (kind, label.split(':').map(decoded).collect(), parameters)
}

/// Percent-decoded; only unreserved characters stand for themselves (RFC 3986 §2.3).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        if first == b'%' {
            bytes.push(u8::from_str_radix(&rest[1..3], 16).expect("two hex digits"));
            rest = &rest[3..];
        } else {
            assert!(first.is_ascii_alphanumeric() || b"-._~".contains(&first), "{text}");
            bytes.push(first);
            rest = &rest[1..];
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// RFC 4648 §6, a bit at a time.
fn from_base32(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let value = |letter| alphabet.find(letter).expect("a letter of base32");
    let bits: Vec<bool> =
        text.chars().flat_map(|letter| (0..5).rev().map(move |bit| value(letter) >> bit & 1 == 1)).collect();
    let byte = |bits: &[bool]| bits.iter().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit));
    bits.chunks_exact(8).map(byte).collect()
}
