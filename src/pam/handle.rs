//! A PAM handle, with what pam-bindings lacks: the environment, the delay and the log.

use std::ffi::{CStr, CString, c_char, c_int, c_uint};

use pam::conv::Conv;
use pam::items::{AuthTok, Item as _, RHost, RUser, Service, Tty, User};
use pam::module::PamHandle;
use zeroize::Zeroizing;

use crate::log::{Level, Line};
use crate::login::{ConversationError, Typing};

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_getenv(handle: *mut PamHandle, name: *const c_char) -> *const c_char;
    fn pam_fail_delay(handle: *mut PamHandle, microseconds: c_uint) -> c_int;
    fn pam_syslog(handle: *const PamHandle, priority: c_int, format: *const c_char, ...);
}

/// How a message is shown (pam_conv(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// An error, such as a wrong code.
    Error,
    /// Anything else.
    Info,
}

/// The handle of one transaction.
pub(super) struct Handle<'a>(&'a mut PamHandle);

impl<'a> Handle<'a> {
    pub(super) fn new(handle: &'a mut PamHandle) -> Self {
        Self(handle)
    }

    /// PAM_USER, asked for where the application left it open. `None` when there is none to be had.
    pub(super) fn user(&mut self) -> Option<Vec<u8>> {
        // Fails for a name that is not UTF-8 too, so it only makes libpam ask; the item is read next.
        let _ = self.0.get_user(None);
        self.user_item()
    }

    /// PAM_USER as it is now.
    pub(super) fn user_item(&self) -> Option<Vec<u8>> {
        self.0.get_item::<User<'_>>().ok().flatten().map(|item| item.to_bytes().to_vec())
    }

    /// PAM_SERVICE; empty where there is none.
    pub(super) fn service(&self) -> String {
        self.0.get_item::<Service<'_>>().ok().flatten().map_or_else(String::new, |item| text_of(&item))
    }

    /// PAM_RHOST.
    pub(super) fn rhost(&self) -> Option<String> {
        self.0.get_item::<RHost<'_>>().ok().flatten().map(|item| text_of(&item))
    }

    /// PAM_RUSER.
    pub(super) fn ruser(&self) -> Option<Vec<u8>> {
        self.0.get_item::<RUser<'_>>().ok().flatten().map(|item| item.to_bytes().to_vec())
    }

    /// PAM_TTY.
    pub(super) fn tty(&self) -> Option<String> {
        self.0.get_item::<Tty<'_>>().ok().flatten().map(|item| text_of(&item))
    }

    /// PAM_AUTHTOK: what was typed for a module before this one.
    pub(super) fn password(&self) -> Option<Zeroizing<Vec<u8>>> {
        let item = self.0.get_item::<AuthTok<'_>>().ok().flatten()?;
        Some(Zeroizing::new(item.as_bytes().to_vec()))
    }

    /// Sets PAM_AUTHTOK for the modules behind this one. libpam keeps a copy of its own, and wipes that.
    pub(super) fn set_password(&mut self, password: &[u8]) -> Result<(), ConversationError> {
        let mut text = Zeroizing::new(Vec::with_capacity(password.len().saturating_add(1)));
        text.extend_from_slice(password);
        text.push(0);
        let text = CStr::from_bytes_with_nul(&text).map_err(|_| ConversationError)?;
        // SAFETY: the text ends with a NUL, and outlives the item.
        let item = unsafe { AuthTok::from_raw(text.as_ptr()) };
        self.0.set_item_str(item).map_err(|_| ConversationError)
    }

    /// A variable of the PAM environment, which only applications and modules write to.
    pub(super) fn environment(&mut self, name: &CStr) -> Option<String> {
        // SAFETY: the handle is the one libpam called us with, and the name ends with a NUL.
        let value = unsafe { pam_getenv(self.0, name.as_ptr()) };
        if value.is_null() {
            return None;
        }
        // SAFETY: pam_getenv(3) returns a string that lives until the variable changes, which
        // nothing does before it is copied here.
        let value = unsafe { CStr::from_ptr(value) };
        Some(text_of(value))
    }

    /// Asks the application to wait when the authentication fails (pam_fail_delay(3)).
    pub(super) fn delay_failure(&mut self, microseconds: u32) {
        // SAFETY: the handle is the one libpam called us with.
        let _ = unsafe { pam_fail_delay(self.0, microseconds) };
    }

    /// Writes a line of a login to the log.
    pub(super) fn write(&self, line: &Line) {
        let level = match line.level {
            Level::Info => libc::LOG_INFO,
            Level::Notice => libc::LOG_NOTICE,
            Level::Error => libc::LOG_ERR,
        };
        self.log(level, &line.text);
    }

    /// Writes one line to the log, facility AUTHPRIV.
    pub(super) fn log(&self, level: c_int, line: &str) {
        let Ok(line) = CString::new(line) else { return };
        // SAFETY: the format takes one string and gets one; both end with a NUL and outlive the call.
        unsafe { pam_syslog(self.0, libc::LOG_AUTHPRIV | level, c"%s".as_ptr(), line.as_ptr()) };
    }

    /// Asks for a line.
    pub(super) fn ask(&self, prompt: &str, typing: Typing) -> Result<Zeroizing<Vec<u8>>, ConversationError> {
        let style = match typing {
            Typing::Hidden => pam::constants::PAM_PROMPT_ECHO_OFF,
            Typing::Shown => pam::constants::PAM_PROMPT_ECHO_ON,
        };
        let conversation = self.conversation().ok_or(ConversationError)?;
        let reply =
            conversation.send(style, prompt).map_err(|_| ConversationError)?.ok_or(ConversationError)?;
        Ok(Zeroizing::new(reply.as_bytes().to_vec()))
    }

    /// Shows a text. Applications may answer info messages with nothing at all, which pam-bindings
    /// takes for an error, so the result says nothing.
    pub(super) fn show(&self, style: Style, text: &str) {
        let style = match style {
            Style::Error => pam::constants::PAM_ERROR_MSG,
            Style::Info => pam::constants::PAM_TEXT_INFO,
        };
        if let Some(conversation) = self.conversation() {
            let _ = conversation.send(style, text);
        }
    }

    fn conversation(&self) -> Option<Conv<'_>> {
        self.0.get_item::<Conv<'_>>().ok().flatten()
    }
}

fn text_of(text: &CStr) -> String {
    text.to_string_lossy().into_owned()
}
