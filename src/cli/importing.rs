//! One user after the other is taken over: what becomes of each is a line, and never the end.

use std::fmt;
use std::path::PathBuf;

use super::audit::{self, Change};
use super::enroll::is_enrolled;
use super::error::{Error, ExitCode};
use super::import_args::How;
use super::pages::{make_private, page_name};
use super::recovery_file::{self, KeptPage, is_in_force};
use super::terminal::Terminal;
use crate::backend::{self, KernelEntropy};
use crate::credential::StoreError;
use crate::credential::record::BadCredential;
use crate::enrol::{ProvenElsewhere, Takeover};
use crate::import::{Device, Found, Unfit};
use crate::sys;
use crate::sys::secure_file::{OpenError, Refusal};
use crate::user::User;

/// Why somebody is not taken over.
#[derive(Debug)]
pub(super) enum Problem {
    /// There is nothing to read.
    NoFile,
    /// It cannot be read.
    Unreadable(OpenError),
    /// What it says cannot go on here.
    Unfit(Unfit),
    /// His devices cannot be kept together.
    Together(BadCredential),
    /// He is enrolled already.
    AlreadyEnrolled,
    /// Whatever else can go wrong in the command.
    Other(Error),
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile | Self::Unreadable(OpenError::Absent) => out.write_str("there is no such file"),
            Self::Unreadable(OpenError::Refused(refusal)) => out.write_str(match refusal {
                Refusal::Type => "it is no ordinary file",
                Refusal::Owner => "the file belongs to somebody else",
                Refusal::Mode => "the file is open to others",
                Refusal::Size => "the file is too large",
            }),
            Self::Unreadable(OpenError::System(error)) => write!(out, "the file cannot be read: {error}"),
            Self::Unfit(problem) => problem.fmt(out),
            Self::Together(problem) => problem.fmt(out),
            Self::AlreadyEnrolled => out.write_str("is enrolled already, and stays so"),
            Self::Other(error) => error.fmt(out),
        }
    }
}

/// How many came to what.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    taken: usize,
    already: usize,
    absent: usize,
    refused: usize,
    failed: usize,
}

/// An import under way.
pub(super) struct Importing<'a> {
    terminal: &'a mut Terminal,
    apply: bool,
    pages: Option<PathBuf>,
    counts: Counts,
}

impl<'a> Importing<'a> {
    /// Fails early where the pages of recovery codes cannot be kept.
    pub(super) fn new(how: &How, terminal: &'a mut Terminal) -> Result<Self, Error> {
        if let (Some(path), true) = (&how.recovery_dir, how.apply) {
            make_private(path).map(drop)?;
        }
        Ok(Self { terminal, apply: how.apply, pages: how.recovery_dir.clone(), counts: Counts::default() })
    }

    /// Takes a user over, or says what would become of him.
    pub(super) fn take(&mut self, user: &User, found: Result<Vec<Found>, Problem>) {
        let name = user.name.to_string();
        let found = match found {
            Ok(found) => found,
            Err(problem) => return self.refuse(&name, &problem),
        };
        let devices: Vec<ProvenElsewhere> = found.iter().map(|found| proven(&found.device)).collect();
        match self.take_devices(user, &devices) {
            Ok(seconds) => {
                self.counts.taken += 1;
                self.tell(&name, &found, seconds);
            }
            Err(problem) => self.refuse(&name, &problem),
        }
    }

    /// Says why somebody is not taken over.
    pub(super) fn refuse(&mut self, name: &str, problem: &Problem) {
        let count = match problem {
            Problem::NoFile | Problem::Unreadable(OpenError::Absent) => &mut self.counts.absent,
            Problem::AlreadyEnrolled => &mut self.counts.already,
            Problem::Unreadable(OpenError::System(_)) => &mut self.counts.failed,
            Problem::Other(Error::NoAccount(_) | Error::BadName(_)) => &mut self.counts.refused,
            Problem::Other(error) if error.exit_code() == ExitCode::Failure => &mut self.counts.failed,
            _ => &mut self.counts.refused,
        };
        *count += 1;
        match problem {
            // Of all accounts of a machine, most have none.
            Problem::NoFile | Problem::Unreadable(OpenError::Absent) => {}
            Problem::AlreadyEnrolled => self.line(format_args!("{name}: {problem}")),
            _ => self.line(format_args!("{name}: not taken over: {problem}")),
        }
    }

