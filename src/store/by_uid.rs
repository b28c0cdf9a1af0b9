//! The directory `by-uid`: under which names credentials of accounts of a uid are kept, so that a renamed
//! account is not taken for one that is not enrolled.
//!
//! Several accounts may share a uid, as root and toor do. A name in an entry is a former one of an account
//! only if the name service no longer leads from it to the uid.

use std::io::Read as _;

use super::files::{BY_UID, MOST_BYTES, opened, random_name, subdirectory, system};
use super::names::user_of;
use crate::credential::StoreError;
use crate::credential::Unreadable;
use crate::sys;
use crate::sys::secure_file::{Access, Directory, OpenError};
use crate::user::User;

/// How the name of an entry begins that is not whole yet.
const NEW: &str = ".new-";

/// Refuses when this account's credential is kept under another name, or was kept under this one and is
/// lost: neither account is "not enrolled".
pub(super) fn not_kept_elsewhere(root: &Directory, user: &User, name: &str) -> Result<(), StoreError> {
    let Some(uid) = user.uid else { return Ok(()) };
    let names = names_of(root, uid)?;
    if names.iter().any(|kept| kept == name) {
        return Err(StoreError::NoCredential);
    }
    match former(&names, uid)?.into_iter().next() {
        Some(directory) => Err(StoreError::Renamed { directory }),
        None => Ok(()),
    }
}

/// The names of the directories that hold credentials of a uid.
pub(super) fn names_of(root: &Directory, uid: u32) -> Result<Vec<String>, StoreError> {
    let by_uid = subdirectory(root, BY_UID)?;
    let file = match by_uid.file(&uid.to_string(), Access::Read, MOST_BYTES) {
        Err(OpenError::Absent) => return Ok(Vec::new()),
        other => opened("the entry in by-uid", "open the entry in by-uid", other)?,
    };
    let mut text = String::new();
    (&file).read_to_string(&mut text).map_err(system("read the entry in by-uid"))?;
    // An empty entry has one name, which leads to no account: it denies.
    Ok(text.trim_end_matches('\n').split('\n').map(str::to_owned).collect())
}

/// Those among the names of a uid that no longer lead to it. This asks the name service, which may take its
/// time: call it without a lock.
pub(super) fn former(names: &[String], uid: u32) -> Result<Vec<String>, StoreError> {
    let mut former = Vec::new();
    for name in names {
        if !leads_to(name, uid)? {
            former.push(name.clone());
        }
    }
    Ok(former)
}

/// Whether a directory is that of an account that has this uid now.
fn leads_to(directory: &str, uid: u32) -> Result<bool, StoreError> {
    let Some(name) = user_of(directory.as_bytes()) else { return Ok(false) };
    let found = sys::user::by_name(&name).map_err(StoreError::Accounts)?;
    Ok(found.is_some_and(|account| account.name == name && account.uid == Some(uid)))
}

/// The uids whose entries hold the name of a directory, and those whose entries cannot be read. All are looked
/// at, because an account that was deleted or made again no longer tells its number.
pub(super) fn uids_of(root: &Directory, name: &str) -> Result<(Vec<u32>, Unreadable), StoreError> {
    let (mut uids, mut unreadable) = (Vec::new(), Unreadable::default());
    for entry in subdirectory(root, BY_UID)?.names().map_err(system("list by-uid"))? {
        let Ok(uid) = String::from_utf8(entry).unwrap_or_default().parse() else { continue };
        match names_of(root, uid) {
            Ok(names) if names.iter().any(|kept| kept == name) => uids.push(uid),
            Ok(_) => {}
            Err(_) => unreadable.0.push(uid),
        }
    }
    Ok((uids, unreadable))
}

/// Writes down under which names credentials of a uid are kept; no name, no entry.
pub(super) fn write(root: &Directory, uid: u32, names: &[String]) -> Result<(), StoreError> {
    let by_uid = subdirectory(root, BY_UID)?;
    let entry = uid.to_string();
    if names.is_empty() {
        return by_uid.unlink(&entry).map_err(system("remove the entry in by-uid"));
    }
    let text = names.join("\n") + "\n";
    by_uid.replace(&entry, &random_name(NEW)?, text.as_bytes()).map_err(system("write the entry in by-uid"))
}

/// Takes a name out of the entries of these uids, durably.
pub(super) fn forget(root: &Directory, uids: &[u32], name: &str) -> Result<(), StoreError> {
    for uid in uids {
        let mut names = names_of(root, *uid)?;
        let before = names.len();
        names.retain(|kept| kept != name);
        if names.len() < before {
            write(root, *uid, &names)?;
        }
    }
    subdirectory(root, BY_UID)?.sync().map_err(system("sync the store"))
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
