//! The questions of `io.countersign`: what each is called, who may ask it, and who answers it.

use std::io::BufRead;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use varlink::{Call, CallTrait as _, Interface, Reply};

use super::journal;
use super::permission::{Caller, Verifiers, Who, may_ask};
use crate::backend;
use crate::config::file::{Name, PolicyFile};
use crate::credential::{SourceName, StateHealth, StoreError};
use crate::log::{Level, Line, line};
use crate::login::{Outcome, Report};
use crate::policy::Denial;
use crate::sys;
use crate::user::{User, UserName};
use crate::verifier::{Door, Judged, ServiceError, Verifier as _, VerifierError};
use crate::wire::{
    AboutUser, EnrolmentReply, Failure, INTERFACE, StatusReply, VerifyParameters, VerifyReply, error,
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
const METHODS: [Method; 3] = [
    Method { name: "GetEnrolment", who: Who::OwnerOrVerifier, answer: enrolment },
    Method { name: "GetStatus", who: Who::Owner, answer: status },
    Method { name: "Verify", who: Who::OwnerOrVerifier, answer: Desk::verify },
];

/// Why a question is not answered.
enum Refusal {
    /// This caller may not ask it.
    NotPermitted,
    /// It is no question of this kind.
    BadParameters,
    /// There is no answer.
    Failed(Failure),
}

impl From<VerifierError> for Refusal {
    fn from(problem: VerifierError) -> Self {
        Self::Failed(Failure::new(&problem))
    }
}

/// Where one caller asks.
pub(super) struct Desk {
    caller: Caller,
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
    pub(super) fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// Finds out whom a question is about and whether the caller may ask it, and only then answers.
    fn answer(&self, method: &Method, parameters: Value) -> Result<Value, Refusal> {
        let target = account(&about(&parameters).ok_or(Refusal::BadParameters)?)?;
        // Root may ask anything, whoever else there is.
        let verifiers = if self.caller.is_root() { Verifiers::default() } else { verifiers() };
        if !may_ask(&self.caller, method.who, &target, &verifiers) {
            let outcome = Outcome::Unavailable(VerifierError::Service(ServiceError::NotPermitted));
            let judged = Some((Door::Socket, self.caller.uid));
            self.log(&target, &Report { judged, ..Report::early(outcome) });
            return Err(Refusal::NotPermitted);
        }
        (method.answer)(self, &target, parameters)
    }

    fn verify(&self, target: &User, parameters: Value) -> Result<Value, Refusal> {
        let mut parameters: VerifyParameters = understood(parameters)?;
        let source = self.source(parameters.source.take())?;
        let judged = match parameters.typed() {
            Some(typed) => backend::local().verify(target, &typed, &source),
            None => Ok(Judged::at_first_sight(Denial::Malformed)),
        };
        let reply = match &judged {
            Ok(judged) => given(VerifyReply::new(judged)),
            Err(error) => Err(Refusal::Failed(Failure::new(error))),
        };
        self.log(target, &self.report(judged, source));
        reply
    }

    /// Where an attempt comes from: root knows better than we do, all others are who they are.
    fn source(&self, told: Option<String>) -> Result<SourceName, Refusal> {
        let name = match told {
            _ if !self.caller.is_root() => format!("uid:{}", self.caller.uid),
            Some(name) => name,
            None => return Ok(SourceName::nowhere()),
        };
        SourceName::new(name).ok_or(Refusal::BadParameters)
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

    /// Writes the line, unless the caller is root: the module does that itself, and knows more.
    fn log(&self, target: &User, report: &Report) {
        if !self.caller.is_root() {
            let report = line(report, SERVICE, target.name.as_str().as_bytes());
            // The verdict stands even where the log is away, as with pam_syslog(3).
            let _ = journal::write(&report);
        }
    }
}

fn enrolment(_: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let AboutUser { .. } = understood(parameters)?;
    given(EnrolmentReply::new(backend::local().enrolment(target)?))
}

fn status(_: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let AboutUser { .. } = understood(parameters)?;
    given(StatusReply { status: backend::local_status(target)? })
}

/// Whom a question is about. The rest of it is looked at by who answers.
fn about(parameters: &Value) -> Option<AboutUser> {
    let user = parameters.get("user")?.as_str()?.to_owned();
    let uid = match parameters.get("uid") {
        None | Some(Value::Null) => None,
        Some(uid) => Some(u32::try_from(uid.as_u64()?).ok()?),
    };
    Some(AboutUser { user, uid })
}

/// The account, as this service knows it: the caller may have asked before it was another one.
fn account(about: &AboutUser) -> Result<User, Refusal> {
    let name = UserName::new(about.user.as_bytes()).map_err(|_| Refusal::BadParameters)?;
    let found = sys::user::by_name(&name).map_err(|error| {
        Refusal::Failed(Failure {
            reason: "accounts_unreadable".to_owned(),
            cause: error.to_string(),
            mend: "look at the name service, see nsswitch.conf(5)".to_owned(),
        })
    })?;
    let user = found.unwrap_or(User { name, uid: None });
    if about.uid.is_some() && about.uid != user.uid {
        return Err(VerifierError::Store(StoreError::OtherAccount).into());
    }
    Ok(user)
}

fn understood<Parameters: DeserializeOwned>(parameters: Value) -> Result<Parameters, Refusal> {
    serde_json::from_value(parameters).map_err(|_| Refusal::BadParameters)
}

fn given(answer: impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|_| VerifierError::Service(ServiceError::Unintelligible).into())
}

/// The verifiers that the policy names. A name that cannot be looked up is nobody's, and a policy that
/// cannot be read names nobody.
fn verifiers() -> Verifiers {
    let mut verifiers = Verifiers::default();
    let policy = backend::policy_file().unwrap_or_else(|error| {
        let text = format!("event=error reason=bad_policy cause=\"{}\"", error.to_string().escape_default());
        let _ = journal::write(&Line { level: Level::Error, text });
        PolicyFile::default()
    });
    for name in &policy.service.verifiers {
        match name {
            Name::User(name) => {
                let found = sys::user::by_name(name).ok().flatten();
                verifiers.uids.extend(found.and_then(|user| user.uid));
            }
            Name::Group(name) => {
                verifiers.gids.extend(sys::user::group_by_name(name).ok().flatten());
            }
        }
    }
    verifiers
}
