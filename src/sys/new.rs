//! Files and directories that are made with exactly the mode that they are to have: the umask belongs to the
//! host process, and may take every permission away.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use nix::NixPath;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{Mode, fchmod, fstat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::secure_file::above_standard;

/// Makes a file in a directory, open for reading and writing. It must not be there yet.
pub fn file_at<Name: NixPath + ?Sized>(directory: impl AsFd, name: &Name, mode: u32) -> io::Result<File> {
    let mode = Mode::from_bits_truncate(mode);
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = File::from(above_standard(openat(&directory, name, flags, mode)?)?);
    if let Err(error) = fchmod(&file, mode) {
        let _ = unlinkat(&directory, name, UnlinkatFlags::NoRemoveDir);
        return Err(error.into());
    }
    Ok(file)
}

/// Makes a directory in another one. It must not be there yet.
pub fn directory_at<Name: NixPath + ?Sized>(directory: impl AsFd, name: &Name, mode: u32) -> io::Result<()> {
    let mode = Mode::from_bits_truncate(mode);
    mkdirat(&directory, name, mode)?;
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let set = openat(&directory, name, flags, Mode::empty()).and_then(|made| fchmod(&made, mode));
    if let Err(error) = set {
        let _ = unlinkat(&directory, name, UnlinkatFlags::RemoveDir);
        return Err(error.into());
    }
    Ok(())
}

/// Makes a directory. It must not be there yet.
pub fn directory(path: &Path, mode: u32) -> io::Result<()> {
    directory_at(AT_FDCWD, path, mode)
}

/// Makes a directory and those above it, where they are missing.
pub fn directories(path: &Path, mode: u32) -> io::Result<()> {
    match directory(path, mode) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            directories(path.parent().ok_or(error)?, mode)?;
            directory(path, mode)
        }
        other => other,
    }
}

/// Gives root its permissions on a directory that lacks some, as one does whose maker was killed before it
/// had set the mode.
pub fn complete(directory: impl AsFd) -> io::Result<()> {
    let mode = Mode::from_bits_truncate(fstat(&directory)?.st_mode);
    if mode.contains(Mode::S_IRWXU) {
        return Ok(());
    }
    fchmod(&directory, mode | Mode::S_IRWXU).map_err(Errno::into)
}
