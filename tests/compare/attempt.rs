//! One login of one user at one module.

use crate::ground::{CLIENT, Ground};
use crate::sandbox::Conversation;
use crate::subject::Subject;

/// Where the owner logs in from.
pub(crate) const HOME: &str = "192.0.2.7";

/// A login that is about to be made.
pub(crate) struct Attempt {
    service: String,
    user: String,
    rhost: String,
    replies: Vec<String>,
    time: Option<u64>,
    before: Vec<String>,
}

/// What came of it.
pub(crate) struct Ended(pub(crate) Conversation);

impl Attempt {
    /// Alice types this, at home.
    pub(crate) fn new(subject: Subject, reply: &str) -> Self {
        Self::of_replies(&subject.service(), &[reply.to_owned()])
    }

    /// Alice has these replies, one for each question of this service.
    pub(crate) fn of_replies(service: &str, replies: &[String]) -> Self {
        Self {
            service: service.to_owned(),
            user: "alice".to_owned(),
            rhost: HOME.to_owned(),
            replies: replies.to_vec(),
            time: None,
            before: Vec::new(),
        }
    }

    /// As another user.
    pub(crate) fn user(mut self, name: &str) -> Self {
        name.clone_into(&mut self.user);
        self
    }

    /// From another address.
    pub(crate) fn from(mut self, rhost: &str) -> Self {
        rhost.clone_into(&mut self.rhost);
        self
    }

    /// While the clock says this time, in seconds since 1970.
    pub(crate) fn at(mut self, time: u64) -> Self {
        self.time = Some(time);
        self
    }

    /// Run by these words.
    pub(crate) fn under(mut self, words: &[String]) -> Self {
        self.before.extend_from_slice(words);
        self
    }

    /// Makes the login.
    pub(crate) fn run(self, ground: &Ground) -> Ended {
        let mut words = ["timeout", "--kill-after=1", "5"].map(str::to_owned).to_vec();
        words.extend(self.before);
        words.extend(ground.time_words(self.time));
        let (service, user, rhost) = (&self.service, &self.user, &self.rhost);
        words.extend([CLIENT, "--confdir", "/etc/pam.d", "--timing"].map(str::to_owned));
        words.extend([format!("--service={service}"), format!("--user={user}"), format!("--rhost={rhost}")]);
        words.extend(self.replies.iter().map(|reply| format!("--reply={reply}")));
        Ended(Conversation::of(ground.command(&words)))
    }
}

impl Ended {
    /// The name of the status of `pam_authenticate`, if it came to one.
    pub(crate) fn status(&self) -> Option<&str> {
        self.0.results.iter().find(|(call, _)| call == "authenticate").map(|(_, status)| status.as_str())
    }

    pub(crate) fn let_in(&self) -> bool {
        self.status() == Some("PAM_SUCCESS")
    }

    /// It was cut off after five seconds.
    pub(crate) fn hung(&self) -> bool {
        matches!(self.0.status, 124 | 137)
    }

    /// In words.
    pub(crate) fn outcome(&self) -> &str {
        match self.status() {
            Some("PAM_SUCCESS") => "let in",
            Some(_) => "denied",
            None if self.hung() => "hangs",
            None => "the caller's process ends",
        }
    }

    /// How long `pam_authenticate` took, in microseconds.
    pub(crate) fn microseconds(&self) -> u64 {
        let line = self.0.raw.lines().find_map(|line| line.strip_prefix("took "));
        line.and_then(|nanoseconds| nanoseconds.parse::<u64>().ok()).expect("a time") / 1000
    }
}
