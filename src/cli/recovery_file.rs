//! The file that a person can keep or print: recovery codes and what they are for.

use std::fmt::Write as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::error::Error;
use super::saved_file::SavedFile;
use super::terminal::Terminal;
use crate::backend;
use crate::credential::format::datetime_of;
use crate::credential::{CredentialStore as _, RecoverySet, StoreError};
use crate::otp::RecoveryCode;
use crate::sys;
use crate::user::User;

/// What to do with the page.
const ADVICE: &str = "
Each code below lets you in once: type it where the code from your phone is
asked for. Keep this page where the phone is not, and strike out what you
have used.
";
const LATER: &str = "
Phone lost    log in with a code of this page; then, for a new phone:
              countersign replace phone
Few left      countersign recovery
              makes ten new codes; those of this page are then good no longer
Page lost     the same, at once: whoever finds the page has your codes
";

/// The text of the page.
pub(super) fn page(account: &str, codes: &[RecoveryCode]) -> Zeroizing<String> {
    page_of(account, codes.iter().map(|code| Text(code.to_text())))
}

/// A code as it is written.
struct Text(Zeroizing<String>);

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The text of the page, of codes as they are written.
pub(super) fn page_of(account: &str, codes: impl Iterator<Item = impl AsRef<str>>) -> Zeroizing<String> {
    let today = sys::clock::now().and_then(datetime_of).and_then(|now| now.date);
    let mut page = Zeroizing::new(String::with_capacity(4096));
    let _ = write!(page, "Recovery codes of {account} on {}", sys::host::name());
    if let Some(today) = today {
        let _ = write!(page, ", made on {today}");
    }
    page.push('\n');
    page.push_str(ADVICE);
    page.push('\n');
    for code in codes {
        page.push_str("    ");
        page.push_str(code.as_ref());
        page.push('\n');
    }
    page.push_str(LATER);
    page
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
        let saved = SavedFile::write(path, self.page.as_bytes())?;
        make().inspect_err(|_| {
            if !is_in_force() {
                saved.remove();
            }
        })
    }
}

/// Whether the credential on disk has these recovery codes, or cannot be read.
pub(super) fn is_in_force(user: &User, set: Option<&RecoverySet>) -> bool {
    match backend::store().read(user) {
        Ok(found) => found.is_some_and(|credential| credential.recovery.as_ref() == set),
        Err(StoreError::NoStore | StoreError::NoCredential) => false,
        Err(_) => true,
    }
}

/// Says where the codes are.
pub(super) fn tell(path: Option<&Path>, terminal: &mut Terminal) {
    if let Some(path) = path {
        terminal.say(format_args!("they are in {}", path.display()));
    }
}
