//! The arguments of the module, as they were written (`pam_countersign(8)`).

use std::fmt;

/// Arguments that have been read but not yet given a meaning: nothing said is `None` or `false`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawArguments {
    /// `nullok`
    pub nullok: bool,
    /// `debug`
    pub debug: bool,
    /// `attempts=`, 1 to 10.
    pub attempts: Option<u8>,
    /// `prompt=`
    pub prompt: Option<String>,
    /// `first_factor=publickey`
    pub first_factor: bool,
    /// `panic`, which exists only in a build for tests.
    #[cfg(feature = "deliberate-panic")]
    pub panic: bool,
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
            Self::NotUtf8 => out.write_str("an argument is not UTF-8"),
            Self::Twice { name } => write!(out, "{name} is given twice"),
        }
    }
}

/// All arguments, for finding the one that was meant.
const KNOWN: [&str; 5] = ["nullok", "debug", "attempts=", "prompt=", "first_factor=publickey"];
/// The longest prompt, in bytes: a client's line.
const LONGEST_PROMPT: usize = 256;

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
        match argument.split_once('=') {
            None if argument == "nullok" => once("nullok", &mut self.nullok),
            None if argument == "debug" => once("debug", &mut self.debug),
            #[cfg(feature = "deliberate-panic")]
            None if argument == "panic" => once("panic", &mut self.panic),
            Some(("first_factor", "publickey")) => once("first_factor", &mut self.first_factor),
            Some(("first_factor", _)) => Err(bad_value(argument, "first_factor=publickey")),
            Some(("attempts", number)) => set("attempts", &mut self.attempts, attempts(argument, number)?),
            Some(("prompt", text)) => set("prompt", &mut self.prompt, prompt(argument, text)?),
            _ => Err(ArgumentError::Unknown { argument: shown(argument), meant: nearest(argument) }),
        }
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
    let fits = (1..=LONGEST_PROMPT).contains(&text.len()) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned()).ok_or_else(|| bad_value(argument, "1 to 256 bytes of text"))
}

fn bad_value(argument: &str, expected: &'static str) -> ArgumentError {
    ArgumentError::BadValue { argument: shown(argument), expected }
}

fn shown(argument: &str) -> String {
    argument.chars().take(64).collect()
}

/// The known argument that differs least from what was written, if it differs little.
fn nearest(argument: &str) -> Option<&'static str> {
    let name = argument.split_inclusive('=').next().unwrap_or(argument);
    KNOWN
        .into_iter()
        .map(|known| (distance(known.split_inclusive('=').next().unwrap_or(known), name), known))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, known)| known)
}

/// How many letters must be changed, added or left out to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, left) in one.chars().enumerate() {
        let mut diagonal = line;
        let mut behind = line + 1;
        for (right, above) in other.chars().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(left != right);
            diagonal = *above;
            behind = changed.min(diagonal + 1).min(behind + 1);
            *above = behind;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<RawArguments, String> {
        RawArguments::parse(arguments.iter().map(|argument| argument.as_bytes()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn all_arguments_are_read() {
        let read =
            read(&["nullok", "debug", "attempts=1", "prompt=Code = ", "first_factor=publickey"]).unwrap();
        assert!(read.nullok && read.debug && read.first_factor);
        assert_eq!(read.attempts, Some(1));
        assert_eq!(read.prompt.as_deref(), Some("Code = "));
        assert_eq!(self::read(&[]), Ok(RawArguments::default()));
    }

    #[test]
    fn an_unknown_argument_is_refused_and_told_what_was_meant() {
        let refused = |argument: &str| read(&[argument]).unwrap_err();
        assert_eq!(refused("nulok"), "unknown argument nulok, did you mean nullok");
        assert_eq!(refused("attempt=3"), "unknown argument attempt=3, did you mean attempts=");
        assert_eq!(refused("secret=/home/x"), "unknown argument secret=/home/x");
        assert_eq!(refused("Nullok"), "unknown argument Nullok, did you mean nullok");
        assert_eq!(refused("nullok=yes"), "unknown argument nullok=yes, did you mean nullok");
        assert!(refused(&"x".repeat(500)).len() < 100);
    }

    #[test]
    fn a_value_that_cannot_be_is_refused() {
        for argument in ["attempts=0", "attempts=11", "attempts=-1", "attempts=", "attempts=3x"] {
            assert_eq!(read(&[argument]), Err(format!("{argument}: expected a number from 1 to 10")));
        }
        assert!(read(&["prompt="]).is_err());
        assert!(read(&["prompt=a\nb"]).is_err());
        assert!(read(&["first_factor=password"]).is_err());
        assert!(RawArguments::parse([&b"prompt=\xff"[..]]).is_err());
        assert_eq!(read(&["nullok", "nullok"]), Err("nullok is given twice".to_owned()));
        assert_eq!(read(&["attempts=1", "attempts=2"]), Err("attempts is given twice".to_owned()));
    }
}
