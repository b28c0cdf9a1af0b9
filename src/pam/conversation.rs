//! The conversation of a login, over the application's conversation function.

use zeroize::Zeroizing;

use super::handle::{Handle, Style};
use crate::log::line;
use crate::login::{Conversation, ConversationError, Report, Tone, Typing};
use crate::sys;
use crate::user::{User, UserName};

/// The person at the other end of a PAM transaction.
pub(super) struct PamConversation<'a, 'b> {
    handle: &'a mut Handle<'b>,
    service: &'a str,
    typed_name: &'a [u8],
    silent: bool,
}

impl<'a, 'b> PamConversation<'a, 'b> {
    /// `silent` is PAM_SILENT: nothing is told, but what must be asked is asked.
    pub(super) fn new(
        handle: &'a mut Handle<'b>,
        service: &'a str,
        typed_name: &'a [u8],
        silent: bool,
    ) -> Self {
        Self { handle, service, typed_name, silent }
    }
}

impl Conversation for PamConversation<'_, '_> {
    fn ask(&mut self, prompt: &str, typing: Typing) -> Result<Zeroizing<Vec<u8>>, ConversationError> {
        self.handle.ask(prompt, typing)
    }

    fn can_tell(&self) -> bool {
        !self.silent
    }

    fn first_pass(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        self.handle.password()
    }

    fn forward(&mut self, password: &[u8]) -> Result<(), ConversationError> {
        self.handle.set_password(password)
    }

    fn tell(&mut self, tone: Tone, text: &str) {
        if !self.silent {
            let style = match tone {
                Tone::Good => Style::Info,
                Tone::Bad => Style::Error,
            };
            self.handle.show(style, text);
        }
    }

    fn note(&mut self, report: Report) {
        self.handle.write(&line(&report, self.service, self.typed_name));
    }

    fn is_still_about(&mut self, user: &User) -> bool {
        let Some(name) = self.handle.user_item() else { return false };
        if name == self.typed_name || name == user.name.as_str().as_bytes() {
            return true;
        }
        UserName::new(&name)
            .is_ok_and(|name| sys::user::by_name(&name).is_ok_and(|now| now.as_ref() == Some(user)))
    }
}
