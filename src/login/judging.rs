//! One prompt and its verdict.

use std::time::Duration;

use super::session::Session;
use super::{
    Accepted, Conversation, ConversationError, Denial, Enroller, Outcome, Proof, StateHealth, Tone, Typing,
    words,
};
use crate::otp::{Ending, Passcode};
use crate::verifier::{Judged, Typed, Verifier};

/// How long a refusal takes at least, longer than the flush of a disk: what it takes does not tell whether the user is
/// enrolled. It is waited for outside of any lock, and by the caller alone.
const TIME_OF_A_REFUSAL: Duration = Duration::from_millis(250);

impl<V: Verifier, C: Conversation, E: Enroller> Session<'_, V, C, E> {
    /// Asks for a code, or for a password and a code in one, and has it judged.
    pub(super) fn attempt(&mut self) -> Result<Result<Accepted, Denial>, Outcome> {
        let texts = &self.config.texts;
        let prompt = if self.config.forward_pass { &texts.prompt_for_both } else { &texts.prompt };
        // A password is never shown.
        let typing =
            if self.config.echo && !self.config.forward_pass { Typing::Shown } else { Typing::Hidden };
        let asked = self.conversation.ask(prompt, typing);
        let reply = asked.map_err(|ConversationError| Outcome::ConversationFailed)?;
        self.attempts = self.attempts.saturating_add(1);
        if !self.conversation.is_still_about(&self.request.user) {
            return Err(Outcome::OtherUser);
        }
        if self.config.forward_pass {
            return self.judge_line(&reply);
        }
        let Some(passcode) = Passcode::parse(&reply) else {
            return Ok(Err(Denial::Malformed));
        };
        if matches!(passcode, Passcode::Recovery(_)) {
            if self.recovery_code_tried {
                return Ok(Err(Denial::SecondRecoveryCode));
            }
            self.recovery_code_tried = true;
        }
        let previous = self.refused_code.take();
        self.judge(Typed { passcode, previous })
    }

    /// Judges what stands behind the password of a line; the password is for the next module, where that is
    /// wanted.
    pub(super) fn judge_line(&mut self, line: &[u8]) -> Result<Result<Accepted, Denial>, Outcome> {
        let Some(ending) = Ending::of(line) else {
            return Ok(Err(Denial::Malformed));
        };
        let verdict = self.judge(Typed { passcode: Passcode::Ending(ending.clone()), previous: None })?;
        if let (Ok(accepted), true) = (&verdict, self.config.forward_pass) {
            let password = match accepted.proof() {
                Proof::Code { digits, .. } => Ending::password_before_code(line, *digits),
                Proof::Recovery { .. } => ending.password_before_recovery_code(line),
                // No line is that.
                Proof::Remembered { .. } | Proof::Enrolled { .. } => return Err(Outcome::ConversationFailed),
            };
            self.conversation.forward(&password).map_err(|ConversationError| Outcome::ConversationFailed)?;
        }
        Ok(verdict)
    }

    fn judge(&mut self, typed: Typed) -> Result<Result<Accepted, Denial>, Outcome> {
        let earliest = self.request.world.moment().saturating_add(TIME_OF_A_REFUSAL);
        let judged = self.verifier.verify(&self.user, &typed, &self.origin);
        let Judged { verdict, health, clock_back, door } = judged.map_err(Outcome::Unavailable)?;
        if verdict.is_err() {
            self.request.world.wait_until(earliest);
        }
        self.door = Some(door);
        let may_help = matches!(verdict, Err(Denial::WrongCode | Denial::ClockWentBack));
        if let Passcode::Code(code) = typed.passcode
            && may_help
        {
            self.refused_code = Some(code);
        }
        self.clock_back = self.clock_back.max(clock_back);
        // The first word is the gravest: what it says is mended by the time of the next.
        if self.health == StateHealth::Whole {
            self.health = health;
        }
        if let Ok(accepted) = &verdict {
            self.tell_of_recovery(accepted.proof());
        }
        Ok(verdict.map_err(|denial| match denial {
            Denial::NotEnrolled if !self.user.is_known() => Denial::UnknownUser,
            other => other,
        }))
    }

    fn tell_of_recovery(&mut self, proof: &Proof) {
        let Proof::Recovery { left, brought_back } = proof else { return };
        self.conversation.tell(Tone::Good, &words::for_recovery(*left, &self.config.texts));
        if *brought_back {
            self.conversation.tell(Tone::Good, &self.config.texts.brought_back);
        }
    }
}
