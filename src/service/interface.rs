//! The questions of `io.countersign`: what each is called, who may ask it, and who answers it.

use std::io::BufRead;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use varlink::{Call, CallTrait as _, Interface, Reply};

use super::enrolment::{self, Begun};
use super::office::Office;
use super::people::{about, account, verifiers};
use super::permission::{Caller, Verifiers, Who, may_ask};
use super::seats::Visit;
use super::{journal, password};
use crate::backend;
use crate::credential::{SourceName, StateHealth};
use crate::log::{Level, Line, bad_policy, line};
use crate::login::{Outcome, Report};
use crate::policy::{Denial, Origin};
use crate::user::User;
use crate::verifier::{Door, Judged, ServiceError, Typed, Verifier as _, VerifierError};
use crate::wire::enrolment::RefusedParameters;
use crate::wire::{
    AboutUser, EnrolmentReply, Failure, INTERFACE, RecallParameters, RecallReply, StatusReply,
    VerifyParameters, VerifyReply, error, origin_of,
};

/// What stands in the log where the name of a PAM service does.
const SERVICE: &str = "io.countersign";

/// A kind of question.
struct Method {
    name: &'static str,
    who: Who,
    answer: fn(&Desk, &User, Value) -> Result<Value, Refusal>,
}

/// Who may ask what, and who answers.
const METHODS: [Method; 11] = [
    Method { name: "GetEnrolment", who: Who::OwnerOrVerifier, answer: enrolled },
    Method { name: "GetStatus", who: Who::Owner, answer: status },
    Method { name: "Verify", who: Who::OwnerOrVerifier, answer: verify },
    Method { name: "Recall", who: Who::Root, answer: recall },
    Method { name: "ForgetLogins", who: Who::Owner, answer: enrolment::forget_logins },
    Method { name: "ProvePassword", who: Who::Owner, answer: password::prove },
    Method { name: "BeginDevice", who: Who::Owner, answer: enrolment::begin },
    Method { name: "ConfirmDevice", who: Who::Owner, answer: enrolment::confirm },
    Method { name: "CancelDevice", who: Who::Owner, answer: enrolment::cancel },
    Method { name: "RemoveDevice", who: Who::Owner, answer: enrolment::remove },
    Method { name: "NewRecoveryCodes", who: Who::Owner, answer: enrolment::new_recovery_codes },
];

/// Why a question is not answered.
pub(super) enum Refusal {
    /// This caller may not ask it.
    NotPermitted,
    /// It is no question of this kind.
    BadParameters,
    /// Nothing was done, and the caller can do something about it.
    Refused {
        /// A word of the closed list of the interface.
        reason: &'static str,
        /// For how long.
        seconds: Option<u64>,
    },
    /// There is no answer.
    Failed(Failure),
}

impl Refusal {
    pub(super) fn refused(reason: &'static str) -> Self {
        Self::Refused { reason, seconds: None }
    }

    pub(super) fn of_denial(denial: Denial) -> Self {
        let seconds = if let Denial::BackedOff { seconds } = denial { Some(seconds) } else { None };
        Self::Refused { reason: denial.reason(), seconds }
    }

    pub(super) fn password_unavailable() -> Self {
        Self::Failed(Failure {
            reason: "password_unavailable".to_owned(),
            cause: "the password could not be proven".to_owned(),
            mend: "look at the log of countersign-password@.service and at /etc/pam.d/countersign".to_owned(),
        })
    }
}

impl From<VerifierError> for Refusal {
    fn from(problem: VerifierError) -> Self {
        Self::Failed(Failure::new(&problem))
    }
}

/// Where one caller asks.
pub(super) struct Desk {
    pub(super) caller: Caller,
    pub(super) office: Arc<Office>,
    visit: Arc<Visit>,
    begun: Mutex<Begun>,
}

impl Interface for Desk {
    fn get_description(&self) -> &'static str {
        include_str!("../../docs/io.countersign.varlink")
    }

    fn get_name(&self) -> &'static str {
        INTERFACE
    }

    fn call(&self, call: &mut Call) -> varlink::Result<()> {
        let Some(request) = call.get_request() else { return Ok(()) };
        let called = request.method.rsplit('.').next().unwrap_or_default();
        let Some(method) = METHODS.iter().find(|method| method.name == called) else {
            let name = request.method.to_string();
            return call.reply_method_not_found(name);
        };
        let parameters = request.parameters.clone().unwrap_or_default();
        let reply = match self.answer(method, parameters) {
            Ok(answer) => Reply::parameters(Some(answer)),
            Err(Refusal::NotPermitted) => Reply::error(error::NOT_PERMITTED, None),
            Err(Refusal::BadParameters) => return call.reply_invalid_parameter("parameters".to_owned()),
            Err(Refusal::Refused { reason, seconds }) => {
                let refused = RefusedParameters { reason: reason.to_owned(), seconds };
                Reply::error(error::REFUSED, serde_json::to_value(refused).ok())
            }
            Err(Refusal::Failed(failure)) => Reply::error(error::FAILED, serde_json::to_value(failure).ok()),
        };
        call.reply_struct(reply)
    }

    fn call_upgraded(&self, _: &mut Call, _: &mut dyn BufRead) -> varlink::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

impl Desk {
    /// For a caller that has just come.
    pub(super) fn new(caller: Caller, office: Arc<Office>, visit: Arc<Visit>) -> Self {
        Self { caller, office, visit, begun: Mutex::default() }
    }

    /// Gives the caller time to end what he has begun.
    pub(super) fn give_time(&self) {
        self.visit.begin();
    }

    /// Has a caller rest who may not ask as often as he likes.
    pub(super) fn tire(&self) {
        if !self.caller.is_root() {
            self.visit.tire();
        }
    }

