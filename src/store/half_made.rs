//! A directory that is being made under a name that no user has, and what is left of one whose maker is dead.
//!
//! Its maker holds the flock(2) of the directory, which ends with the process: who gets it has found a leftover.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use super::files::{STARTS, opened, random_name, system};
use crate::credential::StoreError;
use crate::sys::lock;
use crate::sys::secure_file::{Directory, Identity, OpenError};

/// How the names of directories begin that are not whole yet.
const NEW: &str = ".new-";
/// How the names of directories begin that are being removed.
pub(super) const REMOVED: &str = ".removed-";

/// A directory that this process is making.
pub(super) struct HalfMade {
    /// The name that it has until it is whole.
    pub(super) name: String,
    /// The directory.
    pub(super) directory: Directory,
    _lock: File,
}

impl HalfMade {
    /// Makes an empty one.
    pub(super) fn begin(users: &Directory) -> Result<Self, StoreError> {
        for _ in 0..STARTS {
            let name = random_name(NEW)?;
            match Self::try_begin(users, name) {
                // Taken for a leftover before it was locked.
                Ok(None) | Err(OpenError::Absent) => {}
                Ok(Some(begun)) => return Ok(begun),
                failed => {
                    opened("the user's directory", "make the user's directory", failed)?;
                }
            }
        }
        Err(StoreError::KeepsChanging)
    }

    /// `Ok(None)` where another process has taken it for a leftover.
    fn try_begin(users: &Directory, name: String) -> Result<Option<Self>, OpenError> {
        match users.make_directory(OsStr::new(&name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            made => made?,
        }
        let directory = users.directory(OsStr::new(&name))?;
        let Some(lock) = locked(&directory)? else { return Ok(None) };
        let is_there = users
            .identity_of(&name)
            .is_ok_and(|found| Identity::of(&directory).is_ok_and(|own| own == found));
        Ok(is_there.then_some(Self { name, directory, _lock: lock }))
    }

    /// Removes it.
    pub(super) fn give_up(self, users: &Directory) {
        let _ = users.remove_directory(OsStr::new(&self.name));
    }
}

/// Removes what processes have left that are dead. The caller is alone in the store.
pub(super) fn clear_away(users: &Directory) -> Result<(), StoreError> {
    for name in users.names().map_err(system("list the store"))? {
        if !name.starts_with(NEW.as_bytes()) && !name.starts_with(REMOVED.as_bytes()) {
            continue;
        }
        let name = OsStr::from_bytes(&name);
        // Leftovers hold nothing that counts; one that cannot be removed must not keep anyone out.
        if let Ok(directory) = users.directory(name)
            && let Ok(Some(_lock)) = locked(&directory)
        {
            let _ = users.remove_directory(name);
        }
    }
    Ok(())
}

/// The lock of a directory; `Ok(None)` where another process has it.
fn locked(directory: &Directory) -> io::Result<Option<File>> {
    let file = directory.as_file()?;
    Ok(lock::try_take(&file)?.then_some(file))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "those rules are for the module")]
mod tests {
    use std::fs::{DirBuilder, Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::thread;

    use super::*;

    fn users() -> (tempfile::TempDir, Directory) {
        let directory = tempfile::tempdir().unwrap();
        set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();
        let users = Directory::open(directory.path()).unwrap();
        (directory, users)
    }

    #[test]
    #[ignore = "needs root: directories of root"]
    fn a_directory_that_is_being_made_is_never_taken_for_a_leftover() {
        let (directory, users) = users();
        thread::scope(|scope| {
            let makers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        for _ in 0..200 {
                            let half_made = HalfMade::begin(&users).unwrap();
                            thread::yield_now();
                            let found = users.identity_of(&half_made.name).unwrap();
                            assert_eq!(found, Identity::of(&half_made.directory).unwrap());
                        }
                    })
                })
                .collect();
            while makers.iter().any(|maker| !maker.is_finished()) {
                clear_away(&users).unwrap();
            }
        });
        clear_away(&users).unwrap();
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    #[ignore = "needs root: directories of root"]
    fn what_is_not_half_made_stays() {
        let (directory, users) = users();
        for name in ["alice", ".other", ".removed-0123456789abcdef"] {
            DirBuilder::new().create(directory.path().join(name)).unwrap();
            set_permissions(directory.path().join(name), Permissions::from_mode(0o700)).unwrap();
        }
        clear_away(&users).unwrap();
        let mut left = users.names().unwrap();
        left.sort_unstable();
        assert_eq!(left, [b".other".to_vec(), b"alice".to_vec()]);
    }
}
