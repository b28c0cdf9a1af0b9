//! What enrolment does to the store: make, replace, remove. Each is whole or has not happened.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::files::{
    BY_UID, CREDENTIAL, FileStore, USERS, entry_of_uid, name_of_uid, opened, random_name, read_anyones,
    read_credential, subdirectory, system,
};
use super::names::directory_of;
use super::state_file;
use crate::credential::format;
use crate::credential::store::{CredentialStore as _, EnrolmentStore, StoreError};
use crate::credential::{Credential, State};
use crate::sys::process::{IdentityError, undisturbed};
use crate::sys::secure_file::{Directory, OpenError};
use crate::user::User;

impl EnrolmentStore for FileStore {
    fn create(&self, user: &User, credential: &Credential, state: &State) -> Result<(), StoreError> {
        if self.read(user).is_ok_and(|found| found.is_some()) {
            return Err(StoreError::AlreadyEnrolled);
        }
        undisturbed(|| self.place(user, credential, state)).map_err(|IdentityError| StoreError::Identity)?
    }

    fn replace(
        &self,
        user: &User,
        now: u64,
        mut change: impl FnMut(&Credential, &mut State) -> Credential,
    ) -> Result<Option<()>, StoreError> {
        let done = self.locked(user, now, |directory, locked| {
            let former = read_credential(directory, user)?;
            let current = locked.read()?;
            let mut state = current.state().clone();
            let credential = change(&former, &mut state);
            let text = format::write(&credential).ok_or(StoreError::Unwritable)?;
            state.written = now;
            locked.write(&current, state)?;
            directory
                .replace(CREDENTIAL, &random_name(".credential-")?, text.as_bytes())
                .map_err(system("write the credential"))
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
        // A deleted or recreated account no longer has the uid that the credential was made for.
        let enrolled_uid = directory.as_ref().and_then(|directory| read_anyones(directory).ok()?.uid);
        let mut entries = Vec::new();
        for uid in [user.uid, enrolled_uid].into_iter().flatten() {
            if entry_of_uid(&root, uid)?.is_some_and(|kept| kept == name) && !entries.contains(&uid) {
                entries.push(uid);
            }
        }
        if directory.is_none() && entries.is_empty() {
            return Ok(None);
        }
        if let Some(directory) = directory {
            self.remove_directory(user, &users, &directory, &name)?;
        }
        let by_uid = subdirectory(&root, BY_UID)?;
        for uid in entries {
            by_uid.unlink(&uid.to_string()).map_err(system("remove the entry in by-uid"))?;
        }
        Ok(Some(()))
    }

    fn note_uid(&self, user: &User) -> Result<(), StoreError> {
        enter_uid(&self.root()?, user, &directory_of(&user.name)?)
    }

    fn read_state(&self, user: &User) -> Result<Option<State>, StoreError> {
        let Some(directory) = self.user_directory(user)? else { return Ok(None) };
        let Some(file) = state_file::open(&directory)? else { return Ok(None) };
        Ok(Some(state_file::read(&file, user)?.state().clone()))
    }
}

impl FileStore {
    /// Makes the whole directory under another name, then gives it its own.
    fn place(&self, user: &User, credential: &Credential, state: &State) -> Result<(), StoreError> {
        let name = directory_of(&user.name)?;
        let root = self.ensure_layout()?;
        if let Some(directory) = name_of_uid(&root, user)?.filter(|kept| *kept != name) {
            return Err(StoreError::Renamed { directory });
        }
        let users = subdirectory(&root, USERS)?;
        let temporary = random_name(".new-")?;
        let made = fill(&users, &temporary, user, credential, state).and_then(|()| {
            users.rename_to_free(temporary.as_ref(), name.as_ref()).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => StoreError::AlreadyEnrolled,
                _ => StoreError::system("make the user's directory", error),
            })
        });
        if made.is_err() {
            let _ = users.remove_directory(temporary.as_ref());
        }
        made?;
        users.sync().map_err(system("sync the store"))?;
        enter_uid(&root, user, &name)
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
        users: &Directory,
        directory: &Directory,
        name: &str,
    ) -> Result<(), StoreError> {
        let away = || {
            let temporary = random_name(".removed-")?;
            users
                .rename_to_free(name.as_ref(), temporary.as_ref())
                .map_err(system("remove the user's directory"))?;
            users.sync().map_err(system("sync the store"))?;
            let removed = users.remove_directory(temporary.as_ref());
            opened("the user's directory", "remove the user's directory", removed)
        };
        let Ok(Some(file)) = state_file::open(directory) else {
            return undisturbed(away).map_err(|IdentityError| StoreError::Identity)?;
        };
        let reopen = || self.user_directory(user);
        state_file::while_locked(directory, &file, user, reopen, |_| away())?.ok_or(StoreError::KeepsChanging)
    }
}

/// Makes the directory of the store, for root alone whatever the umask says.
fn make_private_directory(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt as _;

    std::fs::DirBuilder::new().mode(0o700).create(path).map_err(system("make the store"))
}

/// Makes a directory that holds a state and a credential, all of it on disk.
fn fill(
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
    state_file::create(&directory, state_file::NAME, user, state)?;
    directory
        .replace(CREDENTIAL, &random_name(".credential-")?, text.as_bytes())
        .map_err(system("write the credential"))
}

/// Notes under which name the credential of a uid is kept.
fn enter_uid(root: &Directory, user: &User, name: &str) -> Result<(), StoreError> {
    let Some(uid) = user.uid else { return Ok(()) };
    subdirectory(root, BY_UID)?
        .replace(&uid.to_string(), &random_name(".new-")?, format!("{name}\n").as_bytes())
        .map_err(system("write the entry in by-uid"))
}
