//! Directories and files that belong to root alone, by descriptor.
//!
//! Everything is opened relative to an open directory, without following links, without waiting for a
//! writer of a FIFO, and is looked at with fstat(2) before it is used. No name is trusted twice.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, FcntlArg, OFlag, RenameFlags, fcntl, openat, renameat2};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::new;

/// Why something could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// There is nothing of that name.
    Absent,
    /// It is not what it must be.
    Refused(Refusal),
    /// A system call failed.
    System(io::Error),
}

/// In what way something is not what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Neither a regular file nor a directory, or the one in place of the other, or a link.
    Type,
    /// It does not belong to root.
    Owner,
    /// Group or others have a permission on it.
    Mode,
    /// Larger than it may be.
    Size,
}

impl From<Errno> for OpenError {
    fn from(error: Errno) -> Self {
        match error {
            Errno::ENOENT => Self::Absent,
            // A link under O_NOFOLLOW, a file under O_DIRECTORY, a directory for writing, a socket.
            Errno::ELOOP | Errno::ENOTDIR | Errno::EISDIR | Errno::ENXIO => Self::Refused(Refusal::Type),
            other => Self::System(other.into()),
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// Which file a descriptor is, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// The identity behind a descriptor.
    pub fn of(descriptor: impl AsFd) -> io::Result<Self> {
        Ok(Self::from_stat(&fstat(descriptor)?))
    }

    #[allow(clippy::useless_conversion, reason = "these are 32 bits wide on some machines")]
    fn from_stat(stat: &FileStat) -> Self {
        Self { device: u64::from(stat.st_dev), inode: u64::from(stat.st_ino) }
    }
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and overwriting.
    Overwrite,
}

/// An open directory that belongs to root alone.
#[derive(Debug)]
pub struct Directory(OwnedFd);

impl Directory {
    /// Opens a directory by its absolute path; the last component may not be a link.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::checked(openat(AT_FDCWD, path, Self::flags(), Mode::empty())?)
    }

    /// Opens a directory in this one.
    pub fn directory(&self, name: &OsStr) -> Result<Self, OpenError> {
        Self::checked(openat(&self.0, name, Self::flags(), Mode::empty())?)
    }

    fn flags() -> OFlag {
        OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC
    }

    fn checked(descriptor: OwnedFd) -> Result<Self, OpenError> {
        let descriptor = above_standard(descriptor)?;
        let stat = fstat(&descriptor)?;
        belongs_to_root_alone(&stat)?;
        Ok(Self(descriptor))
    }

    /// Opens a regular file in this directory, if it holds at most `most_bytes`.
    pub fn file(&self, name: &str, access: Access, most_bytes: u64) -> Result<File, OpenError> {
        let access = match access {
            Access::Read => OFlag::O_RDONLY,
            Access::Overwrite => OFlag::O_RDWR,
        };
        let flags = access | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let descriptor = above_standard(openat(&self.0, name, flags, Mode::empty())?)?;
        let stat = fstat(&descriptor)?;
        if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err(OpenError::Refused(Refusal::Type));
        }
        belongs_to_root_alone(&stat)?;
        if u64::try_from(stat.st_size).map_or(true, |size| size > most_bytes) {
            return Err(OpenError::Refused(Refusal::Size));
        }
        Ok(File::from(descriptor))
    }

