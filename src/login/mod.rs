//! One login: who is asked, how often, and what comes of it.
//!
//! Pure over two traits: a [`Conversation`] with the person and a [`Verifier`] who judges. No lock is
//! held while a person types, and nothing grants but an [`Accepted`] or a proven public key.
#![forbid(unsafe_code)]

mod enrolling;
mod judging;
mod session;
mod words;

use std::io;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::config::{ArgumentError, Config};
pub use crate::credential::SourceName;
pub use crate::credential::StateHealth;
use crate::policy::rules::Surroundings;
pub use crate::policy::{Accepted, Denial, Facts, Proof};
use crate::user::{BadName, User};
pub use crate::verifier::Door;
use crate::verifier::{Verifier, VerifierError};
pub use enrolling::{Enrolled, Enroller, NewDevice};
pub use session::OWN_SERVICE;
use session::Session;

/// What a person at the other end can be asked and told.
pub trait Conversation {
    /// Asks for one line. The bytes are whatever was typed.
    fn ask(&mut self, prompt: &str, typing: Typing) -> Result<Zeroizing<Vec<u8>>, ConversationError>;

    /// What was typed for a module before this one (PAM_AUTHTOK).
    fn first_pass(&mut self) -> Option<Zeroizing<Vec<u8>>>;

    /// Whether texts are shown to anybody (not under PAM_SILENT).
    fn can_tell(&self) -> bool;

    /// Leaves a password for the modules behind this one (PAM_AUTHTOK).
    fn forward(&mut self, password: &[u8]) -> Result<(), ConversationError>;

    /// Tells something that needs no answer. That it could not be told changes nothing.
    fn tell(&mut self, tone: Tone, text: &str);

    /// Notes a refusal after which the person may try again. The last one is what `login` returns.
    fn note(&mut self, report: Report);

    /// Whether the transaction is still about this user: programs may change PAM_USER while they
    /// prompt.
    fn is_still_about(&mut self, user: &User) -> bool;
}

/// Whether what is typed can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// It cannot.
    Hidden,
    /// It can.
    Shown,
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

/// Who can tell what a login may have to know besides.
pub trait World: Surroundings {
    /// Seconds since 1970; `None` while the clock is not set.
    fn now(&self) -> Option<u64>;

    /// A moment on a clock that is never set.
    fn moment(&self) -> Duration;

    /// Returns at that moment, or at once where it has passed.
    fn wait_until(&self, moment: Duration);

    /// The account of a uid.
    fn account(&self, uid: u32) -> io::Result<Option<User>>;
}

/// One call of the module.
#[derive(Clone)]
pub struct Request<'a> {
    /// Who wants in.
    pub user: User,
    /// From where.
    pub facts: Facts,
    /// Whom to ask for what else must be known.
    pub world: &'a dyn World,
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
    /// A rule of the policy says that no code is asked for.
    Exempt {
        /// Its name, or its number from 1.
        rule: String,
    },
    /// Not let in; the reason is the last attempt's.
    Denied(Denial),
    /// PAM_USER became another account during a prompt.
    OtherUser,
    /// The person could not be asked.
    ConversationFailed,
    /// `use_first_pass`, and nothing was typed for a module before this one.
    FirstPassMissing,
    /// The account whose code the policy asks for cannot be told.
    CallerUnknown,
    /// The user must enrol, and cannot do it in this login.
    EnrolmentImpossible,
    /// The user has enrolled, and is shown his recovery codes: noted in case he hangs up there.
    EnrolmentKept,
    /// The user was to enrol, and no code proved the device.
    NeverConfirmed,
    /// No verdict could be had.
    Unavailable(VerifierError),
    /// The stack calls the module where it must not stand.
    OwnService,
    /// The module's arguments are wrong.
    BadArguments(ArgumentError),
    /// The policy file cannot be used; why not.
    BadPolicy(String),
    /// What PAM says is the user's name cannot be one.
    BadName(BadName),
    /// The name service failed.
    AccountsUnreadable(io::Error),
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
    request: &Request<'_>,
    config: &Config,
    verifier: &impl Verifier,
    enroller: &mut impl Enroller,
    conversation: &mut impl Conversation,
) -> Report {
    let mut session = Session::new(request, config, verifier, enroller, conversation);
    let outcome = session.run().unwrap_or_else(|outcome| outcome);
    session.report(outcome)
}

#[cfg(test)]
#[path = "login_tests.rs"]
mod tests;
