//! The calling thread: its identity, its signals and its turn, while it holds a lock.
//!
//! Someone who calls su or sudo has the real uid of an ordinary user, who may stop or kill the
//! process (kill(2)), or let it wait behind others (nice(1), sched(7)). A stopped holder of a lock would
//! keep everybody else out, so while it holds one the thread is root in every way, deaf, and first.

use std::io;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::{ResUid, Uid, getresuid, setresuid};

/// Fails where the caller's limit of a file's size (RLIMIT_FSIZE, setrlimit(2)) is below `size` bytes:
/// a write beyond it would end the process by SIGXFSZ, and one across it would be torn.
pub fn require_file_size(size: u64) -> io::Result<()> {
    let (limit, _) = getrlimit(Resource::RLIMIT_FSIZE)?;
    if limit < size { Err(io::Error::from(io::ErrorKind::FileTooLarge)) } else { Ok(()) }
}

/// Why a thread could not be left undisturbed, or not be made as before; whoever sees this must deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbed {
    /// It is not root and may not become root.
    NotRoot,
    /// Its signals could not be blocked.
    Signals,
    /// It is root, but not in every way, and may not become so.
    IdentityNotTaken,
    /// Its identity could not be given back.
    IdentityKept,
    /// Its turn could not be given back.
    TurnKept,
}

/// Runs `action` with real, effective and saved uid 0, with every signal blocked that can be, and ahead
/// of all ordinary threads where the kernel allows that.
///
/// Identity, signal mask and turn of the calling thread are as before when this returns, also after a
/// panic. If identity or turn could not be given back, what `action` returned is lost.
pub fn undisturbed<T>(action: impl FnOnce() -> T) -> Result<T, Disturbed> {
    let deaf = Deaf::new()?;
    let root = Root::new()?;
    let first = FirstInTurn::new();
    let value = action();
    first.give_back()?;
    root.give_back()?;
    drop(deaf);
    Ok(value)
}

/// Runs `action` with this real uid and otherwise as root, as a program does that is setuid root. Only for a
/// process that is root in every way and has no other thread that minds: it holds for all of them.
pub fn as_called_by<T>(uid: u32, action: impl FnOnce() -> T) -> io::Result<T> {
    let root = Uid::from_raw(0);
    setresuid(Uid::from_raw(uid), root, root)?;
    let value = action();
    setresuid(root, root, root)?;
    Ok(value)
}

/// Runs `action` with every signal blocked that can be; those that came meanwhile come afterwards.
pub fn deaf<T>(action: impl FnOnce() -> T) -> Result<T, Disturbed> {
    let deaf = Deaf::new()?;
    let value = action();
    drop(deaf);
    Ok(value)
}

/// All signals blocked, until it is dropped.
struct Deaf {
    before: SigSet,
}

impl Deaf {
    fn new() -> Result<Self, Disturbed> {
        let mut before = SigSet::empty();
        // Of the calling thread alone on Linux, and unlike nix's pthread_sigmask it tells a failure.
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), Some(&mut before))
            .map_err(|_| Disturbed::Signals)?;
        Ok(Self { before })
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        // Setting a mask that was in force before cannot fail.
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None);
    }
}

/// Root in every way, until it is given back or dropped.
struct Root {
    before: Option<ResUid>,
}

impl Root {
    fn new() -> Result<Self, Disturbed> {
        let before = getresuid().map_err(|_| Disturbed::IdentityNotTaken)?;
        if [before.real, before.effective, before.saved].iter().all(|uid| uid.is_root()) {
            return Ok(Self { before: None });
        }
        let refused =
            if before.effective.is_root() { Disturbed::IdentityNotTaken } else { Disturbed::NotRoot };
        let root = Uid::from_raw(0);
        set_thread_uids(root, root, root).map_err(|_| refused)?;
        Ok(Self { before: Some(before) })
    }

    fn give_back(mut self) -> Result<(), Disturbed> {
        match self.before.take() {
            Some(ResUid { real, effective, saved }) => {
                set_thread_uids(real, effective, saved).map_err(|_| Disturbed::IdentityKept)
            }
            None => Ok(()),
        }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if let Some(ResUid { real, effective, saved }) = self.before.take() {
            // Only a panic leads here, and its guard denies.
            let _ = set_thread_uids(real, effective, saved);
        }
    }
}

/// Ahead of all ordinary threads, until it is given back or dropped
/// (`docs/decisions/0011-first-in-turn.md`).
struct FirstInTurn {
    before: Option<libc::c_int>,
}

impl FirstInTurn {
    /// Where it is refused, as in some containers, the thread waits for its turn like any other.
    fn new() -> Self {
        let is_ordinary = |policy: &libc::c_int| {
            matches!(
                policy & !libc::SCHED_RESET_ON_FORK,
                libc::SCHED_OTHER | libc::SCHED_BATCH | libc::SCHED_IDLE
            )
        };
        let before = turn().ok().filter(is_ordinary);
        Self { before: before.filter(|_| set_turn(libc::SCHED_FIFO, 1).is_ok()) }
    }

    fn give_back(mut self) -> Result<(), Disturbed> {
        self.before.take().map_or(Ok(()), |before| set_turn(before, 0).map_err(|_| Disturbed::TurnKept))
    }
}

impl Drop for FirstInTurn {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            // Only a panic leads here, and its guard denies.
            let _ = set_turn(before, 0);
        }
    }
}

/// sched_getscheduler(2) of the calling thread: its policy. musl's function of that name only fails.
fn turn() -> nix::Result<libc::c_int> {
    // SAFETY: sched_getscheduler takes a number, 0 for the calling thread, and touches no memory of ours.
    let policy = unsafe { libc::syscall(libc::SYS_sched_getscheduler, 0) };
    libc::c_int::try_from(Errno::result(policy)?).map_err(|_| Errno::EINVAL)
}

/// sched_setscheduler(2) of the calling thread alone. Its nice value stays, for when it matters again.
/// musl's function of that name only fails.
fn set_turn(policy: libc::c_int, priority: libc::c_int) -> nix::Result<()> {
    // What the kernel calls a sched_param is this number alone; musl's has more to it.
    let parameters = &raw const priority;
    // SAFETY: sched_setscheduler reads one number at `parameters`, which outlives the call.
    let result = unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, policy, parameters) };
    Errno::result(result).map(drop)
}

/// setresuid(2) of the calling thread alone. The libc function would change all threads of the
/// process, through a signal handler that is not ours to run.
fn set_thread_uids(real: Uid, effective: Uid, saved: Uid) -> nix::Result<()> {
    #[cfg(any(target_arch = "x86", target_arch = "arm"))]
    const CALL: libc::c_long = libc::SYS_setresuid32;
    #[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
    const CALL: libc::c_long = libc::SYS_setresuid;
    // SAFETY: setresuid takes three numbers and touches no memory of ours.
    let result = unsafe { libc::syscall(CALL, real.as_raw(), effective.as_raw(), saved.as_raw()) };
    Errno::result(result).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "needs root: only root is undisturbed"]
    fn whoever_is_undisturbed_is_first_in_turn_and_then_as_before() {
        let before = turn().unwrap();
        let meanwhile = match set_turn(libc::SCHED_FIFO, 1) {
            Ok(()) => libc::SCHED_FIFO,
            // A container that may not use real time.
            Err(error) => {
                assert_eq!(error, Errno::EPERM);
                before
            }
        };
        set_turn(before, 0).unwrap();
        assert_eq!(undisturbed(turn), Ok(Ok(meanwhile)));
        assert_eq!(turn(), Ok(before));
    }
}
