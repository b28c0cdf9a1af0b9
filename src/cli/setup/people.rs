//! Whom a change would touch: who has a password or a key to log in with.

use std::fs;
use std::path::Path;

use crate::cli::doctor::look;
use crate::doctor::Machine;
use crate::setup::FirstFactor;
use crate::setup::sshd::value;
use crate::sys::accounts;
use crate::user::{User, UserName};

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

/// Where the accounts are that are listed one by one (nsswitch.conf(5)).
const NAME_SERVICES: &str = "/etc/nsswitch.conf";
/// Sources of accounts that list all they have.
const LISTING: [&str; 6] = ["files", "compat", "db", "systemd", "altfiles", "extrausers"];

/// Whether all accounts are listed here. A directory knows people whom it does not list, and numbers them as it likes.
pub(super) fn are_all_listed() -> bool {
    lists_all(&look::text_of(Path::new(NAME_SERVICES)).unwrap_or_default())
}

fn lists_all(name_services: &str) -> bool {
    let lines =
        name_services.lines().filter_map(|line| line.split('#').next()?.trim().strip_prefix("passwd:"));
    let mut sources = lines.flat_map(str::split_whitespace);
    let is_rule = |word: &str| word.starts_with('[') || word.ends_with(']');
    sources.all(|word| is_rule(word) || LISTING.contains(&word))
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

/// The others who could log in by ssh, root left out.
pub(super) struct Others<'a> {
    means: Vec<(&'a str, Means)>,
    /// Whether there may be more of them, who have passwords.
    are_more: bool,
    /// Whether a password lets in by ssh now.
    use_passwords: bool,
}

impl<'a> Others<'a> {
    pub(super) fn of(machine: &'a Machine, keys: &Keys, user: &User) -> Self {
        let names =
            machine.accounts.iter().filter(|account| account.uid != 0).map(|account| account.name.as_str());
        let others = names.filter(|name| *name != user.name.as_str());
        let told = machine.sshd.as_ref().and_then(|sshd| sshd.settings.as_deref().ok()).unwrap_or_default();
        let is_off = |keyword| value(told, keyword) == Some("no");
        Self {
            means: others.map(|name| (name, means_of(name, keys))).collect(),
            are_more: !keys.are_elsewhere && !are_all_listed(),
            use_passwords: !(is_off("passwordauthentication") && is_off("kbdinteractiveauthentication")),
        }
    }

    /// Those who get in now and would not any more.
    pub(super) fn kept_out_by(&self, ssh: FirstFactor) -> Vec<&'a str> {
        let lacks = |means: Means| match ssh {
            FirstFactor::Key => !means.key && means.password && self.use_passwords,
            FirstFactor::Password => !means.password && means.key,
        };
        self.means.iter().filter(|(_, means)| lacks(*means)).map(|(name, _)| *name).collect()
    }

    /// A key, for it is what a client offers first, and is worth more than a password; but a password where a key
    /// would keep somebody out and a password nobody.
    pub(super) fn usual(&self) -> FirstFactor {
        let more = self.are_more && self.use_passwords;
        let by_key = more || !self.kept_out_by(FirstFactor::Key).is_empty();
        if by_key && self.kept_out_by(FirstFactor::Password).is_empty() {
            FirstFactor::Password
        } else {
            FirstFactor::Key
        }
    }
}

/// The names of those who could log in and are not enrolled, but for this one.
pub(super) fn unenrolled<'a>(machine: &'a Machine, but: &str) -> Vec<&'a str> {
    let is_enrolled = |name: &str| machine.enrolments.iter().any(|enrolment| enrolment.user == name);
    let names = machine.accounts.iter().map(|account| account.name.as_str());
    names.filter(|name| *name != but && !is_enrolled(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_does_not_list_whom_it_knows() {
        for text in [
            "",
            "passwd: files systemd\ngroup: files sss\n",
            "passwd:\tfiles [NOTFOUND=return] compat # sss\n",
        ] {
            assert!(lists_all(text), "{text}");
        }
        for text in ["passwd: files sss\n", "  passwd: sss files", "hosts: files\npasswd: files ldap\n"] {
            assert!(!lists_all(text), "{text}");
        }
    }

    #[test]
    fn who_presses_enter_keeps_nobody_out_if_that_can_be() {
        let means = |password, key| ("x", Means { password, key });
        let usual = |means: &[(&'static str, Means)], use_passwords, are_more| {
            Others { means: means.to_vec(), are_more, use_passwords }.usual()
        };
        let (both, only_key, only_password) = (means(true, true), means(false, true), means(true, false));
        assert_eq!(usual(&[], true, false), FirstFactor::Key);
        assert_eq!(usual(&[both, only_key], true, false), FirstFactor::Key);
        assert_eq!(usual(&[both, only_password], true, false), FirstFactor::Password);
        // His password is of no use by ssh now either.
        assert_eq!(usual(&[both, only_password], false, false), FirstFactor::Key);
        assert_eq!(usual(&[only_key, only_password], true, false), FirstFactor::Key);
        assert_eq!(usual(&[both], true, true), FirstFactor::Password);
        assert_eq!(usual(&[both], false, true), FirstFactor::Key);
    }
}
