//! What enrolment does to the store: make, replace, remove. Each is whole or has not happened.

use std::ffi::OsStr;

use super::alone::alone;
use super::by_uid;
use super::files::{
    CREDENTIAL, FileStore, USERS, opened, random_name, read_credential, subdirectory, system,
};
use super::half_made::REMOVED;
use super::names::directory_of;
use super::state_file;
use crate::credential::format;
use crate::credential::store::{CredentialStore as _, EnrolmentStore, StoreError};
use crate::credential::{Credential, Removal, State, Unreadable};
use crate::sys::process::undisturbed;
use crate::sys::secure_file::{Directory, OpenError};
use crate::user::User;

/// How the name of a credential begins that is not in force yet.
pub(super) const PREPARED: &str = ".credential-";

impl EnrolmentStore for FileStore {
    fn create(&self, user: &User, credential: &Credential, state: &State) -> Result<(), StoreError> {
        if self.read(user).is_ok_and(|found| found.is_some()) {
            return Err(StoreError::AlreadyEnrolled);
        }
        match (self.make(user, credential, state), self.read(user)) {
            // The directory is there, but not an enrolment: what is wrong with it is what to tell.
            (Err(StoreError::AlreadyEnrolled), Err(problem)) => Err(problem),
            (placed, _) => placed,
        }
    }

    fn replace(
        &self,
        user: &User,
        mut change: impl FnMut(&Credential, &mut State) -> Credential,
    ) -> Result<Option<()>, StoreError> {
        let done = self.locked(user, |directory, locked| {
            let former = read_credential(directory, user)?;
            let current = locked.read()?;
            let mut state = current.state().clone();
            let credential = change(&former, &mut state);
            let text = format::write(&credential).ok_or(StoreError::Unwritable)?;
            clear_away_temporary(directory)?;
            let prepared = random_name(PREPARED)?;
            directory.prepare(&prepared, text.as_bytes()).map_err(system("write the credential"))?;
            if let Err(error) = locked.write(&current, state) {
                let _ = directory.unlink(&prepared);
                return Err(error);
            }
            directory.put_in_place(&prepared, CREDENTIAL).map_err(system("replace the credential"))
        })?;
        Ok(done.map(|((), _)| ()))
    }

    fn renew_state(&self, user: &User, fresh: &State) -> Result<Option<()>, StoreError> {
        let done = self.locked(user, |directory, locked| match locked.read() {
            Ok(_) => Ok(()),
            Err(StoreError::State(problem)) if problem.is_damage() => {
                read_credential(directory, user)?;
                clear_away_temporary(directory)?;
                state_file::renew(directory, user, self.seen(), fresh)
            }
            Err(error) => Err(error),
        })?;
        Ok(done.map(|((), _)| ()))
    }

    fn remove(&self, user: &User) -> Result<Option<Unreadable>, StoreError> {
        let root = self.root()?;
        let name = directory_of(&user.name)?;
        let users = subdirectory(&root, USERS)?;
        let directory = match users.directory(OsStr::new(&name)) {
            Err(OpenError::Absent) => None,
            other => Some(opened("the user's directory", "open the user's directory", other)?),
        };
        let (uids, unreadable) = by_uid::uids_of(&root, &name)?;
        if directory.is_none() && uids.is_empty() {
            return Ok(None);
        }
        if let Some(directory) = directory {
            self.remove_directory(user, &root, &directory, &name)?;
        }
        forget(&root, &uids, &name)?;
        Ok(Some(unreadable))
    }

    fn remove_if(
        &self,
        user: &User,
        mut may: impl FnMut(&Credential) -> bool,
    ) -> Result<Option<Removal>, StoreError> {
        let root = self.root()?;
        let name = directory_of(&user.name)?;
        let (uids, unreadable) = by_uid::uids_of(&root, &name)?;
        let done = self.locked(user, |directory, _| {
            let goes = may(&read_credential(directory, user)?);
            if goes {
                take_away(&root, &name)?;
            }
            Ok(goes)
        })?;
        let Some((goes, _)) = done else { return Ok(None) };
        if !goes {
            return Ok(Some(Removal::Kept));
        }
        forget(&root, &uids, &name)?;
        Ok(Some(Removal::Done(unreadable)))
    }

    fn note_uid(&self, user: &User) -> Result<(), StoreError> {
        let root = self.ensure_layout()?;
        let name = directory_of(&user.name)?;
        let Some(uid) = user.uid else { return Ok(()) };
        let former = by_uid::former(&by_uid::names_of(&root, uid)?, uid)?;
        undisturbed(|| {
            alone(&root, |users| {
                let mut names = by_uid::names_of(&root, uid)?;
                // Neither an account nor an enrolment is left of it.
                names.retain(|kept| !former.contains(kept) || users.identity_of(kept).is_ok());
                if !names.contains(&name) {
                    names.push(name.clone());
                }
                by_uid::write(&root, uid, &names)
            })
        })?
    }

    fn read_state(&self, user: &User) -> Result<Option<State>, StoreError> {
        let Some(directory) = self.user_directory(user)? else { return Ok(None) };
        let Some(state) = state_file::open(&directory, user, self.seen())? else { return Ok(None) };
        Ok(Some(state.read()?.state().clone()))
    }
}

impl FileStore {
    /// Under the lock, where there is one to take: a damaged enrolment can be removed too.
    fn remove_directory(
        &self,
        user: &User,
        root: &Directory,
        directory: &Directory,
        name: &str,
    ) -> Result<(), StoreError> {
        let away = || take_away(root, name);
        let Ok(Some(state)) = state_file::open(directory, user, self.seen()) else {
            return undisturbed(away)?;
        };
        let reopen = || self.user_directory(user);
        state.while_locked(directory, reopen, |_| away())?.ok_or(StoreError::KeepsChanging)
    }
}

/// Gives a user's directory a name that nobody looks for, then removes it.
fn take_away(root: &Directory, name: &str) -> Result<(), StoreError> {
    alone(root, |users| {
        let temporary = random_name(REMOVED)?;
        users
            .rename_to_free(name.as_ref(), temporary.as_ref())
            .map_err(system("remove the user's directory"))?;
        users.sync().map_err(system("sync the store"))?;
        let removed = users.remove_directory(temporary.as_ref());
        opened("the user's directory", "remove the user's directory", removed)
    })
}

/// Forgets under which uids an enrolment was kept that is gone.
fn forget(root: &Directory, uids: &[u32], name: &str) -> Result<(), StoreError> {
    undisturbed(|| alone(root, |_| by_uid::forget(root, uids, name)))?
}

/// Removes what a process that was killed in the middle has left: it may hold a secret. The caller holds
/// the user's lock.
fn clear_away_temporary(directory: &Directory) -> Result<(), StoreError> {
    for name in directory.names().map_err(system("list the user's directory"))? {
        match String::from_utf8(name) {
            Ok(name) if name.starts_with(PREPARED) || name.starts_with(state_file::TEMPORARY) => {
                directory.unlink(&name).map_err(system("remove a temporary file"))?;
            }
            _ => {}
        }
    }
    Ok(())
}
