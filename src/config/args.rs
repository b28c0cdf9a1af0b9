//! The arguments of the module, as they were written (`pam_countersign(8)`).
//!
//! Names of other modules' arguments that mean the same are taken; those that would weaken something are refused
//! with the reason and what to do instead.

use std::fmt;

use super::duration::seconds_in;
use crate::document::nearest;

/// Arguments that have been read but not yet given a meaning: nothing said is `None` or `false`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that is written or not")]
pub struct RawArguments {
    /// `nullok`
    pub nullok: bool,
    /// `debug`
    pub debug: bool,
    /// `echo`
    pub echo: bool,
    /// `try_first_pass` or `use_first_pass`
    pub first_pass: Option<FirstPass>,
    /// `forward_pass`
    pub forward_pass: bool,
    /// `attempts=`, 1 to 10.
    pub attempts: Option<u8>,
    /// `prompt=`
    pub prompt: Option<String>,
    /// `remember=`, in seconds.
    pub remember: Option<u64>,
    /// `conf=`
    pub conf: Option<String>,
    /// `first_factor=publickey`
    pub first_factor: bool,
    /// `panic`, which exists only in a build for tests.
    #[cfg(feature = "deliberate-panic")]
    pub panic: bool,
}

/// What is made of a password that was typed for a module before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstPass {
    /// A code at its end is tried, and if that is none, one is asked for.
    Try,
    /// A code must be at its end: nothing is asked.
    Use,
}

/// Why the arguments cannot be used. Each names what was written, cut to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgumentError {
    /// An argument that this version does not know.
    Unknown {
        /// As it was written.
        argument: String,
        /// The nearest one that is known, if any is near.
        meant: Option<&'static str>,
    },
    /// A known argument with a value that it cannot have.
    BadValue {
        /// As it was written.
        argument: String,
        /// What it can be.
        expected: &'static str,
    },
    /// An argument of another module that would weaken something here.
    Refused {
        /// Its name.
        name: &'static str,
        /// Why, and what to do instead.
        instead: &'static str,
    },
    /// Not UTF-8.
    NotUtf8,
    /// The same argument twice.
    Twice {
        /// Its name.
        name: &'static str,
    },
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { argument, meant: Some(meant) } => {
                write!(out, "unknown argument {argument}, did you mean {meant}")
            }
            Self::Unknown { argument, meant: None } => write!(out, "unknown argument {argument}"),
            Self::BadValue { argument, expected } => write!(out, "{argument}: expected {expected}"),
            Self::Refused { name, instead } => write!(out, "{name} is not taken here: {instead}"),
            Self::NotUtf8 => out.write_str("an argument is not UTF-8"),
            Self::Twice { name } => write!(out, "{name} is given twice"),
        }
    }
}

/// All arguments, for finding the one that was meant.
pub const KNOWN: [&str; 11] = [
    "nullok",
    "debug",
    "echo",
    "try_first_pass",
    "use_first_pass",
    "forward_pass",
    "attempts=",
    "prompt=",
    "remember=",
    "conf=",
    "first_factor=publickey",
];
/// What other modules call the same, and what that is called here.
pub const ALIASES: [(&str, &str); 4] = [
    ("authtok_prompt=", "prompt="),
    ("echo_verification_code", "echo"),
    ("echo-verification-code", "echo"),
    ("grace_period=", "remember="),
];
/// Arguments of other modules that need nothing here: each device has its own digits and drift, and a wrong code
/// of a counter never moves it.
pub const NEEDLESS: [&str; 4] = ["noskewadj", "no_increment_hotp", "window=", "digits="];
/// Arguments of other modules that would weaken something, and what to do instead.
pub const REFUSED: [(&str, &str); 7] = [
    ("secret=", "secrets are kept where users cannot read them; take them over with `countersign import`"),
    ("user=", "secrets are kept where users cannot read them, in /var/lib/countersign"),
    ("usersfile=", "take the users over with `countersign import oath`, then leave it out"),
    ("allow_readonly", "codes could be used again; a login overwrites in place and needs no free space"),
    ("alwaysok", "everybody would be let in; where it is about users without a device, write nullok"),
    ("no_strict_owner", "the store belongs to root alone"),
    ("allowed_perm=", "the store belongs to root alone"),
];
/// The longest prompt, in bytes: a client's line.
pub(super) const LONGEST_PROMPT: usize = 256;
/// For how long a login may be remembered at the most, in seconds: thirty days.
pub(super) const LONGEST_MEMORY: u64 = 30 * 24 * 60 * 60;

