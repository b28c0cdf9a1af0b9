//! What other programs have written: any bytes are read or refused, whatever is taken over can be kept, and
//! no word of it holds what was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pam_countersign::credential::Kind;
use pam_countersign::credential::state::LAST_COUNTER;
use pam_countersign::import::roster::{Line, Roster};
use pam_countersign::import::{Found, Unfit, google_authenticator, oath_users, otpauth_uri};
use pam_countersign::otp::uri::{Label, Moving, otpauth};

fuzz_target!(|bytes: &[u8]| {
    look(&google_authenticator::read(bytes));
    look(&otpauth_uri::read(bytes));
    let lines = oath_users::read(bytes).unwrap_or_default();
    let most = bytes.split(|byte| *byte == b'\n').count();
    assert!(lines.len() <= most && lines.is_sorted_by_key(|line| line.number));
    for line in &lines {
        assert!((1..=most).contains(&line.number));
        assert!(line.user.is_some() || line.found.is_err());
        look(&line.found);
    }
    look_at_names(bytes, most);
});

/// Lines of a list of users: in their order, and what cannot be a name or an address is none.
fn look_at_names(bytes: &[u8], most: usize) {
    let lines: Vec<Line> = Roster::new(bytes).map(|line| line.expect("bytes can be read")).collect();
    assert!(lines.len() <= most && lines.is_sorted_by(|a, b| a.number < b.number && a.read < b.read));
    for line in &lines {
        assert!((1..=most as u64).contains(&line.number) && line.read <= bytes.len() as u64);
        match &line.entry {
            Ok(entry) => {
                let address = entry.address.as_deref().unwrap_or_default();
                assert!(!address.contains(char::is_control) && address.len() <= 254);
            }
            Err(problem) => assert!(problem.to_string().len() < 120),
        }
    }
}

fn look(found: &Result<Found, Unfit>) {
    let found = match found {
        Ok(found) => found,
        Err(problem) => return assert!(problem.to_string().len() < 120),
    };
    let device = &found.device;
    assert!((10..=128).contains(&device.secret.as_bytes().len()));
    assert!(device.drift.unsigned_abs() <= 10);
    let is_counter = device.parameters.kind == Kind::Hotp;
    assert!(!is_counter || (device.next <= LAST_COUNTER && device.drift == 0));
    let words: Vec<String> = found.left.iter().map(ToString::to_string).collect();
    let secret = device.secret.to_base32();
    for word in words.iter().chain([&device.to_string(), &format!("{found:?}")]) {
        assert!(!word.to_ascii_uppercase().contains(secret.as_str()), "{word}");
        assert!(!word.contains(char::is_control), "{word:?}");
    }
    reads_back(found);
}

/// What was read of any file makes a URI that says the same.
fn reads_back(found: &Found) {
    let device = &found.device;
    let moving = match device.parameters.kind {
        Kind::Totp(period) => Moving::Totp(period),
        Kind::Hotp => Moving::Hotp(device.next),
    };
    let label = Label { issuer: "a", account: "b" };
    let (algorithm, digits) = (device.parameters.algorithm, device.parameters.digits);
    let again = otpauth_uri::read(otpauth(&label, &device.secret, algorithm, digits, moving).as_bytes());
    let again = again.expect("what we write we read").device;
    assert_eq!(again.parameters, device.parameters);
    assert_eq!(again.secret.as_bytes(), device.secret.as_bytes());
    assert!(device.parameters.kind != Kind::Hotp || again.next == device.next);
}
