//! The store in a directory that belongs to root: `users/NAME/credential.toml`, `users/NAME/state`,
//! `by-uid/NUMBER` (`docs/file-format.md`).
//!
//! Only a directory that is not there says "not enrolled". Whatever else keeps a file from being read
//! is an error, and whoever gets one denies.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::by_uid::not_kept_elsewhere;
use super::names::directory_of;
use super::seen::Seen;
use super::state_file::{self, Locked};
use crate::credential::format;
use crate::credential::store::{CredentialStore, Distrust, StateHealth, StoreError, Updated};
use crate::credential::{Credential, State};
use crate::sys::entropy;
use crate::sys::process::Disturbed;
use crate::sys::secure_file::{Access, Directory, OpenError, Refusal};
use crate::user::User;

/// Where the store of a machine is.
pub const PATH: &str = "/var/lib/countersign";
/// The name of the file with the secrets in a user's directory.
pub(super) const CREDENTIAL: &str = "credential.toml";
/// The directory of the users' directories.
pub(super) const USERS: &str = "users";
/// The directory that leads from numbers to names.
pub(super) const BY_UID: &str = "by-uid";
/// The most that is read of a credential, in bytes.
pub(super) const MOST_BYTES: u64 = 64 * 1024;
/// How often an update starts over because the files were replaced meanwhile.
pub(super) const STARTS: u32 = 5;

/// The store in a directory.
#[derive(Clone, Debug)]
pub struct FileStore {
    path: PathBuf,
    seen: Seen,
}

