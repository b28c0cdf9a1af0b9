//! `cargo bench --bench core`: the rules alone, without a file, a clock or libpam.
#![allow(missing_docs, reason = "the names say it")]
#![allow(clippy::expect_used, clippy::panic, reason = "it stops at what it does not expect")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::indexing_slicing, reason = "it stops at what it does not expect")]

#[path = "../tests/planting/mod.rs"]
mod planting;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use pam_countersign::config::PolicyFile;
use pam_countersign::credential::slot::{self, Sequenced};
use pam_countersign::credential::{SourceName, format};
use pam_countersign::otp::{Passcode, RecoverySalt};
use pam_countersign::policy::{Attempt, Presented, decide};
use planting::Planted;

/// The policy that is shipped, with every line in force that can be.
const POLICY: &str = include_str!("../packaging/countersign.toml");

fn texts(criterion: &mut Criterion) {
    let (planted, _) = Planted::new("alice", 1000);
    let credential = format::write(&planted.credential).expect("a credential");
    criterion.bench_function("a credential is read", |bench| {
        bench.iter(|| format::parse(black_box(credential.as_bytes())));
    });
    let user = &planted.credential.user;
    let state = |sequence| Sequenced { sequence, state: planted.state.clone() };
    let [first, second] = [1, 2].map(|sequence| slot::encode(user, &state(sequence)).expect("a slot"));
    criterion.bench_function("a state is read", |bench| {
        bench.iter(|| slot::read(user, black_box(&first), black_box(&second)));
    });
    let next = state(3);
    criterion
        .bench_function("a state is written", |bench| bench.iter(|| slot::encode(user, black_box(&next))));
    criterion
        .bench_function("the policy is read", |bench| bench.iter(|| PolicyFile::parse(black_box(POLICY))));
}

fn verdicts(criterion: &mut Criterion) {
    let (planted, device) = Planted::counting("alice", 1000);
    let source = SourceName::new("addr:192.0.2.7".to_owned()).expect("a source");
    for (name, code) in [("a right code", device.code(0)), ("a wrong code", device.wrong_code(0))] {
        let presented = || match Passcode::parse(code.as_bytes()) {
            Some(Passcode::Code(code)) => Presented::Code { code, previous: None },
            _ => panic!("not a code: {code}"),
        };
        criterion.bench_function(name, |bench| {
            bench.iter_batched(
                || (planted.state.clone(), Attempt { presented: presented(), source: source.clone() }),
                |(mut state, attempt)| decide(&planted.credential, &mut state, &attempt, 1_800_000_000),
                BatchSize::SmallInput,
            );
        });
    }
    let Some(Passcode::Recovery(code)) = Passcode::parse(planting::RECOVERY_CODES[0].as_bytes()) else {
        return;
    };
    criterion.bench_function("the digest of a recovery code", |bench| {
        bench.iter(|| black_box(&code).digest(&RecoverySalt([7; 16])));
    });
}

criterion_group!(benches, texts, verdicts);
criterion_main!(benches);
