//! Relaying the proof of a caller's own password: questions out, answers in, one proof at a time.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::interface::{Desk, Refusal, given, understood};
use super::office::Office;
use crate::password::{Ended, PasswordProven, Proof, Refusal as NotNow, Step};
use crate::sys;
use crate::user::User;
use crate::verifier::VerifierError;
use crate::wire::enrolment::{ProveParameters, ProveReply, Told};

/// For how long a caller rests who begins another proof within the same second: a person does not notice, and a
/// loop starts one process a second.
const ONE_START: Duration = Duration::from_secs(1);
/// How many texts come before a question at most; what proves passwords has no more to say.
const MOST_TOLD: usize = 32;

/// A proof under way. When it is dropped, what came of it is counted.
pub(super) struct Running {
    proof: Proof,
    uid: u32,
    office: Arc<Office>,
}

impl Running {
    fn begin(desk: &Desk, target: &User) -> Result<Self, Refusal> {
        let now = sys::clock::now().ok_or(Refusal::from(VerifierError::Clock))?;
        let (uid, office) = (desk.caller.uid, Arc::clone(&desk.office));
        let mut begun = office.failures().begin(uid, now);
        if begun == Err(NotNow::TooSoon) {
            thread::sleep(ONE_START);
            begun = office.failures().begin(uid, sys::clock::now().unwrap_or(now));
        }
        begun.map_err(|not_now| match not_now {
            NotNow::Running => Refusal::refused("proof_running"),
            NotNow::Full => Refusal::refused("busy"),
            NotNow::TooSoon => Refusal::Refused { reason: "wait", seconds: Some(1) },
            NotNow::Wait(seconds) => Refusal::Refused { reason: "wait", seconds: Some(seconds) },
        })?;
        match Proof::start(&target.name) {
            Ok(proof) => Ok(Self { proof, uid, office }),
            Err(_) => {
                office.failures().end(uid, Ended::Unasked, now);
                Err(Refusal::password_unavailable())
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without a clock the failure counts as one of long ago, and the next proof is not begun either.
        let now = sys::clock::now().unwrap_or_default();
        self.office.failures().end(self.uid, self.proof.ended(), now);
    }
}

/// Answers one call of `ProvePassword`.
pub(super) fn prove(desk: &Desk, target: &User, parameters: Value) -> Result<Value, Refusal> {
    let parameters: ProveParameters = understood(parameters)?;
    let mut begun = desk.begun();
    match &parameters.answer {
        None => {
            begun.running = None;
            begun.running = Some(Running::begin(desk, target)?);
            desk.give_time();
        }
        Some(answer) => {
            let running = begun.running.as_mut().ok_or(Refusal::refused("nothing_begun"))?;
            if running.proof.answer(answer.as_bytes()).is_err() {
                return Err(Refusal::BadParameters);
            }
        }
    }
    let mut reply = ProveReply::default();
    let running = begun.running.as_mut().ok_or(Refusal::refused("nothing_begun"))?;
    let proven = next_question(&mut running.proof, &mut reply)?;
    if reply.ask.is_none() {
        begun.running = None;
        reply.proven = Some(proven.is_some());
        begun.proven = proven;
    }
    given(reply)
}

/// Goes on to the next question or the end, and collects what is told on the way.
fn next_question(proof: &mut Proof, reply: &mut ProveReply) -> Result<Option<PasswordProven>, Refusal> {
    loop {
        match proof.next() {
            Step::Tell { text, error } if reply.told.len() < MOST_TOLD => {
                reply.told.push(Told { text, error });
            }
            Step::Tell { .. } => {}
            Step::Ask { prompt, echo } => {
                (reply.ask, reply.echo) = (Some(prompt), Some(echo));
                return Ok(None);
            }
            Step::Proven(proven) => return Ok(Some(proven)),
            Step::Refused => return Ok(None),
            Step::Unavailable => return Err(Refusal::password_unavailable()),
        }
    }
}