impl RawArguments {
    /// Reads the arguments of a PAM line.
    pub fn parse<'a>(arguments: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, ArgumentError> {
        let mut read = Self::default();
        for argument in arguments {
            read.take(std::str::from_utf8(argument).map_err(|_| ArgumentError::NotUtf8)?)?;
        }
        Ok(read)
    }

    fn take(&mut self, argument: &str) -> Result<(), ArgumentError> {
        let written = argument.split_inclusive('=').next().unwrap_or(argument);
        if let Some((name, instead)) = REFUSED.into_iter().find(|(name, _)| *name == written) {
            return Err(ArgumentError::Refused { name: name.trim_end_matches('='), instead });
        }
        if NEEDLESS.contains(&written) {
            return needless(argument);
        }
        let name = ALIASES.into_iter().find(|(alias, _)| *alias == written).map_or(written, |(_, name)| name);
        let value = argument.strip_prefix(written).unwrap_or_default();
        match name {
            "nullok" => once("nullok", &mut self.nullok),
            "debug" => once("debug", &mut self.debug),
            "echo" => once("echo", &mut self.echo),
            "forward_pass" => once("forward_pass", &mut self.forward_pass),
            "try_first_pass" => set("try_first_pass", &mut self.first_pass, FirstPass::Try),
            "use_first_pass" => set("use_first_pass", &mut self.first_pass, FirstPass::Use),
            #[cfg(feature = "deliberate-panic")]
            "panic" => once("panic", &mut self.panic),
            "first_factor=" if value == "publickey" => once("first_factor", &mut self.first_factor),
            "first_factor=" => Err(bad_value(argument, "first_factor=publickey")),
            "attempts=" => set("attempts", &mut self.attempts, attempts(argument, value)?),
            "prompt=" => set("prompt", &mut self.prompt, prompt(argument, value)?),
            "remember=" => set("remember", &mut self.remember, memory(argument, value)?),
            "conf=" => set("conf", &mut self.conf, path(argument, value)?),
            _ => Err(ArgumentError::Unknown { argument: shown(argument), meant: nearest(written, KNOWN) }),
        }
    }
}

fn needless(argument: &str) -> Result<(), ArgumentError> {
    match argument.split_once('=') {
        Some((_, number)) if number.parse::<u16>().is_err() => Err(bad_value(argument, "a number")),
        _ => Ok(()),
    }
}

fn once(name: &'static str, flag: &mut bool) -> Result<(), ArgumentError> {
    if *flag {
        return Err(ArgumentError::Twice { name });
    }
    *flag = true;
    Ok(())
}

fn set<T>(name: &'static str, place: &mut Option<T>, value: T) -> Result<(), ArgumentError> {
    if place.is_some() {
        return Err(ArgumentError::Twice { name });
    }
    *place = Some(value);
    Ok(())
}

fn attempts(argument: &str, number: &str) -> Result<u8, ArgumentError> {
    number
        .parse()
        .ok()
        .filter(|attempts| (1..=10).contains(attempts))
        .ok_or_else(|| bad_value(argument, "a number from 1 to 10"))
}

fn prompt(argument: &str, text: &str) -> Result<String, ArgumentError> {
    is_prompt(text).then(|| text.to_owned()).ok_or_else(|| bad_value(argument, "1 to 256 bytes of text"))
}

/// Whether a text can be asked as one line.
pub(super) fn is_prompt(text: &str) -> bool {
    (1..=LONGEST_PROMPT).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn memory(argument: &str, text: &str) -> Result<u64, ArgumentError> {
    let seconds = seconds_in(text).filter(|seconds| *seconds <= LONGEST_MEMORY);
    seconds.ok_or_else(|| bad_value(argument, "a time up to 30d, such as 12h, 90m or 3600"))
}

fn path(argument: &str, text: &str) -> Result<String, ArgumentError> {
    let is_absolute = text.starts_with('/') && text.len() < 4096;
    is_absolute.then(|| text.to_owned()).ok_or_else(|| bad_value(argument, "an absolute path"))
}

fn bad_value(argument: &str, expected: &'static str) -> ArgumentError {
    ArgumentError::BadValue { argument: shown(argument), expected }
}

fn shown(argument: &str) -> String {
    argument.chars().take(64).collect()
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
