//! All users that a store keeps, one after the other: what is wrong with one keeps no other from being told.
//!
//! Nothing is locked and nothing is written.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use super::files::{FileStore, USERS, credential_in, opened, subdirectory, system};
use super::names::user_of;
use super::seen::Seen;
use super::state_file;
use crate::credential::{Credential, State, StoreError};
use crate::sys::secure_file::{Directory, OpenError};
use crate::user::{User, UserName};

/// The users of a store.
pub struct Listing {
    users: Directory,
    seen: Seen,
}

/// What is kept under a name.
pub enum Entry {
    /// An enrolment, with its state where there is one.
    Kept(Box<(Credential, Option<State>)>),
    /// An enrolment that cannot be read, and so denies.
    Unreadable(UserName, StoreError),
    /// Something that is no user's: no login ever comes here.
    Strange,
    /// Nothing: the enrolment was removed meanwhile, or is not made yet.
    Nothing,
}

impl FileStore {
    /// Opens the store for a look at all of its users.
    pub fn listing(&self) -> Result<Listing, StoreError> {
        Ok(Listing { users: subdirectory(&self.root()?, USERS)?, seen: self.seen().clone() })
    }
}

impl Listing {
    /// The names under which something is kept, in no order. Those that begin with a dot are no user's: an
    /// enrolment that is being made or removed has such a name.
    pub fn names(&self) -> Result<impl Iterator<Item = Result<Vec<u8>, StoreError>> + use<>, StoreError> {
        let names = self.users.each_name().map_err(system("list the store"))?;
        let hidden = |name: &io::Result<Vec<u8>>| name.as_ref().is_ok_and(|name| name.starts_with(b"."));
        Ok(names.filter(move |name| !hidden(name)).map(|name| name.map_err(system("list the store"))))
    }

    /// What is kept under a name, as a login would find it.
    pub fn look_at(&self, name: &[u8]) -> Entry {
        let Some(user) = user_of(name) else { return Entry::Strange };
        match self.read(name, &user) {
            Ok(Some(kept)) => Entry::Kept(Box::new(kept)),
            Ok(None) => Entry::Nothing,
            // What vanished while it was read was removed, and is not damaged.
            Err(_) if self.is_gone(name) => Entry::Nothing,
            Err(error) => Entry::Unreadable(user, error),
        }
    }

    fn is_gone(&self, name: &[u8]) -> bool {
        let found = std::str::from_utf8(name).map(|name| self.users.identity_of(name));
        matches!(found, Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound)
    }

    fn read(&self, name: &[u8], user: &UserName) -> Result<Option<(Credential, Option<State>)>, StoreError> {
        let directory = match self.users.directory(OsStr::from_bytes(name)) {
            Err(OpenError::Absent) => return Ok(None),
            other => opened("the user's directory", "open the user's directory", other)?,
        };
        let credential = credential_in(&directory)?;
        if credential.user != *user {
            return Err(StoreError::OtherAccount);
        }
        let user = User { name: user.clone(), uid: credential.uid };
        let state = match state_file::open(&directory, &user, &self.seen)? {
            Some(file) => Some(file.read()?.state().clone()),
            None => None,
        };
        Ok(Some((credential, state)))
    }
}
