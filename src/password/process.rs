//! The password process: one proof for the service, and the end.
//!
//! It answers only root, and what it was told it does not keep. It bounds what it waits for; what a PAM
//! module waits for is bounded from outside, by the unit or by the service that started it.

use std::io;
use std::time::Duration;

use zeroize::Zeroizing;

use super::channel::Channel;
use super::message::{End, Said, decode_answer, decode_start};
use crate::sys::clock::Deadline;
use crate::sys::pam_client::{self, Conversation, Verdict};
use crate::sys::socket::Connection;
use crate::user::UserName;

/// The PAM service, which is nobody else's.
const SERVICE: &str = "countersign";
/// How long the service may take for its first word.
const START_WAIT: Duration = Duration::from_secs(30);
/// How long a person may take for one answer.
const ANSWER_WAIT: Duration = Duration::from_secs(120);
/// How long all of it may take.
const TOTAL_WAIT: Duration = Duration::from_secs(300);

/// Runs the proof that the service at the other end asks for. An error is about the conversation with
/// the service. A proof that fails is none, and neither is a service that hangs up, for people give up.
pub fn run(connection: Connection) -> io::Result<()> {
    if connection.peer()?.uid != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "only root may ask for a proof"));
    }
    // No core file of a process that holds passwords.
    nix::sys::prctl::set_dumpable(false)?;
    let done = converse(Channel::new(connection), Deadline::after(TOTAL_WAIT), |user, person| {
        pam_client::prove(SERVICE, user, person)
    });
    done.or_else(|error| if has_hung_up(&error) { Ok(()) } else { Err(error) })
}

fn has_hung_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | BrokenPipe | ConnectionReset)
}

fn converse(
    mut channel: Channel,
    total: Deadline,
    prove: impl FnOnce(&UserName, &mut dyn Conversation) -> Verdict,
) -> io::Result<()> {
    let start = channel.receive(total.min(Deadline::after(START_WAIT)))?;
    let user = decode_start(start).map_err(invalid)?;
    let mut relay = Relay { channel, total, broken: None };
    let verdict = prove(&user, &mut relay);
    let Relay { channel, broken, .. } = relay;
    if let Some(error) = broken {
        // Nobody is there, or nobody who keeps to the rules, to be told.
        return Err(error);
    }
    let end = match verdict {
        Verdict::Proven => End::Proven,
        Verdict::Refused => End::Refused,
        Verdict::Unavailable => End::Unavailable,
    };
    channel.send(&Said::End { end }.encode().map_err(invalid)?, total)
}

/// The person behind the service.
struct Relay {
    channel: Channel,
    total: Deadline,
    /// What went wrong first; nothing is said or asked after it.
    broken: Option<io::Error>,
}

impl Relay {
    fn send(&mut self, said: &Said) -> io::Result<()> {
        self.channel.send(&said.encode().map_err(invalid)?, self.total)
    }

    fn answer_to(&mut self, prompt: &str, echo: bool) -> io::Result<Zeroizing<Vec<u8>>> {
        self.send(&Said::Ask { ask: prompt.to_owned(), echo })?;
        let answer = self.channel.receive(self.total.min(Deadline::after(ANSWER_WAIT)))?;
        let mut answer = decode_answer(answer).map_err(invalid)?;
        // The bytes of the same memory.
        Ok(Zeroizing::new(std::mem::take(&mut *answer).into_bytes()))
    }
}

impl Conversation for Relay {
    fn ask(&mut self, prompt: &str, echo: bool) -> Option<Zeroizing<Vec<u8>>> {
        if self.broken.is_some() {
            return None;
        }
        self.answer_to(prompt, echo).map_err(|error| self.broken = Some(error)).ok()
    }

    fn tell(&mut self, text: &str, is_error: bool) {
        if self.broken.is_none() {
            let said = Said::Tell { tell: text.to_owned(), error: is_error };
            self.broken = self.send(&said).err();
        }
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
