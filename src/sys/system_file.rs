//! Files of the system that root owns and others may read, such as those in /etc/pam.d: read whole, and replaced
//! by new ones in one step.
//!
//! A file is looked at by its descriptor before it is believed, its directory must be root's alone to change, and
//! no link in the place of a file is followed. Whoever reads meanwhile sees the former file or the new one.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fsync, unlinkat};

use super::attributes::{self, Attributes};
use super::new;
use super::secure_file::{OpenError, Refusal, above_standard};

/// The largest file that is taken.
const MOST_BYTES: u64 = 1 << 20;

/// A file as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemFile {
    /// What is in it.
    pub content: Vec<u8>,
    /// Its permissions.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// What else is said of it.
    pub attributes: Attributes,
}

impl SystemFile {
    /// A file of root that everybody may read.
    pub fn new(content: Vec<u8>) -> Self {
        Self { content, mode: 0o644, uid: 0, gid: 0, attributes: Vec::new() }
    }
}

/// Reads a file by its absolute path.
pub fn read(path: &Path) -> Result<SystemFile, OpenError> {
    let (directory, name) = directory_of(path)?;
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = File::from(above_standard(openat(&directory, name, flags, Mode::empty())?)?);
    let stat = fstat(&file)?;
    if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(OpenError::Refused(Refusal::Type));
    }
    must_be_of_root(&stat)?;
    let mut content = Vec::new();
    (&file).take(MOST_BYTES + 1).read_to_end(&mut content)?;
    if u64::try_from(content.len()).map_or(true, |length| length > MOST_BYTES) {
        return Err(OpenError::Refused(Refusal::Size));
    }
    let attributes = attributes::read(&file);
    Ok(SystemFile { content, mode: stat.st_mode & 0o7777, uid: stat.st_uid, gid: stat.st_gid, attributes })
}

/// Puts a file in place of whatever has its name, durably. A kill leaves the former file, and perhaps one whose
/// name begins with a dot, which the next call or [`remove_unfinished`] takes away.
pub fn replace(path: &Path, file: &SystemFile) -> Result<(), OpenError> {
    let (directory, name) = directory_of(path)?;
    let unfinished = unfinished_name(name);
    take_away(&directory, OsStr::new(&unfinished))?;
    let written = write_new(&directory, &unfinished, file)
        .and_then(|()| Ok(renameat(&directory, unfinished.as_str(), &directory, name)?));
    if let Err(error) = written {
        let _ = take_away(&directory, OsStr::new(&unfinished));
        return Err(error.into());
    }
    Ok(fsync(&directory)?)
}

fn write_new(directory: &OwnedFd, name: &str, file: &SystemFile) -> io::Result<()> {
    let mut new = new::file_at(directory, name, 0o600)?;
    new.write_all(&file.content)?;
    fchown(&new, Some(Uid::from_raw(file.uid)), Some(Gid::from_raw(file.gid)))?;
    attributes::write(&new, &file.attributes);
    // After the owner, whose change takes permissions away, and after an access list, which changes them.
    fchmod(&new, Mode::from_bits_truncate(file.mode))?;
    new.sync_all()
}

/// Removes a file durably; that it is gone already is well.
pub fn remove(path: &Path) -> Result<(), OpenError> {
    let (directory, name) = directory_of(path)?;
    take_away(&directory, name)?;
    Ok(fsync(&directory)?)
}

/// Removes what a killed [`replace`] of this file has left.
pub fn remove_unfinished(path: &Path) -> Result<(), OpenError> {
    let (directory, name) = directory_of(path)?;
    Ok(take_away(&directory, OsStr::new(&unfinished_name(name)))?)
}

fn unfinished_name(name: &OsStr) -> String {
    format!(".{}.countersign-new", name.to_string_lossy())
}

fn take_away(directory: &OwnedFd, name: &OsStr) -> io::Result<()> {
    match unlinkat(directory, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The directory of a file, which nobody but root may change, and the name in it.
fn directory_of(path: &Path) -> Result<(OwnedFd, &OsStr), OpenError> {
    let (Some(parent), Some(name)) = (path.parent().filter(|_| path.is_absolute()), path.file_name()) else {
        return Err(OpenError::Absent);
    };
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let directory = above_standard(openat(AT_FDCWD, parent, flags, Mode::empty())?)?;
    must_be_of_root(&fstat(&directory)?)?;
    Ok((directory, name))
}

fn must_be_of_root(stat: &FileStat) -> Result<(), OpenError> {
    if stat.st_uid != 0 {
        return Err(OpenError::Refused(Refusal::Owner));
    }
    if stat.st_mode & (Mode::S_IWGRP | Mode::S_IWOTH).bits() != 0 {
        return Err(OpenError::Refused(Refusal::Mode));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "those rules are for the module")]
mod tests {
    use std::ffi::CString;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        directory
    }

    #[test]
    #[ignore = "needs root: files of root"]
    fn a_file_is_replaced_with_its_mode_and_attributes_and_nothing_is_left_beside_it() {
        let directory = directory();
        let path = directory.path().join("sshd");
        fs::write(directory.path().join(".sshd.countersign-new"), "what a kill left").unwrap();
        let name = CString::new("user.countersign").unwrap();
        let file = SystemFile {
            mode: 0o640,
            gid: 4,
            attributes: vec![(name, b"kept".to_vec())],
            ..SystemFile::new(b"new\n".to_vec())
        };
        replace(&path, &file).unwrap();
        let found = read(&path).unwrap();
        // A label that the system gives may come to it.
        assert!(file.attributes.iter().all(|one| found.attributes.contains(one)), "{found:?}");
        assert_eq!(SystemFile { attributes: file.attributes.clone(), ..found }, file);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert!(matches!(read(&path), Err(OpenError::Absent)));
    }

    #[test]
    #[ignore = "needs root: files of root"]
    fn links_and_what_others_can_change_are_refused() {
        let directory = directory();
        let path = directory.path().join("sshd");
        fs::write(directory.path().join("other"), "x").unwrap();
        symlink("other", &path).unwrap();
        assert!(matches!(read(&path), Err(OpenError::Refused(Refusal::Type))));
        fs::remove_file(&path).unwrap();
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        assert!(matches!(read(&path), Err(OpenError::Refused(Refusal::Mode))));
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(read(&path).is_ok());
        fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(read(&path), Err(OpenError::Refused(Refusal::Mode))));
        assert!(matches!(
            replace(&path, &SystemFile::new(Vec::new())),
            Err(OpenError::Refused(Refusal::Mode))
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), "x");
    }
}
