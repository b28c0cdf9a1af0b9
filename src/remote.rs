//! The verifier at the other end of a socket: the service `io.countersign`, which judges for callers that
//! cannot read the store, and for those whom their own caller could stop.
//!
//! It only asks. Whatever is not a whole answer of a peer that is root is an error, and the caller denies.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::credential::CodeParameters;
use crate::policy::Origin;
use crate::status::Status;
use crate::sys::clock::Deadline;
use crate::sys::socket::{Connection, Room};
use crate::user::User;
use crate::verifier::{Enrolment, Judged, ServiceError, Typed, Verifier, VerifierError};
use crate::wire::enrolment::{
    BeginParameters, BegunReply, ChangeParameters, ConfirmParameters, ConfirmedReply, NewDevice, Parameters,
    ProveParameters, ProveReply, RecoveryCodesReply, RemovedReply,
};
use crate::wire::reply::answer_in;
use crate::wire::{
    AboutUser, EnrolmentReply, INTERFACE, LONGEST_MESSAGE, LONGEST_QUESTION, Nothing, RecallParameters,
    RecallReply, StatusReply, VerifyParameters, VerifyReply,
};

/// How long it may take to be let in by the service, which may have to be started first.
const TO_CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take: the service waits 3 s for a lock, and the name service takes its time.
const TO_ANSWER: Duration = Duration::from_secs(20);
/// How long it may take to prove a password: directories are far away, and pam_unix waits after a failure.
const TO_PROVE: Duration = Duration::from_secs(100);

/// A connection to the service, for one question.
#[derive(Debug)]
pub struct Service {
    connection: Connection,
}

/// A new device, as it is asked for.
#[derive(Clone, Copy)]
pub struct Device<'a> {
    /// What it is for.
    pub purpose: NewDevice,
    /// What people call it.
    pub name: &'a str,
    /// Who the app says has issued the code.
    pub issuer: &'a str,
    /// Whose code the app says it is.
    pub label: Option<&'a str>,
    /// How its codes are made.
    pub parameters: CodeParameters,
    /// A code or recovery code that is spent for it.
    pub passcode: Option<&'a str>,
}

/// A method call of Varlink.
#[derive(Serialize)]
struct Call<'a, Parameters> {
    method: &'a str,
    parameters: Parameters,
}

impl Service {
    /// Reaches the service. `None` where nobody listens at its socket.
    pub fn connect(path: &Path) -> Result<Option<Self>, ServiceError> {
        let connection = match Connection::open(path, Deadline::after(TO_CONNECT)) {
            Ok(connection) => connection,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(ServiceError::Unreachable(error)),
        };
        let peer = connection.peer().map_err(ServiceError::Unreachable)?;
        if peer.uid != 0 {
            return Err(ServiceError::NotRoot);
        }
        Ok(Some(Self { connection }))
    }

    /// What is known of a user. `Ok(None)` when he is not enrolled.
    pub fn status(&self, user: &User) -> Result<Option<Status>, ServiceError> {
        let reply: StatusReply = self.ask("GetStatus", AboutUser::new(user))?;
        Ok(reply.status)
    }

    /// Begins to prove the password of a user, or answers the last question.
    pub fn prove_password(&self, user: &User, answer: Option<&str>) -> Result<ProveReply, ServiceError> {
        let answer = answer.map(|answer| Zeroizing::new(answer.to_owned()));
        let parameters = ProveParameters { user: user.name.to_string(), uid: user.uid, answer };
        self.ask_for(TO_PROVE, "ProvePassword", parameters)
    }

    /// Begins with a new device of a user.
    pub fn begin_device(&self, user: &User, device: &Device<'_>) -> Result<BegunReply, ServiceError> {
        let parameters = BeginParameters {
            user: user.name.to_string(),
            uid: user.uid,
            purpose: device.purpose,
            device: device.name.to_owned(),
            issuer: device.issuer.to_owned(),
            label: device.label.map(str::to_owned),
            parameters: Parameters::of(device.parameters),
            passcode: device.passcode.map(|passcode| Zeroizing::new(passcode.to_owned())),
        };
        self.ask("BeginDevice", parameters)
    }

    /// Proves the new device by a code of it; then it is kept.
    pub fn confirm_device(&self, user: &User, code: &str) -> Result<ConfirmedReply, ServiceError> {
        let code = Zeroizing::new(code.to_owned());
        self.ask("ConfirmDevice", ConfirmParameters { user: user.name.to_string(), uid: user.uid, code })
    }

    /// Removes a device of a user.
    pub fn remove_device(
        &self,
        user: &User,
        name: &str,
        passcode: &str,
    ) -> Result<RemovedReply, ServiceError> {
        self.ask("RemoveDevice", change(user, Some(name), passcode))
    }

    /// Makes new recovery codes of a user.
    pub fn new_recovery_codes(
        &self,
        user: &User,
        passcode: &str,
    ) -> Result<RecoveryCodesReply, ServiceError> {
        self.ask("NewRecoveryCodes", change(user, None, passcode))
    }

    /// Forgets the remembered logins of a user.
    pub fn forget_logins(&self, user: &User) -> Result<(), ServiceError> {
        let Nothing {} = self.ask("ForgetLogins", AboutUser::new(user))?;
        Ok(())
    }

