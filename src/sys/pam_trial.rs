//! A login against stacks that are not in force: libpam reads them from a directory of their own
//! (`pam_start_confdir`, Linux-PAM 1.4 and later).
//!
//! Nothing is opened by it but this answer: no session, no credentials.

use std::ffi::{CString, c_char, c_int};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::pam_client::{Conversation, Handle, Verdict, prove_with};
use super::pam_conversation::Functions;
use crate::user::UserName;

/// What an application tells PAM besides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    /// The terminal (PAM_TTY).
    pub terminal: &'a str,
    /// A variable for modules, as `NAME=value`.
    pub variable: Option<&'a str>,
}

/// Lets a person log in by the stack of `service` in this directory, which holds all that the stack includes.
pub fn log_in(
    directory: &Path,
    service: &str,
    user: &UserName,
    told: Told<'_>,
    conversation: &mut dyn Conversation,
) -> Verdict {
    let texts = [service.as_bytes(), directory.as_os_str().as_bytes(), told.terminal.as_bytes()];
    let [Ok(service), Ok(directory), Ok(terminal)] = texts.map(CString::new) else {
        return Verdict::Unavailable;
    };
    let Ok(variable) = told.variable.map(CString::new).transpose() else { return Verdict::Unavailable };
    prove_with(
        user,
        conversation,
        |name, functions, handle| {
            // SAFETY: all strings end with a NUL, and libpam copies them and what `functions` holds; `handle` is a
            // place for one pointer.
            unsafe {
                pam_start_confdir(service.as_ptr(), name.as_ptr(), functions, directory.as_ptr(), handle)
            }
        },
        |transaction| {
            transaction.name_terminal(&terminal)
                && variable.as_deref().is_none_or(|variable| transaction.put_variable(variable))
        },
    )
}

#[link(name = "pam")]
unsafe extern "C" {
    pub(super) fn pam_start_confdir(
        service: *const c_char,
        user: *const c_char,
        functions: *const Functions,
        directory: *const c_char,
        handle: *mut *mut Handle,
    ) -> c_int;
}
