//! Accounts, as the name service of this machine knows them.

use std::ffi::CString;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User as Entry, getgrouplist};

use super::secure_file::read_published;
use crate::user::{User, UserName};

/// The account of a name, under the name that the name service gives it. `Ok(None)` only when the
/// name service positively has none.
pub fn by_name(name: &UserName) -> io::Result<Option<User>> {
    found(Entry::from_name(name.as_str()))
}

/// The account of a uid.
pub fn by_uid(uid: u32) -> io::Result<Option<User>> {
    found(Entry::from_uid(Uid::from_raw(uid)))
}

/// The number of a group.
pub fn group_by_name(name: &UserName) -> io::Result<Option<u32>> {
    match Group::from_name(name.as_str()) {
        Ok(group) => Ok(group.map(|group| group.gid.as_raw())),
        Err(Errno::ENOENT | Errno::ESRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The numbers of all groups that an account belongs to. `Ok(None)` where there is no such account.
pub fn groups_of(name: &UserName) -> io::Result<Option<Vec<u32>>> {
    let entry = match Entry::from_name(name.as_str()) {
        Ok(Some(entry)) => entry,
        Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let name = CString::new(entry.name).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    let groups = getgrouplist(&name, entry.gid)?;
    Ok(Some(groups.into_iter().map(Gid::as_raw).collect()))
}

/// The real uid of this process.
pub fn real_uid() -> u32 {
    nix::unistd::getuid().as_raw()
}

/// The audit session of this process, which the kernel numbers anew at each login (sessionid in proc(5)).
/// `None` where it belongs to none, or where that cannot be told.
pub fn audit_session() -> Option<u32> {
    let text = read_published(Path::new("/proc/self/sessionid"), 16).ok()?;
    text.trim_end().parse().ok().filter(|session| *session != u32::MAX)
}

/// Whether this process acts as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn found(entry: nix::Result<Option<Entry>>) -> io::Result<Option<User>> {
    let entry = match entry {
        Ok(Some(entry)) => entry,
        // getpwnam_r(3) lists these among the ways in which systems say "not found".
        Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let name = UserName::new(entry.name.as_bytes())
        .map_err(|problem| io::Error::new(io::ErrorKind::InvalidData, problem.to_string()))?;
    Ok(Some(User { name, uid: Some(entry.uid.as_raw()) }))
}
