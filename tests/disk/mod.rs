//! Small real disks with real file systems, mounted where nobody else sees them. Nothing of them is left
//! when the process ends, however it ends: mounts go with their namespace, loop devices with their mounts,
//! images have no name.
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]

mod loop_device;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount, umount2};
use nix::sched::{CloneFlags, unshare};

pub use loop_device::{Below, LoopDevice};

/// A file system that the store may be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The usual one.
    Ext4,
    /// Writes metadata to its log only.
    Xfs,
    /// Copies on write, but not the state.
    Btrfs,
}

impl Kind {
    /// The name that mount(8) knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
        }
    }

    /// About the smallest disk that its mkfs takes, in bytes.
    pub fn least_size(self) -> u64 {
        match self {
            Self::Ext4 => 16 << 20,
            Self::Xfs => 300 << 20,
            Self::Btrfs => 110 << 20,
        }
    }

    /// Makes an empty file system of this kind.
    pub fn make_on(self, device: &Path) {
        let options: &[&str] = match self {
            // Blocks as on larger disks, none of them for root alone, and nothing left to do later.
            Self::Ext4 => {
                let later = "lazy_itable_init=0,lazy_journal_init=0,nodiscard";
                &["-q", "-F", "-b", "4096", "-m", "0", "-N", "512", "-E", later]
            }
            Self::Xfs | Self::Btrfs => &["-q", "-f", "-K"],
        };
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        let program = format!("mkfs.{}", self.name());
        let made = Command::new(&program).env("PATH", path).args(options).arg(device).output();
        let made = made.unwrap_or_else(|error| panic!("{program}: {error}; run `make prepare`"));
        assert!(made.status.success(), "{program}: {}", String::from_utf8_lossy(&made.stderr));
    }
}

/// From here on, what this thread and its children mount is seen by nobody else and ends with them.
pub fn keep_mounts_private() {
    unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace (as root)");
    let nothing = None::<&str>;
    mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing).expect("private mounts");
}

/// A mounted file system; unmounted when it is dropped.
#[derive(Debug)]
pub struct Mounted {
    target: Option<PathBuf>,
}

impl Mounted {
    /// Mounts a device, in the namespace of [`keep_mounts_private`].
    pub fn new(kind: Kind, device: &Path, target: &Path) -> Result<Self, Errno> {
        mount(Some(device), target, Some(kind.name()), MsFlags::empty(), None::<&str>)?;
        Ok(Self { target: Some(target.to_owned()) })
    }

    /// Makes it read-only, as the kernel does after an error of the disk.
    pub fn make_read_only(&self) {
        let target = self.target.as_deref().expect("it is mounted");
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(None::<&str>, target, None::<&str>, flags, None::<&str>).expect("remount read-only");
    }

    /// Unmounts it for good, not lazily.
    pub fn unmount(mut self) {
        let target = self.target.take().expect("it is mounted");
        let mut result = umount(&target);
        for _ in 0..500 {
            if result != Err(Errno::EBUSY) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
            result = umount(&target);
        }
        result.unwrap_or_else(|error| panic!("unmount {}: {error}", target.display()));
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(target) = self.target.take() {
            let _ = umount2(&target, MntFlags::MNT_DETACH);
        }
    }
}
