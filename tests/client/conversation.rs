//! A conversation function that obeys a script. It must never judge what it is asked.
#![allow(unsafe_code, reason = "libpam is a C library")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_int, c_uint, c_void};
use std::io::Read as _;
use std::ptr::{self, NonNull};
use std::slice;
use std::time::Instant;

use crate::ffi::{Item, Message, PamHandle, Response, set_item};
use crate::script::{Behaviour, Script, say, show};
use crate::status::{BUF_ERR, CONV_ERR, SUCCESS, status_name};

const PROMPT_ECHO_OFF: c_int = 1;
const PROMPT_ECHO_ON: c_int = 2;
const ERROR_MSG: c_int = 3;
const TEXT_INFO: c_int = 4;

/// What goes back for one message.
#[derive(Clone)]
enum Answer {
    /// To a text that asks nothing.
    Nothing,
    /// To a prompt.
    Reply(CString),
}

/// What the conversation function reads and writes; libpam carries a pointer to it.
pub(crate) struct Shared<'a> {
    script: &'a Script,
    handle: Cell<*mut PamHandle>,
    replies: RefCell<std::vec::IntoIter<CString>>,
    prompts: Cell<u32>,
    held: &'a Cell<bool>,
    token_pending: Cell<bool>,
    longest_delay: Cell<c_uint>,
    answered: Cell<Option<Instant>>,
}

/// The function that libpam calls in place of sleeping.
pub(crate) unsafe extern "C" fn record_delay(status: c_int, microseconds: c_uint, data: *mut c_void) {
    // SAFETY: libpam passes the data pointer of the conversation: a `Shared` that lives on.
    let Some(shared) = (unsafe { data.cast::<Shared<'_>>().as_ref() }) else {
        return;
    };
    // libpam calls this after a success too; without a function it would not sleep then.
    if status != SUCCESS {
        let longest = shared.longest_delay.get().max(microseconds);
        shared.longest_delay.set(longest);
    }
}

/// The conversation function.
pub(crate) unsafe extern "C" fn converse(
    count: c_int,
    messages: *mut *const Message,
    responses: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    // SAFETY: the data pointer is the one given to `pam_start_confdir`.
    let Some(shared) = (unsafe { data.cast::<Shared<'_>>().as_ref() }) else {
        return CONV_ERR;
    };
    let count = usize::try_from(count).unwrap_or(0);
    if count == 0 || messages.is_null() || responses.is_null() {
        say(&format!("error the module sent {count} messages or a null pointer"));
        return CONV_ERR;
    }
    // SAFETY: PAM promises `count` pointers to messages, valid during the call.
    let messages = unsafe { slice::from_raw_parts(messages.cast::<&Message>(), count) };
    shared.set_pending_token();
    let answers = shared.answers(messages);
    let array = match shared.script.behaviour {
        Behaviour::Fail | Behaviour::NoFunction => return CONV_ERR,
        Behaviour::NullArray => Some(ptr::null_mut()),
        Behaviour::NullReply => allocate(&vec![Answer::Nothing; count]),
        Behaviour::Normal => match answers {
            Some(answers) => allocate(&answers),
            None => return CONV_ERR,
        },
    };
    let Some(array) = array else { return BUF_ERR };
    // SAFETY: `responses` is not null, and the module owns the array from here on.
    unsafe { responses.write(array) };
    SUCCESS
}

impl<'a> Shared<'a> {
    /// `held` says whether the process has still to wait before its first reply.
    pub(crate) fn new(script: &'a Script, held: &'a Cell<bool>) -> Self {
        Self {
            script,
            handle: Cell::new(ptr::null_mut()),
            replies: RefCell::new(script.replies.clone().into_iter()),
            prompts: Cell::new(0),
            held,
            token_pending: Cell::new(script.authtok.is_some()),
            longest_delay: Cell::new(0),
            answered: Cell::new(None),
        }
    }

    /// Makes the handle known, which exists only after the conversation.
    pub(crate) fn set_handle(&self, handle: *mut PamHandle) {
        self.handle.set(handle);
    }

    /// The longest delay since the last time this was called.
    pub(crate) fn take_delay(&self) -> Option<c_uint> {
        Some(self.longest_delay.replace(0)).filter(|&delay| delay > 0)
    }

    /// When the last reply was given.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.answered.get()
    }

    /// libpam accepts `PAM_AUTHTOK` only while a module runs, as one does during a conversation.
    fn set_pending_token(&self) {
        if let Some(token) = &self.script.authtok
            && self.token_pending.replace(false)
        {
            let status = set_item(self.handle.get(), Item::AuthenticationToken, token);
            say(&format!("authtok {} {status}", status_name(status)));
        }
    }

    /// Shows each message; the reply to each, or `None` when the script has no reply left.
    fn answers(&self, messages: &[&Message]) -> Option<Vec<Answer>> {
        messages.iter().map(|message| self.answer(message)).collect()
    }

    fn answer(&self, message: &Message) -> Option<Answer> {
        let text = if message.text.is_null() {
            c"(null)"
        } else {
            // SAFETY: a message's text ends in NUL and is valid during the call.
            unsafe { CStr::from_ptr(message.text) }
        };
        let text = show(text.to_bytes());
        match message.style {
            PROMPT_ECHO_OFF => say(&format!("prompt_off {text}")),
            PROMPT_ECHO_ON => say(&format!("prompt_on {text}")),
            ERROR_MSG => say(&format!("error {text}")),
            TEXT_INFO => say(&format!("info {text}")),
            style => say(&format!("style_{style} {text}")),
        }
        if !matches!(message.style, PROMPT_ECHO_OFF | PROMPT_ECHO_ON) {
            return Some(Answer::Nothing);
        }
        self.prompts.set(self.prompts.get() + 1);
        self.change_user();
        self.wait_for_release();
        let reply = self.replies.borrow_mut().next().map(Answer::Reply);
        self.answered.set(Some(Instant::now()));
        reply
    }

    fn change_user(&self) {
        if let Some((after, user)) = &self.script.change_user
            && *after == self.prompts.get()
        {
            let status = set_item(self.handle.get(), Item::User, user);
            say(&format!("user {} {status}", status_name(status)));
        }
    }

    fn wait_for_release(&self) {
        if self.held.replace(false) {
            say("ready");
            // The end of the input, a byte and an error all mean: go on.
            let _ = std::io::stdin().read(&mut [0]);
        }
    }
}

/// An array of responses from `malloc`, since the module calls `free` on it and on each text.
fn allocate(answers: &[Answer]) -> Option<*mut Response> {
    // SAFETY: `calloc` accepts any two sizes; the result is checked below.
    let array = unsafe { libc::calloc(answers.len(), size_of::<Response>()) };
    let array = NonNull::new(array.cast::<Response>())?;
    for (index, answer) in answers.iter().enumerate() {
        let Answer::Reply(answer) = answer else {
            continue;
        };
        // SAFETY: the text ends in NUL.
        let text = unsafe { libc::strdup(answer.as_ptr()) };
        let response = Response { text, unused: 0 };
        // SAFETY: `index` is below the length that was allocated.
        let place = unsafe { array.add(index) };
        // SAFETY: `place` is within the array that was allocated, and nothing else points to it.
        unsafe { place.write(response) };
    }
    Some(array.as_ptr())
}
