//! Fixed places of a file, read and overwritten as they stand.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;

use super::process::require_file_size;

/// Reads exactly `size` bytes at `offset`.
pub fn read(file: &File, offset: u64, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// Overwrites `bytes` at `offset` and flushes them, in one system call where the kernel can: a process
/// that is killed between two calls would leave a write behind that others see and no disk holds
/// (`docs/decisions/0006-write-and-flush-in-one-call.md`). A short write is an error.
pub fn overwrite(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let end = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    require_file_size(end)?;
    let (written, flushed) = match write_through(file, offset, bytes) {
        Err(error) if is_unsupported(&error) => (file.write_at(bytes, offset)?, false),
        other => (other?, true),
    };
    if written != bytes.len() {
        return Err(io::Error::from(io::ErrorKind::WriteZero));
    }
    if flushed { Ok(()) } else { file.sync_data() }
}

/// pwritev2(2) with RWF_DSYNC: a pwrite(2) and an fdatasync(2) of what it wrote.
fn write_through(file: &File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
    let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
    let part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: the one part points to `bytes`, which outlives the call and is only read from; the
    // descriptor is open as long as `file` is borrowed.
    let written = unsafe { libc::pwritev2(file.as_raw_fd(), &raw const part, 1, offset, libc::RWF_DSYNC) };
    usize::try_from(written).map_err(|_| io::Error::last_os_error())
}

/// Whether the kernel or the file system knows no such write.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::ENOSYS | libc::EINVAL))
}

/// Asks the file system to overwrite this empty file in place (btrfs); elsewhere that is what it does
/// anyway, so a refusal means nothing.
pub fn overwrite_in_place(file: &File) {
    nix::ioctl_read!(get_flags, b'f', 1, libc::c_long);
    nix::ioctl_write_ptr!(set_flags, b'f', 2, libc::c_long);
    const FS_NOCOW_FL: libc::c_long = 0x0080_0000;
    let mut flags: libc::c_long = 0;
    // SAFETY: FS_IOC_GETFLAGS writes one number into `flags`, which outlives the call.
    if unsafe { get_flags(file.as_raw_fd(), &raw mut flags) }.is_ok() {
        flags |= FS_NOCOW_FL;
        // SAFETY: FS_IOC_SETFLAGS reads one number from `flags`, which outlives the call.
        let _ = unsafe { set_flags(file.as_raw_fd(), &raw const flags) };
    }
}
