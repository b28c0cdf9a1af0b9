//! A small file in somebody's home, read with that user's own rights and no others.
//!
//! A home may lie on a file system that trusts root with nothing, and what is in it is its owner's to replace:
//! by a link to another's file, by a FIFO that nobody writes to. So a thread of its own takes on the user's
//! groups and his identity towards file systems (setfsuid(2)), which also puts away root's right to read
//! everything, and opens one name without following or waiting. Its real and effective uid stay root's, so
//! that the user cannot signal it. The thread ends with what it took on. It must never write.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::{Gid, Uid, getgrouplist, setfsgid, setfsuid};
use zeroize::Zeroizing;

use super::secure_file::{OpenError, Refusal, above_standard};

/// For how long a file system may keep us waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// An account with a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `pw_name`, as the name service gives it.
    pub name: Vec<u8>,
    /// `pw_uid`.
    pub uid: u32,
    /// `pw_gid`.
    pub gid: u32,
    /// `pw_dir`.
    pub home: PathBuf,
    /// `pw_shell`.
    pub shell: PathBuf,
}

/// Reads a file in the home of an account: a regular file that belongs to the user, that nobody else may read
/// or write, and that holds at most `most_bytes`.
pub fn read(account: &Account, name: &OsStr, most_bytes: u64) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let path = account.home.join(name);
    if !path.is_absolute() {
        return Err(OpenError::Absent);
    }
    let (sender, receiver) = sync_channel(1);
    let account = account.clone();
    thread::Builder::new().spawn(move || {
        let done = become_user(&account).and_then(|()| read_as_user(&path, account.uid, most_bytes));
        // Whoever no longer waits does not want it.
        let _ = sender.send(done);
    })?;
    receiver.recv_timeout(PATIENCE).unwrap_or_else(|problem| {
        Err(OpenError::System(match problem {
            RecvTimeoutError::Timeout => io::ErrorKind::TimedOut.into(),
            RecvTimeoutError::Disconnected => io::Error::other("the thread ended"),
        }))
    })
}

/// Takes on the groups of a user and his identity towards file systems, for the calling thread alone.
fn become_user(account: &Account) -> Result<(), OpenError> {
    if account.uid == 0 {
        return Ok(());
    }
    let name = CString::new(account.name.clone()).map_err(|_| Errno::EINVAL)?;
    let (uid, gid) = (Uid::from_raw(account.uid), Gid::from_raw(account.gid));
    set_thread_groups(&getgrouplist(&name, gid)?)?;
    setfsgid(gid);
    setfsuid(uid);
    // Neither call tells a failure; what is in force, the next one does.
    if setfsgid(gid) != gid || setfsuid(uid) != uid {
        return Err(OpenError::System(Errno::EPERM.into()));
    }
    Ok(())
}

fn read_as_user(path: &Path, uid: u32, most_bytes: u64) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let opened = match open(path, flags, Mode::empty()) {
        // A home that is none, such as /dev/null, holds nothing.
        Err(Errno::ENOTDIR) => return Err(OpenError::Absent),
        other => other?,
    };
    let descriptor = above_standard(opened)?;
    let stat = fstat(&descriptor)?;
    if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(OpenError::Refused(Refusal::Type));
    }
    if stat.st_uid != uid {
        return Err(OpenError::Refused(Refusal::Owner));
    }
    if stat.st_mode & (Mode::S_IRWXG | Mode::S_IRWXO).bits() != 0 {
        return Err(OpenError::Refused(Refusal::Mode));
    }
    let most = usize::try_from(most_bytes).unwrap_or(usize::MAX);
    // Sized before anything is put in, so that growing leaves no copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(most.saturating_add(1)));
    File::from(descriptor).take(most_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > most { Err(OpenError::Refused(Refusal::Size)) } else { Ok(bytes) }
}

