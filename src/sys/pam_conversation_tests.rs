use super::*;

/// Answers prompts from a list and notes all it hears.
#[derive(Default)]
struct Script {
    answers: Vec<Option<&'static [u8]>>,
    heard: Vec<String>,
}

impl Conversation for Script {
    fn ask(&mut self, prompt: &str, echo: bool) -> Option<Zeroizing<Vec<u8>>> {
        self.heard.push(format!("ask {echo} {prompt}"));
        assert_ne!(prompt, "panic", "asked for");
        if self.answers.is_empty() {
            None
        } else {
            self.answers.remove(0).map(|all| Zeroizing::new(all.to_vec()))
        }
    }

    fn tell(&mut self, text: &str, is_error: bool) {
        self.heard.push(format!("tell {is_error} {text}"));
    }
}

const OFF: c_int = pam::constants::PAM_PROMPT_ECHO_OFF;
const ON: c_int = pam::constants::PAM_PROMPT_ECHO_ON;
const ERROR: c_int = pam::constants::PAM_ERROR_MSG;
const INFO: c_int = pam::constants::PAM_TEXT_INFO;

/// Calls the function as libpam does: its status, and the replies, freed as a module frees them.
fn call(script: &mut Script, messages: &[(c_int, &CStr)]) -> (c_int, Vec<Option<Vec<u8>>>) {
    let texts: Vec<Message> =
        messages.iter().map(|(style, text)| Message { style: *style, text: text.as_ptr() }).collect();
    let pointers: Vec<*const Message> = texts.iter().map(ptr::from_ref).collect();
    let mut array = ptr::null_mut();
    let count = c_int::try_from(pointers.len()).unwrap();
    let status = call_with(script, count, pointers.as_ptr(), &raw mut array);
    assert_eq!(array.is_null(), status != 0);
    let replies = if array.is_null() { Vec::new() } else { taken(array, messages.len()) };
    (status, replies)
}

fn call_with(
    script: &mut Script,
    count: c_int,
    messages: *const *const Message,
    responses: *mut *mut Response,
) -> c_int {
    let mut person = Person::new(script);
    let functions = Functions::of(&mut person);
    // SAFETY: what libpam promises: messages that live on, and the pointer that belongs to the function.
    unsafe { functions.converse.unwrap()(count, messages, responses, functions.data) }
}

fn taken(array: *mut Response, count: usize) -> Vec<Option<Vec<u8>>> {
    let mut replies = Vec::new();
    for number in 0..count {
        // SAFETY: a successful call leaves an array of `count` responses.
        let place = unsafe { array.add(number) };
        // SAFETY: each of them is valid.
        let text = unsafe { place.read() }.text;
        // SAFETY: each text is null or ends with a NUL.
        replies.push((!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()));
        // SAFETY: it is null or from malloc.
        unsafe { libc::free(text.cast()) };
    }
    // SAFETY: it is from malloc.
    unsafe { libc::free(array.cast()) };
    replies
}

#[test]
fn prompts_are_answered_and_texts_are_told_in_turn() {
    let mut script = Script { answers: vec![Some(b"one"), Some(b"")], heard: Vec::new() };
    let messages = [(INFO, c"hello"), (OFF, c"Password: "), (ERROR, c"caution"), (ON, c"Colour? ")];
    let (status, replies) = call(&mut script, &messages);
    assert_eq!(status, 0);
    assert_eq!(replies, [None, Some(b"one".to_vec()), None, Some(Vec::new())]);
    assert_eq!(
        script.heard,
        ["tell false hello", "ask false Password: ", "tell true caution", "ask true Colour? "]
    );
}

#[test]
fn a_binary_or_unknown_message_ends_it_before_anybody_is_asked() {
    for style in [0, 5, 6, 7, -1] {
        let mut script = Script { answers: vec![Some(b"one")], heard: Vec::new() };
        let (status, _) = call(&mut script, &[(OFF, c"Password: "), (style, c"?")]);
        assert_eq!(status, Code::PAM_CONV_ERR as c_int, "{style}");
        assert!(script.heard.is_empty(), "{style}: {:?}", script.heard);
    }
}

#[test]
fn an_answer_that_c_cannot_hold_ends_it() {
    let longest: &[u8] = &[b'x'; 511];
    let too_long: &[u8] = &[b'x'; 512];
    for (answer, is_taken) in [(longest, true), (too_long, false), (b"right\0wrong", false), (b"\0", false)] {
        let mut script = Script { answers: vec![Some(b"first"), Some(answer)], heard: Vec::new() };
        let (status, replies) = call(&mut script, &[(OFF, c"Password: "), (OFF, c"Again: ")]);
        assert_eq!(status == 0, is_taken, "{answer:?}");
        assert_eq!(replies.len(), if is_taken { 2 } else { 0 });
    }
}

#[test]
fn no_answer_ends_it() {
    let mut script = Script { answers: vec![Some(b"one"), None], heard: Vec::new() };
    let (status, _) = call(&mut script, &[(OFF, c"Password: "), (OFF, c"Again: ")]);
    assert_eq!(status, Code::PAM_CONV_ERR as c_int);
}

#[test]
fn a_panic_ends_it_and_goes_no_further() {
    let mut script = Script { answers: vec![Some(b"one")], heard: Vec::new() };
    let (status, _) = call(&mut script, &[(OFF, c"Password: "), (OFF, c"panic")]);
    assert_eq!(status, Code::PAM_CONV_ERR as c_int);
}

#[test]
fn as_many_messages_as_pam_allows_and_no_more() {
    for (count, is_taken) in [(1, true), (32, true), (33, false)] {
        let (status, _) = call(&mut Script::default(), &vec![(INFO, c"hello"); count]);
        assert_eq!(status == 0, is_taken, "{count}");
    }
}

#[test]
fn null_pointers_end_it() {
    let failed = Code::PAM_CONV_ERR as c_int;
    let mut script = Script::default();
    let mut array = ptr::null_mut();
    assert_eq!(call_with(&mut script, 1, ptr::null(), &raw mut array), failed);
    let null: *const Message = ptr::null();
    assert_eq!(call_with(&mut script, 1, &raw const null, &raw mut array), failed);
    let silent = Message { style: INFO, text: ptr::null() };
    let pointer = ptr::from_ref(&silent);
    assert_eq!(call_with(&mut script, 1, &raw const pointer, &raw mut array), failed);
    for count in [0, -1] {
        assert_eq!(call_with(&mut script, count, &raw const pointer, &raw mut array), failed);
    }
    let greeting = Message { style: INFO, text: c"hello".as_ptr() };
    let pointer = ptr::from_ref(&greeting);
    assert_eq!(call_with(&mut script, 1, &raw const pointer, ptr::null_mut()), failed);
}

#[test]
fn a_message_that_is_not_utf_8_is_shown_as_well_as_it_can_be() {
    let mut script = Script::default();
    assert_eq!(call(&mut script, &[(INFO, c"gr\xfc\xdfe")]).0, 0);
    assert_eq!(script.heard, ["tell false gr\u{fffd}\u{fffd}e"]);
}
