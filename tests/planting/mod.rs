//! Enrolments put into a store by hand, for tests that need one in a certain shape, and the phone
//! that goes with them. The codes come from `oathtool`, an independent judge.
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what it does not expect"
)]

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use pam_countersign::credential::slot::{self, Chosen, Sequenced};
use pam_countersign::credential::{Authenticator, Credential, KeyRecord, Kind, RecoverySet, State, format};
use pam_countersign::otp::{Algorithm, Digits, Passcode, Period, RecoveryCode, RecoverySalt, SharedSecret};
use pam_countersign::user::UserName;

/// The recovery codes of every planted enrolment, as they are typed.
pub const RECOVERY_CODES: [&str; 3] = ["0123-4567-89AB-CDEF", "GHJK-MNPQ-RSTV-WXYZ", "0000-1111-2222-3333"];

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

fn microseconds() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(since_1970.as_micros()).expect("a time that is not far off")
}

/// A device that holds a secret.
pub struct Phone {
    secret: String,
    last: RefCell<String>,
}

impl Phone {
    /// A phone with this base32 secret.
    pub fn new(secret: &str) -> Self {
        Self { secret: secret.to_owned(), last: RefCell::default() }
    }

    /// The code that was asked for last, though it may show the next one by now.
    pub fn same_code(&self) -> String {
        self.last.borrow().clone()
    }

    /// The code that it shows in so many periods of 30 s, by `oathtool`.
    pub fn code(&self, periods_ahead: i64) -> String {
        self.code_at(now().saturating_add_signed(30 * periods_ahead))
    }

    /// The code that it shows at a time, in seconds since 1970, by `oathtool`.
    pub fn code_at(&self, when: u64) -> String {
        let code = oathtool(&["--totp", "--base32", &format!("--now=@{when}"), &self.secret]).remove(0);
        self.last.replace(code.clone());
        code
    }

    /// A code that it shows neither now nor for two periods to either side.
    pub fn wrong_code(&self) -> String {
        let shown: Vec<String> = (-2..=2).map(|periods| self.code(periods)).collect();
        let mut codes = (0..).map(|number: u32| format!("{number:06}"));
        codes.find(|code| !shown.contains(code)).expect("a wrong code")
    }
}

/// A device that counts instead of looking at the clock, and so has any number of codes at once.
pub struct CountingDevice {
    secret: String,
}

impl CountingDevice {
    /// A device with this base32 secret.
    pub fn new(secret: &str) -> Self {
        Self { secret: secret.to_owned() }
    }

    /// The code of a counter value, by `oathtool`.
    pub fn code(&self, counter: u64) -> String {
        oathtool(&["--hotp", "--base32", &format!("--counter={counter}"), &self.secret]).remove(0)
    }

    /// The codes of a hundred counter values from this one on.
    pub fn codes(&self, counter: u64) -> Vec<String> {
        let first = format!("--counter={counter}");
        oathtool(&["--hotp", "--base32", &first, "--window=99", &self.secret])
    }

    /// A code of none of the hundred counter values from this one on.
    pub fn wrong_code(&self, counter: u64) -> String {
        let shown = self.codes(counter);
        let mut codes = (0..).map(|number: u32| format!("{number:06}"));
        codes.find(|code| !shown.contains(code)).expect("a wrong code")
    }
}

