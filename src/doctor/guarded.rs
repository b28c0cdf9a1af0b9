//! Services that ask for a code, and their stacks played through for people who have the password, the code,
//! both or none.

use super::dispatch::{Played, Returned, play};
use super::machine::Machine;
use super::stack::{BadLine, Entry, Module, PamFiles, stack_of};
use crate::config::Unenrolled;
use crate::login::OWN_SERVICE;

/// The module's file.
pub(super) const OURS: &str = "pam_countersign.so";
/// Modules that set something up or hold somebody back, but prove of nobody who he is. Any other does.
const GATES: [&str; 46] = [
    "pam_access.so",
    "pam_apparmor.so",
    "pam_cap.so",
    "pam_debug.so",
    "pam_echo.so",
    "pam_ecryptfs.so",
    "pam_env.so",
    "pam_exec.so",
    "pam_faildelay.so",
    "pam_faillock.so",
    "pam_filter.so",
    "pam_fscrypt.so",
    "pam_ftp.so",
    "pam_gnome_keyring.so",
    "pam_group.so",
    "pam_issue.so",
    "pam_keyinit.so",
    "pam_kwallet5.so",
    "pam_lastlog.so",
    "pam_limits.so",
    "pam_listfile.so",
    "pam_localuser.so",
    "pam_loginuid.so",
    "pam_mail.so",
    "pam_mkhomedir.so",
    "pam_motd.so",
    "pam_mount.so",
    "pam_namespace.so",
    "pam_nologin.so",
    "pam_rootok.so",
    "pam_securetty.so",
    "pam_selinux.so",
    "pam_sepermit.so",
    "pam_shells.so",
    "pam_stress.so",
    "pam_succeed_if.so",
    "pam_systemd.so",
    "pam_tally2.so",
    "pam_time.so",
    "pam_tty_audit.so",
    "pam_umask.so",
    "pam_usertype.so",
    "pam_warn.so",
    "pam_wheel.so",
    "pam_xauth.so",
    "pam_kwallet.so",
];
/// A service whose stack asks for a code.
#[derive(Clone, Debug)]
pub(super) struct Guarded {
    pub(super) service: String,
    pub(super) stack: Result<Vec<Entry>, BadLine>,
}

/// What stands in for the people of a play.
#[derive(Clone, Copy)]
pub(super) struct Person<'a> {
    /// Which proofs of who he is succeed.
    pub(super) proves: Proves<'a>,
    /// What the module returns that asks for a code.
    pub(super) code: Returned,
    /// Whether he is proven by his key.
    pub(super) has_key: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Proves<'a> {
    All,
    Nothing,
    /// This line alone.
    Only(&'a str),
}

impl Guarded {
    /// Whether a key that sshd has seen proven is asked for.
    pub(super) fn asks_for_key(&self) -> bool {
        self.modules().iter().any(|module| is_ours(module) && asks_for_key(module))
    }

    /// Whether who is not enrolled is let in with the first factor.
    pub(super) fn lets_unenrolled_in(&self, machine: &Machine) -> bool {
        let by_policy = machine.policy.as_ref().is_ok_and(|file| file.unenrolled == Some(Unenrolled::Allow));
        let person = Person { proves: Proves::All, code: Returned::Ignore, has_key: true };
        let is_lenient =
            |module: &Module| by_policy || module.arguments.iter().any(|argument| argument == "nullok");
        self.codes().next().is_some()
            && self.codes().all(is_lenient)
            && self.played(person).is_some_and(|played| played.succeeds)
    }

    /// Whether everybody can get in who has all that is asked for.
    pub(super) fn played(&self, person: Person<'_>) -> Option<Played<'_>> {
        let stack = self.stack.as_ref().ok()?;
        let returns = |module: &Module| match module.name() {
            OURS if asks_for_key(module) => success_if(person.has_key && self.service == "sshd"),
            OURS => person.code,
            "pam_deny.so" => Returned::Failure,
            "pam_permit.so" => Returned::Success,
            _ if proves(module) => success_if(match person.proves {
                Proves::All => true,
                Proves::Nothing => false,
                Proves::Only(place) => place == module.place,
            }),
            // Gates, settings, and pam_rootok for somebody who is not root.
            _ => Returned::Ignore,
        };
        Some(play(stack, &returns))
    }

    pub(super) fn modules(&self) -> Vec<&Module> {
        self.stack.as_deref().map(flattened).unwrap_or_default()
    }

    /// The lines that ask for a code.
    pub(super) fn codes(&self) -> impl Iterator<Item = &Module> {
        self.modules().into_iter().filter(|module| is_ours(module) && !asks_for_key(module))
    }

    /// What to call it in a finding: the first line of the module, or the place of what is wrong.
    pub(super) fn place(&self) -> String {
        match &self.stack {
            Ok(_) => self
                .modules()
                .into_iter()
                .find(|module| is_ours(module))
                .map_or_else(|| self.service.clone(), |module| module.place.clone()),
            Err(bad) => bad.place.clone(),
        }
    }
}

/// The services whose stacks ask for a code, or would if they could be read.
pub(super) fn guarded(files: &PamFiles) -> Vec<Guarded> {
    files
        .services()
        .filter(|service| *service != OWN_SERVICE && !is_shared(service))
        .map(|service| Guarded { service: service.to_owned(), stack: stack_of(files, service, "auth") })
        .filter(|guarded| match &guarded.stack {
            Ok(_) => guarded.modules().into_iter().any(is_ours),
            Err(_) => files.get(&guarded.service).is_some_and(|(_, text)| text.contains(OURS)),
        })
        .collect()
}

/// Whether a file is there for others to include, and no program asks for it: those of Debian, and of Fedora.
pub(super) fn is_shared(name: &str) -> bool {
    let of_fedora = ["system-auth", "password-auth", "fingerprint-auth", "smartcard-auth", "postlogin"];
    name.starts_with("common-") || of_fedora.contains(&name)
}

pub(super) fn flattened(stack: &[Entry]) -> Vec<&Module> {
    stack
        .iter()
        .flat_map(|entry| match entry {
            Entry::Module(module) => vec![module],
            Entry::Substack(inner) => flattened(inner),
        })
        .collect()
}

pub(super) fn is_ours(module: &Module) -> bool {
    module.name() == OURS
}

/// Whether the module says who somebody is.
pub(super) fn proves(module: &Module) -> bool {
    !GATES.contains(&module.name()) && ![OURS, "pam_deny.so", "pam_permit.so"].contains(&module.name())
}

pub(super) fn asks_for_key(module: &Module) -> bool {
    module.arguments.iter().any(|argument| argument.starts_with("first_factor="))
}

pub(super) fn success_if(condition: bool) -> Returned {
    if condition { Returned::Success } else { Returned::Failure }
}
