//! A private directory with stacks and settings that are tried before they are in force.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use nix::fcntl::AT_FDCWD;

use super::Problem;
use crate::sys::{entropy, new};

/// Where it is made: root's, in memory, and empty after a restart.
const ABOVE: &str = "/run";

/// The directory, gone when this is dropped.
#[derive(Debug)]
pub struct TrialDirectory(PathBuf);

impl TrialDirectory {
    /// Makes one that only root can enter.
    pub fn make() -> Result<Self, Problem> {
        let make = || -> io::Result<PathBuf> {
            let mut name = [0; 8];
            entropy::fill(&mut name)?;
            let path = Path::new(ABOVE).join(format!("countersign-setup-{}", HEXLOWER.encode(&name)));
            new::directory(&path, 0o700)?;
            Ok(path)
        };
        make().map(Self).map_err(|error| Problem::Keeping("a directory in /run", error.into()))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it; returns its path.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, Problem> {
        let path = self.0.join(name);
        new::file_at(AT_FDCWD, &path, 0o600)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Problem::File(path.clone(), error.into()))?;
        Ok(path)
    }
}

impl Drop for TrialDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
