//! The directory of one machine, which lives exactly as long as the test that made it.
//!
//! It holds `root/` (the machine's files), `keys/` and `owner`, a file that the test process keeps
//! locked. A test run that was killed leaves its directories behind with the lock released; the next
//! machine that is made removes them. A directory whose lock is held is never touched.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{io, thread, time::Duration};

/// Where control groups are kept: all in one hierarchy, or the two of a "hybrid" computer.
const CONTROL_GROUPS: [&str; 3] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];

/// A fresh directory, removed on drop. The machine must be dead by then.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _owner: File,
}

impl Directory {
    /// Makes a directory below `machines`, and removes those that killed test runs left there.
    pub(super) fn create(machines: &Path) -> io::Result<Directory> {
        DirBuilder::new().recursive(true).mode(0o700).create(machines)?;
        // Between making a directory and locking its owner file it would look abandoned.
        let only_one = File::create(machines.join(".lock"))?;
        only_one.lock()?;
        remove_abandoned(machines)?;

        let path = tempfile::Builder::new().prefix("cs-").tempdir_in(machines)?.keep();
        let owner = File::create(path.join("owner"))?;
        owner.lock()?;
        DirBuilder::new().mode(0o700).create(path.join("keys"))?;
        Ok(Directory { path, _owner: owner })
    }

    /// The directory itself; only root can enter it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The root directory of the machine.
    pub(super) fn root(&self) -> PathBuf {
        self.path.join("root")
    }

    /// A name for the machine that no other machine of this computer has.
    pub(super) fn name(&self) -> &str {
        name(&self.path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove_abandoned(machines: &Path) -> io::Result<()> {
    for entry in fs::read_dir(machines)? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        let in_use = File::open(path.join("owner")).is_ok_and(|owner| owner.try_lock().is_err());
        if !in_use {
            remove(&path);
        }
    }
    Ok(())
}

/// Removes what a dead machine leaves. What cannot be removed yet, the next run removes.
fn remove(path: &Path) {
    for hierarchy in CONTROL_GROUPS {
        remove_control_group(&Path::new(hierarchy).join(name(path)));
    }
    let _ = fs::remove_dir(Path::new("/run/systemd/nspawn/propagate").join(name(path)));
    let removed = Command::new("rm").args(["-rf", "--one-file-system", "--"]).arg(path).status();
    if !removed.is_ok_and(|status| status.success()) {
        eprintln!("container: {} is not removed yet", path.display());
    }
}

/// Removes a control group and those below it. Dead processes leave them a moment late.
fn remove_control_group(group: &Path) {
    let below = fs::read_dir(group).into_iter().flatten().flatten();
    for entry in below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        remove_control_group(&entry.path());
    }
    for _ in 0..50 {
        match fs::remove_dir(group) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                thread::sleep(Duration::from_millis(10));
            }
            _ => break,
        }
    }
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("the directory was named here")
}
