//! Who is logging in: the name of an account and its number.
//!
//! This module only holds names and refuses those that cannot be one. It never looks an account up
//! (that is `sys::user`) and never builds a path (that is `store`).
#![forbid(unsafe_code)]

use std::fmt;

/// The longest name taken, in bytes. Linux allows 32 for local accounts; directories of other
/// systems hold longer ones.
const LONGEST: usize = 255;

/// The name of an account: not empty, UTF-8, at most 255 bytes, without control characters.
///
/// A name may hold a slash or dots, as the typed name of an unknown user may: whoever makes a path
/// of it must encode it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

/// Why some bytes are not the name of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadName {
    /// There is nothing there.
    Empty,
    /// It is longer than 255 bytes.
    TooLong,
    /// It is not UTF-8.
    NotUtf8,
    /// It holds a control character, such as a newline.
    Control,
}

impl fmt::Display for BadName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Empty => "the user name is empty",
            Self::TooLong => "the user name is longer than 255 bytes",
            Self::NotUtf8 => "the user name is not UTF-8",
            Self::Control => "the user name holds a control character",
        })
    }
}

impl UserName {
    /// Takes a name as PAM or the name service gives it.
    pub fn new(bytes: &[u8]) -> Result<Self, BadName> {
        if bytes.is_empty() {
            return Err(BadName::Empty);
        }
        if bytes.len() > LONGEST {
            return Err(BadName::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BadName::NotUtf8)?;
        if text.chars().any(char::is_control) {
            return Err(BadName::Control);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A user as the name service knows him, or as he typed his name where it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `pw_name` of the account; the typed name where there is no account.
    pub name: UserName,
    /// `pw_uid` of the account; `None` where there is no account on this machine.
    pub uid: Option<u32>,
}

impl User {
    /// Whether the name service of this machine knows the account.
    pub fn is_known(&self) -> bool {
        self.uid.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_and_odd_names_are_taken() {
        for name in ["alice", "DOM\\alice", "alice@example.org", "..", "a/b", "Зоя"] {
            assert_eq!(UserName::new(name.as_bytes()).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        assert_eq!(UserName::new(b""), Err(BadName::Empty));
        assert_eq!(UserName::new(b"al\nice"), Err(BadName::Control));
        assert_eq!(UserName::new(b"al\xffice"), Err(BadName::NotUtf8));
        assert_eq!(UserName::new(&[b'a'; 300]), Err(BadName::TooLong));
        assert!(UserName::new(&[b'a'; 255]).is_ok());
    }
}
