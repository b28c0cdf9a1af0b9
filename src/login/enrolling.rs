//! Enrolling inside of a login: who must have a device and has none gets one now, if he has proven who he is.
//!
//! Never merely because the module was reached: under `required` it is, whatever the password was. A key counts that
//! sshd has seen proven, and a password that is right when it is tried again.

use zeroize::Zeroizing;

use super::session::Session;
use super::{Accepted, Conversation, ConversationError, Outcome, Tone, Typing};
use crate::config::texts::filled;
use crate::enrol::MOST_FIRST_CODES;
use crate::otp::{Code, Passcode};
use crate::policy::has_publickey;
use crate::user::User;
use crate::verifier::{Verifier, VerifierError};

/// Who can enrol somebody inside of a login.
pub trait Enroller {
    /// Whether this is the user's password, by the PAM service of our own.
    fn prove_password(&mut self, user: &User, password: &[u8]) -> Result<bool, VerifierError>;

    /// Makes a device. `Ok(None)` where nobody can be enrolled from here, as by a caller that is not root.
    fn begin(&mut self, user: &User) -> Result<Option<NewDevice>, VerifierError>;

    /// Proves the device by its first code, and keeps it. `Ok(None)` where the code is wrong.
    fn confirm(&mut self, code: &Code) -> Result<Option<Enrolled>, VerifierError>;
}

/// A device that somebody is about to have.
pub struct NewDevice {
    /// As a QR code of text, where it fits into 80 columns.
    pub qr: Option<Zeroizing<String>>,
    /// As base32 in groups, for typing.
    pub key: Zeroizing<String>,
}

/// What is true once it is kept.
pub struct Enrolled {
    /// Its first code is spent.
    pub accepted: Accepted,
    /// To be shown once.
    pub recovery_codes: Vec<Zeroizing<String>>,
}

impl<V: Verifier, C: Conversation, E: Enroller> Session<'_, V, C, E> {
    /// Enrols the user, or says why not. `Ok(None)` where he has not proven who he is: then he is asked like
    /// anybody, and let in like nobody.
    pub(super) fn enrol(&mut self) -> Result<Option<Outcome>, Outcome> {
        if !self.has_proven_himself()? {
            return Ok(None);
        }
        if !self.conversation.can_tell() {
            return self.refer_elsewhere().map(Some);
        }
        let begun = self.enroller.begin(&self.user).map_err(Outcome::Unavailable)?;
        let Some(device) = begun else { return self.refer_elsewhere().map(Some) };
        self.show(&device);
        for attempt in 1..=MOST_FIRST_CODES {
            let typed = self.ask_in_enrolment(&self.config.texts.enroll_prompt)?;
            let enrolled = match Passcode::parse(&typed) {
                Some(Passcode::Code(code)) => self.enroller.confirm(&code).map_err(Outcome::Unavailable)?,
                _ => None,
            };
            if let Some(enrolled) = enrolled {
                let report = self.report(Outcome::EnrolmentKept);
                self.conversation.note(report);
                self.hand_over(&enrolled.recovery_codes)?;
                return Ok(Some(Outcome::Accepted(enrolled.accepted)));
            }
            if attempt < MOST_FIRST_CODES {
                self.conversation.tell(Tone::Bad, &self.config.texts.enroll_wrong);
            }
        }
        Ok(Some(Outcome::NeverConfirmed))
    }

    /// A password that was typed must be right, whatever else was proven; without one, sshd must have seen a key.
    fn has_proven_himself(&mut self) -> Result<bool, Outcome> {
        // What was typed before is about whoever is logged into, and not about who calls su.
        if self.user != self.request.user {
            return Ok(false);
        }
        if let Some(password) = self.conversation.first_pass() {
            return self.enroller.prove_password(&self.user, &password).map_err(Outcome::Unavailable);
        }
        Ok(has_publickey(&self.request.facts))
    }

    /// One message, for sshd ends a login that has too many of them before a prompt.
    fn show(&mut self, device: &NewDevice) {
        let texts = &self.config.texts;
        let qr = device.qr.as_deref().map(String::as_str).unwrap_or_default();
        let key = Zeroizing::new(filled(&texts.enroll_key, &[("key", &device.key)]));
        let length = texts.enroll.len() + qr.len() + key.len() + 3;
        let mut message = Zeroizing::new(String::with_capacity(length));
        for part in [texts.enroll.as_str(), "\n", qr, &key] {
            message.push_str(part);
        }
        self.conversation.tell(Tone::Good, &message);
    }

    /// The recovery codes stand before one more prompt: sshd shows what is told only then, and a login that is over
    /// clears the screen.
    fn hand_over(&mut self, codes: &[Zeroizing<String>]) -> Result<(), Outcome> {
        let texts = &self.config.texts;
        let length = codes.iter().map(|code| code.len() + 1).sum::<usize>() + texts.enroll_done.len() + 1;
        let mut message = Zeroizing::new(String::with_capacity(length));
        message.push_str(&texts.enroll_done);
        for code in codes {
            message.push('\n');
            message.push_str(code);
        }
        self.conversation.tell(Tone::Good, &message);
        // Whoever hangs up here is enrolled and not let in: he logs in anew.
        self.ask_in_enrolment(&texts.enroll_go_on_prompt).map(drop)
    }

    /// Somebody who must enrol and cannot do it here is told by a prompt: under PAM_SILENT nothing else is shown.
    fn refer_elsewhere(&mut self) -> Result<Outcome, Outcome> {
        self.ask_in_enrolment(&self.config.texts.enroll_elsewhere_prompt)?;
        Ok(Outcome::EnrolmentImpossible)
    }

    fn ask_in_enrolment(&mut self, prompt: &str) -> Result<Zeroizing<Vec<u8>>, Outcome> {
        let asked = self.conversation.ask(prompt, Typing::Shown);
        let reply = asked.map_err(|ConversationError| Outcome::ConversationFailed)?;
        self.attempts = self.attempts.saturating_add(1);
        if self.conversation.is_still_about(&self.request.user) { Ok(reply) } else { Err(Outcome::OtherUser) }
    }
}