    /// What this caller has begun. One thread serves a caller, so nobody is waited for.
    pub(super) fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds out whom a question is about and whether the caller may ask it, and only then answers.
    fn answer(&self, method: &Method, parameters: Value) -> Result<Value, Refusal> {
        let target = account(&about(&parameters).ok_or(Refusal::BadParameters)?)?;
        // Root may ask anything, whoever else there is.
        let verifiers = if self.caller.is_root() { Verifiers::default() } else { self.verifiers() };
        if !may_ask(&self.caller, method.who, &target, &verifiers) {
            let outcome = Outcome::Unavailable(VerifierError::Service(ServiceError::NotPermitted));
            let judged = Some((Door::Socket, self.caller.uid));
            self.log(&target, &Report { judged, ..Report::early(outcome) });
            self.visit.tire();
            return Err(Refusal::NotPermitted);
        }
        (method.answer)(self, &target, parameters)
    }

    /// Whom the policy names; nobody while it cannot be read, which is an error of its own.
    fn verifiers(&self) -> Verifiers {
        verifiers().unwrap_or_else(|error| {
            let _ = journal::write(&bad_policy(&error.to_string()));
            self.visit.tire();
            Verifiers::default()
        })
    }

    /// Has what was typed judged, writes the line of it, and returns what `reply` makes of it.
    pub(super) fn judge<T>(
        &self,
        target: &User,
        typed: Option<Typed>,
        told: Told,
        reply: impl FnOnce(&Judged) -> T,
    ) -> Result<T, Refusal> {
        let origin = self.origin(told)?;
        let judged = match typed {
            Some(typed) => backend::local().verify(target, &typed, &origin),
            None => Ok(Judged::at_first_sight(Denial::Malformed)),
        };
        let replied = match &judged {
            Ok(judged) => Ok(reply(judged)),
            Err(error) => Err(Refusal::Failed(Failure::new(error))),
        };
        let report = self.report(judged, origin.source);
        self.log(target, &report);
        let was_accepted = matches!(report.outcome, Outcome::Accepted(_));
        // Who judges for others asks as often as they type; anybody else could do so without end.
        if !was_accepted && !self.caller.is_root() && target.uid == Some(self.caller.uid) {
            self.visit.tire();
        }
        replied
    }

    /// Where an attempt comes from: root knows better than we do, all others are who they are, and nothing
    /// of theirs is remembered.
    fn origin(&self, told: Told) -> Result<Origin, Refusal> {
        let origin = match told {
            _ if !self.caller.is_root() => origin_of(format!("uid:{}", self.caller.uid), None),
            Told { source: Some(source), place } => origin_of(source, place.as_deref()),
            Told { source: None, .. } => Some(Origin::not_remembered(SourceName::nowhere())),
        };
        origin.ok_or(Refusal::BadParameters)
    }

    fn report(&self, judged: Result<Judged, VerifierError>, source: SourceName) -> Report {
        let (outcome, health, clock_back) = match judged {
            Ok(Judged { verdict: Ok(accepted), health, clock_back, .. }) => {
                (Outcome::Accepted(accepted), health, clock_back)
            }
            Ok(Judged { verdict: Err(denial), health, clock_back, .. }) => {
                (Outcome::Denied(denial), health, clock_back)
            }
            Err(error) => (Outcome::Unavailable(error), StateHealth::Whole, 0),
        };
        let judged = Some((Door::Socket, self.caller.uid));
        Report { outcome, attempts: 1, health, clock_back, source: Some(source), judged }
    }

    /// Writes the line. For root the module writes one that knows more, once it has the verdict; this one
    /// is there also where its caller has killed it before.
    fn log(&self, target: &User, report: &Report) {
        let Line { level, text } = line(report, SERVICE, target.name.as_str().as_bytes());
        let line = if self.caller.is_root() {
            Line { level: Level::Info, text: format!("event=judged_for_root verdict_{text}") }
        } else {
            Line { level, text }
        };
        // The verdict stands even where the log is away, as with pam_syslog(3).
        let _ = journal::write(&line);
    }
}

/// What a caller says of where an attempt comes from.
#[derive(Default)]
pub(super) struct Told {
    source: Option<String>,
    place: Option<String>,
}

fn verify(desk: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let mut parameters: VerifyParameters = understood(parameters)?;
    let told = Told { source: parameters.source.take(), place: parameters.place.take() };
    given(desk.judge(target, parameters.typed(), told, VerifyReply::new)?)
}

/// No line of its own: whoever is let in by it has one of the module, and whoever is not is asked.
fn recall(_: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let RecallParameters { source, place, seconds, .. } = understood(parameters)?;
    let origin = origin_of(source, Some(&place)).ok_or(Refusal::BadParameters)?;
    let recalled = backend::local().recall(target, &origin, seconds)?;
    given(RecallReply::of(recalled.as_ref()))
}

fn enrolled(_: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let AboutUser { .. } = understood(parameters)?;
    given(EnrolmentReply::new(backend::local().enrolment(target)?))
}

fn status(_: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let AboutUser { .. } = understood(parameters)?;
    given(StatusReply { status: backend::local_status(target)? })
}

pub(super) fn understood<Parameters: DeserializeOwned>(parameters: Value) -> Result<Parameters, Refusal> {
    // Serde would take a list for an object too.
    if !parameters.is_object() {
        return Err(Refusal::BadParameters);
    }
    serde_json::from_value(parameters).map_err(|_| Refusal::BadParameters)
}

pub(super) fn given(answer: impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|_| VerifierError::Service(ServiceError::Unintelligible).into())
}
