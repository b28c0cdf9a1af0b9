//! Five devices of all kinds, and their codes, each made once.
//!
//! Three secrets were searched for, so that what chance brings once in a million codes is met often: at
//! the third step after [`START`] phone and tablet show the same code, at the sixth and seventh the phone
//! shows one code twice, and so does the token at the counters 3 and 7.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use pam_countersign::credential::{Authenticator, Kind};
use pam_countersign::otp::{Algorithm, Code, Digits, Period, SharedSecret};

/// When histories begin, in seconds since 1970.
pub const START: u64 = 1_800_000_000;

/// What moves a device's codes on.
#[derive(Clone, Copy, Debug)]
pub enum Moving {
    Time { period: u64 },
    Counter,
}

/// A device.
pub struct Device {
    pub id: &'static str,
    pub moving: Moving,
    pub authenticator: Authenticator,
}

/// A code as it is shown: how many digits, and their value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub digits: u8,
    pub value: u32,
}

impl Shown {
    /// The same code as the module takes it.
    pub fn typed(self) -> Code {
        Code::new(self.value, Digits::new(self.digits).unwrap())
    }
}

static DEVICES: LazyLock<[Device; 5]> = LazyLock::new(|| {
    let (half, whole) = (Moving::Time { period: 30 }, Moving::Time { period: 60 });
    [
        device("phone", b"the phone's 00230047", half, Algorithm::Sha1, 6),
        device("tablet", b"the tablet's 1438404", half, Algorithm::Sha1, 6),
        device("token", b"the token's 01397636", Moving::Counter, Algorithm::Sha1, 6),
        device("watch", b"a secret of 32 bytes for a watch", whole, Algorithm::Sha256, 8),
        device("key-ring", b"a key ring's secret", Moving::Counter, Algorithm::Sha512, 8),
    ]
});

/// All devices there are.
pub fn devices() -> &'static [Device] {
    &*DEVICES
}

fn device(id: &'static str, secret: &[u8], moving: Moving, algorithm: Algorithm, digits: u8) -> Device {
    let authenticator = Authenticator {
        id: id.to_owned(),
        secret: SharedSecret::from_bytes(secret).unwrap(),
        kind: match moving {
            Moving::Time { period } => Kind::Totp(Period::new(period).unwrap()),
            Moving::Counter => Kind::Hotp,
        },
        algorithm,
        digits: Digits::new(digits).unwrap(),
        confirmed: Some(START),
    };
    Device { id, moving, authenticator }
}

thread_local! {
    static CODES: RefCell<HashMap<(usize, u64), Shown>> = RefCell::default();
}

/// The code of a device at a step or counter.
pub fn code_of(device: usize, step: u64) -> Shown {
    CODES.with_borrow_mut(|codes| {
        // Histories reach far; what is kept of them does not.
        if codes.len() > 1_000_000 {
            codes.clear();
        }
        *codes.entry((device, step)).or_insert_with(|| {
            let text = devices()[device].authenticator.generator().code(step).to_text();
            Shown { digits: u8::try_from(text.len()).unwrap(), value: text.parse().unwrap() }
        })
    })
}
