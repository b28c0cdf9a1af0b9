//! The files themselves: kept, changed, and put back.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::path::Path;

use data_encoding::HEXLOWER;

use super::{Keeper, Problem};
use crate::setup::put_back::{Step, Versions, step, step_at_any_rate};
use crate::setup::record::sha256;
use crate::setup::{Changed, Record, Version};
use crate::sys::secure_file::OpenError;
use crate::sys::system_file::{self, SystemFile};

/// How the names begin of what somebody else had written into a file that was put back at any rate.
pub(super) const FOUND: &str = "found-";

/// A file that is to be changed.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its path.
    pub path: String,
    /// The file as it is; nothing where it is not there.
    pub before: Option<SystemFile>,
    /// What its content becomes. All else of it stays.
    pub after: Vec<u8>,
}

impl Planned {
    fn after(&self) -> SystemFile {
        let content = self.after.clone();
        match &self.before {
            Some(before) => SystemFile { content, ..before.clone() },
            None => SystemFile::new(content),
        }
    }
}

/// What a file is once a change is taken back.
#[derive(Clone, Debug)]
pub struct Left {
    /// Its path.
    pub path: String,
    /// Its content; nothing where it is gone.
    pub content: Option<Vec<u8>>,
}

/// How a change is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// All of it, or nothing where a file was changed by somebody else in the lines that are ours.
    AllOrNothing,
    /// All of it at any rate: nobody has shown that he can still log in. What somebody else has written into a
    /// file is kept beside the copies.
    AtAnyRate,
}

/// What is recorded of a file.
fn version_of(file: &SystemFile) -> Version {
    let hex =
        |(name, value): &(CString, Vec<u8>)| (name.to_string_lossy().into_owned(), HEXLOWER.encode(value));
    let SystemFile { content, mode, uid, gid, attributes } = file;
    let attributes: BTreeMap<_, _> = attributes.iter().map(hex).collect();
    Version { sha256: sha256(content), mode: *mode, uid: *uid, gid: *gid, attributes }
}

fn file_of(version: &Version, content: Vec<u8>) -> SystemFile {
    let plain = |(name, value): (&String, &String)| {
        Some((CString::new(name.as_str()).ok()?, HEXLOWER.decode(value.as_bytes()).ok()?))
    };
    let attributes = version.attributes.iter().filter_map(plain).collect();
    SystemFile { content, mode: version.mode, uid: version.uid, gid: version.gid, attributes }
}

/// The number and the record of a file, and what has to be done with what it is now.
type StepOf<'record> = (usize, &'record Changed, Result<(Step, Option<SystemFile>), Problem>);

impl Keeper {
    /// Keeps copies of all that is going to be changed, then the record, each on disk when this returns.
    pub fn keep(&self, mut record: Record, planned: &[Planned]) -> Result<Record, Problem> {
        self.forget()?;
        for (number, planned) in planned.iter().enumerate() {
            let after = planned.after();
            if let Some(before) = &planned.before {
                self.copy(&format!("before-{number}"), &before.content)?;
            }
            self.copy(&format!("after-{number}"), &after.content)?;
            record.files.push(Changed {
                path: planned.path.clone(),
                before: planned.before.as_ref().map(version_of),
                after: version_of(&after),
            });
        }
        self.write(&record)?;
        Ok(record)
    }

    fn copy(&self, name: &str, content: &[u8]) -> Result<(), Problem> {
        let kept = self.directory.prepare(name, content);
        kept.map_err(|error| Problem::Keeping("a copy", error.into()))
    }

    /// Makes the change, file by file. One that is not what was kept of it ends it.
    pub fn change(&self, planned: &[Planned]) -> Result<(), Problem> {
        for file in planned {
            let now = read(&file.path)?;
            if now.as_ref().map(|now| &now.content) != file.before.as_ref().map(|before| &before.content) {
                return Err(Problem::ChangedMeanwhile(file.path.clone()));
            }
            replace(&file.path, &file.after())?;
        }
        Ok(())
    }

    /// Takes a change back, the last file first. Returns the files that were found changed by somebody else.
    pub fn put_back(&self, record: &Record, manner: Manner) -> Result<Vec<String>, Problem> {
        let (steps, refused) = self.steps(record, manner)?;
        // One that cannot be put back keeps no other from it.
        let mut first_problem = None;
        for (number, changed, step) in steps {
            if let Err(problem) = step.and_then(|(step, now)| self.take(number, changed, step, now)) {
                first_problem.get_or_insert(problem);
            }
        }
        first_problem.map_or(Ok(refused), Err)
    }