    /// Ends an import of any number of users. Those who have no file, or are enrolled already, are as they
    /// should be.
    pub(super) fn end(self) -> ExitCode {
        let Counts { taken, already, absent, refused, failed } = self.counts;
        let done = if self.apply { "taken over" } else { "can be taken over" };
        self.terminal.say(format_args!(
            "{taken} {done}, {already} enrolled already, {absent} without a file, {refused} refused, {failed} failed"
        ));
        self.tell_what_is_left();
        match (failed, refused) {
            (0, 0) => ExitCode::Success,
            (0, _) => ExitCode::Refused,
            _ => ExitCode::Failure,
        }
    }

    /// Ends an import of a user who was named.
    pub(super) fn end_of_one(self) -> ExitCode {
        let Counts { taken, absent, failed, .. } = self.counts;
        if absent > 0 {
            self.terminal.say("there is no such file");
        }
        self.tell_what_is_left();
        match (taken, failed) {
            (1.., _) => ExitCode::Success,
            (0, 0) => ExitCode::Refused,
            (0, _) => ExitCode::Failure,
        }
    }

    fn tell_what_is_left(self) {
        if self.counts.taken == 0 {
            return;
        }
        if !self.apply {
            self.terminal.say("nothing was changed; --apply does it");
        } else if let Some(path) = &self.pages {
            self.terminal.say(format_args!("the pages of recovery codes are in {}", path.display()));
        } else {
            self.terminal.say("there are no recovery codes yet: countersign recovery USER makes them");
        }
    }

    /// Makes the devices an enrolment; how many seconds from now on codes are still refused.
    fn take_devices(&mut self, user: &User, devices: &[ProvenElsewhere]) -> Result<u64, Problem> {
        if is_enrolled(user).map_err(Problem::Other)? {
            return Err(Problem::AlreadyEnrolled);
        }
        let now = sys::clock::now().ok_or(Problem::Other(Error::Clock))?;
        let with_codes = self.apply && self.pages.is_some();
        let made = Takeover::of(user.clone(), devices, with_codes, now, &mut KernelEntropy);
        let made = made.map_err(|error| Problem::Other(error.into()))?;
        made.check().map_err(Problem::Together)?;
        if self.apply {
            self.keep(user, &made)?;
        }
        Ok(made.seconds_until_taken(now))
    }

    /// From here on it is done, or it is not done: no signal may stop it half way.
    fn keep(&mut self, user: &User, made: &Takeover) -> Result<(), Problem> {
        let path = self.pages.as_deref().map(|directory| directory.join(page_name(&user.name, "txt")));
        let page = recovery_file::page(user.name.as_str(), &made.codes);
        let set = made.credential().recovery.as_ref();
        let kept = sys::process::undisturbed(|| {
            let keep = || Ok(made.keep(&backend::store())?);
            KeptPage { path: path.as_deref(), page: &page }.save_before(keep, || is_in_force(user, set))
        });
        match kept.map_err(|error| Problem::Other(StoreError::from(error).into()))? {
            Err(Error::Store(StoreError::AlreadyEnrolled)) => Err(Problem::AlreadyEnrolled),
            Err(error) => Err(Problem::Other(error)),
            Ok(()) => {
                audit::log(Change::Imported, user, self.terminal);
                Ok(())
            }
        }
    }

    fn tell(&mut self, name: &str, found: &[Found], seconds: u64) {
        let done = if self.apply { "taken over" } else { "can be taken over" };
        self.line(format_args!("{name}: {done}"));
        for Found { device, left } in found {
            self.line(format_args!("  taken over: {device}"));
            for left in left {
                self.line(format_args!("  left: {left}"));
            }
        }
        if seconds > 0 {
            self.line(format_args!(
                "  what could have been used counts as used: codes are taken in {seconds} s"
            ));
        }
    }

    /// That it cannot be written changes nothing of what is done.
    fn line(&mut self, text: fmt::Arguments<'_>) {
        let _ = self.terminal.report(text);
    }
}

fn proven(device: &Device) -> ProvenElsewhere {
    let Device { parameters, secret, next, drift, ahead } = device.clone();
    ProvenElsewhere { parameters, secret, next, drift, ahead }
}
