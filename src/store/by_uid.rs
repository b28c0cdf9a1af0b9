//! The directory `by-uid`: under which name the credential of an account is kept, so that a renamed account
//! is not taken for one that is not enrolled.

use std::io::Read as _;

use super::files::{BY_UID, MOST_BYTES, opened, random_name, subdirectory, system};
use crate::credential::StoreError;
use crate::sys::secure_file::{Access, Directory, OpenError};
use crate::user::User;

/// How the name of an entry begins that is not whole yet.
const NEW: &str = ".new-";

/// Refuses when this account's credential is kept under another name: a renamed account is not
/// "not enrolled".
pub(super) fn not_kept_elsewhere(root: &Directory, user: &User, name: &str) -> Result<(), StoreError> {
    match name_of_uid(root, user)? {
        None => Ok(()),
        Some(directory) if directory == name => Err(StoreError::NoCredential),
        Some(directory) => Err(StoreError::Renamed { directory }),
    }
}

/// The name of the directory that holds the credential of this account's uid.
pub(super) fn name_of_uid(root: &Directory, user: &User) -> Result<Option<String>, StoreError> {
    user.uid.map_or(Ok(None), |uid| entry_of_uid(root, uid))
}

/// What `by-uid` says of a uid.
fn entry_of_uid(root: &Directory, uid: u32) -> Result<Option<String>, StoreError> {
    let by_uid = subdirectory(root, BY_UID)?;
    let file = match by_uid.file(&uid.to_string(), Access::Read, MOST_BYTES) {
        Err(OpenError::Absent) => return Ok(None),
        other => opened("the entry in by-uid", "open the entry in by-uid", other)?,
    };
    let mut text = String::new();
    (&file).read_to_string(&mut text).map_err(system("read the entry in by-uid"))?;
    Ok(Some(text.trim_end_matches('\n').to_owned()))
}

/// The entries in `by-uid` that lead to a directory: all are looked at, for an account that was
/// deleted or made anew no longer tells its number.
pub(super) fn entries_of(root: &Directory, name: &str) -> Result<Vec<String>, StoreError> {
    let mut entries = Vec::new();
    for entry in subdirectory(root, BY_UID)?.names().map_err(system("list by-uid"))? {
        let entry = String::from_utf8(entry).unwrap_or_default();
        if let Ok(uid) = entry.parse()
            && entry_of_uid(root, uid)?.is_some_and(|kept| kept == name)
        {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Takes back what [`enter_uid`] noted for an enrolment that came to nothing.
pub(super) fn forget_uid(root: &Directory, user: &User) {
    if let (Some(uid), Ok(by_uid)) = (user.uid, subdirectory(root, BY_UID)) {
        let _ = by_uid.unlink(&uid.to_string());
    }
}

/// Notes under which name the credential of a uid is kept.
pub(super) fn enter_uid(root: &Directory, user: &User, name: &str) -> Result<(), StoreError> {
    let Some(uid) = user.uid else { return Ok(()) };
    subdirectory(root, BY_UID)?
        .replace(&uid.to_string(), &random_name(NEW)?, format!("{name}\n").as_bytes())
        .map_err(system("write the entry in by-uid"))
}

/// Removes entries for good.
pub(super) fn forget(root: &Directory, entries: &[String]) -> Result<(), StoreError> {
    let by_uid = subdirectory(root, BY_UID)?;
    for entry in entries {
        by_uid.unlink(entry).map_err(system("remove the entry in by-uid"))?;
    }
    by_uid.sync().map_err(system("sync the store"))
}

/// Removes what a process that was killed in the middle has left. The caller is alone in the store.
pub(super) fn clear_away(root: &Directory) -> Result<(), StoreError> {
    let by_uid = subdirectory(root, BY_UID)?;
    for name in by_uid.names().map_err(system("list by-uid"))? {
        match String::from_utf8(name) {
            // It says nothing that counts; one that cannot be removed must not keep anyone out.
            Ok(name) if name.starts_with(NEW) => drop(by_uid.unlink(&name)),
            _ => {}
        }
    }
    Ok(())
}
