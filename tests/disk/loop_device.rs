//! A loop device: a file as a block device. It goes away by itself with the last user, however that one ends.
#![allow(unsafe_code, reason = "a loop device is set up by an ioctl")]

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;

/// The file goes around the page cache, so that what is written arrives at once and in order.
const LO_FLAGS_DIRECT_IO: u32 = 16;
/// The device is taken apart when nobody has it open or mounted any more.
const LO_FLAGS_AUTOCLEAR: u32 = 4;
/// How often something that others hold for a moment is tried, every 10 ms.
const TRIES: u32 = 500;

/// `struct loop_info64` of `linux/loop.h`.
#[repr(C)]
#[derive(Default)]
struct Info {
    numbers: [u64; 5],
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    names: [[u64; 8]; 2],
    encrypt_key: [u64; 4],
    init: [u64; 2],
}

/// `struct loop_config` of `linux/loop.h`.
#[repr(C)]
#[derive(Default)]
struct Config {
    descriptor: u32,
    block_size: u32,
    info: Info,
    reserved: [u64; 8],
}

nix::ioctl_none_bad!(get_free, 0x4c82);
nix::ioctl_write_ptr_bad!(configure, 0x4c0a, Config);
nix::ioctl_none!(drop_cache, 0x12, 97);

/// An open loop device. Whoever has it mounted keeps it too.
#[derive(Debug)]
pub struct LoopDevice {
    path: PathBuf,
    device: File,
}

/// Whether a device's writes wait in the page cache of the file below it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// They may: faster.
    Cached,
    /// They never do.
    Direct,
}

impl LoopDevice {
    /// Makes a device of a file that is open for reading and writing.
    pub fn over(file: &File, below: Below) -> Self {
        let control = open(Path::new("/dev/loop-control"), 0);
        let flags = LO_FLAGS_AUTOCLEAR | if below == Below::Direct { LO_FLAGS_DIRECT_IO } else { 0 };
        let descriptor = u32::try_from(file.as_raw_fd()).expect("a descriptor");
        let config = Config { descriptor, info: Info { flags, ..Info::default() }, ..Config::default() };
        for _ in 0..TRIES {
            // SAFETY: LOOP_CTL_GET_FREE takes no argument.
            let number = unsafe { get_free(control.as_raw_fd()) }.expect("a free loop device");
            let path = PathBuf::from(format!("/dev/loop{number}"));
            must_have_node(&path);
            let device = open(&path, 0);
            // SAFETY: LOOP_CONFIGURE reads a `struct loop_config`, which outlives the call.
            match unsafe { configure(device.as_raw_fd(), &raw const config) } {
                Ok(_) => return Self { path, device },
                // Another test was quicker.
                Err(Errno::EBUSY) => std::thread::sleep(Duration::from_millis(10)),
                Err(error) => panic!("{} cannot be set up: {error}", path.display()),
            }
        }
        panic!("no loop device stayed free");
    }

    /// The device, for mkfs and mount.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until no file system is on the device, then forgets what is cached of it.
    pub fn settle(&self) {
        let mut options = File::options();
        options.read(true).write(true).custom_flags(libc::O_EXCL);
        let unused = (0..TRIES).any(|_| {
            options.open(&self.path).inspect_err(|_| std::thread::sleep(Duration::from_millis(10))).is_ok()
        });
        assert!(unused, "{} stays in use", self.path.display());
        // SAFETY: BLKFLSBUF takes no argument.
        unsafe { drop_cache(self.device.as_raw_fd()) }.expect("drop the cache of the loop device");
    }
}

fn open(path: &Path, flags: i32) -> File {
    let opened = File::options().read(true).write(true).custom_flags(flags).open(path);
    opened.unwrap_or_else(|error| panic!("{}: {error}; this test needs loop devices", path.display()))
}

/// A container may lack the node of a device that the kernel has just made.
fn must_have_node(path: &Path) {
    let is_there = fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_block_device());
    assert!(is_there, "{} is missing: make it with mknod(1), block, major 7", path.display());
}
