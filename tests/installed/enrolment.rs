//! Enrolling: by the real command at a terminal, or, where a test needs codes that are not used up,
//! by putting files into the store.

use super::Guarded;
use crate::planting::{CountingDevice, Phone, Planted};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a person has after `countersign enroll`.
pub struct Enrolled {
    /// The device. The code that it showed at enrolment is used up.
    pub phone: Phone,
    /// The key that was shown for typing in, without spaces.
    pub key: String,
    /// The code that was typed.
    pub first_code: String,
    /// The recovery codes as they were shown.
    pub recovery_codes: Vec<String>,
    /// The QR code as it was shown, with its colours.
    pub qr_code: String,
}

impl Guarded {
    /// Runs `countersign enroll` for a user and does what it asks.
    pub fn enroll(&self, user: &str) -> Enrolled {
        self.enroll_with(user, &[])
    }

    /// Like [`Guarded::enroll`], with more arguments.
    pub fn enroll_with(&self, user: &str, arguments: &[&str]) -> Enrolled {
        let command = ["countersign", "enroll", user];
        let mut terminal = self.terminal(&[&command[..], arguments].concat());
        terminal.expect(&format!("scan this with the authenticator app of {user}:\r\n"));
        let qr_code = terminal.expect("key for typing in: ");
        let key = terminal.expect("\r\n").replace(' ', "");
        let phone = Phone::new(&key);
        terminal.expect("code that the app shows: ");
        let first_code = phone.code(0);
        terminal.send_line(&first_code);
        terminal.expect(&format!("{user} is enrolled."));
        assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());

        let shown = terminal.transcript();
        let recovery_codes: Vec<String> = shown.lines().filter_map(recovery_code).collect();
        assert_eq!(recovery_codes.len(), 10, "recovery codes in:\n{shown}");
        Enrolled { phone, key, first_code, recovery_codes, qr_code }
    }

    /// Puts an enrolment into the store, of which nothing is used up yet.
    pub fn plant(&self, user: &str) -> (Planted, Phone) {
        let (planted, phone) = Planted::new(user, self.uid_of(user));
        self.put(&planted);
        (planted, phone)
    }

    /// Like [`Guarded::plant`], with a device that counts.
    pub fn plant_counting(&self, user: &str) -> (Planted, CountingDevice) {
        let (planted, device) = Planted::counting(user, self.uid_of(user));
        self.put(&planted);
        (planted, device)
    }

    /// Gives a user who has a device another one, which counts, beside it.
    pub fn plant_counting_beside(&self, user: &str) -> CountingDevice {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQMJS";
        let command =
            ["countersign", "add", "token", "--user", user, "--hotp", "--secret-stdin", "--no-confirm"];
        let added =
            self.run_with_input(&[&command[..], &["--force"]].concat(), format!("{secret}\n").as_bytes());
        assert_eq!(added.status, 0, "{added:#?}");
        let device = CountingDevice::new(secret);
        let confirm = ["countersign", "confirm", user, "--device", "token"];
        let confirmed = self.run_with_input(&confirm, format!("{}\n", device.code(0)).as_bytes());
        assert_eq!(confirmed.status, 0, "{confirmed:#?}");
        device
    }

    /// The store, as the host sees it.
    pub fn store(&self) -> PathBuf {
        self.directory().join("root/var/lib/countersign")
    }

    fn put(&self, planted: &Planted) {
        let store = tempfile::tempdir().expect("a directory for a store");
        fs::create_dir(store.path().join("users")).expect("users");
        fs::create_dir(store.path().join("by-uid")).expect("by-uid");
        planted.put_into(store.path());
        self.carry_in(store.path());
    }

    /// Puts the state of an enrolment back to its beginning: what logins have used up is good again,
    /// and no failure is counted. Only while nobody is logging in as this user.
    pub fn renew(&self, planted: &Planted) {
        let store = tempfile::tempdir().expect("a directory for a store");
        let directory = planted.directory(store.path());
        fs::create_dir_all(&directory).expect("a directory for the user");
        planted.put_state_into(store.path());
        let state = fs::read(directory.join("state")).expect("a state");
        let path = format!("/var/lib/countersign/users/{}/state", planted.credential.user);
        self.write(&path, 0o600, state);
    }

    fn carry_in(&self, store: &Path) {
        let packed = Command::new("tar")
            .args(["--create", "--owner=0", "--group=0", "--mode=u+rwX,go-rwx", "--directory"])
            .arg(store)
            .args(["users", "by-uid"])
            .output()
            .expect("tar");
        assert!(packed.status.success(), "tar: {}", String::from_utf8_lossy(&packed.stderr));
        let path = "--directory=/var/lib/countersign";
        self.must_with_input(&["tar", "--extract", "--preserve-permissions", path], &packed.stdout);
    }
}

/// A line that is a recovery code and nothing else: `XXXX-XXXX-XXXX-XXXX`.
fn recovery_code(line: &str) -> Option<String> {
    let code = line.trim();
    let is_group =
        |group: &str| group.len() == 4 && group.bytes().all(|letter| letter.is_ascii_alphanumeric());
    let groups: Vec<&str> = code.split('-').collect();
    (groups.len() == 4 && groups.into_iter().all(is_group)).then(|| code.to_owned())
}
