//! Slots written and read, torn and damaged.

#[cfg(not(miri))]
use proptest::prelude::*;

use super::*;
use crate::credential::state::{
    COUNTERS, Failures, KeyName, KeyRecord, KnownSource, RecoveryRecord, Refused, Remembered, SourceName,
    VouchedSet,
};

fn name(text: &str) -> UserName {
    UserName::new(text.as_bytes()).unwrap()
}

/// Every list filled to its cap with the longest values.
fn fullest() -> Sequenced {
    let worst = Failures { count: u32::MAX, last: i64::MAX as u64 };
    let source = |number: usize| SourceName::new(format!("addr:{number:0>59}")).unwrap();
    let key =
        |number: u8| KeyRecord { key: KeyName([number; 8]), next: i64::MAX as u64, drift: -10, lean: -1 };
    let refused = Refused { count: u32::MAX, first: worst.last, last_from: source(9) };
    Sequenced {
        sequence: u64::MAX,
        state: State {
            written: i64::MAX as u64,
            counter_key: [0xff; 16],
            keys: (0..16).map(key).collect(),
            recovery: RecoveryRecord {
                sets: vec![VouchedSet { name: [1; 8], used: vec![[2; 8]; 10] }; 3],
                failures: u32::MAX,
            },
            known: (0..8)
                .map(|number| KnownSource {
                    source: source(number),
                    failures: worst,
                    accepted: worst.last,
                    remembered: vec![Remembered { place: [3; 8], since: worst.last }],
                })
                .collect(),
            counters: [worst; COUNTERS],
            booted: worst.last,
            refused: refused.clone(),
            refused_before: refused,
        },
    }
}

fn small(sequence: u64) -> Sequenced {
    Sequenced { sequence, state: State::new([7; 16], sequence) }
}

#[test]
fn the_fullest_state_fits_its_slot_with_room_to_spare() {
    let slot = encode(&name("alice"), &fullest()).unwrap();
    assert_eq!(decode(&name("alice"), &slot), Slot::Valid(fullest()));
    let padding = slot.iter().rev().take_while(|byte| **byte == b'\n').count();
    assert!(padding > 128, "{padding} bytes left for later formats");
}

#[test]
fn a_slot_of_another_user_is_not_taken() {
    let slot = encode(&name("alice"), &small(3)).unwrap();
    assert_eq!(decode(&name("bob"), &slot), Slot::Invalid);
}

#[test]
#[cfg_attr(miri, ignore = "takes hours under Miri")]
fn a_slot_that_differs_in_any_byte_is_not_taken() {
    let whole = encode(&name("alice"), &fullest()).unwrap();
    for place in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x01;
        let read = decode(&name("alice"), &damaged);
        assert_eq!(read, Slot::Invalid, "byte {place}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes hours under Miri")]
fn a_slot_torn_at_any_byte_is_not_taken() {
    let (old, new) =
        (encode(&name("alice"), &small(3)).unwrap(), encode(&name("alice"), &fullest()).unwrap());
    for place in 1..SIZE {
        let torn = [&new[..place], &old[place..]].concat();
        if torn != new && torn != old {
            assert_eq!(decode(&name("alice"), &torn), Slot::Invalid, "torn at {place}");
        }
    }
}

#[test]
fn the_later_whole_slot_is_taken() {
    let valid = |sequence| Slot::Valid(small(sequence));
    let place = |first, second| choose(first, second).map(|chosen| (chosen.place, chosen.fell_back));
    assert_eq!(place(valid(1), Slot::Blank), Ok((Place::First, false)));
    assert_eq!(place(valid(1), valid(2)), Ok((Place::Second, false)));
    assert_eq!(place(valid(3), valid(2)), Ok((Place::First, false)));
    assert_eq!(place(valid(1), Slot::Invalid), Ok((Place::First, true)));
    assert_eq!(place(Slot::Invalid, valid(2)), Ok((Place::Second, true)));
}

#[test]
fn without_a_whole_slot_there_is_no_state() {
    assert_eq!(choose(Slot::Invalid, Slot::Invalid), Err(NoState::BothInvalid));
    assert_eq!(choose(Slot::Blank, Slot::Invalid), Err(NoState::BothInvalid));
    assert_eq!(choose(Slot::Blank, Slot::Blank), Err(NoState::BothInvalid));
    assert_eq!(choose(Slot::Valid(small(1)), Slot::OtherFormat), Err(NoState::OtherFormat));
}

#[test]
fn odd_bytes_are_no_slot() {
    let alice = name("alice");
    assert_eq!(decode(&alice, &[b'\n'; SIZE]), Slot::Blank);
    assert_eq!(decode(&alice, &[0; SIZE]), Slot::Invalid);
    assert_eq!(decode(&alice, b""), Slot::Invalid);
    assert_eq!(decode(&alice, &[b'\n'; 100]), Slot::Invalid);
}

#[test]
fn a_whole_slot_of_a_later_format_is_told_apart() {
    let alice = name("alice");
    let rest = "anything".to_owned() + &"\n".repeat(SIZE);
    let header = format!("countersign-state 3 1 {:32}\n", "").len();
    let rest = rest.get(..SIZE - header).unwrap();
    let slot = format!("countersign-state 3 1 {}\n{rest}", digest_of(&alice, "3", "1", rest));
    assert_eq!(decode(&alice, slot.as_bytes()), Slot::OtherFormat);
    assert_eq!(decode(&name("bob"), slot.as_bytes()), Slot::Invalid);
}