    /// Which file a name in this directory leads to now, links not followed.
    pub fn identity_of(&self, name: &str) -> io::Result<Identity> {
        Ok(Identity::from_stat(&fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW)?))
    }

    /// Makes a file of mode 0600 that must not be there yet.
    pub fn create(&self, name: &str) -> io::Result<File> {
        new::file_at(&self.0, name, 0o600)
    }

    /// Puts a file with this content in place of whatever the name led to, atomically and durably.
    /// `temporary` is the name it has until it is whole.
    pub fn replace(&self, name: &str, temporary: &str, content: &[u8]) -> io::Result<()> {
        self.prepare(temporary, content)?;
        self.put_in_place(temporary, name)
    }

    /// Writes a new file and flushes it, or leaves none.
    pub fn prepare(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let written = self.create(name).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
        if written.is_err() {
            let _ = self.unlink(name);
        }
        written
    }

    /// Gives a file that [`Directory::prepare`] wrote the name of another one, or removes it.
    pub fn put_in_place(&self, prepared: &str, name: &str) -> io::Result<()> {
        if let Err(error) = nix::fcntl::renameat(&self.0, prepared, &self.0, name) {
            let _ = self.unlink(prepared);
            return Err(error.into());
        }
        self.sync()
    }

    /// Gives something in this directory a new name that is free, or fails with `AlreadyExists`.
    pub fn rename_to_free(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat2(&self.0, from, &self.0, to, RenameFlags::RENAME_NOREPLACE)?)
    }

    /// Makes a directory of mode 0700 that must not be there yet.
    pub fn make_directory(&self, name: &OsStr) -> io::Result<()> {
        new::directory_at(&self.0, name, 0o700)
    }

    /// Makes a directory of mode 0700 where it is missing, and gives root its permissions where they are.
    pub fn ensure_directory(&self, name: &OsStr) -> Result<(), OpenError> {
        match self.make_directory(name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(new::complete(&self.directory(name)?)?)
            }
            made => Ok(made?),
        }
    }

    /// Removes a file.
    pub fn unlink(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// Removes a directory in this one, with the files in it. What cannot be removed keeps nothing
    /// else from being removed; the first failure is told.
    pub fn remove_directory(&self, name: &OsStr) -> Result<(), OpenError> {
        let inner = self.directory(name)?;
        let mut result = Ok(());
        for entry in inner.names()? {
            let removed = unlinkat(&inner.0, OsStr::from_bytes(&entry), UnlinkatFlags::NoRemoveDir);
            result = result.and(removed);
        }
        result?;
        unlinkat(&self.0, name, UnlinkatFlags::RemoveDir)?;
        Ok(())
    }

    /// The names in this directory, in no order.
    pub fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        self.each_name()?.collect()
    }

    /// The names in this directory one by one, in no order, however many there are.
    pub fn each_name(&self) -> io::Result<impl Iterator<Item = io::Result<Vec<u8>>> + use<>> {
        let copy = openat(&self.0, ".", Self::flags(), Mode::empty())?;
        let entries = Dir::from_fd(copy)?.into_iter();
        let names = entries.map(|entry| Ok(entry?.file_name().to_bytes().to_vec()));
        let is_of_the_way = |name: &io::Result<Vec<u8>>| {
            name.as_ref().is_ok_and(|name| name.as_slice() == b"." || name.as_slice() == b"..")
        };
        Ok(names.filter(move |name| !is_of_the_way(name)))
    }

    /// This directory as a file, for its lock.
    pub fn as_file(&self) -> io::Result<File> {
        Ok(File::from(self.0.try_clone()?))
    }

    /// Makes names that were added or removed durable.
    pub fn sync(&self) -> io::Result<()> {
        Ok(nix::unistd::fsync(&self.0)?)
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Moves a descriptor out of 0, 1 and 2, which a host process that closed them would otherwise take
/// for its standard streams.
pub(super) fn above_standard(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    if descriptor.as_raw_fd() >= 3 {
        return Ok(descriptor);
    }
    let moved = fcntl(&descriptor, FcntlArg::F_DUPFD_CLOEXEC(3))?;
    // SAFETY: fcntl has just made this descriptor, and nothing else owns it.
    Ok(unsafe { std::os::fd::FromRawFd::from_raw_fd(moved) })
}

/// Reads a file that everybody may read and only root may write: its text, by its absolute path, whose
/// last component may not be a link.
pub fn read_published(path: &Path, most_bytes: u64) -> Result<String, OpenError> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let descriptor = above_standard(openat(AT_FDCWD, path, flags, Mode::empty())?)?;
    let stat = fstat(&descriptor)?;
    if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(OpenError::Refused(Refusal::Type));
    }
    if stat.st_uid != 0 {
        return Err(OpenError::Refused(Refusal::Owner));
    }
    if stat.st_mode & (Mode::S_IWGRP | Mode::S_IWOTH).bits() != 0 {
        return Err(OpenError::Refused(Refusal::Mode));
    }
    let mut text = String::new();
    File::from(descriptor).take(most_bytes.saturating_add(1)).read_to_string(&mut text)?;
    let fits = u64::try_from(text.len()).is_ok_and(|length| length <= most_bytes);
    if fits { Ok(text) } else { Err(OpenError::Refused(Refusal::Size)) }
}

fn belongs_to_root_alone(stat: &FileStat) -> Result<(), OpenError> {
    if stat.st_uid != 0 {
        return Err(OpenError::Refused(Refusal::Owner));
    }
    let others = Mode::S_IRWXG | Mode::S_IRWXO;
    if Mode::from_bits_truncate(stat.st_mode).intersects(others) {
        return Err(OpenError::Refused(Refusal::Mode));
    }
    Ok(())
}
