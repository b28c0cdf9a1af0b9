//! What a keeper of credentials must promise, and how it says that it could not.
//!
//! The traits stand here, and not beside the implementation, so that the pure layers above can name
//! them (`docs/decisions/0001-store-traits.md`).

use std::fmt;
use std::io;

use super::format::FormatError;
use super::record::Credential;
use super::removal::{Removal, Unreadable};
use super::slot::NoState;
use super::state::State;
use crate::user::User;

/// What the login of a user may do with a store.
pub trait CredentialStore {
    /// Reads a credential without a lock, for what must be known before a person types.
    ///
    /// `Ok(None)` says that the user is positively not enrolled. Whatever cannot be read is an error.
    fn read(&self, user: &User) -> Result<Option<Credential>, StoreError>;

    /// Under the user's lock: reads credential and state again, lets `decide` change the state,
    /// writes and flushes what it changed, and only then returns what `decide` returned.
    ///
    /// `Ok(None)` says that the user is positively not enrolled; `decide` was not called. `decide`
    /// must be quick. It reads the clock itself: a time from before the lock could be as old as the
    /// caller of su likes, who may stop the process until it has the lock.
    fn update<T>(
        &self,
        user: &User,
        decide: impl FnMut(&Credential, &mut State) -> T,
    ) -> Result<Option<Updated<T>>, StoreError>;
}

/// What enrolment may do with a store besides.
pub trait EnrolmentStore: CredentialStore {
    /// Keeps the first credential of a user together with a state, both or neither.
    /// Refuses with [`StoreError::AlreadyEnrolled`].
    fn create(&self, user: &User, credential: &Credential, state: &State) -> Result<(), StoreError>;

    /// Under the user's lock: replaces the credential by what `change` makes of it, after the state
    /// that `change` made is on disk. Either both are kept or the former ones stay good: the new
    /// credential is on disk before the state is touched. `Ok(None)` when the user is not enrolled.
    fn replace(
        &self,
        user: &User,
        change: impl FnMut(&Credential, &mut State) -> Credential,
    ) -> Result<Option<()>, StoreError>;

    /// Makes sure that there is a state that can be read: `fresh` takes the place of one that is lost or
    /// damaged, and one that is whole stays. `Ok(None)` when the user is not enrolled.
    fn renew_state(&self, user: &User, fresh: &State) -> Result<Option<()>, StoreError>;

    /// Removes all that is kept of a user. `Ok(None)` when there was nothing.
    fn remove(&self, user: &User) -> Result<Option<Unreadable>, StoreError>;

    /// Under the user's lock: removes all that is kept of a user whose credential `may` go.
    /// `Ok(None)` when the user is not enrolled.
    fn remove_if(
        &self,
        user: &User,
        may: impl FnMut(&Credential) -> bool,
    ) -> Result<Option<Removal>, StoreError>;

    /// Notes under which name the credential of an account is kept, so that a renamed account is not
    /// taken for one that is not enrolled. Other accounts of the same uid stay noted.
    fn note_uid(&self, user: &User) -> Result<(), StoreError>;

    /// The state as logins would find it, without a lock. `Ok(None)` when the user is not enrolled or has none yet.
    fn read_state(&self, user: &User) -> Result<Option<State>, StoreError>;
}

/// What [`CredentialStore::update`] returns.
#[derive(Debug)]
pub struct Updated<T> {
    /// What the closure returned.
    pub value: T,
    /// In what shape the state was found.
    pub health: StateHealth,
}

/// In what shape a state was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateHealth {
    /// As it should be.
    Whole,
    /// One slot was damaged, as a crash during a write leaves it; the other one was used.
    FellBack,
    /// There was none beside the credential; a new one was made.
    Created,
    /// It is older than the last one that this machine wrote: a backup was put back. What was used is not
    /// known, as with a new one.
    PutBack,
    /// As it should be, but its number could not be read or noted: a backup put back would go unnoticed.
    NotNoted,
}

impl StateHealth {
    /// The word for the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::FellBack => "fell_back",
            Self::Created => "created",
            Self::PutBack => "put_back",
            Self::NotNoted => "not_noted",
        }
    }

    /// The shape of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Whole, Self::FellBack, Self::Created, Self::PutBack, Self::NotNoted];
        all.into_iter().find(|health| health.word() == word)
    }
}

/// Why a file is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It is a symbolic link, a FIFO, a directory, a device.
    Type,
    /// It does not belong to root.
    Owner,
    /// Others than root may do something with it.
    Mode,
    /// It is too large.
    Size,
}

