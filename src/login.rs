//! One login: who is asked, how often, and what comes of it.
//!
//! Pure over two traits: a [`Conversation`] with the person and a [`Verifier`] who judges. No lock is
//! held while a person types, and nothing grants but an [`Accepted`] or a proven public key.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use crate::config::{ArgumentError, Config, FirstFactor, Unenrolled};
pub use crate::credential::SourceName;
pub use crate::credential::StateHealth;
use crate::otp::{Code, Passcode};
use crate::policy::recovery::FEW_CODES;
pub use crate::policy::{Accepted, Denial, Facts, Proof};
use crate::policy::{Origin, place_of, source_of};
use crate::user::{BadName, User};
pub use crate::verifier::Door;
use crate::verifier::{Enrolment, Judged, Typed, Verifier, VerifierError};

/// The PAM service of the command itself, which this module never guards.
pub const OWN_SERVICE: &str = "countersign";

/// What a person at the other end can be asked and told.
pub trait Conversation {
    /// Asks for one line without echo. The bytes are whatever was typed.
    fn ask(&mut self, prompt: &str) -> Result<Zeroizing<Vec<u8>>, ConversationError>;

    /// Tells something that needs no answer. That it could not be told changes nothing.
    fn tell(&mut self, tone: Tone, text: &str);

    /// Notes a refusal after which the person may try again. The last one is what `login` returns.
    fn note(&mut self, report: Report);

    /// Whether the transaction is still about this user: programs may change PAM_USER while they
    /// prompt.
    fn is_still_about(&mut self, user: &User) -> bool;
}

/// Whether something told is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It is.
    Good,
    /// It is not.
    Bad,
}

/// The person could not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversationError;

/// One call of the module.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who wants in.
    pub user: User,
    /// From where.
    pub facts: Facts,
}

/// What comes of one call of the module.
#[derive(Debug)]
pub enum Outcome {
    /// A code or recovery code was proven and spent, or a login is remembered.
    Accepted(Accepted),
    /// `first_factor=publickey`, and sshd has seen a key proven.
    FirstFactorProven,
    /// `first_factor=publickey`, and sshd has not seen a key proven.
    FirstFactorMissing,
    /// Not enrolled, and the configuration lets such users through.
    NotEnrolledAllowed,
    /// Not let in; the reason is the last attempt's.
    Denied(Denial),
    /// PAM_USER became another account during a prompt.
    OtherUser,
    /// The person could not be asked.
    ConversationFailed,
    /// No verdict could be had.
    Unavailable(VerifierError),
    /// The stack calls the module where it must not stand.
    OwnService,
    /// The module's arguments are wrong.
    BadArguments(ArgumentError),
    /// What PAM says is the user's name cannot be one.
    BadName(BadName),
    /// The name service failed.
    AccountsUnreadable(std::io::Error),
}

/// An outcome with what else the log tells.
#[derive(Debug)]
pub struct Report {
    /// What came of it.
    pub outcome: Outcome,
    /// How many prompts were answered.
    pub attempts: u8,
    /// In what shape the state was found.
    pub health: StateHealth,
    /// By how many seconds the clock was behind the last write of the state.
    pub clock_back: u64,
    /// Where the attempt came from, as far as that could be said.
    pub source: Option<SourceName>,
    /// Where the last verdict was made, if there was one, and for which real uid.
    pub judged: Option<(Door, u32)>,
}

impl Report {
    /// The report of a call that ended before anybody was asked.
    pub fn early(outcome: Outcome) -> Self {
        Self { outcome, attempts: 0, health: StateHealth::Whole, clock_back: 0, source: None, judged: None }
    }
}

/// Runs one call of the module to its outcome.
pub fn login(
    request: &Request,
    config: &Config,
    verifier: &impl Verifier,
    conversation: &mut impl Conversation,
) -> Report {
    let mut session = Session {
        request,
        config,
        verifier,
        conversation,
        origin: origin_of(request, config),
        attempts: 0,
        health: StateHealth::Whole,
        clock_back: 0,
        door: None,
        recovery_code_tried: false,
        refused_code: None,
    };
    let outcome = session.run().unwrap_or_else(|outcome| outcome);
    session.report(outcome)
}

/// What one call carries from prompt to prompt.
struct Session<'a, V, C> {
    request: &'a Request,
    config: &'a Config,
    verifier: &'a V,
    conversation: &'a mut C,
    origin: Origin,
    attempts: u8,
    health: StateHealth,
    clock_back: u64,
    door: Option<Door>,
    recovery_code_tried: bool,
    /// The code that was typed last, if more can come of it together with the next passcode.
    refused_code: Option<Code>,
}

