//! libpam from the application's side: one question, whether somebody knows the password of an account.
//!
//! It holds no session and sets no credentials.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::path::Path;
use std::ptr::{self, NonNull};

pub use super::pam_conversation::Conversation;
use super::pam_conversation::{Functions, Person};
use crate::user::UserName;
use pam::constants::PamResultCode as Code;

/// Where libpam looks for the file of a service.
const DIRECTORIES: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
/// Items by the numbers of `_pam_types.h`.
const ITEM_USER: c_int = 2;
const ITEM_TTY: c_int = 3;
const ITEM_RUSER: c_int = 8;
const ITEM_FAIL_DELAY: c_int = 10;
/// PAM_DISALLOW_NULL_AUTHTOK: an empty password proves nothing.
const NO_EMPTY_PASSWORD: c_int = 1;

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both pam_authenticate(3) and pam_acct_mgmt(3) said PAM_SUCCESS, and to the account asked about.
    Proven,
    /// The password was wrong, or the account may not be used now.
    Refused,
    /// Nothing is known: the stack is broken, a server is away, the conversation failed.
    Unavailable,
}

/// Lets the person prove the password of `user` by the stack of `service`.
///
/// An expired password is refused, although who typed it knew it: an administrator or a rule has ended
/// its validity, often because others know it too. A new one is chosen at the next login, not here.
///
/// Without a file of its own libpam would take the service `other`, and what that demands nobody knows: then
/// nothing is tried.
pub fn prove(service: &str, user: &UserName, conversation: &mut dyn Conversation) -> Verdict {
    let has_file = DIRECTORIES.iter().any(|directory| Path::new(directory).join(service).exists());
    let Some(service) = CString::new(service).ok().filter(|_| has_file) else { return Verdict::Unavailable };
    prove_by(user, conversation, |name, functions, handle| {
        // SAFETY: both strings end with a NUL, and libpam copies them and what `functions` holds;
        // `handle` is a place for one pointer.
        unsafe { pam_start(service.as_ptr(), name.as_ptr(), functions, handle) }
    })
}

/// Like [`prove`], with the call that starts the transaction.
fn prove_by(
    user: &UserName,
    conversation: &mut dyn Conversation,
    start: impl FnOnce(&CStr, *const Functions, *mut *mut Handle) -> c_int,
) -> Verdict {
    prove_with(user, conversation, start, |_| true)
}

/// Like [`prove_by`], with what must be said of the transaction before it is run.
pub(super) fn prove_with(
    user: &UserName,
    conversation: &mut dyn Conversation,
    start: impl FnOnce(&CStr, *const Functions, *mut *mut Handle) -> c_int,
    prepare: impl FnOnce(&Transaction) -> bool,
) -> Verdict {
    let Ok(name) = CString::new(user.as_str()) else { return Verdict::Refused };
    let mut person = Person::new(conversation);
    let functions = Functions::of(&mut person);
    let mut handle = ptr::null_mut();
    if start(&name, &raw const functions, &raw mut handle) != Code::PAM_SUCCESS as c_int {
        return Verdict::Unavailable;
    }
    // `person` lives until this function returns, and the transaction ends before that.
    NonNull::new(handle).map_or(Verdict::Unavailable, |handle| {
        let transaction = Transaction { handle, status: Code::PAM_SUCCESS as c_int };
        if prepare(&transaction) { transaction.run(&name) } else { Verdict::Unavailable }
    })
}

/// One transaction, ended when it is dropped.
pub(super) struct Transaction {
    handle: NonNull<Handle>,
    status: c_int,
}

impl Transaction {
    fn run(mut self, name: &CStr) -> Verdict {
        if !self.name_requester(name) || !self.do_not_wait() {
            return Verdict::Unavailable;
        }
        for call in [pam_authenticate, pam_acct_mgmt] {
            // SAFETY: the handle is live, and both functions have this signature.
            self.status = unsafe { call(self.handle.as_ptr(), NO_EMPTY_PASSWORD) };
            if self.status != Code::PAM_SUCCESS as c_int {
                return verdict_of_failure(self.status);
            }
            // A module may have turned to another account, and then this is no proof about ours.
            if !self.is_about(name) {
                return Verdict::Unavailable;
            }
        }
        Verdict::Proven
    }

