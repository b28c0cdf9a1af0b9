//! The flow of one call: what the rules say, whether anybody is asked, and how often.

use super::{
    Accepted, Conversation, ConversationError, Denial, Door, Enroller, Outcome, Report, Request, StateHealth,
    Tone, Typing, words,
};
use crate::config::{Config, FirstFactor, FirstPass, Tell, Unenrolled};
use crate::otp::Code;
use crate::policy::rules::{Circumstances, Ruling, Then, Whose, rule_on};
use crate::policy::{Origin, has_publickey, place_of, source_of};
use crate::user::User;
use crate::verifier::{Enrolment, Verifier};

/// The PAM service of the command itself, which this module never guards.
pub const OWN_SERVICE: &str = "countersign";

/// What one call carries from prompt to prompt.
pub(super) struct Session<'a, V, C, E> {
    pub(super) request: &'a Request<'a>,
    pub(super) config: &'a Config,
    pub(super) verifier: &'a V,
    pub(super) enroller: &'a mut E,
    pub(super) conversation: &'a mut C,
    /// Whose code is asked for: who wants in, or who calls.
    pub(super) user: User,
    pub(super) origin: Origin,
    pub(super) attempts: u8,
    pub(super) health: StateHealth,
    pub(super) clock_back: u64,
    pub(super) door: Option<Door>,
    pub(super) recovery_code_tried: bool,
    /// The code that was typed last, if more can come of it together with the next passcode.
    pub(super) refused_code: Option<Code>,
}

impl<'a, V: Verifier, C: Conversation, E: Enroller> Session<'a, V, C, E> {
    pub(super) fn new(
        request: &'a Request<'a>,
        config: &'a Config,
        verifier: &'a V,
        enroller: &'a mut E,
        conversation: &'a mut C,
    ) -> Self {
        Self {
            request,
            config,
            verifier,
            enroller,
            conversation,
            user: request.user.clone(),
            origin: Origin::not_remembered(source_of(&request.facts)),
            attempts: 0,
            health: StateHealth::Whole,
            clock_back: 0,
            door: None,
            recovery_code_tried: false,
            refused_code: None,
        }
    }

    /// `Err` ends the call early; both sides are outcomes.
    pub(super) fn run(&mut self) -> Result<Outcome, Outcome> {
        if self.request.facts.service == OWN_SERVICE {
            return Err(Outcome::OwnService);
        }
        match self.config.first_factor {
            FirstFactor::PublicKey => Ok(first_factor(self.request)),
            FirstFactor::Elsewhere => self.second_factor(),
        }
    }

    pub(super) fn report(&self, outcome: Outcome) -> Report {
        Report {
            outcome,
            attempts: self.attempts,
            health: self.health,
            clock_back: self.clock_back,
            source: Some(self.origin.source.clone()),
            judged: self.door.map(|door| (door, self.request.facts.real_uid)),
        }
    }

    fn second_factor(&mut self) -> Result<Outcome, Outcome> {
        let Request { user, facts, world } = self.request;
        let ruling = rule_on(&self.config.rules, &Circumstances { user, facts, surroundings: *world });
        if ruling.then == Then::Exempt {
            self.forward_all()?;
            return Ok(Outcome::Exempt { rule: self.name_of(ruling) });
        }
        if ruling.whose == Whose::Caller {
            self.user = self.caller()?;
        }
        let enrolment = self.verifier.enrolment(&self.user).map_err(Outcome::Unavailable)?;
        // An account that this machine does not know gets the strict rule.
        if enrolment == Enrolment::NotEnrolled && self.user.is_known() {
            match self.unenrolled(ruling) {
                Unenrolled::Deny => {}
                Unenrolled::Allow => {
                    self.forward_all()?;
                    return Ok(Outcome::NotEnrolledAllowed);
                }
                Unenrolled::Enroll => {
                    if let Some(outcome) = self.enrol()? {
                        return Ok(outcome);
                    }
                }
            }
        }
        if let Some(accepted) = self.recall(ruling)? {
            self.forward_all()?;
            return Ok(Outcome::Accepted(accepted));
        }
        self.ask()
    }

    /// What becomes of a user who is not enrolled. Where the clock is not set, the day from which he is denied
    /// has come.
    fn unenrolled(&self, ruling: Ruling) -> Unenrolled {
        if ruling.whose == Whose::Caller {
            // Else whoever wants in could choose from which account he calls.
            return Unenrolled::Deny;
        }
        match (ruling.then, self.config.unenrolled, self.config.required_from) {
            (Then::Enroll, ..) => Unenrolled::Enroll,
            (Then::Require, ..) => Unenrolled::Deny,
            (_, Unenrolled::Allow, Some(day)) if self.request.world.now().is_none_or(|now| now >= day) => {
                Unenrolled::Deny
            }
            (_, unenrolled, _) => unenrolled,
        }
    }

