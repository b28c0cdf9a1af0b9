//! The number of the last state that this machine has written for each user, in memory until it restarts:
//! it tells a state that was put back from a backup (`docs/decisions/0010-states-put-back.md`).
//!
//! It is a witness against accidents: where it cannot be read or written, nobody is kept out, and the log
//! says so.

use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use super::files::{opened, system};
use super::names::directory_of;
use crate::credential::StoreError;
use crate::sys::new;
use crate::sys::secure_file::{Access, Directory, OpenError};
use crate::user::User;

/// Where the numbers are: a file system in memory, which root alone writes to.
const PATH: &str = "/run/countersign-seen";
/// A number in decimal digits, always as many, and a newline.
const LENGTH: usize = 21;
/// No state has a greater number: a number begins with the time, the clock of Linux ends before 10^10 seconds, and
/// nobody writes so many states that they would matter beside this.
const GREATEST: u64 = 10_000_000_000_000_000;
/// What is being read or written, for messages.
const WHAT: &str = "the number of the last state";

/// Where a machine keeps the numbers of the last states.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    path: PathBuf,
}

impl Seen {
    /// That of this machine.
    pub(super) fn of_this_machine() -> Self {
        Self { path: PathBuf::from(PATH) }
    }

    /// The number of the last state of a user, 0 where none has been written since the machine started.
    /// `None` where that cannot be said, and where no history can have led to the number.
    pub(super) fn last(&self, user: &User) -> Option<u64> {
        let directory = match Directory::open(&self.path) {
            Err(OpenError::Absent) => return Some(0),
            other => other.ok()?,
        };
        let most = u64::try_from(LENGTH).unwrap_or(u64::MAX);
        let file = match directory.file(&directory_of(&user.name).ok()?, Access::Read, most) {
            Err(OpenError::Absent) => return Some(0),
            other => other.ok()?,
        };
        let mut text = [0; LENGTH];
        file.read_exact_at(&mut text, 0).ok()?;
        let number: u64 = std::str::from_utf8(&text).ok()?.trim_end().parse().ok()?;
        (number <= GREATEST).then_some(number)
    }

    /// Notes the number of a state that has been written.
    pub(super) fn note(&self, user: &User, sequence: u64) -> Result<(), StoreError> {
        let name = directory_of(&user.name)?;
        let directory = self.directory()?;
        let file = match directory.file(&name, Access::Overwrite, u64::MAX) {
            Err(OpenError::Absent) => directory.create(&name).map_err(system("note a number"))?,
            other => opened(WHAT, "open the number of the last state", other)?,
        };
        file.write_all_at(format!("{sequence:020}\n").as_bytes(), 0).map_err(system("note a number"))
    }

    fn directory(&self) -> Result<Directory, StoreError> {
        match Directory::open(&self.path) {
            Err(OpenError::Absent) => {
                let made = new::directory(&self.path, 0o700);
                // Another login may have been faster.
                made.or_else(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => Ok(()),
                    _ => Err(StoreError::system("make /run/countersign-seen", error)),
                })?;
                opened(WHAT, "open /run/countersign-seen", Directory::open(&self.path))
            }
            other => opened(WHAT, "open /run/countersign-seen", other),
        }
    }
}
