//! Extended attributes of a file (xattr(7)): the SELinux label, access lists, capabilities.
//!
//! They are carried from one version of a file to the next as far as the file system and the kernel allow it:
//! where they do not, the file gets what a new one gets there, which is what it most often had.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::AsRawFd as _;

/// The longest list of names and the longest value that the kernel takes (XATTR_LIST_MAX, XATTR_SIZE_MAX).
const LONGEST: usize = 65_536;

/// Names and values.
pub type Attributes = Vec<(CString, Vec<u8>)>;

/// The attributes of a file; none where they cannot be told.
pub fn read(file: &File) -> Attributes {
    let mut names = vec![0_u8; LONGEST];
    // SAFETY: flistxattr writes at most `names.len()` bytes to `names`, which outlives the call.
    let length = unsafe { libc::flistxattr(file.as_raw_fd(), names.as_mut_ptr().cast(), names.len()) };
    let Ok(length) = usize::try_from(length) else { return Vec::new() };
    let names = names.get(..length).unwrap_or_default().split_inclusive(|byte| *byte == 0);
    let names = names.filter_map(|name| CStr::from_bytes_with_nul(name).ok());
    names.filter_map(|name| Some((name.to_owned(), value(file, name)?))).collect()
}

fn value(file: &File, name: &CStr) -> Option<Vec<u8>> {
    let mut value = vec![0_u8; LONGEST];
    // SAFETY: the name ends with a NUL, and fgetxattr writes at most `value.len()` bytes to `value`.
    let length =
        unsafe { libc::fgetxattr(file.as_raw_fd(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    value.truncate(usize::try_from(length).ok()?);
    Some(value)
}

/// Gives a file these attributes, as far as that is possible.
pub fn write(file: &File, attributes: &Attributes) {
    for (name, value) in attributes {
        // SAFETY: the name ends with a NUL, and fsetxattr reads `value.len()` bytes of `value`.
        let _ = unsafe {
            libc::fsetxattr(file.as_raw_fd(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0)
        };
    }
}