/// Why a store could not do what it was asked. The caller denies.
#[derive(Debug)]
pub enum StoreError {
    /// A system call failed.
    System {
        /// What was being done, such as `open the state`.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// There is no store on this machine.
    NoStore,
    /// The user's directory is there, but not his credential.
    NoCredential,
    /// A file is not what it must be.
    Distrusted {
        /// Which, such as `the credential`.
        what: &'static str,
        /// In what way.
        problem: Distrust,
    },
    /// The credential's text is wrong.
    Credential(FormatError),
    /// Neither slot of the state is whole, or a later version wrote it.
    State(NoState),
    /// The credential is of another user or another account of the same name.
    OtherAccount,
    /// The account has a credential under another name.
    Renamed {
        /// The name of the directory that holds it.
        directory: String,
    },
    /// The name service could not say whether an account still has its name.
    Accounts(io::Error),
    /// The name is too long for a directory.
    NameTooLong,
    /// Someone held the lock for as long as we waited.
    Locked,
    /// The files were replaced again and again while we waited for the lock.
    KeepsChanging,
    /// The lock needs an identity of root, which the caller does not have.
    NotRoot,
    /// The caller is kept from what the lock needs, or from being as before.
    Confined {
        /// What was refused, such as `block the signals of the caller`.
        doing: &'static str,
    },
    /// A state was to be made, and the clock is not set.
    Clock,
    /// The user has a credential already.
    AlreadyEnrolled,
    /// What was to be written breaks a rule of its format.
    Unwritable,
}

impl StoreError {
    /// A failed system call.
    pub fn system(doing: &'static str, error: impl Into<io::Error>) -> Self {
        Self::System { doing, error: error.into() }
    }

    /// The word for the log, from a closed list.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::System { .. } => "store_failed",
            Self::NoStore => "store_missing",
            Self::NoCredential => "credential_missing",
            Self::Distrusted { .. } => "store_distrusted",
            Self::Credential(_) => "credential_damaged",
            Self::State(_) => "state_damaged",
            Self::OtherAccount => "other_account",
            Self::Renamed { .. } => "renamed_account",
            Self::Accounts(_) => "accounts_unreadable",
            Self::NameTooLong => "name_too_long",
            Self::Locked | Self::KeepsChanging => "store_busy",
            Self::NotRoot => "not_root",
            Self::Confined { .. } => "caller_confined",
            Self::Clock => "clock_missing",
            Self::AlreadyEnrolled => "already_enrolled",
            Self::Unwritable => "unwritable",
        }
    }

    /// What an administrator can do about it, in one sentence without a full stop.
    pub fn mend(&self) -> &'static str {
        match self {
            Self::System { error, .. } if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                "mount the file system of /var/lib/countersign writable"
            }
            Self::System { .. } => {
                "look at the file system of /var/lib/countersign and at the limits of the caller"
            }
            Self::NoStore => {
                "run `systemd-tmpfiles --create countersign.conf` or `countersign enroll`, or mount it"
            }
            Self::NoCredential => "put the credential back, or run `countersign remove` and enrol again",
            Self::Distrusted { .. } => {
                "find out who changed it, then `chown root` and `chmod go=` it or restore it"
            }
            Self::Credential(_) => "mend that line, or run `countersign remove` and enrol again",
            Self::State(problem) if problem.is_damage() => "run `countersign repair`",
            Self::State(_) => "a later version wrote it: install that version",
            Self::OtherAccount => "if the account is a new one, run `countersign remove` and enrol it",
            Self::Renamed { .. } => {
                "if the account was renamed, run `countersign remove` with its former name and enrol it again"
            }
            Self::Accounts(_) => "look at the name service, see nsswitch.conf(5)",
            Self::NameTooLong => "use a shorter account name",
            Self::Locked | Self::KeepsChanging => {
                "try again, and look for a process that hangs with the state open"
            }
            Self::NotRoot => "the caller must run as root (a service for others is to come)",
            Self::Confined { .. } => {
                "look for what confines the caller: a filter of system calls, or no capability CAP_SETUID"
            }
            Self::Clock => "set the clock",
            Self::AlreadyEnrolled => "log in with its code, or enrol a new device in its place by --replace",
            Self::Unwritable => "report this as a bug",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { doing, error } => write!(out, "cannot {doing}: {error}"),
            Self::NoStore => out.write_str("/var/lib/countersign is not there"),
            Self::NoCredential => out.write_str("the user's directory holds no credential"),
            Self::Distrusted { what, problem } => {
                let problem = match problem {
                    Distrust::Type => "is not an ordinary file or directory",
                    Distrust::Owner => "does not belong to root",
                    Distrust::Mode => "is open to others than root",
                    Distrust::Size => "is too large",
                };
                write!(out, "{what} {problem}")
            }
            Self::Credential(error) => write!(out, "credential.toml: {error}"),
            Self::State(NoState::BothInvalid) => out.write_str("neither slot of the state is whole"),
            Self::State(NoState::WrongSize) => out.write_str("the state has the wrong size"),
            Self::State(NoState::OtherFormat) => out.write_str("the state has another format than 1"),
            Self::OtherAccount => out.write_str("the credential belongs to another account"),
            Self::Renamed { directory } => {
                write!(out, "this account's credential is kept under the name {directory}")
            }
            Self::Accounts(error) => {
                write!(out, "cannot look up the account that has the same uid: {error}")
            }
            Self::NameTooLong => out.write_str("the user name is too long for a directory"),
            Self::Locked => out.write_str("the state is locked by another process"),
            Self::KeepsChanging => out.write_str("the user's files kept changing"),
            Self::NotRoot => out.write_str("the caller is not root"),
            Self::Confined { doing } => write!(out, "cannot {doing}"),
            Self::Clock => out.write_str("the clock is not set"),
            Self::AlreadyEnrolled => out.write_str("the user is enrolled already"),
            Self::Unwritable => out.write_str("the new credential or state breaks its own format"),
        }
    }
}
