//! What the service and the password process say to each other: JSON, each message ended by a NUL.
//!
//! | from | message |
//! |---|---|
//! | the service, first | `{"user":"alice"}` |
//! | the process | `{"ask":"Password: ","echo":false}` |
//! | the service, to each of these | `{"answer":"…"}` |
//! | the process | `{"tell":"…","error":false}` |
//! | the process, last | `{"end":"proven"}`, `"refused"` or `"unavailable"` |
//!
//! Text to types and back, and nothing else. Answers are secrets: what holds one is as large from the
//! start as it will be, so that no copy stays behind when it grows, and is wiped.

use std::fmt;
use std::str::Chars;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::user::UserName;

/// The longest message, in bytes, without the NUL that ends it.
pub const MOST_BYTES: usize = 8192;

/// Why some bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadMessage {
    /// It is longer than [`MOST_BYTES`].
    TooLong,
    /// It is not the JSON that is expected here.
    NotUnderstood,
}

impl fmt::Display for BadMessage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::TooLong => "a message is too long",
            Self::NotUnderstood => "a message is not understood",
        })
    }
}

impl std::error::Error for BadMessage {}

/// A message as it goes over the socket, its NUL included. It does not print.
pub type Encoded = Zeroizing<Vec<u8>>;

/// How a proof ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// The password is right, and the account may be used.
    Proven,
    /// One or the other is not so.
    Refused,
    /// Nothing is known.
    Unavailable,
}

/// What the process says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Said {
    /// A question, to which an answer is awaited.
    Ask {
        /// The prompt.
        ask: String,
        /// Whether the answer may be seen while it is typed.
        echo: bool,
    },
    /// A text to be shown.
    Tell {
        /// The text.
        tell: String,
        /// Whether it tells of an error.
        error: bool,
    },
    /// The last message.
    End {
        /// How it ended.
        end: End,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    user: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    answer: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnswer<'a> {
    #[serde(borrow)]
    answer: &'a RawValue,
}

impl Said {
    /// The message for the socket.
    pub fn encode(&self) -> Result<Encoded, BadMessage> {
        encode(self)
    }

    /// Reads a message without its NUL.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadMessage> {
        decode(bytes)
    }
}

/// The service's first message.
pub fn encode_start(user: &UserName) -> Result<Encoded, BadMessage> {
    encode(&Start { user: user.as_str().to_owned() })
}

/// Reads the service's first message, without its NUL.
pub fn decode_start(bytes: &[u8]) -> Result<UserName, BadMessage> {
    let Start { user } = decode(bytes)?;
    UserName::new(user.as_bytes()).map_err(|_| BadMessage::NotUnderstood)
}

/// The message that answers a question.
pub fn encode_answer(answer: &str) -> Result<Encoded, BadMessage> {
    encode(&Answer { answer })
}

/// Reads the answer to a question, from a message without its NUL.
pub fn decode_answer(bytes: &[u8]) -> Result<Zeroizing<String>, BadMessage> {
    // Raw, for serde_json would unquote it in memory that is never wiped.
    let RawAnswer { answer } = decode(bytes)?;
    unquoted(answer.get()).ok_or(BadMessage::NotUnderstood)
}

fn encode(message: &impl Serialize) -> Result<Encoded, BadMessage> {
    let mut bytes = Zeroizing::new(vec![0; MOST_BYTES.saturating_add(1)]);
    // The last byte is kept for the NUL.
    let (mut room, _) = bytes.split_at_mut_checked(MOST_BYTES).ok_or(BadMessage::TooLong)?;
    serde_json::to_writer(&mut room, message).map_err(|_| BadMessage::TooLong)?;
    let written = MOST_BYTES.saturating_sub(room.len());
    // What follows the JSON, in which there is no NUL, are zeros.
    bytes.truncate(written.saturating_add(1));
    Ok(bytes)
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, BadMessage> {
    if bytes.len() > MOST_BYTES {
        return Err(BadMessage::TooLong);
    }
    // Otherwise serde would take an array of the fields too.
    if bytes.first() != Some(&b'{') {
        return Err(BadMessage::NotUnderstood);
    }
    serde_json::from_slice(bytes).map_err(|_| BadMessage::NotUnderstood)
}

/// The text of a JSON string (RFC 8259 §7). `None` for what is no string, or names half a character.
fn unquoted(raw: &str) -> Option<Zeroizing<String>> {
    let quoted = raw.strip_prefix('"')?.strip_suffix('"')?;
    // What is escaped is never longer than its escape.
    let mut text = Zeroizing::new(String::with_capacity(quoted.len()));
    let mut rest = quoted.chars();
    while let Some(character) = rest.next() {
        text.push(if character == '\\' { escaped(&mut rest)? } else { character });
    }
    Some(text)
}

fn escaped(rest: &mut Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'f' => '\u{c}',
        'r' => '\r',
        'u' => return escaped_by_number(rest),
        character @ ('"' | '\\' | '/') => character,
        _ => return None,
    })
}

/// One code unit of UTF-16, or a pair of them.
fn escaped_by_number(rest: &mut Chars<'_>) -> Option<char> {
    let first = code_unit(rest)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some(character);
    }
    let announced = rest.next()? == '\\' && rest.next()? == 'u';
    let second = if announced { code_unit(rest)? } else { return None };
    char::decode_utf16([first, second]).next()?.ok()
}

fn code_unit(rest: &mut Chars<'_>) -> Option<u16> {
    let mut unit: u16 = 0;
    for _ in 0..4 {
        let digit = rest.next()?.to_digit(16).and_then(|digit| u16::try_from(digit).ok())?;
        unit = unit.checked_mul(16)?.checked_add(digit)?;
    }
    Some(unit)
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
