//! The service's side of a proof: starts the password process, relays, and believes only its last word.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::channel::Channel;
use super::failures::Ended;
use super::message::{End, Said, encode_answer, encode_start};
use crate::sys::clock::Deadline;
use crate::sys::socket::Connection;
use crate::user::UserName;

/// How long the process may take for one step: a directory may be far away.
const STEP_WAIT: Duration = Duration::from_secs(90);
/// How long all of it may take, a little more than the process allows itself.
const TOTAL_WAIT: Duration = Duration::from_secs(330);
/// The longest answer in bytes: PAM_MAX_RESP_SIZE without its NUL.
const LONGEST_ANSWER: usize = 511;

/// Where the password process is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The socket of its unit.
    pub socket: PathBuf,
    /// What is started as a child, with the argument `prove-password`, where nobody listens there.
    pub program: PathBuf,
}

impl Default for Route {
    fn default() -> Self {
        Self { socket: "/run/countersign/password.socket".into(), program: "/proc/self/exe".into() }
    }
}

/// That somebody has just proven the password of an account. Only [`Proof::next`] makes one, of the
/// last word of a process that belongs to root.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct PasswordProven {
    user: UserName,
}

impl PasswordProven {
    /// Whose password it was.
    pub fn user(&self) -> &UserName {
        &self.user
    }
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// A question, to be answered by [`Proof::answer`] before the next step.
    Ask {
        /// The prompt, as the PAM module gave it: escape it before it goes to a terminal.
        prompt: String,
        /// Whether the answer may be seen while it is typed.
        echo: bool,
    },
    /// A text to be shown, as the PAM module gave it.
    Tell {
        /// The text.
        text: String,
        /// Whether it tells of an error.
        error: bool,
    },
    /// The end: the password was right and the account may be used.
    Proven(PasswordProven),
    /// The end: one or the other is not so.
    Refused,
    /// The end: nothing is known.
    Unavailable,
}

/// The answer cannot be a password: longer than 511 bytes, not UTF-8, with a NUL, or nothing was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadAnswer;

impl fmt::Display for BadAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("this cannot be an answer")
    }
}

impl std::error::Error for BadAnswer {}

/// A proof under way. Whoever drops it ends it.
pub struct Proof {
    user: UserName,
    channel: Channel,
    total: Deadline,
    place: Place,
    asked: bool,
    answered: bool,
    /// Killed and reaped when the proof is dropped.
    _process: Option<Process>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Running,
    Asked,
    Over(End),
}

impl Proof {
    /// Starts a proof of this account's password, by the unit's socket or by a child.
    pub fn start(user: &UserName) -> io::Result<Self> {
        Self::start_by(&Route::default(), user)
    }

    /// Like [`Proof::start`], by this route.
    pub fn start_by(route: &Route, user: &UserName) -> io::Result<Self> {
        // systemd empties the queue at once; one that is full nevertheless is not waited for.
        let (connection, process) = match Connection::open(&route.socket, Deadline::after(Duration::ZERO)) {
            Ok(connection) => (connection, None),
            Err(error) if nobody_listens(&error) => {
                let (connection, process) = Process::start(route)?;
                (connection, Some(process))
            }
            Err(error) => return Err(error),
        };
        if connection.peer()?.uid != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the password process is not root's",
            ));
        }
        Self::over(connection, process, user, Deadline::after(TOTAL_WAIT))
    }

    fn over(
        connection: Connection,
        process: Option<Process>,
        user: &UserName,
        total: Deadline,
    ) -> io::Result<Self> {
        let channel = Channel::new(connection);
        let start = encode_start(user).map_err(io::Error::other)?;
        channel.send(&start, total)?;
        let user = user.clone();
        Ok(Self {
            user,
            channel,
            total,
            place: Place::Running,
            asked: false,
            answered: false,
            _process: process,
        })
    }

    /// Waits for what comes next, at most 90 seconds. After one of the three ends, and where a question
    /// was not answered, it is `Unavailable`.
    #[expect(clippy::should_implement_trait, reason = "an iterator would go on after the end")]
    pub fn next(&mut self) -> Step {
        let said = match self.place {
            Place::Running => self.hear(),
            Place::Asked => None,
            Place::Over(_) => return Step::Unavailable,
        };
        match said.unwrap_or(Said::End { end: End::Unavailable }) {
            Said::Ask { ask, echo } => {
                (self.place, self.asked) = (Place::Asked, true);
                Step::Ask { prompt: ask, echo }
            }
            Said::Tell { tell, error } => Step::Tell { text: tell, error },
            Said::End { end } => {
                self.place = Place::Over(end);
                match end {
                    End::Proven => Step::Proven(PasswordProven { user: self.user.clone() }),
                    End::Refused => Step::Refused,
                    End::Unavailable => Step::Unavailable,
                }
            }
        }
    }

    /// Answers the question that was asked last. After an error it still waits for its answer; that the
    /// process is gone is no error here, but the next step.
    pub fn answer(&mut self, answer: &[u8]) -> Result<(), BadAnswer> {
        let text = std::str::from_utf8(answer).map_err(|_| BadAnswer)?;
        if self.place != Place::Asked || text.len() > LONGEST_ANSWER || text.contains('\0') {
            return Err(BadAnswer);
        }
        let message = encode_answer(text).map_err(|_| BadAnswer)?;
        self.place = Place::Running;
        self.answered = true;
        let _ = self.channel.send(&message, self.total.min(Deadline::after(STEP_WAIT)));
        Ok(())
    }

    /// How it counts if it ends here. An answer that was not followed by a proof is a failure whatever
    /// came of it: else who hangs up in time could guess for nothing.
    pub fn ended(&self) -> Ended {
        match self.place {
            Place::Over(End::Proven) => Ended::Proven,
            Place::Over(End::Refused) => Ended::Failed,
            _ if self.answered => Ended::Failed,
            _ if self.asked => Ended::Untried,
            _ => Ended::Unasked,
        }
    }

    /// The next message, or `None` when there is none to be had or it is not understood.
    fn hear(&mut self) -> Option<Said> {
        let deadline = self.total.min(Deadline::after(STEP_WAIT));
        let message = self.channel.receive(deadline).ok()?;
        Said::decode(message).ok()
    }
}

fn nobody_listens(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// The password process as a child, where no unit starts it.
struct Process(Child);

impl Process {
    fn start(route: &Route) -> io::Result<(Connection, Self)> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(&route.program)
            .arg("prove-password")
            // What is in the service's environment is none of a PAM module's business.
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()?;
        Ok((Connection::from(OwnedFd::from(ours)), Self(child)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself. Otherwise a PAM module keeps it, and the proof is over.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
