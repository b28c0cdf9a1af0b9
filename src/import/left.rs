//! What another program kept that has no place here, and why.

use std::fmt;

/// Something that is not taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// So many codes of eight digits for the day the phone is gone.
    ScratchCodes(usize),
    /// How many codes at a time were good.
    Window(u64),
    /// Codes were good again and again.
    Reuse,
    /// How many attempts were allowed.
    RateLimit,
    /// Logins that were remembered.
    RememberedLogins(usize),
    /// Notes of a clock that was being learned.
    SkewLearning,
    /// The device is off by more than is learned here.
    Skew(i64),
    /// The last code and when it was typed.
    LastCode,
    /// So many lines or parameters of an unknown name.
    Unknown(usize),
    /// Who the app says has issued the code, and whose code it is.
    Label,
    /// A parameter that means nothing for this kind of device.
    Pointless(&'static str),
}

impl fmt::Display for Left {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ScratchCodes(count) => {
                write!(
                    out,
                    "{count} scratch codes: too short to be kept; --recovery-dir makes recovery codes"
                )
            }
            Self::Window(size) => write!(
                out,
                "a window of {size} codes: here it is one period to either side, or ten counters ahead, and two codes in a row"
            ),
            Self::Reuse => out.write_str("that a code is good again and again: here it is good once"),
            Self::RateLimit => out.write_str("its limit of attempts: here waits grow after five wrong codes"),
            Self::RememberedLogins(count) => {
                write!(out, "{count} remembered logins: each place is asked for a code again")
            }
            Self::SkewLearning => out.write_str("notes of a clock that was being learned: this begins anew"),
            Self::Skew(steps) => write!(
                out,
                "that the device is off by {steps} periods: ten are kept, the first login may take two codes in a row"
            ),
            Self::LastCode => {
                out.write_str("the last code: every code that could have been used counts as used")
            }
            Self::Unknown(count) => write!(out, "{count} settings of an unknown name"),
            Self::Label => out.write_str("issuer and account: the app shows them, nothing here does"),
            Self::Pointless(name) => write!(out, "{name}: it means nothing for this kind of device"),
        }
    }
}
