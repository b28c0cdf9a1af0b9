//! Whom a change would touch: who has a password or a key to log in with.

use std::fs;
use std::path::Path;

use crate::cli::doctor::look;
use crate::doctor::Machine;
use crate::setup::sshd::value;
use crate::sys::accounts;
use crate::user::UserName;

/// Where keys are that let somebody in, unless sshd is told otherwise.
const USUAL_KEYS: &str = ".ssh/authorized_keys .ssh/authorized_keys2";

/// What somebody can log in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Means {
    /// A password that could be right.
    pub(super) password: bool,
    /// A key, as far as sshd's settings tell.
    pub(super) key: bool,
}

/// The means of an account. A password that a directory keeps is taken to be there: the trial shows it.
pub(super) fn means_of(name: &str, keys: &Keys) -> Means {
    let account =
        UserName::new(name.as_bytes()).ok().and_then(|name| accounts::by_name(&name).ok().flatten());
    Means {
        password: look::password_told(name.as_bytes()).unwrap_or(true),
        key: keys.are_elsewhere || account.is_some_and(|account| keys.has_file(name, &account.home)),
    }
}

/// Where sshd looks for keys.
pub(super) struct Keys {
    files: String,
    /// A program or a certificate may vouch for keys, of anybody.
    are_elsewhere: bool,
}

impl Keys {
    /// As sshd is set on this machine.
    pub(super) fn of(machine: &Machine) -> Self {
        let told = machine.sshd.as_ref().and_then(|sshd| sshd.settings.as_deref().ok()).unwrap_or_default();
        let is_set = |keyword| value(told, keyword).is_some_and(|value| value != "none");
        Self {
            files: value(told, "authorizedkeysfile").unwrap_or(USUAL_KEYS).to_owned(),
            are_elsewhere: is_set("authorizedkeyscommand") || is_set("trustedusercakeys"),
        }
    }

    /// Whether they let anybody in is sshd's to say: this only picks what to propose.
    fn has_file(&self, name: &str, home: &Path) -> bool {
        self.files.split_whitespace().any(|pattern| {
            let path = pattern.replace("%h", &home.to_string_lossy()).replace("%u", name);
            fs::metadata(home.join(path)).is_ok_and(|found| found.is_file() && found.len() > 0)
        })
    }
}

/// The names of those who could log in and are not enrolled, but for this one.
pub(super) fn unenrolled<'a>(machine: &'a Machine, but: &str) -> Vec<&'a str> {
    let is_enrolled = |name: &str| machine.enrolments.iter().any(|enrolment| enrolment.user == name);
    let names = machine.accounts.iter().map(|account| account.name.as_str());
    names.filter(|name| *name != but && !is_enrolled(name)).collect()
}