    /// What the files of a change are once it is taken back, all or nothing; nothing for one that is gone. It changes none.
    pub fn after_put_back(&self, record: &Record) -> Result<Vec<Left>, Problem> {
        let (steps, _) = self.steps(record, Manner::AllOrNothing)?;
        let after = |(number, changed, step): (usize, &Changed, _)| {
            let (step, now): (Step, Option<SystemFile>) = step?;
            let content = match step {
                Step::Write(text) => Some(text.into_bytes()),
                Step::PutBack => self.before(number, changed)?.map(|before| before.content),
                Step::Nothing | Step::Refuse => now.map(|now| now.content),
            };
            Ok(Left { path: changed.path.clone(), content })
        };
        steps.into_iter().map(after).collect()
    }

    /// What has to be done with each file, the last one first, and the files that others have changed in our lines. With
    /// [`Manner::AllOrNothing`] one that stands against it is the problem of all.
    fn steps<'record>(
        &self,
        record: &'record Record,
        manner: Manner,
    ) -> Result<(Vec<StepOf<'record>>, Vec<String>), Problem> {
        let looked = |(number, changed)| (number, changed, self.step(number, changed, manner));
        let mut steps: Vec<StepOf<'_>> = record.files.iter().enumerate().rev().map(looked).collect();
        let is_refused = |(_, _, step): &&StepOf<'_>| matches!(step, Ok((Step::Refuse, _)));
        let refused = steps.iter().filter(is_refused);
        let refused: Vec<String> = refused.map(|(_, changed, _)| changed.path.clone()).collect();
        if manner == Manner::AllOrNothing {
            if let Some(place) = steps.iter().position(|(_, _, step)| step.is_err())
                && let (_, _, Err(problem)) = steps.swap_remove(place)
            {
                return Err(problem);
            }
            if !refused.is_empty() {
                return Err(Problem::ChangedSince(refused));
            }
        }
        Ok((steps, refused))
    }

    /// What has to be done with a file, and what it is now.
    fn step(
        &self,
        number: usize,
        changed: &Changed,
        manner: Manner,
    ) -> Result<(Step, Option<SystemFile>), Problem> {
        let now = match read(&changed.path) {
            Ok(now) => now,
            // Something that setup would not write to has come in its place.
            Err(Problem::File(_, OpenError::Refused(_))) if manner == Manner::AtAnyRate => {
                return Ok((Step::Refuse, None));
            }
            Err(problem) => return Err(problem),
        };
        let before = self.before(number, changed)?;
        let after = self.kept(&format!("after-{number}"), &changed.path, &changed.after)?;
        let versions =
            Versions { before: before.as_ref().map(|file| file.content.as_slice()), after: &after };
        let content = now.as_ref().map(|now| now.content.as_slice());
        let step = match manner {
            Manner::AllOrNothing => step(versions, content),
            Manner::AtAnyRate => step_at_any_rate(versions, content),
        };
        Ok((step, now))
    }

    fn take(
        &self,
        number: usize,
        changed: &Changed,
        step: Step,
        now: Option<SystemFile>,
    ) -> Result<(), Problem> {
        let path = Path::new(&changed.path);
        let failed = |error| Problem::File(path.to_owned(), error);
        match step {
            Step::Nothing => return system_file::remove_unfinished(path).map_err(failed),
            Step::Write(text) => {
                let now = now.unwrap_or_else(|| SystemFile::new(Vec::new()));
                return replace(&changed.path, &SystemFile { content: text.into_bytes(), ..now });
            }
            Step::Refuse => {
                let name = format!("{FOUND}{number}");
                let _ = self.directory.unlink(&name);
                // Where it cannot be kept, a way in still counts for more.
                let _ = now.map(|now| self.copy(&name, &now.content));
            }
            Step::PutBack => {}
        }
        match self.before(number, changed)? {
            Some(before) => replace(&changed.path, &before),
            None => system_file::remove(path).map_err(failed),
        }
    }

    /// What a file was.
    fn before(&self, number: usize, changed: &Changed) -> Result<Option<SystemFile>, Problem> {
        let Some(version) = &changed.before else { return Ok(None) };
        let content = self.kept(&format!("before-{number}"), &changed.path, version)?;
        Ok(Some(file_of(version, content)))
    }

    /// A copy, if it is what was kept.
    fn kept(&self, name: &str, path: &str, version: &Version) -> Result<Vec<u8>, Problem> {
        let content = self.read(name).map_err(|error| Problem::Keeping("a copy", error))?;
        if version.is_of(&content) { Ok(content) } else { Err(Problem::DamagedCopy(path.to_owned())) }
    }
}

/// A file as it is now; nothing where it is not there.
pub(super) fn read(path: &str) -> Result<Option<SystemFile>, Problem> {
    match system_file::read(Path::new(path)) {
        Ok(file) => Ok(Some(file)),
        Err(OpenError::Absent) => Ok(None),
        Err(error) => Err(Problem::File(path.into(), error)),
    }
}

fn replace(path: &str, file: &SystemFile) -> Result<(), Problem> {
    system_file::replace(Path::new(path), file).map_err(|error| Problem::File(path.into(), error))
}
