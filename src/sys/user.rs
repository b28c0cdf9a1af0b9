//! Accounts, as the name service of this machine knows them.

use std::ffi::CString;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::{Group, Uid, User as Entry, getgrouplist};

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

/// Descriptors that a look-up at a name service may need.
const DESCRIPTORS_FOR_A_LOOK_UP: usize = 16;

/// Whether an account belongs to a group. `Ok(None)` where there is no such account or group.
///
/// getgrouplist(3) cannot say that it failed: without a free descriptor, as the caller of su may arrange, it
/// knows of no groups. So that somebody is no member is believed only while there are descriptors to be had.
pub fn is_member(name: &UserName, group: &UserName) -> io::Result<Option<bool>> {
    let (Some(entry), Some(group)) =
        (absent_or(Entry::from_name(name.as_str()))?, absent_or(Group::from_name(group.as_str()))?)
    else {
        return Ok(None);
    };
    if entry.gid == group.gid || group.mem.contains(&entry.name) {
        return Ok(Some(true));
    }
    require_descriptors()?;
    let name = CString::new(entry.name).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    let is_member = getgrouplist(&name, entry.gid)?.contains(&group.gid);
    if !is_member {
        require_descriptors()?;
    }
    Ok(Some(is_member))
}

/// Fails where the process cannot open as many files as a look-up may need.
fn require_descriptors() -> io::Result<()> {
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    let open = |_| openat(AT_FDCWD, "/", flags, Mode::empty());
    (0..DESCRIPTORS_FOR_A_LOOK_UP).map(open).collect::<Result<Vec<_>, _>>()?;
    Ok(())
}

/// What was found; nothing where the name service positively has none.
fn absent_or<T>(found: nix::Result<Option<T>>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(found),
        // getpwnam_r(3) lists these among the ways in which systems say "not found".
        Err(Errno::ENOENT | Errno::ESRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The number of a group.
pub fn group_by_name(name: &UserName) -> io::Result<Option<u32>> {
    Ok(absent_or(Group::from_name(name.as_str()))?.map(|group| group.gid.as_raw()))
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
    let Some(entry) = absent_or(entry)? else { return Ok(None) };
    let name = UserName::new(entry.name.as_bytes())
        .map_err(|problem| io::Error::new(io::ErrorKind::InvalidData, problem.to_string()))?;
    Ok(Some(User { name, uid: Some(entry.uid.as_raw()) }))
}
