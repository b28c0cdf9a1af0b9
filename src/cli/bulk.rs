//! `countersign enroll --from`: one user of a list after the other is enrolled, and has a page to be handed out.
//!
//! The page is on disk before the enrolment is in force, and nobody is enrolled without one; a second run goes on
//! where the first one ended, however it ended. What is wrong with one is a line, and never the end.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::args::Enroll;
use super::audit;
use super::enroll::{activate, is_enrolled};
use super::error::{Error, ExitCode};
use super::page::Page;
use super::pages::{Pages, Standing};
use super::recovery_file::{self, is_in_force};
use super::terminal::Terminal;
use super::{progress, who};
use crate::backend::{self, KernelEntropy};
use crate::credential::{Authenticator, CodeParameters, CredentialStore as _, StoreError};
use crate::enrol::{self, Confirmed, FIRST_DEVICE, Purpose, Wanted};
use crate::import::roster::{BadLine, Entry, Line, Roster};
use crate::sys;
use crate::user::User;

/// Enrols all users of a list, or says who cannot be.
pub(super) fn run(
    options: &Enroll,
    list: &Path,
    directory: &Path,
    terminal: &mut Terminal,
) -> Result<ExitCode, Error> {
    who::require_root()?;
    let issuer = options.making.issuer()?;
    let parameters = options.making.code_parameters();
    for ignored in parameters.ignored_by_apps() {
        terminal.say(format_args!(
            "warning: many apps ignore --{ignored} and show codes that are not taken; the first login tells"
        ));
    }
    let (source, size) = open_list(list)?;
    let apply = !options.bulk.dry_run;
    let pages = if apply { Some(Pages::open(directory)?) } else { Pages::if_there(directory)? };
    let (seen, counts) = (HashMap::new(), Counts::default());
    let mut bulk = Bulk { issuer: &issuer, parameters, apply, pages, seen, counts, size, terminal };
    let read = Roster::new(BufReader::new(source)).try_for_each(|line| {
        bulk.take(&line?);
        Ok(())
    });
    let ended = bulk.end(directory);
    read.map_err(|error| Error::Unreadable(list.to_owned(), error)).map(|()| ended)
}

/// The list, and how many bytes it has where that is known.
fn open_list(path: &Path) -> Result<(Box<dyn Read>, Option<u64>), Error> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), None));
    }
    let failed = |error| Error::Unreadable(path.to_owned(), error);
    let opened = open(path, OFlag::O_RDONLY | OFlag::O_NOCTTY | OFlag::O_CLOEXEC, Mode::empty());
    let file = File::from(opened.map_err(|error| failed(error.into()))?);
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let size = metadata.is_file().then_some(metadata.len());
    Ok((Box::new(file), size))
}

/// Why somebody is not enrolled now.
enum Left {
    /// The line names nobody.
    Line(BadLine),
    /// A line before this one names the same account.
    Twice(u64),
    /// It is so already.
    AlreadyEnrolled,
    /// It is so already, but there is a page of another device.
    OtherPage(String),
    /// Whatever else can go wrong in the command.
    Other(Error),
}

impl From<Error> for Left {
    fn from(error: Error) -> Self {
        match error {
            // Somebody else has just done it.
            Error::Store(StoreError::AlreadyEnrolled) => Self::AlreadyEnrolled,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(problem) => write!(out, "not enrolled: {problem}"),
            Self::Twice(line) => write!(out, "left out: the same account as in line {line}"),
            Self::AlreadyEnrolled => out.write_str("is enrolled already, and stays so"),
            Self::OtherPage(path) => {
                write!(out, "is enrolled already, but {path} is of a device that is not in force: remove it")
            }
            Self::Other(error) => write!(out, "not enrolled: {error}"),
        }
    }
}

/// How many came to what.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    enrolled: u64,
    already: u64,
    twice: u64,
    refused: u64,
    failed: u64,
    unlogged: u64,
}

/// A run under way.
struct Bulk<'a> {
    terminal: &'a mut Terminal,
    issuer: &'a str,
    parameters: CodeParameters,
    apply: bool,
    pages: Option<Pages>,
    /// Which line has named a uid first: all that is kept in memory of the users.
    seen: HashMap<u32, u64>,
    counts: Counts,
    size: Option<u64>,
}