/// The codes that `oathtool` prints.
fn oathtool(arguments: &[&str]) -> Vec<String> {
    let made = Command::new("oathtool").args(arguments).output().expect("oathtool is installed");
    assert!(made.status.success(), "oathtool: {}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8_lossy(&made.stdout).lines().map(str::to_owned).collect()
}

/// A user's enrolment as it is to be put into a store.
pub struct Planted {
    /// What goes into `credential.toml`.
    pub credential: Credential,
    /// What goes into `state`.
    pub state: State,
}

impl Planted {
    /// An enrolment with one phone, of which no code is used yet, and three recovery codes.
    pub fn new(name: &str, uid: u32) -> (Self, Phone) {
        let salt = RecoverySalt([7; 16]);
        let digests = RECOVERY_CODES.map(|code| recovery_code(code).digest(&salt)).to_vec();
        let secret = SharedSecret::from_bytes(format!("secret of {name:.<20}").as_bytes()).expect("a secret");
        let phone = Phone::new(&secret.to_base32());
        let authenticator = Authenticator {
            id: "phone".to_owned(),
            secret,
            kind: Kind::Totp(Period::RECOMMENDED),
            algorithm: Algorithm::Sha1,
            digits: Digits::Six,
            confirmed: Some(1_790_000_000),
        };
        let mut state = State::new([5; 16], now());
        state.recovery.vouch_for([7; 8]);
        let record = KeyRecord { key: authenticator.key_name(), next: 0, drift: 0, lean: 0 };
        state.put_key(record, &[]);
        let credential = Credential {
            user: UserName::new(name.as_bytes()).expect("a name"),
            uid: Some(uid),
            disabled: false,
            authenticators: vec![authenticator],
            recovery: Some(RecoverySet { salt, digests }),
        };
        (Self { credential, state }, phone)
    }

    /// An enrolment as [`Planted::new`] makes it, with a device that counts.
    pub fn counting(name: &str, uid: u32) -> (Self, CountingDevice) {
        let (mut planted, phone) = Self::new(name, uid);
        planted.credential.authenticators[0].kind = Kind::Hotp;
        planted.state.keys[0].key = planted.credential.authenticators[0].key_name();
        (planted, CountingDevice::new(&phone.secret))
    }

    /// Puts it into a store, in place of what was there.
    pub fn put_into(&self, store: &Path) {
        let name = self.credential.user.as_str();
        self.put_credential_into(store);
        self.put_state_into(store);
        if let Some(uid) = self.credential.uid {
            write(&store.join("by-uid").join(uid.to_string()), format!("{name}\n").as_bytes());
        }
    }

    /// Puts the credential alone into a store, as configuration management does before
    /// `countersign adopt`; nothing else of the user stays.
    pub fn put_credential_into(&self, store: &Path) {
        let directory = self.directory(store);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).expect("a directory for the user");
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).expect("its mode");
        let text = format::write(&self.credential).expect("a credential that can be written");
        write(&directory.join("credential.toml"), text.as_bytes());
    }

    /// Puts the state alone into a store: what logins have used up is good again.
    pub fn put_state_into(&self, store: &Path) {
        // Above every number that logins have noted since: it is not put back, but new.
        let first = Sequenced { sequence: microseconds(), state: self.state.clone() };
        let mut bytes = slot::encode(&self.credential.user, &first).expect("a state that can be written");
        bytes.resize(65_536 + 4096, b'\n');
        write(&self.directory(store).join("state"), &bytes);
    }

    /// The state that a store holds now.
    pub fn state_in_store(&self, store: &Path) -> State {
        self.current_in_store(store).state
    }

    /// The state that a store holds now, with the number of its writing.
    pub fn current_in_store(&self, store: &Path) -> Sequenced {
        self.chosen_in_store(store).current
    }

    fn chosen_in_store(&self, store: &Path) -> Chosen {
        let bytes = fs::read(self.directory(store).join("state")).expect("a state");
        let slot = |offset: usize| slot::decode(&self.credential.user, &bytes[offset..offset + slot::SIZE]);
        slot::choose(slot(0), slot(65_536)).expect("a whole slot")
    }

    /// Writes the state into the state file that there is, in place, as a login does.
    pub fn overwrite_state_in(&self, store: &Path) {
        let chosen = self.chosen_in_store(store);
        let next = Sequenced { sequence: chosen.current.sequence + 1, state: self.state.clone() };
        let bytes = slot::encode(&self.credential.user, &next).expect("a state that can be written");
        let file = fs::File::options().write(true).open(self.directory(store).join("state"));
        file.and_then(|file| file.write_all_at(&bytes, chosen.place.other().offset())).expect("write a slot");
    }

    /// The user's directory in a store.
    pub fn directory(&self, store: &Path) -> PathBuf {
        store.join("users").join(self.credential.user.as_str())
    }
}

fn recovery_code(typed: &str) -> RecoveryCode {
    match Passcode::parse(typed.as_bytes()) {
        Some(Passcode::Recovery(code)) => code,
        _ => panic!("not a recovery code: {typed}"),
    }
}

/// Writes a file of mode 0600.
pub fn write(path: &Path, content: &[u8]) {
    fs::write(path, content).expect("write a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode");
}
