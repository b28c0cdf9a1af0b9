//! The way back: copies of what `countersign setup` changes, kept before the first file is changed, and what takes
//! the change back, at once or much later.
//!
//! All of it is in a directory of root's own. The record in it is what counts: while there is one, something may
//! be changed; it is written and flushed before that, and removed after the last file is as it was. Whatever was
//! cut off in between is finished by the next call, for each step looks at what is there.

pub mod clock;
mod files;
mod problem;
pub mod sshd;
mod trial_directory;

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

pub use files::{Left, Manner, Planned};
pub use problem::{Problem, words};
pub use trial_directory::TrialDirectory;

use crate::setup::Record;
use crate::sys::lock;
use crate::sys::secure_file::{Access, Directory, OpenError};

/// Where it is.
pub const PATH: &str = "/var/lib/countersign/setup";
/// The directory above and the name in it.
const STORE: &str = "/var/lib/countersign";
const NAME: &str = "setup";
/// The record, and what it is called until it is whole.
const RECORD: &str = "record.json";
const NEW_RECORD: &str = "record.new";
/// The largest record and the largest copy.
const MOST_BYTES: u64 = 1 << 21;

/// The directory, locked: nobody else makes, confirms or takes back a change meanwhile.
#[derive(Debug)]
pub struct Keeper {
    directory: Directory,
    _lock: File,
}

impl Keeper {
    /// Opens it. `Ok(None)` where nothing was ever kept.
    pub fn open() -> Result<Option<Self>, Problem> {
        match Directory::open(Path::new(PATH)) {
            Ok(directory) => Self::lock(directory).map(Some),
            Err(OpenError::Absent) => Ok(None),
            Err(error) => Err(Problem::Keeping("the directory", error)),
        }
    }

    /// Makes it where it is not there yet.
    pub fn make() -> Result<Self, Problem> {
        let failed = |error| Problem::Keeping("the directory", error);
        let store = Directory::open(Path::new(STORE)).map_err(failed)?;
        match store.directory(OsStr::new(NAME)) {
            Ok(directory) => Self::lock(directory),
            Err(OpenError::Absent) => {
                let made = store.make_directory(OsStr::new(NAME)).and_then(|()| store.sync());
                made.map_err(|error| failed(error.into()))?;
                Self::lock(store.directory(OsStr::new(NAME)).map_err(failed)?)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn lock(directory: Directory) -> Result<Self, Problem> {
        let file = directory.as_file().map_err(|error| Problem::Keeping("the lock", error.into()))?;
        match lock::take(&file) {
            Ok(true) => Ok(Self { directory, _lock: file }),
            Ok(false) => Err(Problem::Busy),
            Err(error) => Err(Problem::Keeping("the lock", error.into())),
        }
    }

    /// The record, if something is changed.
    pub fn record(&self) -> Result<Option<Record>, Problem> {
        record_in(&self.directory)
    }

    /// Puts a record in place of the former one, durably.
    pub fn write(&self, record: &Record) -> Result<(), Problem> {
        let text = record.to_text().map_err(Problem::Record)?;
        let _ = self.directory.unlink(NEW_RECORD);
        let written = self.directory.replace(RECORD, NEW_RECORD, text.as_bytes());
        written.map_err(|error| Problem::Keeping("the record", error.into()))
    }

    /// Forgets all that was kept. The record goes first: copies without one mean nothing.
    pub fn forget(&self) -> Result<(), Problem> {
        let failed = |error: std::io::Error| Problem::Keeping("the record", error.into());
        match self.directory.unlink(RECORD) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => self.directory.sync().map_err(failed)?,
        }
        for name in self.directory.names().map_err(failed)? {
            let name = String::from_utf8_lossy(&name).into_owned();
            // What somebody has written into a file that was put back at any rate stays.
            if !name.starts_with(files::FOUND) {
                let _ = self.directory.unlink(&name);
            }
        }
        self.directory.sync().map_err(failed)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, OpenError> {
        read_in(&self.directory, name)
    }
}

fn read_in(directory: &Directory, name: &str) -> Result<Vec<u8>, OpenError> {
    let mut bytes = Vec::new();
    directory.file(name, Access::Read, MOST_BYTES)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn record_in(directory: &Directory) -> Result<Option<Record>, Problem> {
    match read_in(directory, RECORD) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes).map_err(|error| Problem::Record(error.to_string()))?;
            Record::parse(&text).map(Some).map_err(Problem::Record)
        }
        Err(OpenError::Absent) => Ok(None),
        Err(error) => Err(Problem::Keeping("the record", error)),
    }
}

/// What a record says and how it stands, without a lock: for who only looks.
pub fn look() -> Result<Option<Record>, Problem> {
    match Directory::open(Path::new(PATH)) {
        Ok(directory) => record_in(&directory),
        Err(OpenError::Absent) => Ok(None),
        Err(error) => Err(Problem::Keeping("the directory", error)),
    }
}

/// The files of a record that are no longer what it made of them.
pub fn changed_since(record: &Record) -> Vec<String> {
    let is_changed = |path: &str, after: &crate::setup::Version| {
        !crate::sys::system_file::read(Path::new(path)).is_ok_and(|file| after.is_of(&file.content))
    };
    let changed = record.files.iter().filter(|file| is_changed(&file.path, &file.after));
    changed.map(|file| file.path.clone()).collect()
}