impl FileStore {
    /// The store of this machine.
    pub fn of_this_machine() -> Self {
        Self { path: PathBuf::from(PATH), seen: Seen::of_this_machine() }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Where it notes the numbers of the last states.
    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    pub(super) fn root(&self) -> Result<Directory, StoreError> {
        found_or("the store", "open the store", Directory::open(&self.path), StoreError::NoStore)
    }

    /// A user's directory. `Ok(None)` says that he is positively not enrolled.
    pub(super) fn user_directory(&self, user: &User) -> Result<Option<Directory>, StoreError> {
        let name = directory_of(&user.name)?;
        let root = self.root()?;
        let users = subdirectory(&root, USERS)?;
        match users.directory(OsStr::new(&name)) {
            Err(OpenError::Absent) => {
                not_kept_elsewhere(&root, user, &name)?;
                Ok(None)
            }
            other => opened("the user's directory", "open the user's directory", other).map(Some),
        }
    }

    /// Runs `action` under the user's lock, again where the files were replaced in between.
    pub(super) fn locked<T>(
        &self,
        user: &User,
        mut action: impl FnMut(&Directory, &Locked<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<(T, StateHealth)>, StoreError> {
        for _ in 0..STARTS {
            let Some(directory) = self.user_directory(user)? else { return Ok(None) };
            let (state, health) = match state_file::open(&directory, user, &self.seen)? {
                Some(state) => (state, StateHealth::Whole),
                None => {
                    // A directory without a credential is no place to make a state in.
                    read_credential(&directory, user)?;
                    (state_file::make_missing(&directory, user, &self.seen)?, StateHealth::Created)
                }
            };
            let reopen = || self.user_directory(user);
            let done = state.while_locked(&directory, reopen, |locked| action(&directory, locked))?;
            if let Some(value) = done {
                return Ok(Some((value, health)));
            }
        }
        Err(StoreError::KeepsChanging)
    }
}

impl CredentialStore for FileStore {
    fn read(&self, user: &User) -> Result<Option<Credential>, StoreError> {
        self.user_directory(user)?.map(|directory| read_credential(&directory, user)).transpose()
    }

    fn update<T>(
        &self,
        user: &User,
        mut decide: impl FnMut(&Credential, &mut State) -> T,
    ) -> Result<Option<Updated<T>>, StoreError> {
        let done = self.locked(user, |directory, locked| {
            let credential = read_credential(directory, user)?;
            let current = locked.read()?;
            let mut state = current.state().clone();
            let value = decide(&credential, &mut state);
            // What was found out about a state that was put back must outlive a restart.
            let changed = current.health() == StateHealth::PutBack || state != *current.state();
            let health = if changed { locked.write(&current, state)? } else { current.health() };
            Ok((value, health))
        })?;
        Ok(done.map(|((value, found), opened)| {
            let whole = found == StateHealth::Whole;
            let health = if opened == StateHealth::Created && whole { opened } else { found };
            Updated { value, health }
        }))
    }
}

pub(super) fn subdirectory(root: &Directory, name: &str) -> Result<Directory, StoreError> {
    found_or("the store", "open the store", root.directory(OsStr::new(name)), StoreError::NoStore)
}

/// Reads the credential in a user's directory and checks that it is his.
pub(super) fn read_credential(directory: &Directory, user: &User) -> Result<Credential, StoreError> {
    let credential = credential_in(directory)?;
    if credential.user != user.name || credential.uid != user.uid {
        return Err(StoreError::OtherAccount);
    }
    Ok(credential)
}

/// Reads the credential in a directory, whosever it is.
pub(super) fn credential_in(directory: &Directory) -> Result<Credential, StoreError> {
    let file = directory.file(CREDENTIAL, Access::Read, MOST_BYTES);
    let file = found_or("the credential", "open the credential", file, StoreError::NoCredential)?;
    let text = read_whole(&file).map_err(system("read the credential"))?;
    format::parse(&text).map_err(StoreError::Credential)
}

/// All of a small file, into memory that was sized before, so that growing leaves no copy behind. What is
/// added to the file meanwhile is not read.
fn read_whole(file: &File) -> io::Result<Zeroizing<Vec<u8>>> {
    let most = file.metadata()?.len().min(MOST_BYTES);
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(most).unwrap_or(usize::MAX)));
    file.take(most).read_to_end(&mut text)?;
    Ok(text)
}

/// A name for something temporary: the prefix and 16 random hex digits.
pub(super) fn random_name(prefix: &str) -> Result<String, StoreError> {
    let mut bytes = [0; 8];
    entropy::fill(&mut bytes).map_err(system("get random bytes"))?;
    Ok(format!("{prefix}{}", HEXLOWER.encode(&bytes)))
}

impl From<Disturbed> for StoreError {
    fn from(problem: Disturbed) -> Self {
        match problem {
            Disturbed::NotRoot => Self::NotRoot,
            Disturbed::Signals => Self::Confined { doing: "block the signals of the caller" },
            Disturbed::IdentityNotTaken => Self::Confined { doing: "make the caller root in every way" },
            Disturbed::IdentityKept => Self::Confined { doing: "give the caller its identity back" },
            Disturbed::TurnKept => Self::Confined { doing: "give the caller its turn back" },
        }
    }
}

/// A system call's failure as the store's.
pub(super) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    move |error| StoreError::System { doing, error }
}

/// What was opened, or the store's word for why not. Something absent is a failed system call here.
pub(super) fn opened<T>(
    what: &'static str,
    doing: &'static str,
    result: Result<T, OpenError>,
) -> Result<T, StoreError> {
    result.map_err(|error| match error {
        OpenError::Absent => StoreError::system(doing, io::ErrorKind::NotFound),
        OpenError::System(error) => StoreError::System { doing, error },
        OpenError::Refused(refusal) => StoreError::Distrusted {
            what,
            problem: match refusal {
                Refusal::Type => Distrust::Type,
                Refusal::Owner => Distrust::Owner,
                Refusal::Mode => Distrust::Mode,
                Refusal::Size => Distrust::Size,
            },
        },
    })
}

/// As [`opened`], with a word of its own for something absent.
fn found_or<T>(
    what: &'static str,
    doing: &'static str,
    result: Result<T, OpenError>,
    absent: StoreError,
) -> Result<T, StoreError> {
    match result {
        Err(OpenError::Absent) => Err(absent),
        other => opened(what, doing, other),
    }
}
