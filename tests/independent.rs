//! `oathtool` as the independent judge of the codes that the module expects.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::expect_used, reason = "a test stops at what it does not expect")]

use std::process::Command;

use pam_countersign::otp::hotp::Generator;
use pam_countersign::otp::{Algorithm, Digits, Period, SharedSecret};

/// Secrets that are compared.
const SECRETS: u64 = 1000;

/// The code by `oathtool`.
fn judged(secret: &str, algorithm: Algorithm, digits: Digits, time: u64) -> String {
    let made = Command::new("oathtool")
        .arg(format!("--totp={}", algorithm.name()))
        .args(["--base32", &format!("--digits={}", digits.number()), &format!("--now=@{time}"), secret])
        .output()
        .expect("oathtool is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8_lossy(&made.stdout).trim().to_owned()
}

#[test]
fn a_thousand_random_secrets_agree_with_oathtool() {
    let mut compared = 0;
    for number in 0..SECRETS {
        let mut random = [0; 72];
        getrandom::fill(&mut random).expect("randomness");
        let (bytes, rest) = random.split_at(64);
        let length = 10 + usize::from(rest[0]) % 55;
        let secret = SharedSecret::from_bytes(&bytes[..length.min(64)]).expect("a secret");
        // Also beyond 2038 and beyond 32 bits.
        let time = u64::from_be_bytes(rest.try_into().expect("eight bytes")) % 5_000_000_000;
        for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
            for digits in [Digits::Six, Digits::Seven, Digits::Eight] {
                let code = Generator::new(&secret, algorithm, digits).code(Period::RECOMMENDED.step_at(time));
                let expected = judged(&secret.to_base32(), algorithm, digits, time);
                assert_eq!(
                    *code.to_text(),
                    expected,
                    "secret {number}, {algorithm}, {digits:?}, time {time}"
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 9 * SECRETS);
}
