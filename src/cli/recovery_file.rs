//! The file that a person can keep or print: recovery codes and what they are for.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::error::Error;
use super::terminal::Terminal;
use crate::backend;
use crate::credential::{Credential, CredentialStore as _, RecoverySet};
use crate::otp::RecoveryCode;
use crate::user::User;

/// The text of the page.
pub(super) fn page(account: &str, issuer: &str, codes: &[RecoveryCode]) -> Zeroizing<String> {
    page_of(account, issuer, codes.iter().map(|code| Text(code.to_text())))
}

/// A code as it is written.
struct Text(Zeroizing<String>);

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The text of the page, of codes as they are written.
pub(super) fn page_of(
    account: &str,
    issuer: &str,
    codes: impl Iterator<Item = impl AsRef<str>>,
) -> Zeroizing<String> {
    let mut page = Zeroizing::new(String::with_capacity(4096));
    page.push_str("Recovery codes of ");
    page.push_str(account);
    page.push_str(" on ");
    page.push_str(issuer);
    page.push_str("\n\nEach lets you in once, in place of a code from your phone.\n\n");
    for code in codes {
        page.push_str("    ");
        page.push_str(code.as_ref());
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

/// A page and where it is to be kept, if it is.
pub(super) struct KeptPage<'a> {
    /// The file that was asked for.
    pub(super) path: Option<&'a Path>,
    /// The text.
    pub(super) page: &'a str,
}

impl KeptPage<'_> {
    /// Saves the page before `make` puts its codes in force, and not without that: codes that are in force
    /// and nowhere to be read would be lost. A failure that leaves them in force all the same, as when
    /// the disk fails after the last step, leaves the file too.
    pub(super) fn save_before(
        &self,
        make: impl FnOnce() -> Result<(), Error>,
        is_in_force: impl FnOnce() -> bool,
    ) -> Result<(), Error> {
        let Some(path) = self.path else { return make() };
        write(path, self.page)?;
        make().inspect_err(|_| {
            if !is_in_force() {
                let _ = std::fs::remove_file(path);
            }
        })
    }
}

/// Whether the credential on disk has these recovery codes, or cannot be read.
pub(super) fn is_in_force(user: &User, set: Option<&RecoverySet>) -> bool {
    let has_set = |credential: Credential| credential.recovery.as_ref() == set;
    backend::store().read(user).map_or(true, |found| found.is_some_and(has_set))
}

/// Says where the codes are.
pub(super) fn tell(path: Option<&Path>, terminal: &mut Terminal) {
    if let Some(path) = path {
        terminal.say(format_args!("they are in {}", path.display()));
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
        let _ = std::fs::remove_file(path);
        Error::File(path.to_owned(), error)
    })
}
