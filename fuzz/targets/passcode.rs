//! What a person types: read as a plain list of characters reads it, and the same however it is spaced.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_countersign::otp::Passcode;

fuzz_target!(|reply: &[u8]| {
    let read = shown(reply);
    assert_eq!(read, plainly(reply));
    if let Some(text) = read {
        for again in [text.clone(), spaced(&text, "-"), spaced(&text, " \u{2013}"), wide(&text)] {
            assert_eq!(shown(again.as_bytes()), Some(text.clone()), "{again:?}");
        }
    }
});

/// A passcode as it is shown to people, without the dashes of a recovery code.
fn shown(reply: &[u8]) -> Option<String> {
    Passcode::parse(reply).map(|passcode| match passcode {
        Passcode::Code(code) => code.to_text().to_string(),
        Passcode::Recovery(code) => code.to_text().replace('-', ""),
        Passcode::Ending(_) => panic!("no reply is read as the end of a line"),
    })
}

/// The same, character by character: 6 to 8 digits, or 16 characters of Crockford's base32.
fn plainly(reply: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(reply).ok().filter(|text| text.len() <= 128)?;
    let dashes = "-\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{ff0d}\u{200b}\u{2060}\u{feff}";
    let mut typed = String::new();
    for character in text.chars().filter(|typed| !typed.is_whitespace() && !dashes.contains(*typed)) {
        let wide = ('\u{ff01}'..='\u{ff5e}').position(|wide| wide == character);
        typed.push(wide.and_then(|place| ('!'..='~').nth(place)).unwrap_or(character));
    }
    if (6..=8).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(typed);
    }
    let meant = typed.to_ascii_uppercase().replace('O', "0").replace(['I', 'L'], "1");
    let is_code = meant.len() == 16 && meant.bytes().all(|byte| byte.is_ascii_alphanumeric() && byte != b'U');
    is_code.then_some(meant)
}

fn spaced(text: &str, between: &str) -> String {
    text.chars().flat_map(|character| [character.to_string(), between.to_owned()]).collect()
}

/// In full-width characters.
fn wide(text: &str) -> String {
    text.chars().filter_map(|character| char::from_u32(u32::from(character) + 0xfee0)).collect()
}
