//! The file `state`: made once, locked, read and overwritten in place.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;

use super::files::{opened, random_name, system};
use super::seen::Seen;
use crate::credential::State;
use crate::credential::slot::{self, Chosen, NoState, Place, Sequenced};
use crate::credential::store::{StateHealth, StoreError};
use crate::sys::process::{require_file_size, undisturbed};
use crate::sys::secure_file::{Access, Directory, Identity, OpenError};
use crate::sys::{clock, entropy, lock, slots};
use crate::user::User;

/// The name of the file in a user's directory.
pub(super) const NAME: &str = "state";
/// How the name of a state begins that is not in place yet.
pub(super) const TEMPORARY: &str = ".state-";
/// Its size: from the first slot to the end of the second.
const SIZE: u64 = 65_536 + 4096;

/// The open state file of a user.
pub(super) struct StateFile<'a> {
    file: File,
    user: &'a User,
    seen: &'a Seen,
}

/// A state file that this process holds the lock of.
pub(super) struct Locked<'a>(&'a StateFile<'a>);

/// A state as it stands in a file.
pub(super) struct Current {
    sequenced: Sequenced,
    place: Place,
    health: StateHealth,
}

/// Opens the state of a user, if there is one.
pub(super) fn open<'a>(
    directory: &Directory,
    user: &'a User,
    seen: &'a Seen,
) -> Result<Option<StateFile<'a>>, StoreError> {
    match directory.file(NAME, Access::Overwrite, u64::MAX) {
        Err(OpenError::Absent) => Ok(None),
        other => {
            opened("the state", "open the state", other).map(|file| Some(StateFile { file, user, seen }))
        }
    }
}

/// Makes a state that knows nothing, where there is none, and opens it. Without a clock there is no number to
/// begin with, and it fails.
pub(super) fn make_missing<'a>(
    directory: &Directory,
    user: &'a User,
    seen: &'a Seen,
) -> Result<StateFile<'a>, StoreError> {
    let now = clock::now().ok_or(StoreError::Clock)?;
    let mut counter_key = [0; 16];
    entropy::fill(&mut counter_key).map_err(system("get random bytes"))?;
    let state = State::new(counter_key, now);
    undisturbed(|| place(directory, user, seen, &state))??;
    open(directory, user, seen)?.ok_or(StoreError::KeepsChanging)
}

