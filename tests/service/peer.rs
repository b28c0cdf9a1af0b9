//! Somebody who speaks to the service of a machine from outside, as any uid: bytes in, bytes out.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::installed::Guarded;

/// How long an answer may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub(crate) struct Peer(pub(crate) UnixStream);

/// The word of a refusal; `none` where there is none.
pub(crate) fn reason(answer: &Value) -> String {
    answer["parameters"]["reason"].as_str().unwrap_or("none").to_owned()
}

impl Peer {
    /// Connects as this uid. The machine has no users of its own, so it is the same uid inside.
    pub(crate) fn of(guarded: &Guarded, uid: u32) -> Self {
        Self::try_of(guarded, uid).expect("a connection")
    }

    pub(crate) fn try_of(guarded: &Guarded, uid: u32) -> io::Result<Self> {
        Self::at(guarded, uid, "io.countersign")
    }

    /// Connects to a socket below /run/countersign.
    pub(crate) fn at(guarded: &Guarded, uid: u32, socket: &str) -> io::Result<Self> {
        let directory = format!("/proc/{}/root/run/countersign", guarded.leader());
        let directory = File::open(directory)?;
        let socket = format!("/proc/self/fd/{}/{socket}", directory.as_raw_fd());
        // The uid is one of the thread's, by the system call itself.
        let stream = thread::scope(|scope| {
            let connect = || {
                // SAFETY: plain numbers go in.
                let become_somebody = unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) };
                assert_eq!(become_somebody, 0, "setresuid");
                UnixStream::connect(socket)
            };
            scope.spawn(connect).join().expect("a thread that ends")
        })?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(stream))
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// What comes until the next NUL; `None` where the connection ends before.
    pub(crate) fn receive(&mut self) -> io::Result<Option<Value>> {
        let mut text = Vec::new();
        let mut byte = [0];
        loop {
            match self.0.read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) if byte == [0] => {
                    return Ok(Some(serde_json::from_slice(&text).expect("JSON comes back")));
                }
                Ok(_) => text.extend(byte),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// A question and its answer.
    pub(crate) fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        let question = json!({ "method": method, "parameters": parameters });
        // Who is sent away at once has his answer before he has asked.
        let _ = self.send(format!("{question}\0").as_bytes());
        self.receive().expect("an answer in time").expect("an answer")
    }

    /// Whether anybody answers.
    pub(crate) fn is_answered(&mut self) -> bool {
        let question = b"{\"method\":\"org.varlink.service.GetInfo\"}\0";
        self.send(question).is_ok() && matches!(self.receive(), Ok(Some(_)))
    }

    /// Has a code of a user judged: the word for what came of it, `accepted`, a denial, or an error.
    pub(crate) fn verify(&mut self, user: &str, code: &str) -> String {
        let answer = self.ask("io.countersign.Verify", &json!({ "user": user, "passcode": code }));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let parameters = &answer["parameters"];
        let accepted = parameters["accepted"].is_object().then(|| "accepted".to_owned());
        let word = text(&answer["error"]).or(accepted).or_else(|| text(&parameters["denied"]));
        word.unwrap_or_else(|| panic!("{answer}"))
    }
}
