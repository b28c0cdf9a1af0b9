//! The record of a change: what was, what became of it, and until when it must be confirmed.
//!
//! It is on disk before the first file is changed, and goes when the last one is put back.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::marks::Marks;

/// The version of the text.
const FORMAT: u32 = 1;

/// How a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It is being made, or made and not confirmed: at the deadline it is taken back.
    Pending,
    /// It stays.
    Confirmed,
}

/// All that is known of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of its text.
    pub format: u32,
    /// How it stands.
    pub phase: Phase,
    /// Who has proven a code.
    pub user: String,
    /// The boot in which it was made: after another one the deadline has passed.
    pub boot: String,
    /// When it is taken back, in seconds since that boot. No clock that somebody sets has a part in it.
    pub deadline: u64,
    /// The login sessions that there were then: none of them confirms.
    pub sessions: Vec<String>,
    /// What was used up of the person's codes then.
    pub marks: Marks,
    /// Whether sshd has to read its configuration again.
    pub reloads_sshd: bool,
    /// The files, in the order in which they are changed.
    pub files: Vec<Changed>,
}

/// A file that is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// Its path.
    pub path: String,
    /// What it was; nothing where it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Version>,
    /// What it became.
    pub after: Version,
}

/// A file as it was or became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Of its bytes, in hex.
    pub sha256: String,
    /// Its mode.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its extended attributes, in hex.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

impl Version {
    /// Whether these are its bytes.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        self.sha256 == sha256(bytes)
    }
}

/// The digest of bytes, in hex.
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

impl Record {
    /// A change that is about to be made.
    pub fn pending(user: &str, boot: String, deadline: u64, marks: Marks) -> Self {
        let user = user.to_owned();
        let (sessions, files) = (Vec::new(), Vec::new());
        Self {
            format: FORMAT,
            phase: Phase::Pending,
            user,
            boot,
            deadline,
            sessions,
            marks,
            reloads_sshd: false,
            files,
        }
    }

    /// The seconds until it is taken back, of this boot and this many seconds into it. `None` once that is due.
    pub fn left(&self, boot: &str, since_boot: u64) -> Option<u64> {
        self.deadline.checked_sub(since_boot).filter(|left| *left > 0 && self.boot == boot)
    }

    /// The text.
    pub fn to_text(&self) -> Result<String, String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(|error| error.to_string())
    }

    /// What a text says, or what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let record: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if record.format == FORMAT { Ok(record) } else { Err(format!("its format is {}", record.format)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let attributes = BTreeMap::new();
        let version = |text: &[u8]| Version {
            sha256: sha256(text),
            mode: 0o644,
            uid: 0,
            gid: 0,
            attributes: attributes.clone(),
        };
        let mut record = Record::pending("alice", "boot".to_owned(), 400, Marks::default());
        record.files = vec![
            Changed { path: "/a".to_owned(), before: Some(version(b"a")), after: version(b"b") },
            Changed { path: "/b".to_owned(), before: None, after: version(b"c") },
        ];
        record
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_nothing_else_is() {
        let text = record().to_text().unwrap();
        assert_eq!(Record::parse(&text), Ok(record()));
        for (from, to) in [("\"format\": 1", "\"format\": 2"), ("\"boot\"", "\"boots\""), ("pending", "done")]
        {
            assert!(Record::parse(&text.replacen(from, to, 1)).is_err(), "{to}");
        }
        assert!(Record::parse(text.get(..text.len() / 2).unwrap()).is_err());
    }

    #[test]
    fn what_is_left_ends_at_the_deadline_and_with_the_boot() {
        assert_eq!(record().left("boot", 100), Some(300));
        assert_eq!(record().left("boot", 399), Some(1));
        assert_eq!(record().left("boot", 400), None);
        assert_eq!(record().left("boot", 4000), None);
        assert_eq!(record().left("another", 100), None);
    }
}
