//! The directory in which each user has a page: for root alone, and one run at a time writes to it.
//!
//! A page is whole and on disk, or not there. One that is there is never overwritten, unless it is of a device
//! that never came into force: a run that was killed in between leaves such a page.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::error::Error;
use super::page;
use crate::credential::KeyName;
use crate::sys::lock;
use crate::sys::new;
use crate::sys::secure_file::{Access, Directory, OpenError};
use crate::user::UserName;

/// The name of a page that is not whole yet. No page is called so.
const TEMPORARY: &str = ".page.new";
/// What the names of pages end with.
const KIND: &str = "html";
/// The largest file that can be a page, in bytes: the largest QR code of all takes a third of it.
const MOST_BYTES: u64 = 1024 * 1024;

/// What is where the page of a user is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing.
    Free,
    /// A page of this device.
    Page(KeyName),
    /// Something else.
    Foreign,
}

/// The name of a user's page. A name that leads elsewhere becomes one that does not.
pub(super) fn page_name(user: &UserName, kind: &str) -> String {
    let name = user.as_str().replace('%', "%25").replace('/', "%2F");
    format!("{name}.{kind}")
}

/// Makes a directory for root alone, or sees that one that is there is so.
pub(super) fn make_private(path: &Path) -> Result<Directory, Error> {
    let failed = |error| Error::File(path.to_owned(), error);
    match new::directory(path, 0o700) {
        Ok(()) => sync_parent(path).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    Directory::open(path).map_err(|_| failed(io::Error::other("it must be a directory for root alone")))
}

/// What is in a new directory is only there after a power cut if the directory is.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let parent = open(parent, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    Ok(nix::unistd::fsync(parent)?)
}

/// The directory of a run.
pub(super) struct Pages {
    path: PathBuf,
    directory: Directory,
    /// Locked until this is dropped.
    _locked: File,
}

impl Pages {
    /// Makes it, or takes the one that is there.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        Self::locked(path, make_private(path)?)
    }

    /// The one that is there, if there is one.
    pub(super) fn if_there(path: &Path) -> Result<Option<Self>, Error> {
        match Directory::open(path) {
            Err(OpenError::Absent) => Ok(None),
            _ => Self::open(path).map(Some),
        }
    }

    fn locked(path: &Path, directory: Directory) -> Result<Self, Error> {
        let failed = |error| Error::File(path.to_owned(), error);
        let locked = directory.as_file().map_err(failed)?;
        if !lock::take(&locked).map_err(failed)? {
            return Err(failed(io::Error::other("another run writes to it")));
        }
        Ok(Self { path: path.to_owned(), directory, _locked: locked })
    }

    /// Where the page of a user is.
    pub(super) fn path_of(&self, user: &UserName) -> PathBuf {
        self.path.join(page_name(user, KIND))
    }

    /// What is there now.
    pub(super) fn standing(&self, user: &UserName) -> Result<Standing, Error> {
        match self.directory.file(&page_name(user, KIND), Access::Read, MOST_BYTES) {
            Err(OpenError::Absent) => Ok(Standing::Free),
            Err(OpenError::Refused(_)) => Ok(Standing::Foreign),
            Err(OpenError::System(error)) => Err(Error::File(self.path_of(user), error)),
            Ok(file) => {
                let mut start = Vec::new();
                let read = file.take(page::LONGEST_MARK).read_to_end(&mut start);
                read.map_err(|error| Error::File(self.path_of(user), error))?;
                Ok(page::device_of(&start).map_or(Standing::Foreign, Standing::Page))
            }
        }
    }

    /// Saves the page of a user who is not enrolled. When this returns it is on disk; where it fails, what was there
    /// is there.
    pub(super) fn save(&self, user: &UserName, page: &str) -> Result<(), Error> {
        let name = page_name(user, KIND);
        let standing = self.standing(user)?;
        if standing == Standing::Foreign {
            return Err(Error::FileExists(self.path_of(user)));
        }
        // What a run has left that was killed.
        let _ = self.directory.unlink(TEMPORARY);
        let saved = self.directory.prepare(TEMPORARY, page.as_bytes()).and_then(|()| match standing {
            Standing::Free => self.put_in_a_free_place(&name),
            _ => self.directory.put_in_place(TEMPORARY, &name),
        });
        saved.map_err(|error| Error::File(self.path_of(user), error))
    }

    fn put_in_a_free_place(&self, name: &str) -> io::Result<()> {
        if let Err(error) = self.directory.rename_to_free(TEMPORARY.as_ref(), name.as_ref()) {
            let _ = self.directory.unlink(TEMPORARY);
            return Err(error);
        }
        self.directory.sync().inspect_err(|_| drop(self.directory.unlink(name)))
    }

    /// Removes the page of a user.
    pub(super) fn remove(&self, user: &UserName) {
        let _ = self.directory.unlink(&page_name(user, KIND));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_elsewhere_and_no_two_are_alike() {
        let page_of = |user: &str| page_name(&UserName::new(user.as_bytes()).unwrap(), KIND);
        let names = ["alice", "..", "../alice", "a/b", "a%2Fb", "a%b", ".page.new", "%"].map(page_of);
        for (place, name) in names.iter().enumerate() {
            assert!(!name.contains('/') && *name != TEMPORARY, "{name}");
            assert!(!names[..place].contains(name), "{name}");
        }
    }
}
