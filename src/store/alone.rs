//! The lock on the directory `users`: one process at a time gives or takes a user's directory its name.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::by_uid;
use super::files::{USERS, subdirectory, system};
use crate::credential::StoreError;
use crate::sys::lock;
use crate::sys::secure_file::Directory;

/// How the names of directories begin that are not whole yet.
pub(super) const NEW: &str = ".new-";
/// How the names of directories begin that are being removed.
pub(super) const REMOVED: &str = ".removed-";

/// Runs `action` while no other process makes or removes an enrolment, and clears away what one that
/// was killed in the middle has left.
pub(super) fn alone<T>(
    root: &Directory,
    action: impl FnOnce(&Directory) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let users = subdirectory(root, USERS)?;
    let users_file = users.as_file().map_err(system("lock the store"))?;
    if !lock::take(&users_file).map_err(system("lock the store"))? {
        return Err(StoreError::Locked);
    }
    for name in users.names().map_err(system("list the store"))? {
        if name.starts_with(NEW.as_bytes()) || name.starts_with(REMOVED.as_bytes()) {
            // Leftovers hold nothing that counts; one that cannot be removed must not keep anyone out.
            let _ = users.remove_directory(OsStr::from_bytes(&name));
        }
    }
    by_uid::clear_away(root)?;
    let result = action(&users);
    users_file.unlock().map_err(system("unlock the store"))?;
    result
}
