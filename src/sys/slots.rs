//! Fixed places of a file, read and overwritten as they stand.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Reads exactly `size` bytes at `offset`.
pub fn read(file: &File, offset: u64, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// Overwrites `bytes` at `offset` with one pwrite(2) and one fdatasync(2). A short write is an error:
/// to go on where it stopped would give up that a write is one call.
pub fn overwrite(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let written = file.write_at(bytes, offset)?;
    if written != bytes.len() {
        return Err(io::Error::from(io::ErrorKind::WriteZero));
    }
    file.sync_data()
}