    fn ask<Answer: DeserializeOwned>(
        &self,
        method: &str,
        parameters: impl Serialize,
    ) -> Result<Answer, ServiceError> {
        self.ask_for(TO_ANSWER, method, parameters)
    }

    /// Asks, and waits for the answer for so long.
    fn ask_for<Answer: DeserializeOwned>(
        &self,
        patience: Duration,
        method: &str,
        parameters: impl Serialize,
    ) -> Result<Answer, ServiceError> {
        let method = format!("{INTERFACE}.{method}");
        let question = Question::write(&Call { method: &method, parameters })?;
        let deadline = Deadline::after(patience);
        // Before anything is sent: who runs out of memory has not asked.
        let room = Room::new(LONGEST_MESSAGE);
        match self.connection.send(question.bytes(), deadline) {
            // Who is sent away at once has his answer before he has asked.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(ServiceError::Lost(error)),
            _ => {}
        }
        let answer = self.connection.receive(room, deadline).map_err(ServiceError::Lost)?;
        answer_in(&answer)
    }
}

impl Verifier for Service {
    fn enrolment(&self, user: &User) -> Result<Enrolment, VerifierError> {
        let reply: EnrolmentReply = self.ask("GetEnrolment", AboutUser::new(user))?;
        Ok(reply.enrolment())
    }

    fn verify(&self, user: &User, typed: &Typed, origin: &Origin) -> Result<Judged, VerifierError> {
        let reply: VerifyReply = self.ask("Verify", VerifyParameters::new(user, typed, origin))?;
        Ok(reply.judged_by_root()?)
    }

    fn recall(&self, user: &User, origin: &Origin, seconds: u64) -> Result<Option<Judged>, VerifierError> {
        let Some(place) = origin.place else { return Ok(None) };
        let parameters = RecallParameters::new(user, &origin.source, place, seconds);
        let reply: RecallReply = self.ask("Recall", parameters)?;
        Ok(reply.judged_by_root()?)
    }
}

/// A message to the service, which may hold a code or a password: it never grows, so no copy is left.
struct Question {
    room: Zeroizing<Vec<u8>>,
    length: usize,
}

impl Question {
    /// Fails with a message that is longer than the service takes.
    fn write(call: &impl Serialize) -> Result<Self, ServiceError> {
        let mut room = Zeroizing::new(vec![0; LONGEST_QUESTION]);
        let mut free = room.as_mut_slice();
        let written = serde_json::to_writer(&mut free, call).ok();
        // What is free is zero, and a zero ends the message.
        let left = written.and_then(|()| free.len().checked_sub(1)).ok_or_else(too_long)?;
        Ok(Self { room, length: LONGEST_QUESTION - left })
    }

    fn bytes(&self) -> &[u8] {
        self.room.get(..self.length).unwrap_or_default()
    }
}

fn too_long() -> ServiceError {
    ServiceError::Unreachable(io::Error::new(io::ErrorKind::InvalidInput, "the question is too long"))
}

fn change(user: &User, device: Option<&str>, passcode: &str) -> ChangeParameters {
    ChangeParameters {
        user: user.name.to_string(),
        uid: user.uid,
        device: device.map(str::to_owned),
        passcode: Some(Zeroizing::new(passcode.to_owned())),
    }
}

/// Where there is no socket, or nobody behind it.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "those rules are for the module")]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};

    use super::*;

    /// Listens at the path that it is given until its input ends.
    const LISTENER: &str = "import socket, sys; listener = socket.socket(socket.AF_UNIX); listener.bind(sys.argv[1]); \
        listener.listen(); print(end='.', flush=True); sys.stdin.read()";

    /// Whether a listener of this uid is taken for the service.
    fn is_believed(uid: u32) -> bool {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let path = directory.path().join("socket");
        let mut listener = Command::new("python3");
        listener.args(["-c", LISTENER]).arg(&path).uid(uid).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut listener = listener.spawn().unwrap();
        listener.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let connected = Service::connect(&path);
        drop(listener.stdin.take());
        listener.wait().unwrap();
        match connected {
            Ok(service) => service.is_some(),
            Err(error) => {
                assert!(matches!(error, ServiceError::NotRoot), "{error:?}");
                false
            }
        }
    }

    #[test]
    #[ignore = "needs root: listens as another user"]
    fn a_service_that_is_not_root_is_not_believed() {
        assert!(!is_believed(65_534));
        assert!(is_believed(0));
    }

    #[test]
    fn a_question_ends_with_a_zero_and_is_no_longer_than_the_service_takes() {
        let overhead = serde_json::to_string("").unwrap().len() + 1;
        let longest = "x".repeat(LONGEST_QUESTION - overhead);
        let question = Question::write(&longest).unwrap();
        assert_eq!(question.bytes(), format!("\"{longest}\"\0").as_bytes());
        assert_eq!(Question::write(&"y").unwrap().bytes(), b"\"y\"\0");
        for longer in 1..4 {
            assert!(Question::write(&"x".repeat(longest.len() + longer)).is_err());
        }
    }
}
