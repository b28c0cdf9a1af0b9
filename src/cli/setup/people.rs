//! Whom a change would touch: who has a password or a key to log in with.

use std::fs;
use std::path::Path;

use crate::cli::doctor::look;
use crate::doctor::Machine;
use crate::sys::accounts;
use crate::user::UserName;

/// Where keys are that let somebody in, unless sshd is told otherwise.
const USUAL_KEYS: &str = ".ssh/authorized_keys .ssh/authorized_keys2";

/// What somebody can log in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Means {
    /// A password that could be right.
    pub(super) password: bool,
    /// A file of keys that is not empty.
    pub(super) key: bool,
}

/// The means of an account.
pub(super) fn means_of(name: &str, key_files: &str) -> Means {
    let has_file = |account: &crate::sys::home_file::Account| {
        key_files.split_whitespace().any(|pattern| {
            let path = pattern.replace("%h", &account.home.to_string_lossy()).replace("%u", name);
            let path = account.home.join(Path::new(&path));
            // Whether they let anybody in is sshd's to say: this only picks what to propose.
            fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0)
        })
    };
    let account =
        UserName::new(name.as_bytes()).ok().and_then(|name| accounts::by_name(&name).ok().flatten());
    Means { password: look::has_password(name.as_bytes()), key: account.as_ref().is_some_and(has_file) }
}

/// The files of keys that sshd goes by.
pub(super) fn key_files(machine: &Machine) -> String {
    let told = machine.sshd.as_ref().and_then(|sshd| sshd.settings.as_deref().ok());
    let files = told.and_then(|told| crate::setup::sshd::value(told, "authorizedkeysfile"));
    files.unwrap_or(USUAL_KEYS).to_owned()
}

/// The names of those who could log in and are not enrolled, but for this one.
pub(super) fn unenrolled<'a>(machine: &'a Machine, but: &str) -> Vec<&'a str> {
    let is_enrolled = |name: &str| machine.enrolments.iter().any(|enrolment| enrolment.user == name);
    let names = machine.accounts.iter().map(|account| account.name.as_str());
    names.filter(|name| *name != but && !is_enrolled(name)).collect()
}
