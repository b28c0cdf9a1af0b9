//! What becomes of which file, looked at by the programs that will go by it.

use std::fs;
use std::path::Path;

use super::{Error, Stop};
use crate::backup::{self, Planned, Problem, TrialDirectory, words};
use crate::doctor::Machine;
use crate::setup::{Choices, FileEdit, FirstFactor, Service, plan as edits_of, sshd};
use crate::sys::secure_file::OpenError;
use crate::sys::system_file;
use crate::user::User;

/// The main file of sshd, and the directory of its others.
const MAIN: &str = "/etc/ssh/sshd_config";
const OTHERS: &str = "/etc/ssh/sshd_config.d";
/// What the main file must have.
const INCLUDE: &str = "Include /etc/ssh/sshd_config.d/*.conf";

/// A change that can be made.
pub(super) struct Plan {
    /// Its files, in the order in which they are changed.
    pub(super) files: Vec<Planned>,
    /// What sshd must ask for before the code, where it has to read its configuration again.
    pub(super) sshd: Option<FirstFactor>,
}

/// What becomes of the files. Afterwards `machine` is what it will be.
pub(super) fn plan(machine: &mut Machine, choices: &Choices, user: &User) -> Result<Plan, Error> {
    let edits = edits_of(&mut machine.pam, choices).map_err(|obstacle| {
        let what = format!("{} cannot be changed by setup: {}", obstacle.path, obstacle.why);
        Stop::said(what, "change it by hand, by the examples in /usr/share/doc/countersign/pam.d")
    })?;
    let mut files = edits.into_iter().map(planned).collect::<Result<Vec<_>, _>>()?;
    let mut reloaded = None;
    if choices.services.contains(&Service::Sshd) {
        let (file, told) = sshd_file(choices, user)?;
        if let Some(sshd) = &mut machine.sshd {
            sshd.settings = Ok(told);
        }
        reloaded = file.is_some().then_some(choices.ssh);
        files.extend(file);
    }
    Ok(Plan { files, sshd: reloaded })
}

/// The file as it is, if it still is what was read of it.
fn planned(edit: FileEdit) -> Result<Planned, Error> {
    let FileEdit { path, before, after } = edit;
    let file = match system_file::read(Path::new(&path)) {
        Ok(file) => Some(file),
        Err(OpenError::Absent) => None,
        Err(error) => return Err(Problem::File(path.into(), error).into()),
    };
    if file.as_ref().map(|file| file.content.as_slice()) != before.as_deref().map(str::as_bytes) {
        return Err(Problem::ChangedMeanwhile(path).into());
    }
    Ok(Planned { path, before: file, after: after.into_bytes() })
}

/// The file for sshd, if it is not there yet, and what sshd makes of it.
fn sshd_file(choices: &Choices, user: &User) -> Result<(Option<Planned>, String), Error> {
    must_come_first()?;
    let text = sshd::drop_in(choices.ssh);
    let main = system_file::read(Path::new(MAIN)).map_err(|error| Problem::File(MAIN.into(), error))?;
    let main = String::from_utf8_lossy(&main.content).into_owned();
    let directory = TrialDirectory::make()?;
    let staged = directory.write("countersign.conf", &text)?;
    let Some(main) = sshd::staged(&main, &staged.to_string_lossy()) else {
        let what = format!("{MAIN} does not include {OTHERS}, where the settings would go");
        return Err(Stop::said(what, format!("write as its first line: {INCLUDE}")));
    };
    let main = directory.write("sshd_config", &main)?;
    let told = backup::sshd::settings(user.name.as_str(), Some(&main))?;
    must_be_in_force(&told, choices.ssh)?;
    let before = match system_file::read(Path::new(sshd::DROP_IN)) {
        Ok(file) => Some(file),
        Err(OpenError::Absent) => None,
        Err(error) => {
            let what = format!("{}: {}", sshd::DROP_IN, words(&error));
            return Err(Stop::said(what, "move it away"));
        }
    };
    let is_there = before.as_ref().is_some_and(|file| file.content == text.as_bytes());
    let file = Planned { path: sshd::DROP_IN.to_owned(), before, after: text.into_bytes() };
    Ok(((!is_there).then_some(file), told))
}

/// Nothing in the directory may be read before our file: the first value counts.
fn must_come_first() -> Result<(), Error> {
    let ours = Path::new(sshd::DROP_IN).file_name().unwrap_or_default();
    let names = fs::read_dir(OTHERS).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let is_before =
        |name: &std::ffi::OsString| name.as_os_str() < ours && name.to_string_lossy().ends_with(".conf");
    match names.into_iter().find(is_before) {
        Some(name) => {
            let what = format!("sshd reads {OTHERS}/{} before {}", name.to_string_lossy(), sshd::DROP_IN);
            Err(Stop::said(what, "give it a later name, such as one that begins with 10-"))
        }
        None => Ok(()),
    }
}

/// What sshd goes by must be what was written.
pub(super) fn must_be_in_force(told: &str, ssh: FirstFactor) -> Result<(), Error> {
    let missing = sshd::not_in_force(told, ssh);
    if missing.is_empty() {
        return Ok(());
    }
    let what = format!("another line of sshd's configuration overrides: {}", missing.join(", "));
    Err(Stop::said(what, "look for these keywords in /etc/ssh/sshd_config, also under Match"))
}
