//! The file that a person can keep or print: recovery codes and what they are for.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::error::Error;
use crate::otp::RecoveryCode;

/// The text of the page.
pub(super) fn page(account: &str, issuer: &str, codes: &[RecoveryCode]) -> Zeroizing<String> {
    let mut page = Zeroizing::new(String::with_capacity(4096));
    page.push_str("Recovery codes of ");
    page.push_str(account);
    page.push_str(" on ");
    page.push_str(issuer);
    page.push_str("\n\nEach lets you in once, in place of a code from your phone.\n\n");
    for code in codes {
        page.push_str("    ");
        page.push_str(&code.to_text());
        page.push('\n');
    }
    page
}

/// Fails early where the file is there already.
pub(super) fn must_be_free(path: &Path) -> Result<(), Error> {
    match path.symlink_metadata() {
        Ok(_) => Err(Error::FileExists(path.to_owned())),
        Err(_) => Ok(()),
    }
}

/// Writes the page to a new file of mode 0600, all of it on disk or no file at all.
pub(super) fn write(path: &Path, page: &str) -> Result<(), Error> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::FileExists(path.to_owned()),
        _ => Error::File(path.to_owned(), error),
    })?;
    file.write_all(page.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        remove(path);
        Error::File(path.to_owned(), error)
    })
}

/// Removes a file that [`write`] made, when the enrolment that it belongs to was not made.
pub(super) fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
}
