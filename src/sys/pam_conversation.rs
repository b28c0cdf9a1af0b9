//! The conversation function that an application hands to libpam (pam_conv(3)).
//!
//! Only texts go through it. What it relays it does not keep; replies are wiped here where they are not
//! handed over, and belong to libpam where they are.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};

use pam::constants::PamResultCode as Code;
use zeroize::Zeroizing;

/// The most messages that may come at once (PAM_MAX_NUM_MSG).
const MOST_MESSAGES: usize = 32;
/// The longest reply in bytes, its NUL counted (PAM_MAX_RESP_SIZE).
const LONGEST_REPLY: usize = 512;

/// The person at the other end.
pub trait Conversation {
    /// Asks for a line; `echo` says whether it may be seen while it is typed. `None` ends the attempt.
    fn ask(&mut self, prompt: &str, echo: bool) -> Option<Zeroizing<Vec<u8>>>;

    /// Shows a text.
    fn tell(&mut self, text: &str, is_error: bool);
}

/// `struct pam_message`
#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

/// `struct pam_response`
#[repr(C)]
struct Response {
    text: *mut c_char,
    unused: c_int,
}

type Converse = unsafe extern "C" fn(c_int, *const *const Message, *mut *mut Response, *mut c_void) -> c_int;

/// `struct pam_conv`
#[repr(C)]
pub(super) struct Functions {
    converse: Option<Converse>,
    data: *mut c_void,
}

impl Functions {
    /// The functions by which this person is asked, who must outlive the transaction.
    pub(super) fn of(person: &mut Person<'_>) -> Self {
        Self { converse: Some(converse), data: ptr::from_mut(person).cast() }
    }
}

/// What libpam carries a pointer to.
pub(super) struct Person<'a> {
    conversation: &'a mut dyn Conversation,
}

impl<'a> Person<'a> {
    pub(super) fn new(conversation: &'a mut dyn Conversation) -> Self {
        Self { conversation }
    }
}

/// The conversation function (pam_conv(3)).
unsafe extern "C" fn converse(
    count: c_int,
    messages: *const *const Message,
    responses: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    // A panic may not cross C.
    let answered = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: libpam passes on the pointer of `prove_by`, whose person outlives the transaction
        // and is used by nobody else meanwhile.
        let person = unsafe { data.cast::<Person<'_>>().as_mut() }?;
        // SAFETY: pam_conv(3) promises `count` messages that live as long as the call.
        let messages = unsafe { all(count, messages) }?;
        Replies::to(&messages, person.conversation)
    }));
    let Ok(Some(replies)) = answered else { return Code::PAM_CONV_ERR as c_int };
    if responses.is_null() {
        return Code::PAM_CONV_ERR as c_int;
    }
    // SAFETY: it is not null, and the caller of pam_conv(3) has a place for one pointer there.
    unsafe { responses.write(replies.give_away()) };
    Code::PAM_SUCCESS as c_int
}

/// The messages as Rust sees them; `None` when any is not a text, or there are too many.
///
/// # Safety
///
/// `messages` is null or points to `count` pointers, each null or to a message that outlives the call
/// and whose text is null or ends with a NUL.
unsafe fn all(count: c_int, messages: *const *const Message) -> Option<Vec<(Style, String)>> {
    let count = usize::try_from(count).ok().filter(|count| (1..=MOST_MESSAGES).contains(count))?;
    let messages = NonNull::new(messages.cast_mut())?;
    // SAFETY: there are `count` pointers, as the caller promises.
    let messages = unsafe { std::slice::from_raw_parts(messages.as_ptr(), count) };
    let read = |message: &*const Message| {
        // SAFETY: it is null or points to a message, as the caller promises.
        let message = unsafe { message.as_ref() }?;
        let style = Style::of(message.style)?;
        let text = NonNull::new(message.text.cast_mut())?;
        // SAFETY: the text ends with a NUL, as the caller promises for the styles of texts.
        let text = unsafe { CStr::from_ptr(text.as_ptr()) };
        Some((style, text.to_string_lossy().into_owned()))
    };
    messages.iter().map(read).collect()
}

/// The styles that are texts. Any other ends the conversation.
#[derive(Clone, Copy)]
enum Style {
    Ask { echo: bool },
    Tell { is_error: bool },
}

impl Style {
    fn of(number: c_int) -> Option<Self> {
        match number {
            pam::constants::PAM_PROMPT_ECHO_OFF => Some(Self::Ask { echo: false }),
            pam::constants::PAM_PROMPT_ECHO_ON => Some(Self::Ask { echo: true }),
            pam::constants::PAM_ERROR_MSG => Some(Self::Tell { is_error: true }),
            pam::constants::PAM_TEXT_INFO => Some(Self::Tell { is_error: false }),
            _ => None,
        }
    }
}

/// An array of responses from malloc(3), as libpam wants to free it. Until it is given away, it is
/// wiped and freed here.
struct Replies {
    array: NonNull<Response>,
    count: usize,
}

impl Replies {
    /// Asks and tells in turn. `None` when one question was not answered, or not by what C can hold.
    fn to(messages: &[(Style, String)], conversation: &mut dyn Conversation) -> Option<Self> {
        // SAFETY: calloc(3) takes any two sizes; what it returns is checked.
        let array = unsafe { libc::calloc(messages.len(), size_of::<Response>()) };
        let replies = Self { array: NonNull::new(array.cast())?, count: messages.len() };
        for (number, (style, text)) in messages.iter().enumerate() {
            match *style {
                Style::Tell { is_error } => conversation.tell(text, is_error),
                Style::Ask { echo } => replies.put(number, &conversation.ask(text, echo)?)?,
            }
        }
        Some(replies)
    }

    /// Copies one answer. A NUL in it would make libpam judge a part for the whole.
    fn put(&self, number: usize, answer: &[u8]) -> Option<()> {
        if answer.len() >= LONGEST_REPLY || answer.contains(&0) || number >= self.count {
            return None;
        }
        // SAFETY: calloc(3) takes any two sizes; what it returns is checked.
        let text = unsafe { libc::calloc(answer.len().checked_add(1)?, 1) };
        let text = NonNull::new(text.cast::<u8>())?;
        // SAFETY: the new memory holds the answer and a NUL, and overlaps nothing.
        unsafe { ptr::copy_nonoverlapping(answer.as_ptr(), text.as_ptr(), answer.len()) };
        // SAFETY: `number` is below the length of the array.
        let place = unsafe { self.array.add(number) };
        // SAFETY: `place` is in the array, to which nothing else points.
        unsafe { place.write(Response { text: text.as_ptr().cast(), unused: 0 }) };
        Some(())
    }

    /// Hands the array to libpam, which frees it.
    fn give_away(self) -> *mut Response {
        std::mem::ManuallyDrop::new(self).array.as_ptr()
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        for number in 0..self.count {
            // SAFETY: `number` is below the length of the array.
            let place = unsafe { self.array.add(number) };
            // SAFETY: calloc(3) and `put` have made every place a valid response.
            let text = unsafe { place.read() }.text;
            if !text.is_null() {
                // SAFETY: `put` ended the text with a NUL.
                let length = unsafe { libc::strlen(text) };
                // SAFETY: the memory is as long as the text, and is ours alone.
                unsafe { libc::explicit_bzero(text.cast(), length) };
            }
            // SAFETY: null, or from calloc(3) and freed once.
            unsafe { libc::free(text.cast()) };
        }
        // SAFETY: from calloc(3) and freed once.
        unsafe { libc::free(self.array.as_ptr().cast()) };
    }
}

#[cfg(test)]
#[path = "pam_conversation_tests.rs"]
mod tests;
