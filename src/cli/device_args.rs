//! What can be typed of a new device: how its codes are made, and how it is shown.

use std::path::PathBuf;

use clap::{Args, ValueEnum, builder::RangedU64ValueParser};

use crate::credential::state::LAST_COUNTER;

/// How the codes of a new device are made, and what the app calls them.
#[derive(Debug, Default, Args)]
pub(super) struct Making {
    /// Who the app says has issued the code [default: the host name]
    #[arg(long, value_name = "NAME")]
    pub(super) issuer: Option<String>,
    /// Whose code the app says it is [default: the name of the account]
    #[arg(long, value_name = "NAME")]
    pub(super) label: Option<String>,
    /// The hash under the codes; many apps ignore it [default: sha1]
    #[arg(long, value_enum, value_name = "NAME")]
    pub(super) algorithm: Option<Hash>,
    /// How long the codes are, 6 to 8; many apps ignore it [default: 6]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u8>::new().range(6..=8))]
    pub(super) digits: Option<u8>,
    /// For how many seconds a code is shown, 15 to 120; many apps ignore it [default: 30]
    #[arg(long, value_name = "SECONDS", conflicts_with = "hotp", value_parser = RangedU64ValueParser::<u64>::new().range(15..=120))]
    pub(super) period: Option<u64>,
    /// Codes of a counter instead of the time
    #[arg(long)]
    pub(super) hotp: bool,
    /// The counter of the next code of a device that has been used [default: 0]
    #[arg(long, value_name = "N", requires = "hotp", value_parser = RangedU64ValueParser::<u64>::new().range(..=LAST_COUNTER))]
    pub(super) counter: Option<u64>,
    /// Read the secret that the device has already from standard input, as a line of base32 or hex
    #[arg(long, value_enum, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "base32")]
    pub(super) secret_stdin: Option<SecretForm>,
    /// Do not ask for a first code: the device is refused until `countersign confirm`; needs --force
    #[arg(long, requires = "force")]
    pub(super) no_confirm: bool,
}

/// A hash, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Hash {
    /// HMAC-SHA-1
    Sha1,
    /// HMAC-SHA-256
    Sha256,
    /// HMAC-SHA-512
    Sha512,
}

/// How a secret is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SecretForm {
    /// As in otpauth URIs
    Base32,
    /// As makers of hardware tokens write it
    Hex,
}

/// How a new device is shown.
#[derive(Debug, Default, Args)]
pub(super) struct Showing {
    /// Draw the QR code without anything but ASCII
    #[arg(long)]
    pub(super) ascii: bool,
    /// Save the QR code to this file too (mode 0600, never overwriting)
    #[arg(long, value_name = "FILE")]
    pub(super) png: Option<PathBuf>,
    /// Save the QR code to this file too (mode 0600, never overwriting)
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// Show what is secret on a screen of its own, which leaves nothing to scroll back to
    #[arg(long)]
    pub(super) private: bool,
}