    /// The account of who calls su or sudo: the real uid of the process, or where that is root's the user that
    /// the application names. Nobody calls from afar, and nobody named is not root.
    fn caller(&self) -> Result<User, Outcome> {
        let facts = &self.request.facts;
        // An application may set PAM_RHOST to nothing where there is no remote host.
        let has_remote_host = facts.rhost.as_ref().is_some_and(|host| !host.is_empty());
        let is_remote = has_remote_host || facts.ssh_connection.is_some();
        let uid = if facts.real_uid == 0 { facts.ruser_uid } else { Some(facts.real_uid) };
        let uid = uid.filter(|_| !is_remote).ok_or(Outcome::CallerUnknown)?;
        let account = self.request.world.account(uid).map_err(Outcome::AccountsUnreadable)?;
        account.ok_or(Outcome::CallerUnknown)
    }

    fn name_of(&self, ruling: Ruling) -> String {
        let number = ruling.rule.unwrap_or(0);
        let rule = self.config.rules.get(number);
        rule.and_then(|rule| rule.name.clone()).unwrap_or_else(|| number.saturating_add(1).to_string())
    }

    /// Lets in who is remembered, without a prompt.
    fn recall(&mut self, ruling: Ruling) -> Result<Option<Accepted>, Outcome> {
        let memory = ruling.remember.unwrap_or(self.config.remember);
        let Some(seconds) = memory.seconds() else { return Ok(None) };
        self.origin.place = place_of(&self.request.facts, &self.request.user.name);
        if self.origin.place.is_none() {
            return Ok(None);
        }
        let recalled = self.verifier.recall(&self.user, &self.origin, seconds);
        let Some(judged) = recalled.map_err(Outcome::Unavailable)? else { return Ok(None) };
        (self.door, self.health) = (Some(judged.door), judged.health);
        Ok(judged.verdict.ok())
    }

    /// Where nobody is asked for a code, the next modules have their password all the same.
    fn forward_all(&mut self) -> Result<(), Outcome> {
        let has_password = match self.config.first_pass {
            Some(FirstPass::Use) => true,
            Some(FirstPass::Try) => self.conversation.first_pass().is_some(),
            None => false,
        };
        if !self.config.forward_pass || has_password {
            return Ok(());
        }
        let password = self.conversation.ask(&self.config.texts.prompt_for_password, Typing::Hidden);
        let password = password.map_err(|ConversationError| Outcome::ConversationFailed)?;
        if !self.conversation.is_still_about(&self.request.user) {
            return Err(Outcome::OtherUser);
        }
        self.conversation.forward(&password).map_err(|ConversationError| Outcome::ConversationFailed)
    }

    /// Asks until a code is right or there are no more attempts.
    fn ask(&mut self) -> Result<Outcome, Outcome> {
        let first_pass = self.config.first_pass.map(|use_it| (use_it, self.conversation.first_pass()));
        match first_pass {
            Some((FirstPass::Use, None)) => return Err(Outcome::FirstPassMissing),
            Some((FirstPass::Use, Some(typed))) => {
                return Ok(match self.judge_line(&typed)? {
                    Ok(accepted) => Outcome::Accepted(accepted),
                    Err(denial) => Outcome::Denied(denial),
                });
            }
            Some((FirstPass::Try, Some(typed))) => match self.judge_line(&typed)? {
                Ok(accepted) => return Ok(Outcome::Accepted(accepted)),
                // Most passwords are no more than that.
                Err(Denial::Malformed) => {}
                Err(denial) => {
                    let report = self.report(Outcome::Denied(denial));
                    self.conversation.note(report);
                }
            },
            Some((FirstPass::Try, None)) | None => {}
        }
        loop {
            let denial = match self.attempt()? {
                Ok(accepted) => return Ok(Outcome::Accepted(accepted)),
                Err(denial) => denial,
            };
            self.conversation.tell(Tone::Bad, &words::for_denial(denial, self.config));
            // Where refusals are not told apart, the number of prompts tells nothing either.
            let in_vain = self.config.tell != Tell::Never
                && matches!(denial, Denial::BackedOff { .. } | Denial::Capped);
            if in_vain || self.attempts >= self.config.attempts {
                return Ok(Outcome::Denied(denial));
            }
            let report = self.report(Outcome::Denied(denial));
            self.conversation.note(report);
        }
    }
}

/// Grants only where sshd itself says that a key was proven in this connection.
fn first_factor(request: &Request<'_>) -> Outcome {
    if has_publickey(&request.facts) { Outcome::FirstFactorProven } else { Outcome::FirstFactorMissing }
}