#[test]
fn a_state_of_the_former_format_remembers_nothing_and_is_read() {
    let alice = name("alice");
    let state = State::new([7; 16], 5);
    let former: String = state_text::write(&state, SIZE)
        .unwrap()
        .lines()
        .filter(|line| !["booted", "remembered", "refused"].iter().any(|key| line.starts_with(key)))
        .flat_map(|line| [line, "\n"])
        .collect();
    // The last list of all ends with the text.
    let former = former.strip_suffix("]\n").unwrap();
    let header = format!("countersign-state 1 9 {:32}\n", "").len();
    let rest = former.to_owned() + &"\n".repeat(SIZE - header - former.len());
    let slot = format!("countersign-state 1 9 {}\n{rest}", digest_of(&alice, "1", "9", &rest));
    assert_eq!(decode(&alice, slot.as_bytes()), Slot::Valid(Sequenced { sequence: 9, state }));
}

#[test]
fn nothing_is_written_that_could_not_be_read() {
    let breaks: [fn(&mut Sequenced); 6] = [
        |current| {
            let extra = current.state.known[0].remembered[0];
            current.state.known[0].remembered.push(extra);
        },
        |current| current.state.recovery.sets[0].used.push([3; 8]),
        |current| current.state.keys.push(current.state.keys[0]),
        |current| current.state.keys[0].drift = 11,
        |current| current.state.keys[0].lean = -2,
        |current| current.state.keys[0].next = u64::MAX,
    ];
    for change in breaks {
        let mut current = fullest();
        change(&mut current);
        assert!(encode(&name("alice"), &current).is_none());
    }
}

#[cfg(not(miri))]
proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        decode(&name("alice"), &bytes);
    }

    #[test]
    fn any_state_within_its_caps_reads_back(
        sequence in 1_u64..u64::MAX, next in 0_u64..=i64::MAX as u64, drift in -10_i8..=10, keys in 0_u8..=16,
        used in 0_usize..=10, failures in any::<u32>(), known in 0_usize..=8,
    ) {
        let mut current = fullest();
        current.sequence = sequence;
        current.state.keys.truncate(usize::from(keys));
        for key in &mut current.state.keys {
            key.next = next;
            key.drift = drift;
        }
        current.state.recovery.sets.truncate(used / 3);
        current.state.recovery.sets.iter_mut().for_each(|set| set.used.truncate(used));
        current.state.recovery.failures = failures;
        current.state.known.truncate(known);
        let slot = encode(&name("alice"), &current).unwrap();
        prop_assert_eq!(decode(&name("alice"), &slot), Slot::Valid(current));
    }
}

/// The vectors of `tests/vectors/state`, written by a program that knows only the documentation.
#[test]
#[cfg_attr(miri, ignore = "takes hours under Miri")]
fn every_vector_gets_its_verdict() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/state");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let verdict = match decode(&name("alice"), &bytes[end + 1..]) {
            Slot::Blank => "# blank".to_owned(),
            Slot::Valid(current) => format!("# valid {}", current.sequence),
            Slot::Invalid => "# invalid".to_owned(),
            Slot::OtherFormat => "# other format".to_owned(),
        };
        assert_eq!(verdict.as_bytes(), &bytes[..end], "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 25, "only {seen} vectors");
}

/// A slot whose digest is right and whose body is none.
fn whole_without_sense(sequence: u64) -> Vec<u8> {
    let (alice, sequence) = (name("alice"), sequence.to_string());
    let header = format!("{MAGIC} {FORMAT} {sequence} {:DIGEST_DIGITS$}\n", "").len();
    let rest = format!("{:\n<1$}", "written = -1", SIZE - header);
    let digest = digest_of(&alice, FORMAT, &sequence, &rest);
    format!("{MAGIC} {FORMAT} {sequence} {digest}\n{rest}").into_bytes()
}

#[test]
fn two_slots_are_read_as_what_each_of_them_is() {
    let alice = name("alice");
    let slots = [
        vec![b'\n'; SIZE],
        vec![b'x'; SIZE],
        encode(&alice, &small(5)).unwrap(),
        encode(&alice, &small(6)).unwrap(),
        encode(&alice, &fullest()).unwrap(),
        encode(&name("bob"), &small(9)).unwrap(),
        whole_without_sense(8),
    ];
    let decoded = |slot: &[u8]| decode(&alice, slot);
    assert_eq!(decoded(&slots[6]), Slot::Invalid);
    let mut in_both_places = 0;
    for first in &slots {
        for second in &slots {
            let mut expected = choose(decoded(first), decoded(second));
            // Of two whole slots the earlier is not understood, so nobody knows that it makes no sense.
            if let Ok(chosen) = &mut expected
                && [first, second].contains(&&slots[6])
                && chosen.current.sequence > 8
            {
                chosen.fell_back = false;
            }
            in_both_places += usize::from(expected.is_ok());
            assert_eq!(read(&alice, first, second), expected);
        }
    }
    assert_eq!(in_both_places, 33);
}
