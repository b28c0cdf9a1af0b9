//! Why something cannot be taken over from another program.

use std::fmt;

use crate::credential::state::LAST_COUNTER;
use crate::otp::secret::BadSecret;

/// Why a device cannot go on here. It never holds what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is larger than such a file can be.
    TooLarge,
    /// It holds a NUL byte.
    Nul,
    /// It is not UTF-8.
    NotUtf8,
    /// There is nothing in it.
    Empty,
    /// The secret cannot be used.
    Secret(BadSecret),
    /// It has neither a clock nor a counter, so only its scratch codes were good.
    NoCodes,
    /// The value of an option is not one.
    Option(&'static str),
    /// A code of it is shown for less than 15 or more than 120 seconds.
    Period,
    /// Its clock is off by more than can be brought back.
    Skew,
    /// The counter is above [`LAST_COUNTER`].
    Counter,
    /// A PIN stands before its codes, which would no longer be asked for.
    Pin,
    /// A line without the fields that it must have.
    Fields,
    /// The name cannot be one of a user.
    UserName,
    /// The type of the device is not known.
    Type,
    /// A URI of a device of another type, by its name where that is a known one.
    UriType(Option<&'static str>),
    /// It is not a URI of a device.
    NotOtpauth,
    /// A percent sign stands where none may, or what it stands for is not UTF-8.
    Escape,
    /// A parameter is missing.
    Missing(&'static str),
    /// A parameter is given twice.
    Twice(&'static str),
    /// Its codes are made in a way of their own.
    OwnCodes,
}

impl fmt::Display for Unfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => out.write_str("it is too large"),
            Self::Nul => out.write_str("it holds a NUL byte"),
            Self::NotUtf8 => out.write_str("it is not UTF-8"),
            Self::Empty => out.write_str("it is empty"),
            Self::Secret(problem) => problem.fmt(out),
            Self::NoCodes => out.write_str("it has neither TOTP_AUTH nor a HOTP_COUNTER"),
            Self::Option(name) => write!(out, "the value of {name} is not one"),
            Self::Period => out.write_str("its codes are shown for less than 15 or more than 120 seconds"),
            Self::Skew => out.write_str("its clock is off by more than 20 periods: set it and enrol anew"),
            Self::Counter => write!(out, "its counter is above {LAST_COUNTER}, the highest that can be kept"),
            Self::Pin => out.write_str(
                "its line has a PIN, which cannot be kept here; to do without it, put - in its place",
            ),
            Self::Fields => out.write_str("it does not have type, user, PIN and secret"),
            Self::UserName => out.write_str("the user name cannot be one"),
            Self::Type => out.write_str("the type is not HOTP, HOTP/T30 or HOTP/T60 with 6 to 8 digits"),
            Self::UriType(Some(name)) => {
                write!(out, "its type {name} is not supported, only totp and hotp are")
            }
            Self::UriType(None) => out.write_str("its type is not supported, only totp and hotp are"),
            Self::NotOtpauth => out.write_str("it is not otpauth://totp/LABEL?secret=… or otpauth://hotp/…"),
            Self::Escape => out.write_str("a percent sign in it stands for nothing"),
            Self::Missing(name) => write!(out, "it has no {name}"),
            Self::Twice(name) => write!(out, "it has {name} twice"),
            Self::OwnCodes => out.write_str("its codes are made in a way of their own (encoder)"),
        }
    }
}
