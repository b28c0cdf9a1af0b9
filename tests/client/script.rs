//! What the program is told to do, and how it shows what happens.

use std::ffi::CString;
use std::fmt::Write as _;
use std::io::Write as _;

/// How the conversation function answers.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Behaviour {
    /// As an honest application does.
    Normal,
    /// Returns `PAM_CONV_ERR` to every call.
    Fail,
    /// Returns `PAM_SUCCESS` and no array, to every call.
    NullArray,
    /// Returns `PAM_SUCCESS` and an array without texts, to every call.
    NullReply,
    /// There is no conversation function at all.
    NoFunction,
}

/// One transaction, in full.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) service: CString,
    pub(crate) confdir: CString,
    pub(crate) user: Option<CString>,
    pub(crate) authtok: Option<CString>,
    pub(crate) replies: Vec<CString>,
    pub(crate) behaviour: Behaviour,
    /// After which prompt, counted from 1, `PAM_USER` becomes which name.
    pub(crate) change_user: Option<(u32, CString)>,
}

/// Prints one line at once. A reader that has gone away is no reason to stop.
pub(crate) fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{line}");
    let _ = output.flush();
}

/// The bytes on one line: `\\`, `\n`, `\r`, `\t`, other controls and invalid UTF-8 as `\xNN`, or
/// `\u{NN}` for a control beyond ASCII.
pub(crate) fn show(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' | '\n' | '\r' | '\t' => shown.extend(character.escape_default()),
                c if c.is_ascii_control() => {
                    let _ = write!(shown, "\\x{:02x}", u32::from(c));
                }
                c if c.is_control() => shown.extend(c.escape_unicode()),
                c => shown.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}