impl Bulk<'_> {
    fn take(&mut self, line: &Line) {
        let number = line.number;
        match &line.entry {
            Ok(entry) => match self.enrol(number, entry) {
                Ok(()) => self.counts.enrolled += 1,
                Err(left) => self.leave(format_args!("line {number}: {}", entry.user), &left),
            },
            Err(problem) => self.leave(format_args!("line {number}"), &Left::Line(*problem)),
        }
        if let Some(columns) = self.terminal.columns_for_progress() {
            let users = self.counts.enrolled + self.counts.already;
            self.terminal.progress(progress::line(line.read, self.size, users, columns));
        }
    }

    fn leave(&mut self, whom: fmt::Arguments<'_>, left: &Left) {
        let count = match left {
            Left::Twice(_) => &mut self.counts.twice,
            Left::AlreadyEnrolled | Left::OtherPage(_) => &mut self.counts.already,
            Left::Line(_) | Left::Other(Error::NoAccount(_) | Error::BadName(_)) => &mut self.counts.refused,
            Left::Other(error) if error.exit_code() == ExitCode::Failure => &mut self.counts.failed,
            Left::Other(_) => &mut self.counts.refused,
        };
        *count += 1;
        // A second run is about the others.
        if !matches!(left, Left::AlreadyEnrolled) {
            // That it cannot be written changes nothing of what is done.
            let _ = self.terminal.report(format_args!("{whom}: {left}"));
        }
    }

    fn enrol(&mut self, number: u64, entry: &Entry) -> Result<(), Left> {
        let user = who::account(Some(entry.user.as_str()))?;
        if let Some(uid) = user.uid {
            let first = *self.seen.entry(uid).or_insert(number);
            if first != number {
                return Err(Left::Twice(first));
            }
        }
        if is_enrolled(&user)? {
            return Err(self.enrolled_already(&user)?);
        }
        if self.apply { self.make(&user, entry) } else { self.look(&user) }
    }

    /// Whether there is a page that its user has never been enrolled by, as where a run was killed and he was then
    /// enrolled otherwise.
    fn enrolled_already(&self, user: &User) -> Result<Left, Error> {
        let Some(pages) = &self.pages else { return Ok(Left::AlreadyEnrolled) };
        let Standing::Page(device) = pages.standing(&user.name)? else { return Ok(Left::AlreadyEnrolled) };
        let credential = backend::store().read(user)?;
        let devices = credential.iter().flat_map(|credential| &credential.authenticators);
        let is_in_force = devices.map(Authenticator::key_name).any(|other| other == device);
        let path = || pages.path_of(&user.name).display().to_string();
        Ok(if is_in_force { Left::AlreadyEnrolled } else { Left::OtherPage(path()) })
    }

    /// What would be in the way of a page.
    fn look(&self, user: &User) -> Result<(), Left> {
        match &self.pages {
            Some(pages) if pages.standing(&user.name)? == Standing::Foreign => {
                Err(Error::FileExists(pages.path_of(&user.name)).into())
            }
            _ => Ok(()),
        }
    }

    /// Makes a device and recovery codes, and what is to be handed out.
    fn make(&mut self, user: &User, entry: &Entry) -> Result<(), Left> {
        let wanted = Wanted { parameters: self.parameters, ..Wanted::default() };
        let made = enrol::begin(user.clone(), FIRST_DEVICE, Purpose::First, wanted, &mut KernelEntropy);
        let pending = made.map_err(Error::from)?;
        let now = sys::clock::now().ok_or(Error::Clock)?;
        let confirmed = pending.vouched_for(now);
        let account = user.name.as_str();
        let page = Page {
            device: confirmed.key_name(),
            parameters: self.parameters,
            account,
            issuer: self.issuer,
            address: entry.address.as_deref(),
            uri: &pending.otpauth_uri(&crate::otp::uri::Label { issuer: self.issuer, account }),
            key: &pending.key_in_groups(),
            recovery: &recovery_file::page(account, &confirmed.codes),
        };
        self.keep(user, &confirmed, &page.to_html()?)
    }

    /// From here on it is done, or it is not done: no signal may stop it half way.
    fn keep(&mut self, user: &User, confirmed: &Confirmed, page: &str) -> Result<(), Left> {
        let Some(pages) = &self.pages else { return Ok(()) };
        let kept = sys::process::undisturbed(|| {
            pages.save(&user.name, page)?;
            activate(confirmed).inspect_err(|_| {
                if !is_in_force(user, confirmed.set.as_ref()) {
                    pages.remove(&user.name);
                }
            })
        });
        kept.map_err(|error| Error::from(StoreError::from(error)))??;
        self.log(confirmed, user);
        Ok(())
    }

    /// The first that could not be logged says why, and the end how many.
    fn log(&mut self, confirmed: &Confirmed, user: &User) {
        let logged = audit::note_new(confirmed, user);
        self.counts.unlogged += u64::from(logged.is_err());
        if self.counts.unlogged == 1 {
            audit::tell_unless_logged(logged, self.terminal);
        }
    }

    fn end(self, directory: &Path) -> ExitCode {
        let Counts { enrolled, already, twice, refused, failed, unlogged } = self.counts;
        let done = if self.apply { "enrolled" } else { "can be enrolled" };
        self.terminal.say(format_args!(
            "{enrolled} {done}, {already} enrolled already, {twice} named twice, {refused} refused, {failed} failed"
        ));
        if unlogged > 0 {
            self.terminal.say(format_args!("warning: {unlogged} of these changes could not be logged"));
        }
        if !self.apply {
            self.terminal.say("nothing was changed; without --dry-run it is done");
        } else if enrolled > 0 {
            self.terminal.say(format_args!(
                "the pages are in {}: each is a secret of its user, so hand it to nobody else, and remove it then",
                directory.display()
            ));
        }
        match (failed, refused) {
            (0, 0) => ExitCode::Success,
            (0, _) => ExitCode::Refused,
            _ => ExitCode::Failure,
        }
    }
}
