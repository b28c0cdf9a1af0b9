//! Two slots of a state: any bytes are read or refused, what was read is written so that it reads back
//! the same, and of two slots the right one is taken.
//!
//! The input is a byte that says which slots get a header that fits, two bytes for their sequence numbers,
//! and the two texts with a byte 0xff between them. Without that header a fuzzer would get no further than
//! the digest.
#![no_main]

use std::fmt::Write as _;

use libfuzzer_sys::fuzz_target;
use pam_countersign::credential::slot::{Chosen, NoState, Place, SIZE, Slot, choose, decode, encode};
use pam_countersign::user::UserName;
use sha2::{Digest, Sha256};

fuzz_target!(|bytes: &[u8]| {
    let [how, first, second, rest @ ..] = bytes else { return };
    let mut texts = rest.splitn(2, |byte| *byte == 0xff);
    let mut slot = |fits: bool, sequence: u8| {
        let text = texts.next().unwrap_or_default();
        let bytes = if fits { with_header(how >> 2, sequence, text) } else { text.to_vec() };
        read(&bytes)
    };
    let slots = [slot(how & 1 == 1, *first), slot(how & 2 == 2, *second)];
    the_right_one_is_taken(slots);
});

fn alice() -> UserName {
    UserName::new(b"alice").expect("a name")
}

/// A whole slot, as `docs/file-format.md` says, around any text.
fn with_header(format: u8, sequence: u8, text: &[u8]) -> Vec<u8> {
    let format = if format == 0 { 1 } else { format };
    let sequence = match sequence {
        255 => "18446744073709551616".to_owned(),
        254 => "18446744073709551615".to_owned(),
        253 => "-1".to_owned(),
        252 => String::new(),
        number => number.to_string(),
    };
    let start = format!("countersign-state {format} {sequence} ");
    let mut rest = text.to_vec();
    rest.resize(SIZE - start.len() - 32 - 1, b'\n');
    let mut hash = Sha256::new_with_prefix(format!("alice\0{format}\0{sequence}\0"));
    hash.update(&rest);
    let digest = hash.finalize().iter().take(16).fold(String::new(), |mut digest, byte| {
        let _ = write!(digest, "{byte:02x}");
        digest
    });
    [start.as_bytes(), digest.as_bytes(), b"\n", &rest].concat()
}

fn read(bytes: &[u8]) -> Slot {
    let slot = decode(&alice(), bytes);
    if let Slot::Valid(current) = &slot {
        let written = encode(&alice(), current).expect("what was read can be written");
        assert_eq!(written.len(), SIZE);
        assert_eq!(decode(&alice(), &written), slot);
        let bob = UserName::new(b"bob").expect("a name");
        assert_eq!(decode(&bob, &written), Slot::Invalid);
    }
    slot
}

fn the_right_one_is_taken([first, second]: [Slot; 2]) {
    let sequence = |slot: &Slot| if let Slot::Valid(current) = slot { Some(current.sequence) } else { None };
    let has = |what: &Slot| first == *what || second == *what;
    let must_be = if has(&Slot::OtherFormat) {
        Err(NoState::OtherFormat)
    } else {
        // No sequence is less than any.
        let later = if sequence(&first) >= sequence(&second) { &first } else { &second };
        let place = if sequence(&first) >= sequence(&second) { Place::First } else { Place::Second };
        let Slot::Valid(current) = later else {
            assert_eq!(choose(first, second), Err(NoState::BothInvalid));
            return;
        };
        Ok(Chosen { current: current.clone(), place, fell_back: has(&Slot::Invalid) })
    };
    assert_eq!(choose(first, second), must_be);
}
