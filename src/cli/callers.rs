//! `countersign callers`: the lines of PAM that call the module. The removal of a package asks it first, and goes no further
//! while there is one. Not for people, and read-only.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use clap::Args;

use super::doctor::look::is_leftover;
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use crate::backup::{Keeper, Left};
use crate::doctor::callers::{CONF, DIRECTORIES, callers};

/// `countersign callers`
#[derive(Debug, Args)]
pub(super) struct Callers {
    /// As if `countersign setup --undo` had been run
    #[arg(long)]
    after_undo: bool,
    /// Take the files of this directory in place of those of the same names in /etc/pam.d
    #[arg(long, value_name = "DIR")]
    with: Option<PathBuf>,
}

/// Where packages and people put the files of services.
const PAM: &str = "/etc/pam.d";

/// Texts that stand for what is on the disk, by the paths of their files; nothing for a file that is gone.
type InPlace = BTreeMap<String, Option<String>>;

/// Names all lines that call the module. That there is one is told by the status too.
pub(super) fn run(options: &Callers, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let mut in_place = InPlace::new();
    if let Some(directory) = &options.with {
        in_place.extend(files_of(directory)?);
    }
    if options.after_undo {
        in_place.extend(after_undo()?);
    }
    let found = callers(services(&in_place)?, |path| text_of(path, &in_place))?;
    for caller in &found {
        terminal.report(caller)?;
    }
    Ok(if found.is_empty() { ExitCode::Success } else { ExitCode::Refused })
}

/// What becomes of the files that setup has changed.
fn after_undo() -> Result<InPlace, Error> {
    let Some(keeper) = Keeper::open()? else { return Ok(InPlace::new()) };
    let Some(record) = keeper.record()? else { return Ok(InPlace::new()) };
    let text = |content: Vec<u8>| String::from_utf8_lossy(&content).into_owned();
    let left = keeper.after_put_back(&record)?.into_iter();
    Ok(left.map(|Left { path, content }| (path, content.map(text))).collect())
}

fn files_of(directory: &Path) -> Result<InPlace, Error> {
    if !directory.is_dir() {
        return Err(unreadable(directory, ErrorKind::NotADirectory.into()));
    }
    let names = names_in(directory).map_err(|error| unreadable(directory, error))?;
    // A relative link may lead to nothing from there: then what is on the disk counts.
    let file = |name: String| {
        let text = text_on_disk(&directory.join(&name))?;
        Ok(text.map(|text| (format!("{PAM}/{name}"), Some(text))))
    };
    names.into_iter().map(file).filter_map(Result::transpose).collect()
}

/// The services that libpam may be asked for, or what it reads where it has no directory.
fn services(in_place: &InPlace) -> Result<BTreeSet<String>, Error> {
    if !DIRECTORIES.iter().any(|directory| Path::new(directory).is_dir()) {
        return Ok(BTreeSet::from([CONF.to_owned()]));
    }
    let mut services = BTreeSet::new();
    for directory in DIRECTORIES {
        services
            .extend(names_in(Path::new(directory)).map_err(|error| unreadable(Path::new(directory), error))?);
        let below = |path: &String| path.strip_prefix(directory)?.strip_prefix('/').map(str::to_owned);
        services.extend(in_place.keys().filter_map(below));
    }
    services.retain(|name| !is_leftover(name));
    Ok(services)
}

/// The names in a directory; none where it is not there.
fn names_in(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if is_absence(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn text_of(path: &str, in_place: &InPlace) -> Result<Option<String>, Error> {
    in_place.get(path).map_or_else(|| text_on_disk(Path::new(path)), |text| Ok(text.clone()))
}

/// The text of a file as libpam reads it: links are followed, and any byte may be in it.
fn text_on_disk(path: &Path) -> Result<Option<String>, Error> {
    // A directory or a FIFO is not a stack.
    match fs::metadata(path).and_then(|found| found.is_file().then(|| fs::read(path)).transpose()) {
        Ok(bytes) => Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(unreadable(path, error)),
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::Unreadable(path.to_owned(), error)
}