/// setgroups(2) of the calling thread alone. The libc function would change all threads of the process.
fn set_thread_groups(groups: &[Gid]) -> nix::Result<()> {
    #[cfg(any(target_arch = "x86", target_arch = "arm"))]
    const CALL: libc::c_long = libc::SYS_setgroups32;
    #[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
    const CALL: libc::c_long = libc::SYS_setgroups;
    // SAFETY: a Gid is a gid_t and nothing else, and setgroups reads `groups.len()` of them, which outlive the
    // call.
    let result = unsafe { libc::syscall(CALL, groups.len(), groups.as_ptr()) };
    Errno::result(result).map(drop)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "those rules are for the module")]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    /// Numbers that no account of a machine has.
    const ALICE: u32 = 3_000_000_001;
    const BOB: u32 = 3_000_000_002;
    const NAME: &str = ".google_authenticator";

    fn account(home: &Path) -> Account {
        Account {
            name: b"alice-of-nowhere".to_vec(),
            uid: ALICE,
            gid: ALICE,
            home: home.to_owned(),
            shell: PathBuf::new(),
        }
    }

    fn put(home: &Path, mode: u32, owner: u32) {
        let path = home.join(NAME);
        fs::write(&path, "secret\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        chown(&path, Some(owner), Some(owner)).unwrap();
    }

    fn read_in(home: &Path) -> String {
        match read(&account(home), OsStr::new(NAME), 64) {
            Ok(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Err(problem) => format!("{problem:?}"),
        }
    }

    /// A home that nobody but alice may enter.
    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), Permissions::from_mode(0o700)).unwrap();
        chown(home.path(), Some(ALICE), Some(ALICE)).unwrap();
        home
    }

    #[test]
    #[ignore = "needs root: acts as another user"]
    fn a_file_of_the_user_is_read_with_his_rights_and_root_stays_root() {
        let home = home();
        assert_eq!(read_in(home.path()), "Absent");
        for mode in [0o400, 0o600] {
            put(home.path(), mode, ALICE);
            assert_eq!(read_in(home.path()), "secret\n");
        }
        // Root's own right to read everything is put away.
        put(home.path(), 0o000, ALICE);
        assert!(read_in(home.path()).contains("PermissionDenied"), "{}", read_in(home.path()));
        assert_eq!(fs::read(home.path().join(NAME)).unwrap(), b"secret\n", "this thread is root as before");
        chown(home.path(), Some(BOB), Some(BOB)).unwrap();
        put(home.path(), 0o600, ALICE);
        assert!(read_in(home.path()).contains("PermissionDenied"), "a home that she may not enter");
    }

    #[test]
    #[ignore = "needs root: acts as another user"]
    fn what_others_put_there_or_can_read_is_refused() {
        let home = home();
        for (mode, owner, refusal) in [
            (0o640, ALICE, "Refused(Mode)"),
            (0o604, ALICE, "Refused(Mode)"),
            (0o644, BOB, "Refused(Owner)"),
            (0o644, 0, "Refused(Owner)"),
        ] {
            put(home.path(), mode, owner);
            assert_eq!(read_in(home.path()), refusal, "{mode:o} of {owner}");
        }
        put(home.path(), 0o600, ALICE);
        fs::write(home.path().join(NAME), [b'A'; 65]).unwrap();
        assert_eq!(read_in(home.path()), "Refused(Size)");
    }

    #[test]
    #[ignore = "needs root: acts as another user"]
    fn a_link_a_fifo_a_directory_and_a_socket_are_refused_at_once() {
        let home = home();
        let path = home.path().join(NAME);
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        chown(elsewhere.path(), Some(ALICE), Some(ALICE)).unwrap();
        symlink(elsewhere.path(), &path).unwrap();
        assert_eq!(read_in(home.path()), "Refused(Type)", "a link, even to a file of hers");
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        chown(&path, Some(ALICE), Some(ALICE)).unwrap();
        assert_eq!(read_in(home.path()), "Refused(Type)");
        fs::remove_file(&path).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        chown(&path, Some(ALICE), Some(ALICE)).unwrap();
        assert_eq!(read_in(home.path()), "Refused(Type)");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        chown(&path, Some(ALICE), Some(ALICE)).unwrap();
        assert_eq!(read_in(home.path()), "Refused(Type)");
        let nowhere = Account { home: PathBuf::from(""), ..account(home.path()) };
        assert!(matches!(read(&nowhere, OsStr::new(NAME), 64), Err(OpenError::Absent)));
    }
}
