//! The few functions of libpam that an application calls, and a transaction that calls them.
#![allow(unsafe_code, reason = "libpam is a C library")]

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::time::Instant;

use crate::conversation::{Shared, converse, record_delay};
use crate::script::{Behaviour, Script, say};
use crate::status::{SUCCESS, status_name};

const ITEM_FAIL_DELAY: c_int = 10;

/// Items that an application sets as text, by the numbers of `_pam_types.h`.
#[derive(Clone, Copy)]
pub(crate) enum Item {
    User = 2,
    Tty = 3,
    RemoteHost = 4,
    AuthenticationToken = 6,
    RemoteUser = 8,
}

/// `PAM_SILENT`, a flag of every call.
pub(crate) const SILENT: c_int = 0x8000;
/// `PAM_ESTABLISH_CRED`, a flag of `pam_setcred`.
pub(crate) const ESTABLISH_CRED: c_int = 2;

/// libpam's own.
#[repr(C)]
pub(crate) struct PamHandle {
    _private: [u8; 0],
}

/// `struct pam_message`.
#[repr(C)]
pub(crate) struct Message {
    pub(crate) style: c_int,
    pub(crate) text: *const c_char,
}

/// `struct pam_response`.
#[repr(C)]
pub(crate) struct Response {
    pub(crate) text: *mut c_char,
    pub(crate) unused: c_int,
}

type ConverseFunction =
    unsafe extern "C" fn(c_int, *mut *const Message, *mut *mut Response, *mut c_void) -> c_int;

#[repr(C)]
struct Conv {
    function: Option<ConverseFunction>,
    data: *mut c_void,
}

type DelayFunction = unsafe extern "C" fn(c_int, c_uint, *mut c_void);
type Call = unsafe extern "C" fn(*mut PamHandle, c_int) -> c_int;

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start_confdir(
        service: *const c_char,
        user: *const c_char,
        conversation: *const Conv,
        confdir: *const c_char,
        handle: *mut *mut PamHandle,
    ) -> c_int;
    fn pam_end(handle: *mut PamHandle, status: c_int) -> c_int;
    fn pam_set_item(handle: *mut PamHandle, item: c_int, value: *const c_void) -> c_int;
    fn pam_putenv(handle: *mut PamHandle, assignment: *const c_char) -> c_int;
    fn pam_authenticate(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_setcred(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_acct_mgmt(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_open_session(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_close_session(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_chauthtok(handle: *mut PamHandle, flags: c_int) -> c_int;
}

/// One PAM transaction, from `pam_start_confdir` to `pam_end`.
pub(crate) struct Transaction<'a> {
    handle: NonNull<PamHandle>,
    shared: Rc<Shared<'a>>,
}

impl<'a> Transaction<'a> {
    /// Starts a transaction. `held` says whether the process has still to wait before its first
    /// reply. The error is the status of `pam_start_confdir`.
    pub(crate) fn start(script: &'a Script, held: &'a Cell<bool>) -> Result<Self, c_int> {
        let shared = Rc::new(Shared::new(script, held));
        let function = match script.behaviour {
            Behaviour::NoFunction => None,
            _ => Some(converse as ConverseFunction),
        };
        let data = Rc::as_ptr(&shared).cast_mut().cast();
        let conversation = Conv { function, data };
        let user = script.user.as_ref().map_or(ptr::null(), |user| user.as_ptr());
        let mut raw = ptr::null_mut();
        // SAFETY: every string ends in NUL and outlives the call, which copies what it keeps;
        // `shared` does not move and lives as long as the transaction.
        let status = unsafe {
            pam_start_confdir(
                script.service.as_ptr(),
                user,
                &raw const conversation,
                script.confdir.as_ptr(),
                &raw mut raw,
            )
        };
        let handle = NonNull::new(raw).filter(|_| status == SUCCESS).ok_or(status)?;
        shared.set_handle(handle.as_ptr());
        let transaction = Self { handle, shared };
        transaction.record_delays();
        Ok(transaction)
    }

    /// Replaces libpam's sleep after a failure by a function that only remembers the delay.
    fn record_delays(&self) {
        let function = record_delay as DelayFunction as *const c_void;
        // SAFETY: the handle is live; for this item libpam wants the function pointer itself.
        let status = unsafe { pam_set_item(self.handle.as_ptr(), ITEM_FAIL_DELAY, function) };
        if status != SUCCESS {
            say(&format!("item_fail_delay {} {status}", status_name(status)));
        }
    }

    /// `pam_set_item` with a text.
    pub(crate) fn set(&self, item: Item, value: &CStr) -> c_int {
        set_item(self.handle.as_ptr(), item, value)
    }

    /// `pam_putenv` with `NAME=value`.
    pub(crate) fn put_environment(&self, assignment: &CStr) -> c_int {
        // SAFETY: the handle is live; libpam copies the string.
        unsafe { pam_putenv(self.handle.as_ptr(), assignment.as_ptr()) }
    }

    /// Makes the call with this name, or `None` if there is no such call.
    pub(crate) fn call(&self, name: &str, flags: c_int) -> Option<c_int> {
        let (function, flags) = match name {
            "authenticate" => (pam_authenticate as Call, flags),
            "setcred" => (pam_setcred as Call, flags | ESTABLISH_CRED),
            "acct_mgmt" => (pam_acct_mgmt as Call, flags),
            "open_session" => (pam_open_session as Call, flags),
            "close_session" => (pam_close_session as Call, flags),
            "chauthtok" => (pam_chauthtok as Call, flags),
            _ => return None,
        };
        // SAFETY: the handle is live, and all six functions have this signature.
        Some(unsafe { function(self.handle.as_ptr(), flags) })
    }

    /// The longest delay in microseconds that libpam asked for after a failure since the last
    /// time this was read.
    pub(crate) fn take_delay(&self) -> Option<c_uint> {
        self.shared.take_delay()
    }

    /// When the last reply to a prompt was given.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.shared.answered()
    }

    /// `pam_end`, which frees the handle.
    pub(crate) fn end(self, status: c_int) -> c_int {
        // SAFETY: the handle is live and is not used again, since `self` is consumed.
        unsafe { pam_end(self.handle.as_ptr(), status) }
    }
}

/// `pam_set_item` with a text, also from within a conversation.
pub(crate) fn set_item(handle: *mut PamHandle, item: Item, value: &CStr) -> c_int {
    // SAFETY: the handle is live; libpam copies the string.
    unsafe { pam_set_item(handle, item as c_int, value.as_ptr().cast()) }
}
