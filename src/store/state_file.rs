//! The file `state`: made once, locked, read and overwritten in place.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;

use super::files::{opened, random_name, system};
use crate::credential::State;
use crate::credential::slot::{self, Chosen, NoState, Place, Sequenced};
use crate::credential::store::{StateHealth, StoreError};
use crate::sys::process::{IdentityError, require_file_size, undisturbed};
use crate::sys::secure_file::{Access, Directory, Identity, OpenError, overwrite_in_place};
use crate::sys::{entropy, lock, slots};
use crate::user::User;

/// The name of the file in a user's directory.
pub(super) const NAME: &str = "state";
/// How the name of a state begins that is not in place yet.
pub(super) const TEMPORARY: &str = ".state-";
/// Its size: from the first slot to the end of the second.
const SIZE: u64 = 65_536 + 4096;

/// A state file that this process holds the lock of.
pub(super) struct Locked<'a> {
    file: &'a File,
    user: &'a User,
}

/// A state as it stands in a locked file.
pub(super) struct Current {
    chosen: Chosen,
}

/// Opens the state of a user, if there is one.
pub(super) fn open(directory: &Directory) -> Result<Option<File>, StoreError> {
    match directory.file(NAME, Access::Overwrite, u64::MAX) {
        Err(OpenError::Absent) => Ok(None),
        other => opened("the state", "open the state", other).map(Some),
    }
}

/// Makes a state that knows nothing, where there is none, and opens it.
pub(super) fn make_missing(directory: &Directory, user: &User) -> Result<File, StoreError> {
    let mut counter_key = [0; 16];
    entropy::fill(&mut counter_key).map_err(system("get random bytes"))?;
    let state = State::new(counter_key, 0);
    undisturbed(|| place(directory, user, &state)).map_err(|IdentityError| StoreError::Identity)??;
    open(directory)?.ok_or(StoreError::KeepsChanging)
}

/// Puts a new state file into a directory that has none; one that came first stays.
fn place(directory: &Directory, user: &User, state: &State) -> Result<(), StoreError> {
    let temporary = random_name(TEMPORARY)?;
    create(directory, &temporary, user, state)?;
    match directory.rename_to_free(temporary.as_ref(), NAME.as_ref()) {
        Ok(()) => directory.sync().map_err(system("sync the user's directory")),
        Err(error) => {
            directory.unlink(&temporary).map_err(system("remove a temporary state"))?;
            let is_there = error.kind() == std::io::ErrorKind::AlreadyExists;
            if is_there { Ok(()) } else { Err(StoreError::system("make the state", error)) }
        }
    }
}

/// Puts a new state file in place of one that cannot be read. The caller holds the lock of that one;
/// whoever waits for it starts over with the new one.
pub(super) fn renew(directory: &Directory, user: &User, state: &State) -> Result<(), StoreError> {
    let temporary = random_name(TEMPORARY)?;
    create(directory, &temporary, user, state)?;
    directory.put_in_place(&temporary, NAME).map_err(system("replace the state"))
}

/// Makes a state file of real bytes, so that overwriting it never needs a new block.
pub(super) fn create(
    directory: &Directory,
    name: &str,
    user: &User,
    state: &State,
) -> Result<(), StoreError> {
    let first = Sequenced { sequence: 1, state: state.clone() };
    let mut bytes = slot::encode(&user.name, &first).ok_or(StoreError::Unwritable)?;
    bytes.resize(usize::try_from(SIZE).unwrap_or(usize::MAX), b'\n');
    let written = require_file_size(SIZE).and_then(|()| directory.create(name)).and_then(|mut file| {
        overwrite_in_place(&file);
        file.write_all(&bytes)?;
        file.sync_all()
    });
    if written.is_err() {
        let _ = directory.unlink(name);
    }
    written.map_err(system("write a new state"))
}

/// Runs `action` while holding the lock of a user's state: undisturbed, and with the descriptors
/// checked against the path once more. `Ok(None)` when the files were replaced meanwhile.
pub(super) fn while_locked<T>(
    directory: &Directory,
    file: &File,
    user: &User,
    reopen: impl Fn() -> Result<Option<Directory>, StoreError>,
    action: impl FnOnce(&Locked<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    undisturbed(|| {
        if !lock::take(file).map_err(system("lock the state"))? {
            return Err(StoreError::Locked);
        }
        let result = match still_in_place(directory, file, reopen) {
            Ok(true) => action(&Locked { file, user }).map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(error),
        };
        file.unlock().map_err(system("unlock the state"))?;
        result
    })
    .map_err(|IdentityError| StoreError::Identity)?
}

/// Whether the path still leads to the directory and the state that were opened.
fn still_in_place(
    directory: &Directory,
    file: &File,
    reopen: impl Fn() -> Result<Option<Directory>, StoreError>,
) -> Result<bool, StoreError> {
    let identity = |descriptor| Identity::of(descriptor).map_err(system("look at the user's files"));
    let Some(now) = reopen()? else { return Ok(false) };
    if identity(now.as_fd())? != identity(directory.as_fd())? {
        return Ok(false);
    }
    match now.identity_of(NAME) {
        Ok(state) => Ok(state == identity(file.as_fd())?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::system("look at the state", error)),
    }
}

/// Reads the state that a file holds, locked or not.
pub(super) fn read(file: &File, user: &User) -> Result<Current, StoreError> {
    if file.metadata().map_err(system("look at the state"))?.len() != SIZE {
        return Err(StoreError::State(NoState::WrongSize));
    }
    let slot_at = |place: Place| {
        slots::read(file, place.offset(), slot::SIZE)
            .map(|bytes| slot::decode(&user.name, &bytes))
            .map_err(system("read the state"))
    };
    let chosen = slot::choose(slot_at(Place::First)?, slot_at(Place::Second)?).map_err(StoreError::State)?;
    Ok(Current { chosen })
}

impl Locked<'_> {
    /// Reads the state.
    pub(super) fn read(&self) -> Result<Current, StoreError> {
        read(self.file, self.user)
    }

    /// Writes a state into the slot that does not hold the current one, and flushes it.
    pub(super) fn write(&self, current: &Current, state: State) -> Result<(), StoreError> {
        let sequence = current.chosen.current.sequence.checked_add(1).ok_or(StoreError::Unwritable)?;
        let next = Sequenced { sequence, state };
        let bytes = slot::encode(&self.user.name, &next).ok_or(StoreError::Unwritable)?;
        slots::overwrite(self.file, current.chosen.place.other().offset(), &bytes)
            .map_err(system("write the state"))
    }
}

impl Current {
    /// The state.
    pub(super) fn state(&self) -> &State {
        &self.chosen.current.state
    }

    /// In what shape it was found.
    pub(super) fn health(&self) -> StateHealth {
        if self.chosen.fell_back { StateHealth::FellBack } else { StateHealth::Whole }
    }
}