    /// Has libpam not wait after a failure. Whoever is in the middle of a login waits at its end.
    fn do_not_wait(&self) -> bool {
        let function: unsafe extern "C" fn(c_int, c_uint, *const c_void) = wait_for_nothing;
        // SAFETY: the handle is live, and for this item libpam takes a pointer to such a function (pam_fail_delay(3)),
        // which is there as long as this library.
        let set = unsafe { pam_set_item(self.handle.as_ptr(), ITEM_FAIL_DELAY, function as *const c_void) };
        set == Code::PAM_SUCCESS as c_int
    }

    /// Says on which terminal the person is.
    pub(super) fn name_terminal(&self, name: &CStr) -> bool {
        // SAFETY: the handle is live, and libpam copies the string.
        let set = unsafe { pam_set_item(self.handle.as_ptr(), ITEM_TTY, name.as_ptr().cast()) };
        set == Code::PAM_SUCCESS as c_int
    }

    /// Puts `NAME=value` into the environment that modules see.
    pub(super) fn put_variable(&self, variable: &CStr) -> bool {
        // SAFETY: the handle is live, and libpam copies the string.
        let put = unsafe { pam_putenv(self.handle.as_ptr(), variable.as_ptr()) };
        put == Code::PAM_SUCCESS as c_int
    }

    /// Says in PAM_RUSER who asks: people ask about their own accounts.
    fn name_requester(&self, name: &CStr) -> bool {
        // SAFETY: the handle is live, and libpam copies the string.
        let set = unsafe { pam_set_item(self.handle.as_ptr(), ITEM_RUSER, name.as_ptr().cast()) };
        set == Code::PAM_SUCCESS as c_int
    }

    fn is_about(&self, name: &CStr) -> bool {
        let mut item: *const c_void = ptr::null();
        // SAFETY: the handle is live, and `item` is a place for one pointer.
        let got = unsafe { pam_get_item(self.handle.as_ptr(), ITEM_USER, &raw mut item) };
        if got != Code::PAM_SUCCESS as c_int || item.is_null() {
            return false;
        }
        // SAFETY: PAM_USER is a string that ends with a NUL and lives until the item changes.
        let current = unsafe { CStr::from_ptr(item.cast()) };
        current == name
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // SAFETY: the handle is live and nothing uses it after this.
        let _ = unsafe { pam_end(self.handle.as_ptr(), self.status) };
    }
}

/// What a status other than PAM_SUCCESS says.
fn verdict_of_failure(status: c_int) -> Verdict {
    let refusals = [
        Code::PAM_AUTH_ERR,
        Code::PAM_USER_UNKNOWN,
        Code::PAM_MAXTRIES,
        Code::PAM_PERM_DENIED,
        Code::PAM_ACCT_EXPIRED,
        Code::PAM_NEW_AUTHTOK_REQD,
        Code::PAM_AUTHTOK_EXPIRED,
    ];
    if refusals.into_iter().any(|code| code as c_int == status) {
        Verdict::Refused
    } else {
        Verdict::Unavailable
    }
}

/// What libpam calls in place of waiting.
unsafe extern "C" fn wait_for_nothing(_: c_int, _: c_uint, _: *const c_void) {}

/// libpam's own.
#[repr(C)]
pub(super) struct Handle {
    _private: [u8; 0],
}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start(
        service: *const c_char,
        user: *const c_char,
        functions: *const Functions,
        handle: *mut *mut Handle,
    ) -> c_int;
    fn pam_end(handle: *mut Handle, status: c_int) -> c_int;
    fn pam_set_item(handle: *mut Handle, item: c_int, value: *const c_void) -> c_int;
    fn pam_get_item(handle: *const Handle, item: c_int, value: *mut *const c_void) -> c_int;
    fn pam_authenticate(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_putenv(handle: *mut Handle, variable: *const c_char) -> c_int;
    fn pam_acct_mgmt(handle: *mut Handle, flags: c_int) -> c_int;
}

#[cfg(test)]
#[path = "pam_client_tests.rs"]
mod tests;