/// Puts a new state file into a directory that has none; one that came first stays.
fn place(directory: &Directory, user: &User, seen: &Seen, state: &State) -> Result<(), StoreError> {
    let temporary = random_name(TEMPORARY)?;
    create(directory, &temporary, user, seen, state)?;
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
pub(super) fn renew(
    directory: &Directory,
    user: &User,
    seen: &Seen,
    state: &State,
) -> Result<(), StoreError> {
    let temporary = random_name(TEMPORARY)?;
    let sequence = create(directory, &temporary, user, seen, state)?;
    directory.put_in_place(&temporary, NAME).map_err(system("replace the state"))?;
    // That it cannot be noted takes nothing from it.
    let _ = seen.note(user, sequence);
    Ok(())
}

/// Makes a state file of real bytes, so that overwriting it never needs a new block. Returns its number,
/// which may be noted once the file is in place: noted before, it would speak against the one that is.
pub(super) fn create(
    directory: &Directory,
    name: &str,
    user: &User,
    seen: &Seen,
    state: &State,
) -> Result<u64, StoreError> {
    // The first number is the time, above those of all files before it, also of those of this second.
    let sequence = seen.last(user).unwrap_or(0).saturating_add(1).max(state.written);
    let first = Sequenced { sequence, state: state.clone() };
    let mut bytes = slot::encode(&user.name, &first).ok_or(StoreError::Unwritable)?;
    bytes.resize(usize::try_from(SIZE).unwrap_or(usize::MAX), b'\n');
    let written = require_file_size(SIZE).and_then(|()| directory.create(name)).and_then(|mut file| {
        slots::overwrite_in_place(&file);
        file.write_all(&bytes)?;
        file.sync_all()
    });
    if written.is_err() {
        let _ = directory.unlink(name);
    }
    written.map_err(system("write a new state"))?;
    Ok(sequence)
}

impl StateFile<'_> {
    /// Reads the state, locked or not.
    pub(super) fn read(&self) -> Result<Current, StoreError> {
        // Before the state: a login in between makes the number too low, which says nothing.
        let last = self.seen.last(self.user);
        if self.file.metadata().map_err(system("look at the state"))?.len() != SIZE {
            return Err(StoreError::State(NoState::WrongSize));
        }
        let chosen = slot::read(&self.user.name, &self.slot(Place::First)?, &self.slot(Place::Second)?);
        Ok(Current::of(chosen.map_err(StoreError::State)?, last))
    }

    fn slot(&self, place: Place) -> Result<Vec<u8>, StoreError> {
        slots::read(&self.file, place.offset(), slot::SIZE).map_err(system("read the state"))
    }

    /// Runs `action` while holding the lock: undisturbed, and with the descriptors checked against the path
    /// once more. `Ok(None)` when the files were replaced meanwhile.
    pub(super) fn while_locked<T>(
        &self,
        directory: &Directory,
        reopen: impl Fn() -> Result<Option<Directory>, StoreError>,
        action: impl FnOnce(&Locked<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        undisturbed(|| {
            if !lock::take(&self.file).map_err(system("lock the state"))? {
                return Err(StoreError::Locked);
            }
            let result = match self.is_still_in_place(directory, reopen) {
                Ok(true) => action(&Locked(self)).map(Some),
                Ok(false) => Ok(None),
                Err(error) => Err(error),
            };
            self.file.unlock().map_err(system("unlock the state"))?;
            result
        })?
    }

    /// Whether the path still leads to the directory and the state that were opened.
    fn is_still_in_place(
        &self,
        directory: &Directory,
        reopen: impl Fn() -> Result<Option<Directory>, StoreError>,
    ) -> Result<bool, StoreError> {
        let identity = |descriptor| Identity::of(descriptor).map_err(system("look at the user's files"));
        let Some(now) = reopen()? else { return Ok(false) };
        if identity(now.as_fd())? != identity(directory.as_fd())? {
            return Ok(false);
        }
        match now.identity_of(NAME) {
            Ok(state) => Ok(state == identity(self.file.as_fd())?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::system("look at the state", error)),
        }
    }
}

impl Locked<'_> {
    /// Reads the state.
    pub(super) fn read(&self) -> Result<Current, StoreError> {
        self.0.read()
    }

    /// Writes a state into the slot that does not hold the current one, flushes it, and notes its number.
    /// Returns in what shape all of it is.
    pub(super) fn write(&self, current: &Current, state: State) -> Result<StateHealth, StoreError> {
        let StateFile { file, user, seen } = self.0;
        let sequence = current.sequenced.sequence.checked_add(1).ok_or(StoreError::Unwritable)?;
        let next = Sequenced { sequence, state };
        let bytes = slot::encode(&user.name, &next).ok_or(StoreError::Unwritable)?;
        slots::overwrite(file, current.place.other().offset(), &bytes).map_err(system("write the state"))?;
        let noted = seen.note(user, sequence).is_ok();
        Ok(if noted || current.health != StateHealth::Whole { current.health } else { StateHealth::NotNoted })
    }
}

impl Current {
    /// The state that the slots hold. One older than the last that this machine wrote was put back from a
    /// backup: what was used since then is not known.
    fn of(chosen: Chosen, last: Option<u64>) -> Self {
        let Chosen { current: mut sequenced, place, fell_back } = chosen;
        let mut health = match last {
            _ if fell_back => StateHealth::FellBack,
            Some(_) => StateHealth::Whole,
            None => StateHealth::NotNoted,
        };
        // A slot that a crash tore is older than the one that was lost, but a crash forgets the number too.
        if let Some(last) = last.filter(|last| sequenced.sequence < *last) {
            sequenced.sequence = last;
            sequenced.state.vouch_for_nothing();
            health = StateHealth::PutBack;
        }
        Self { sequenced, place, health }
    }

    /// The state.
    pub(super) fn state(&self) -> &State {
        &self.sequenced.state
    }

    /// In what shape it was found.
    pub(super) fn health(&self) -> StateHealth {
        self.health
    }
}
