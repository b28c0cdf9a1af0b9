//! What was read of a machine.

use super::stack::PamFiles;
use crate::config::PolicyFile;
use crate::policy::rules::Person;
use crate::status::Status;

/// All that the doctor looks at.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The files that name PAM's stacks.
    pub pam: PamFiles,
    /// Where libpam would look for the module, and whether it is there.
    pub module: Option<String>,
    /// sshd, if there is one.
    pub sshd: Option<Sshd>,
    /// Files that others than root could change or read.
    pub wrong_files: Vec<WrongFile>,
    /// The policy file, or why it cannot be used.
    pub policy: Policy,
    /// The policy file is there, and only root can read it.
    pub is_policy_closed: bool,
    /// Users and groups of the policy whom nobody knows.
    pub unknown_names: Vec<Person>,
    /// Whether the kernel takes the clock to be synchronised. `None` where it does not tell.
    pub is_synchronised: Option<bool>,
    /// Seconds since 1970; `None` where the clock is before 2020.
    pub now: Option<u64>,
    /// Who could log in.
    pub accounts: Vec<Account>,
    /// Why nothing that is kept can be read, and the mend.
    pub store_problem: Option<(String, String)>,
    /// What is kept of whom.
    pub enrolments: Vec<Enrolment>,
    /// Services of PAM whose unit of the same name systemd runs as somebody else than root.
    pub daemons: Vec<Daemon>,
    /// Whether the service listens at its public socket.
    pub has_service: bool,
    /// Whether it listens at root's own socket.
    pub has_service_for_root: bool,
    /// What the store is on, where state cannot be overwritten in place.
    pub odd_filesystem: Option<String>,
    /// Lines in which SELinux or AppArmor denied something to countersign.
    pub denials: Vec<String>,
    /// What `countersign setup` has changed.
    pub setup: Setup,
}

/// How a change by `countersign setup` stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Setup {
    /// Nothing is changed by it.
    #[default]
    None,
    /// It is made and not confirmed; so many seconds are left.
    Pending(u64),
    /// It is confirmed, and these files have been changed since.
    Confirmed(Vec<String>),
    /// The record of it cannot be used.
    Unreadable(String),
}

/// A policy file, or why it cannot be used.
#[derive(Clone, Debug)]
pub struct Policy(pub Result<PolicyFile, String>);

impl Policy {
    /// As of a [`Result`].
    pub fn as_ref(&self) -> Result<&PolicyFile, &str> {
        self.0.as_ref().map_err(String::as_str)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self(Ok(PolicyFile::default()))
    }
}

/// The daemon of ssh.
#[derive(Clone, Debug)]
pub struct Sshd {
    /// What `sshd -T` prints, or why it does not.
    pub settings: Result<String, String>,
    /// The `Match` lines of its configuration, whose settings `sshd -T` does not show.
    pub matches: Vec<String>,
}

/// A file with an owner or a mode that it must not have.
#[derive(Clone, Debug)]
pub struct WrongFile {
    /// Its path.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it.
    pub mend: String,
}

/// An account that somebody could log in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
}

/// A program that asks PAM about others, and is not root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// The service of PAM that it asks.
    pub service: String,
    /// The account that it runs as.
    pub user: String,
}

/// What is kept of a user.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// The name of the user.
    pub user: String,
    /// What is known of him, or the error and its mend.
    pub status: Result<Status, (String, String)>,
    /// Whether there is such an account.
    pub has_account: bool,
}
