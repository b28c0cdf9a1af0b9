//! A new file of mode 0600 with something secret in it: all of it on disk, or no file at all.
//!
//! It never overwrites, never follows a link in the place of the file, and what it removes is an entry of the
//! directory that it wrote to, wherever the path leads by then.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::error::Error;
use crate::sys;

/// A file that was written.
pub(super) struct SavedFile {
    directory: OwnedFd,
    name: OsString,
}

impl SavedFile {
    /// Writes a new file.
    pub(super) fn write(path: &Path, content: &[u8]) -> Result<Self, Error> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::FileExists(path.to_owned()),
            _ => Error::File(path.to_owned(), error),
        };
        let (file, saved) = Self::create(path).map_err(failed)?;
        fill(file, content).inspect_err(|_| saved.remove()).map_err(failed)?;
        Ok(saved)
    }

    fn create(path: &Path) -> io::Result<(File, Self)> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
        let parent = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        let directory = open(parent, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
        let file = sys::new::file_at(&directory, name.as_os_str(), 0o600)?;
        Ok((file, Self { directory, name }))
    }

    /// Removes it.
    pub(super) fn remove(&self) {
        let name: &OsStr = &self.name;
        let _ = unlinkat(&self.directory, name, UnlinkatFlags::NoRemoveDir);
    }
}

fn fill(mut file: File, content: &[u8]) -> io::Result<()> {
    file.write_all(content)?;
    file.sync_all()
}

/// Fails early where the file is there already.
pub(super) fn must_be_free(path: &Path) -> Result<(), Error> {
    match path.symlink_metadata() {
        Ok(_) => Err(Error::FileExists(path.to_owned())),
        Err(_) => Ok(()),
    }
}

/// Files that are removed when this is dropped, unless they are to stay.
#[derive(Default)]
pub(super) struct Unkept {
    files: Vec<(SavedFile, PathBuf)>,
}

impl Unkept {
    /// Writes another one.
    pub(super) fn write(&mut self, path: &Path, content: &[u8]) -> Result<(), Error> {
        self.files.push((SavedFile::write(path, content)?, path.to_owned()));
        Ok(())
    }

    /// Lets them stay, and says which they are.
    pub(super) fn keep(mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.files).into_iter().map(|(_, path)| path).collect()
    }
}

impl Drop for Unkept {
    fn drop(&mut self) {
        self.files.iter().for_each(|(file, _)| file.remove());
    }
}
