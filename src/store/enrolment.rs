//! What enrolment does to the store: make, replace, remove. Each is whole or has not happened.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::by_uid::{self, enter_uid, entries_of, forget_uid, name_of_uid};
use super::files::{
    BY_UID, CREDENTIAL, FileStore, USERS, opened, random_name, read_credential, subdirectory, system,
};
use super::names::directory_of;
use super::state_file;
use crate::credential::format;
use crate::credential::store::{CredentialStore as _, EnrolmentStore, StoreError};
use crate::credential::{Credential, State};
use crate::sys::lock;
use crate::sys::process::undisturbed;
use crate::sys::secure_file::{Directory, OpenError};
use crate::user::User;

/// How the names of directories begin that are not whole yet, or no longer.
const NEW: &str = ".new-";
const REMOVED: &str = ".removed-";
/// How the name of a credential begins that is not in force yet.
const PREPARED: &str = ".credential-";

impl EnrolmentStore for FileStore {
    fn create(&self, user: &User, credential: &Credential, state: &State) -> Result<(), StoreError> {
        if self.read(user).is_ok_and(|found| found.is_some()) {
            return Err(StoreError::AlreadyEnrolled);
        }
        let placed = undisturbed(|| self.place(user, credential, state));
        match (placed?, self.read(user)) {
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

    fn remove(&self, user: &User) -> Result<Option<()>, StoreError> {
        let root = self.root()?;
        let name = directory_of(&user.name)?;
        let users = subdirectory(&root, USERS)?;
        let directory = match users.directory(OsStr::new(&name)) {
            Err(OpenError::Absent) => None,
            other => Some(opened("the user's directory", "open the user's directory", other)?),
        };
        let entries = entries_of(&root, &name)?;
        if directory.is_none() && entries.is_empty() {
            return Ok(None);
        }
        if let Some(directory) = directory {
            self.remove_directory(user, &root, &directory, &name)?;
        }
        forget(&root, &entries).map(Some)
    }

    fn remove_if(
        &self,
        user: &User,
        mut may: impl FnMut(&Credential) -> bool,
    ) -> Result<Option<bool>, StoreError> {
        let root = self.root()?;
        let name = directory_of(&user.name)?;
        let entries = entries_of(&root, &name)?;
        let done = self.locked(user, |directory, _| {
            let goes = may(&read_credential(directory, user)?);
            if goes {
                take_away(&root, &name)?;
            }
            Ok(goes)
        })?;
        let Some((goes, _)) = done else { return Ok(None) };
        if goes {
            forget(&root, &entries)?;
        }
        Ok(Some(goes))
    }

    fn note_uid(&self, user: &User) -> Result<(), StoreError> {
        let root = self.ensure_layout()?;
        let name = directory_of(&user.name)?;
        undisturbed(|| alone(&root, |_| enter_uid(&root, user, &name)))?
    }

    fn read_state(&self, user: &User) -> Result<Option<State>, StoreError> {
        let Some(directory) = self.user_directory(user)? else { return Ok(None) };
        let Some(state) = state_file::open(&directory, user, self.seen())? else { return Ok(None) };
        Ok(Some(state.read()?.state().clone()))
    }
}

impl FileStore {
    /// Makes the whole directory under another name, then gives it its own.
    fn place(&self, user: &User, credential: &Credential, state: &State) -> Result<(), StoreError> {
        let name = directory_of(&user.name)?;
        let root = self.ensure_layout()?;
        alone(&root, |users| {
            let noted = name_of_uid(&root, user)?;
            if let Some(directory) = noted.clone().filter(|kept| *kept != name) {
                return Err(StoreError::Renamed { directory });
            }
            require_no_directory(users, &name)?;
            let temporary = random_name(NEW)?;
            // The entry comes first: without it a renamed account would later count as not enrolled.
            // Alone it denies, until the enrolment is made anew or removed.
            let made = self
                .fill(users, &temporary, user, credential, state)
                .and_then(|()| enter_uid(&root, user, &name))
                .and_then(|()| give_name(users, &temporary, &name));
            if let Err(error) = made {
                let _ = users.remove_directory(temporary.as_ref());
                // An entry that was there before keeps denying: it may stand for an enrolment that is lost.
                if noted.is_none() {
                    forget_uid(&root, user);
                }
                return Err(error);
            }
            users.sync().map_err(system("sync the store"))
        })
    }

    /// Makes a directory that holds a state and a credential, all of it on disk.
    fn fill(
        &self,
        users: &Directory,
        name: &str,
        user: &User,
        credential: &Credential,
        state: &State,
    ) -> Result<(), StoreError> {
        let text = format::write(credential).ok_or(StoreError::Unwritable)?;
        users.make_directory(name.as_ref()).map_err(system("make the user's directory"))?;
        let directory = users.directory(name.as_ref());
        let directory = opened("the user's directory", "open the user's directory", directory)?;
        let sequence = state_file::create(&directory, state_file::NAME, user, self.seen(), state)?;
        // The user has no other state. That it cannot be noted takes nothing from this one.
        let _ = self.seen().note(user, sequence);
        directory
            .replace(CREDENTIAL, &random_name(PREPARED)?, text.as_bytes())
            .map_err(system("write the credential"))
    }

    /// Makes the directories of the store where they are missing.
    fn ensure_layout(&self) -> Result<Directory, StoreError> {
        let parent = self.path().parent().unwrap_or(Path::new("/"));
        if let Err(StoreError::NoStore) = self.root() {
            make_private_directory(self.path())?;
            std::fs::File::options()
                .read(true)
                .open(parent)
                .and_then(|parent| parent.sync_all())
                .map_err(system("sync the directory of the store"))?;
        }
        let root = self.root()?;
        for name in [USERS, BY_UID] {
            match root.make_directory(name.as_ref()) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(StoreError::system("make the store", error));
                }
                _ => {}
            }
        }
        root.sync().map_err(system("sync the store"))?;
        Ok(root)
    }

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
fn forget(root: &Directory, entries: &[String]) -> Result<(), StoreError> {
    undisturbed(|| alone(root, |_| by_uid::forget(root, entries)))?
}

/// Runs `action` while no other process makes or removes an enrolment, and clears away what one that
/// was killed in the middle has left.
fn alone<T>(
    root: &Directory,
    action: impl FnOnce(&Directory) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let users = subdirectory(root, USERS)?;
    let users_file = users.as_file().map_err(system("lock the store"))?;
    if !lock::take(&users_file).map_err(system("lock the store"))? {
        return Err(StoreError::Locked);
    }
    for name in users.names().map_err(system("list the store"))? {
        if name.starts_with(NEW.as_bytes()) || name.starts_with(REMOVED.as_bytes()) {
            // Leftovers hold nothing that counts; one that cannot be removed must not keep anyone out.
            let _ = users.remove_directory(OsStr::from_bytes(&name));
        }
    }
    by_uid::clear_away(root)?;
    let result = action(&users);
    users_file.unlock().map_err(system("unlock the store"))?;
    result
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

/// Makes the directory of the store, for root alone whatever the umask says.
fn make_private_directory(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt as _;

    std::fs::DirBuilder::new().mode(0o700).create(path).map_err(system("make the store"))
}

/// Fails where a user has a directory already, before anything is written.
fn require_no_directory(users: &Directory, name: &str) -> Result<(), StoreError> {
    match users.identity_of(name) {
        Ok(_) => Err(StoreError::AlreadyEnrolled),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::system("look at the user's directory", error)),
    }
}

/// Gives a directory that was filled under another name its own.
fn give_name(users: &Directory, temporary: &str, name: &str) -> Result<(), StoreError> {
    users.rename_to_free(temporary.as_ref(), name.as_ref()).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => StoreError::AlreadyEnrolled,
        _ => StoreError::system("make the user's directory", error),
    })
}
