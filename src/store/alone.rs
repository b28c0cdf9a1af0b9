//! The lock on the directory `users`: one process at a time gives or takes a user's directory its name.

use super::files::{USERS, subdirectory, system};
use super::{by_uid, half_made};
use crate::credential::StoreError;
use crate::sys::lock;
use crate::sys::secure_file::Directory;

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
    half_made::clear_away(&users)?;
    by_uid::clear_away(root)?;
    let result = action(&users);
    users_file.unlock().map_err(system("unlock the store"))?;
    result
}
