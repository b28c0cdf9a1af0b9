//! The accounts that the name service of this machine lists, with their homes and shells.
//!
//! A name service may know more than it lists, as directories do: whoever is missing here can be named.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::unistd::User as Entry;

use super::home_file::Account;
use crate::user::UserName;

/// The account of a name. `Ok(None)` only when the name service positively has none.
pub fn by_name(name: &UserName) -> io::Result<Option<Account>> {
    match Entry::from_name(name.as_str()) {
        Ok(entry) => Ok(entry.map(|entry| Account {
            name: entry.name.into_bytes(),
            uid: entry.uid.as_raw(),
            gid: entry.gid.as_raw(),
            home: entry.dir,
            shell: entry.shell,
        })),
        Err(Errno::ENOENT | Errno::ESRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// All accounts that are listed. Only one thread may list them at a time, for getpwent(3) is one list.
pub fn all() -> io::Result<Vec<Account>> {
    let mut accounts = Vec::new();
    // SAFETY: setpwent takes nothing and touches no memory of ours.
    unsafe { libc::setpwent() };
    let result = loop {
        Errno::clear();
        // SAFETY: getpwent returns a null pointer or an entry that stays as it is until the next call.
        let entry = unsafe { libc::getpwent() };
        if entry.is_null() {
            break match Errno::last() {
                // What systems say at the end of the list (getpwent(3)), glibc also where a source is away.
                Errno::UnknownErrno | Errno::ENOENT => Ok(()),
                error => Err(error.into()),
            };
        }
        // SAFETY: it is not null, and nothing else asks for the next entry meanwhile.
        let entry = unsafe { &*entry };
        // SAFETY: a field of an entry is a null pointer or a string that ends, and lives as long as the entry.
        let name = unsafe { bytes(entry.pw_name) };
        // SAFETY: as above.
        let home = unsafe { bytes(entry.pw_dir) };
        let home = PathBuf::from(OsStr::from_bytes(&home));
        // SAFETY: as above.
        let shell = unsafe { bytes(entry.pw_shell) };
        let shell = PathBuf::from(OsStr::from_bytes(&shell));
        accounts.push(Account { name, uid: entry.pw_uid, gid: entry.pw_gid, home, shell });
    };
    // SAFETY: endpwent takes nothing and touches no memory of ours.
    unsafe { libc::endpwent() };
    result.map(|()| accounts)
}

/// # Safety
///
/// `text` is null or points to a string that ends.
unsafe fn bytes(text: *const libc::c_char) -> Vec<u8> {
    if text.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller says that it ends.
    unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_listed_as_it_is_found() {
        let named = |name: &str| by_name(&UserName::new(name.as_bytes()).unwrap()).unwrap();
        let root = named("root").unwrap();
        assert_eq!((root.name.as_slice(), root.uid), (&b"root"[..], 0));
        assert!(root.home.is_absolute());
        assert!(all().unwrap().contains(&root));
        assert!(named("nobody-has-this-name").is_none());
    }
}