impl<V: Verifier, C: Conversation> Session<'_, V, C> {
    /// `Err` ends the call early; both sides are outcomes.
    fn run(&mut self) -> Result<Outcome, Outcome> {
        if self.request.facts.service == OWN_SERVICE {
            return Err(Outcome::OwnService);
        }
        match self.config.first_factor {
            FirstFactor::PublicKey => Ok(first_factor(self.request)),
            FirstFactor::Elsewhere => self.second_factor(),
        }
    }

    fn report(&self, outcome: Outcome) -> Report {
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
        let enrolment = self.verifier.enrolment(&self.request.user).map_err(Outcome::Unavailable)?;
        let lenient = self.config.unenrolled == Unenrolled::Allow && self.request.user.is_known();
        if lenient && enrolment == Enrolment::NotEnrolled {
            return Ok(Outcome::NotEnrolledAllowed);
        }
        if let Some(accepted) = self.recall()? {
            return Ok(Outcome::Accepted(accepted));
        }
        loop {
            let denial = match self.attempt()? {
                Ok(accepted) => return Ok(Outcome::Accepted(accepted)),
                Err(denial) => denial,
            };
            self.conversation.tell(Tone::Bad, &words_for(denial));
            let in_vain = matches!(denial, Denial::BackedOff { .. } | Denial::Capped);
            if in_vain || self.attempts >= self.config.attempts {
                return Ok(Outcome::Denied(denial));
            }
            let report = self.report(Outcome::Denied(denial));
            self.conversation.note(report);
        }
    }

    /// Lets in who is remembered, without a prompt.
    fn recall(&mut self) -> Result<Option<Accepted>, Outcome> {
        let (Some(seconds), Some(_)) = (self.config.remember, self.origin.place) else { return Ok(None) };
        let recalled = self.verifier.recall(&self.request.user, &self.origin, seconds);
        let Some(judged) = recalled.map_err(Outcome::Unavailable)? else { return Ok(None) };
        (self.door, self.health) = (Some(judged.door), judged.health);
        Ok(judged.verdict.ok())
    }

    /// One prompt and its verdict.
    fn attempt(&mut self) -> Result<Result<Accepted, Denial>, Outcome> {
        let asked = self.conversation.ask(&self.config.prompt);
        let reply = asked.map_err(|ConversationError| Outcome::ConversationFailed)?;
        self.attempts = self.attempts.saturating_add(1);
        if !self.conversation.is_still_about(&self.request.user) {
            return Err(Outcome::OtherUser);
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
        self.judge(passcode)
    }

    fn judge(&mut self, passcode: Passcode) -> Result<Result<Accepted, Denial>, Outcome> {
        let typed = Typed { passcode, previous: self.refused_code.take() };
        let judged = self.verifier.verify(&self.request.user, &typed, &self.origin);
        let Judged { verdict, health, clock_back, door } = judged.map_err(Outcome::Unavailable)?;
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
        if let Ok(accepted) = &verdict
            && let Proof::Recovery { left, brought_back } = accepted.proof()
        {
            self.conversation.tell(Tone::Good, &words_for_recovery(*left));
            if *brought_back {
                self.conversation.tell(Tone::Good, "Codes of the app are taken again in a few minutes.");
            }
        }
        Ok(verdict.map_err(|denial| match denial {
            Denial::NotEnrolled if !self.request.user.is_known() => Denial::UnknownUser,
            other => other,
        }))
    }
}

/// Where the attempt comes from; it has a place only where logins are remembered.
fn origin_of(request: &Request, config: &Config) -> Origin {
    let place = config.remember.and_then(|_| place_of(&request.facts));
    Origin { source: source_of(&request.facts), place }
}

/// Grants only where sshd itself says that a key was proven in this connection.
fn first_factor(request: &Request) -> Outcome {
    let methods = request.facts.ssh_auth_info.as_deref().unwrap_or_default();
    let proven =
        request.facts.service == "sshd" && methods.lines().any(|line| line.starts_with("publickey "));
    if proven { Outcome::FirstFactorProven } else { Outcome::FirstFactorMissing }
}

/// What a person is told about a refusal. Whoever is not who he says learns nothing from it: the
/// words are the same for a wrong code, a wrong shape, a disabled, unknown or unenrolled user.
fn words_for(denial: Denial) -> String {
    match denial {
        Denial::SpentCode => "This code was already used; wait for the next one.".to_owned(),
        Denial::ClockWentBack => {
            "The clock of this machine went back; use a recovery code now, or ask your administrator."
                .to_owned()
        }
        Denial::BackedOff { seconds } => {
            format!("Too many wrong codes; try again in {seconds} s, or use a recovery code.")
        }
        Denial::Capped => "Too many wrong codes; use a recovery code, or ask your administrator.".to_owned(),
        Denial::SpentRecoveryCode => "This recovery code was already used.".to_owned(),
        Denial::UnknownUser
        | Denial::NotEnrolled
        | Denial::Disabled
        | Denial::Malformed
        | Denial::WrongCode
        | Denial::WrongRecoveryCode
        | Denial::SecondRecoveryCode
        | Denial::UnvouchedRecoveryCodes
        | Denial::NoUsableAuthenticator => "Wrong code.".to_owned(),
    }
}

fn words_for_recovery(left: usize) -> String {
    match left {
        0 => "That was your last recovery code; get new ones now.".to_owned(),
        1 => "Recovery code accepted; 1 is left: get new ones soon.".to_owned(),
        left if left < FEW_CODES => {
            format!("Recovery code accepted; {left} are left: get new ones soon.")
        }
        left => format!("Recovery code accepted; {left} are left."),
    }
}

#[cfg(test)]
#[path = "login_tests.rs"]
mod tests;
