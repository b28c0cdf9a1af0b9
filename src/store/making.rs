//! Making an enrolment: the whole directory under another name, which then becomes its own.

use std::io;
use std::path::Path;

use super::alone::alone;
use super::by_uid;
use super::enrolment::PREPARED;
use super::files::{BY_UID, CREDENTIAL, FileStore, STARTS, USERS, opened, random_name, subdirectory, system};
use super::half_made::HalfMade;
use super::names::directory_of;
use super::state_file;
use crate::credential::format;
use crate::credential::store::StoreError;
use crate::credential::{Credential, State};
use crate::sys::new;
use crate::sys::process::undisturbed;
use crate::sys::secure_file::Directory;
use crate::user::User;

impl FileStore {
    /// Makes an enrolment, again where another account of the uid has enrolled meanwhile.
    pub(super) fn make(&self, user: &User, credential: &Credential, state: &State) -> Result<(), StoreError> {
        for _ in 0..STARTS {
            let siblings = self.siblings(user)?;
            if undisturbed(|| self.place(user, credential, state, &siblings))?? {
                return Ok(());
            }
        }
        Err(StoreError::KeepsChanging)
    }

    /// The names of other accounts of this uid. Refuses where one is a former name of this account. The name
    /// service is asked before anything is locked, and while the caller is as it was.
    fn siblings(&self, user: &User) -> Result<Vec<String>, StoreError> {
        let name = directory_of(&user.name)?;
        let Some(uid) = user.uid else { return Ok(Vec::new()) };
        let mut names = match self.root().and_then(|root| by_uid::names_of(&root, uid)) {
            Err(StoreError::NoStore) => return Ok(Vec::new()),
            names => names?,
        };
        names.retain(|kept| *kept != name);
        match by_uid::former(&names, uid)?.into_iter().next() {
            Some(directory) => Err(StoreError::Renamed { directory }),
            None => Ok(names),
        }
    }

    /// Makes the whole directory under another name, then gives it its own: only that is done under the lock on
    /// all users, since the caller of su may hold up a process that flushes. `Ok(false)` where an account is
    /// noted that is not among the siblings.
    fn place(
        &self,
        user: &User,
        credential: &Credential,
        state: &State,
        siblings: &[String],
    ) -> Result<bool, StoreError> {
        let name = directory_of(&user.name)?;
        let root = self.ensure_layout()?;
        let users = subdirectory(&root, USERS)?;
        require_no_directory(&users, &name)?;
        let half_made = HalfMade::begin(&users)?;
        let placed = self.fill(&half_made.directory, user, credential, state).and_then(|sequence| {
            alone(&root, |users| {
                let noted = user.uid.map_or(Ok(Vec::new()), |uid| by_uid::names_of(&root, uid))?;
                if noted.iter().any(|kept| *kept != name && !siblings.contains(kept)) {
                    return Ok(None);
                }
                require_no_directory(users, &name)?;
                self.require_newest(user, sequence)?;
                put_in_place(&root, users, user.uid, &noted, [&half_made.name, &name])?;
                Ok(Some(sequence))
            })
        });
        let Ok(Some(sequence)) = placed else {
            half_made.give_up(&users);
            return placed.map(|_| false);
        };
        // The user has no other state. That it cannot be noted takes nothing from this one.
        let _ = self.seen().note(user, sequence);
        users.sync().map_err(system("sync the store"))?;
        Ok(true)
    }

    /// Fails where a state of this user was written while another one was made: that one would count as put
    /// back from a backup.
    fn require_newest(&self, user: &User, sequence: u64) -> Result<(), StoreError> {
        match self.seen().last(user) {
            Some(last) if last >= sequence => Err(StoreError::KeepsChanging),
            _ => Ok(()),
        }
    }

    /// Fills a directory with a state and a credential, all of it on disk. Returns the number of the state.
    fn fill(
        &self,
        directory: &Directory,
        user: &User,
        credential: &Credential,
        state: &State,
    ) -> Result<u64, StoreError> {
        let text = format::write(credential).ok_or(StoreError::Unwritable)?;
        let sequence = state_file::create(directory, state_file::NAME, user, self.seen(), state)?;
        directory
            .replace(CREDENTIAL, &random_name(PREPARED)?, text.as_bytes())
            .map_err(system("write the credential"))?;
        Ok(sequence)
    }

    /// Makes the directories of the store where they are missing.
    pub(super) fn ensure_layout(&self) -> Result<Directory, StoreError> {
        let parent = self.path().parent().unwrap_or(Path::new("/"));
        if let Err(StoreError::NoStore) = self.root() {
            new::directory(self.path(), 0o700).map_err(system("make the store"))?;
            std::fs::File::options()
                .read(true)
                .open(parent)
                .and_then(|parent| parent.sync_all())
                .map_err(system("sync the directory of the store"))?;
        }
        let root = self.root()?;
        new::complete(&root).map_err(system("make the store"))?;
        for name in [USERS, BY_UID] {
            opened("the store", "make the store", root.ensure_directory(name.as_ref()))?;
        }
        root.sync().map_err(system("sync the store"))?;
        Ok(root)
    }
}

/// Fails where a user has a directory already, before anything is written.
fn require_no_directory(users: &Directory, name: &str) -> Result<(), StoreError> {
    match users.identity_of(name) {
        Ok(_) => Err(StoreError::AlreadyEnrolled),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StoreError::system("look at the user's directory", error)),
    }
}

/// Notes the name beside those that are noted, then gives it to the directory.
///
/// The entry comes first: without it a renamed account would later count as not enrolled. Alone it denies, until
/// the account is enrolled again or removed.
fn put_in_place(
    root: &Directory,
    users: &Directory,
    uid: Option<u32>,
    noted: &[String],
    [temporary, name]: [&String; 2],
) -> Result<(), StoreError> {
    let Some(uid) = uid else { return give_name(users, temporary, name) };
    let mut names = noted.to_vec();
    if !names.contains(name) {
        names.push(name.clone());
    }
    let placed = by_uid::write(root, uid, &names).and_then(|()| give_name(users, temporary, name));
    if placed.is_err() {
        // What was there before keeps denying: it may stand for an enrolment that is lost.
        let _ = by_uid::write(root, uid, noted);
    }
    placed
}

/// Gives a directory that was filled under another name its own.
fn give_name(users: &Directory, temporary: &str, name: &str) -> Result<(), StoreError> {
    users.rename_to_free(temporary.as_ref(), name.as_ref()).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => StoreError::AlreadyEnrolled,
        _ => StoreError::system("make the user's directory", error),
    })
}
