//! Logins against stacks that are not in force yet: one that must succeed, and one that must not.

use std::path::Path;

use zeroize::Zeroizing;

use super::{Error, Stop, Terminal, backup};
use crate::backend;
use crate::cli::doctor::harmless;
use crate::credential::CredentialStore as _;
use crate::doctor::PamFiles;
use crate::setup::marks::Marks;
use crate::setup::{Choices, FirstFactor, Service};
use crate::sys::pam_client::{Conversation, Verdict};
use crate::sys::pam_trial::{Told, log_in};
use crate::sys::process::as_called_by;
use crate::user::User;

/// How often a login may fail before one has to begin anew.
const TRIES: u32 = 3;
/// What is no code, so that it is refused and not counted.
const NO_CODE: &[u8] = b"no code";
/// What sshd tells PAM of a key that it has seen proven; the setup of a key cannot be tried without sshd.
const KEY_PROVEN: &str = "SSH_AUTH_INFO_0=publickey countersign-setup";

/// Questions and what was answered.
type Answers = Vec<(String, Zeroizing<Vec<u8>>)>;

/// Tries each service. Nothing of what is typed is kept but until this returns.
pub(super) fn run(
    stacks: &PamFiles,
    choices: &Choices,
    user: &User,
    terminal: &mut Terminal,
) -> Result<(), Error> {
    let directory = backup::TrialDirectory::make()?;
    for name in stacks.services() {
        if let Some((_, text)) = stacks.get(name) {
            directory.write(name, text)?;
        }
    }
    let mut known = Answers::new();
    for service in &choices.services {
        let trial = Trial { directory: directory.path(), service: *service, user, ssh: choices.ssh };
        trial.run(&mut known, terminal)?;
    }
    Ok(())
}

struct Trial<'a> {
    directory: &'a Path,
    service: Service,
    user: &'a User,
    ssh: FirstFactor,
}

impl Trial<'_> {
    fn run(&self, known: &mut Answers, terminal: &mut Terminal) -> Result<(), Error> {
        let name = self.service.name();
        terminal.say(format_args!("a login by {name}: answer as there, with a code that was not used yet"));
        for _ in 0..TRIES {
            let before = marks(self.user)?;
            let mut person = Typing { terminal, known, asked: Answers::new(), given_up: false };
            let verdict = self.log_in(&mut person)?;
            let Typing { asked, given_up, .. } = person;
            match verdict {
                _ if given_up => return Err(Error::GivenUp),
                Verdict::Proven if before.show_a_code_until(&marks(self.user)?) => {
                    self.must_refuse(&asked)?;
                    *known = without_code(asked);
                    terminal.say(format_args!("{name}: let in with a code, and not without"));
                    return Ok(());
                }
                Verdict::Proven => {
                    let what = format!("{name} would let {} in without a code", self.user.name);
                    let mend = format!("look at: countersign explain {} --service {name}", self.user.name);
                    return Err(Stop::said(what, mend));
                }
                Verdict::Refused => {
                    known.clear();
                    terminal.say(format_args!("{name}: not let in"));
                }
                Verdict::Unavailable => break,
            }
        }
        let what = format!("no login by {name} succeeded, so no file was changed");
        Err(Stop::said(what, "journalctl -t countersign, and /var/log/auth.log, say why"))
    }

    /// The same login without a code: what is typed in its place is none, and so is not counted as a guess.
    fn must_refuse(&self, asked: &Answers) -> Result<(), Error> {
        match self.log_in(&mut WithoutCode { asked })? {
            Verdict::Refused => Ok(()),
            Verdict::Proven | Verdict::Unavailable => {
                let what = format!(
                    "{} does not refuse what is no code, so no file was changed",
                    self.service.name()
                );
                Err(Stop::said(what, "countersign doctor"))
            }
        }
    }

    fn log_in(&self, person: &mut dyn Conversation) -> Result<Verdict, Error> {
        let has_key = self.service == Service::Sshd && self.ssh == FirstFactor::Key;
        let is_ssh = self.service == Service::Sshd;
        let told =
            Told { terminal: if is_ssh { "ssh" } else { "" }, variable: has_key.then_some(KEY_PROVEN) };
        let name = &self.user.name;
        let mut log_in = || log_in(self.directory, self.service.name(), name, told, person);
        match self.user.uid {
            // As there: root would be asked for nothing.
            Some(uid) if self.service.has_a_caller() => Ok(as_called_by(uid, log_in)?),
            _ => Ok(log_in()),
        }
    }
}

/// What is used up of a person's codes.
pub(super) fn marks(user: &User) -> Result<Marks, Error> {
    use crate::credential::EnrolmentStore as _;
    // Whether somebody is enrolled at all is said by the credential.
    backend::store().read(user)?.ok_or_else(|| Error::NotEnrolled(user.name.to_string()))?;
    Ok(backend::store().read_state(user)?.as_ref().map(Marks::of).unwrap_or_default())
}

/// What was answered, but for the last question, which was for the code.
fn without_code(mut asked: Answers) -> Answers {
    let code = asked.last().map(|(question, _)| question.clone());
    asked.retain(|(question, _)| Some(question) != code.as_ref());
    asked
}

/// The person at the terminal, who is not asked again for what he has answered for another service.
struct Typing<'a> {
    terminal: &'a mut Terminal,
    known: &'a Answers,
    asked: Answers,
    given_up: bool,
}

impl Conversation for Typing<'_> {
    fn ask(&mut self, prompt: &str, echo: bool) -> Option<Zeroizing<Vec<u8>>> {
        let is_new = !self.asked.iter().any(|(question, _)| question == prompt);
        let known = self.known.iter().find(|(question, _)| is_new && question == prompt);
        let answer = match known {
            Some((_, answer)) => answer.clone(),
            None => {
                let shown = harmless(prompt);
                let typed =
                    if echo { self.terminal.ask(&shown) } else { self.terminal.ask_in_secret(&shown) };
                let Ok(Some(typed)) = typed else {
                    self.given_up = true;
                    return None;
                };
                Zeroizing::new(typed.trim_end_matches(['\r', '\n']).as_bytes().to_vec())
            }
        };
        self.asked.push((prompt.to_owned(), answer.clone()));
        Some(answer)
    }

    fn tell(&mut self, text: &str, _: bool) {
        self.terminal.say(harmless(text));
    }
}

/// Somebody who knows everything but a code.
struct WithoutCode<'a> {
    asked: &'a Answers,
}

impl Conversation for WithoutCode<'_> {
    fn ask(&mut self, prompt: &str, _: bool) -> Option<Zeroizing<Vec<u8>>> {
        let (code, _) = self.asked.last()?;
        let known = self.asked.iter().find(|(question, _)| question == prompt && question != code);
        Some(known.map_or_else(|| Zeroizing::new(NO_CODE.to_vec()), |(_, answer)| answer.clone()))
    }

    fn tell(&mut self, _: &str, _: bool) {}
}
