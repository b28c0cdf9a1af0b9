//! One-time codes: how they are made, typed, shown and recovered.
//!
//! Pure arithmetic over bytes. Nothing here knows about users, files or the time of day.
#![forbid(unsafe_code)]

pub mod code;
pub mod ending;
pub mod hotp;
pub mod recovery;
pub mod secret;
pub mod totp;
pub mod uri;

pub use code::{Code, Digits, Passcode};
pub use ending::Ending;
pub use hotp::Algorithm;
pub use recovery::{RecoveryCode, RecoveryDigest, RecoverySalt};
pub use secret::SharedSecret;
pub use totp::Period;
