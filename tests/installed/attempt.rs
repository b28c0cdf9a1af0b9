//! One login by a real program: what it asked, what became of it, what the module logged.

use super::{CODE_PROMPT, Guarded, password_of};
use crate::container::{Cursor, SshCommand, Terminal};
use std::path::Path;

/// What everybody who gets in runs.
const WHO: &str = "echo in as $(id -un).";
/// How the line begins that it writes.
const IN: &str = "in as ";
/// What the programs say when they are through with somebody; some ask again after it.
const REFUSALS: [&str; 5] = [
    "Permission denied (",              // ssh
    "su: ",                             // su
    "Sorry, try again.",                // sudo
    "Login incorrect",                  // login
    "Maximum number of tries exceeded", // login
];
/// Nobody is asked more often than this.
const MOST_PROMPTS: usize = 20;

/// A person who wants in: gives the password to every question for one, and the code likewise.
#[must_use = "nothing is answered before seen(), must_get_in() or must_be_refused()"]
pub struct Attempt<'a> {
    guarded: &'a Guarded,
    before: Cursor,
    terminal: Terminal,
    answers: Answers,
}

/// What a person types.
struct Answers {
    password: String,
    code: String,
}

/// What was to be seen of a login.
#[derive(Debug)]
pub struct Seen {
    /// As whom the person got in, if at all.
    pub in_as: Option<String>,
    /// The prompts, each `password` or `code`.
    pub prompts: Vec<&'static str>,
    /// All that the terminal showed.
    pub transcript: String,
    /// The lines of the module in the journal.
    pub log: Vec<String>,
}

impl Guarded {
    /// Somebody at the host's ssh client, with this user's password and no key.
    pub fn by_ssh(&self, user: &str) -> Attempt<'_> {
        self.by_ssh_with(user, |ssh| ssh)
    }

    /// Somebody with this user's key and password.
    pub fn by_key(&self, user: &str, key: &Path) -> Attempt<'_> {
        self.by_ssh_with(user, |ssh| ssh.key(key))
    }

    /// Somebody at the host's ssh client, set as the test wants it. The client gives up after one
    /// refusal; more of `NumberOfPasswordPrompts` makes it go on.
    pub fn by_ssh_with<'a>(
        &'a self,
        user: &str,
        set: impl FnOnce(SshCommand<'a>) -> SshCommand<'a>,
    ) -> Attempt<'a> {
        let client = self.ssh(user).option("NumberOfPasswordPrompts=1").command(WHO);
        let client = set(client);
        self.attempt(user, || client.start())
    }

    /// One user who runs `su` to become another, under his own real uid.
    pub fn by_su(&self, from: &str, to: &str) -> Attempt<'_> {
        self.attempt(to, || self.terminal(&["runuser", "-u", from, "--", "su", to, "-c", WHO]))
    }

    /// A user who runs `sudo`, under his own real uid.
    pub fn by_sudo(&self, user: &str) -> Attempt<'_> {
        self.attempt(user, || self.terminal(&["runuser", "-u", user, "--", "sudo", "-k", "sh", "-c", WHO]))
    }

    /// Somebody at a terminal of the test's own making, where [`Seen`] finds `in as NAME.`
    pub fn attempt(&self, user: &str, start: impl FnOnce() -> Terminal) -> Attempt<'_> {
        let before = self.cursor();
        let answers = Answers { password: password_of(user), code: String::new() };
        Attempt { guarded: self, before, terminal: start(), answers }
    }

    /// Somebody at the console, where login(1) asks.
    pub fn by_console(&mut self, user: &str, code: &str) -> Seen {
        let before = self.cursor();
        let answers = Answers { password: password_of(user), code: code.to_owned() };
        let console = self.fresh_console();
        let start = console.transcript().len();
        console.send_line(user);
        let greeting = format!("{user}@localhost:~$ ");
        let (prompts, welcome) = answers.talk(console, &greeting);
        let in_as = welcome.then(|| {
            console.send_line(WHO);
            console.expect(&format!("\r\n{IN}"));
            console.expect(".")
        });
        let transcript = console.transcript().split_off(start);
        Seen { in_as, prompts, transcript, log: self.log_since(&before) }
    }

    /// The module's lines in the journal since then, each from the name of the module on.
    pub fn log_since(&self, before: &Cursor) -> Vec<String> {
        let journal = self.journal_since(before);
        let ours = journal.lines().filter_map(|line| Some(&line[line.find("pam_countersign(")?..]));
        ours.map(str::to_owned).collect()
    }
}

impl Attempt<'_> {
    /// Answers every question for a password with this one.
    pub fn password(mut self, password: &str) -> Self {
        password.clone_into(&mut self.answers.password);
        self
    }

    /// Answers every question for a code with this one; without it, with an empty line.
    pub fn code(mut self, code: &str) -> Self {
        code.clone_into(&mut self.answers.code);
        self
    }

    /// Goes through with it, whatever comes of it.
    pub fn seen(mut self) -> Seen {
        let (prompts, welcome) = self.answers.talk(&mut self.terminal, IN);
        let in_as = welcome.then(|| {
            let name = self.terminal.expect(".");
            assert_eq!(self.terminal.wait(), 0, "{}", self.terminal.transcript());
            name
        });
        let transcript = self.terminal.transcript();
        Seen { in_as, prompts, transcript, log: self.guarded.log_since(&self.before) }
    }

    /// Goes through with it and gets in, by a code that the module has accepted.
    pub fn must_get_in(self) -> Seen {
        self.seen().must_be_in()
    }

    /// Goes through with it and is refused by the module for this reason of its log.
    pub fn must_be_refused(self, reason: &str) -> Seen {
        self.seen().must_be_refused(reason)
    }
}

impl Answers {
    /// Answers until the person is in, is refused or the program ends. Returns what was asked and
    /// whether the person is in.
    fn talk(&self, terminal: &mut Terminal, welcome: &str) -> (Vec<&'static str>, bool) {
        // The prompts are "Password: " and "[sudo] password for NAME: ".
        let texts = [&["assword: ", "assword for ", CODE_PROMPT, welcome], &REFUSALS[..]].concat();
        let mut prompts = Vec::new();
        while prompts.len() <= MOST_PROMPTS {
            match terminal.expect_any_or_end(&texts) {
                Some(0 | 1) => {
                    prompts.push("password");
                    terminal.send_line(&self.password);
                }
                Some(2) => {
                    prompts.push("code");
                    terminal.send_line(&self.code);
                }
                Some(3) => return (prompts, true),
                Some(_) | None => return (prompts, false),
            }
        }
        panic!("asked again and again:\n{}", terminal.transcript())
    }
}

impl Seen {
    /// The person got in by a code that the module has accepted, and the log says so once.
    pub fn must_be_in(self) -> Seen {
        assert!(self.in_as.is_some(), "not let in: {self:#?}");
        let accepted = self.log.iter().filter(|line| line.contains("event=accepted ")).count();
        assert_eq!(accepted, 1, "{self:#?}");
        self
    }

    /// The module refused the person for this reason, and he is not in.
    pub fn must_be_refused(self, reason: &str) -> Seen {
        let seen = self.must_be_out();
        let reason = format!("reason={reason} ");
        assert!(seen.log.iter().any(|line| line.contains(&reason)), "no {reason:?}: {seen:#?}");
        assert!(!seen.log.iter().any(|line| line.contains("event=accepted")), "{seen:#?}");
        seen
    }

    /// The person is not in, for whatever reason.
    pub fn must_be_out(self) -> Seen {
        assert_eq!(self.in_as, None, "let in: {self:#?}");
        self
    }

    /// The person was refused before the module was asked.
    pub fn must_not_have_been_asked_for_a_code(self) -> Seen {
        let seen = self.must_be_out();
        assert!(!seen.prompts.contains(&"code"), "{seen:#?}");
        assert!(seen.log.is_empty(), "{seen:#?}");
        seen
    }

    /// The person was told this.
    pub fn must_have_shown(self, text: &str) -> Seen {
        assert!(self.transcript.contains(text), "not shown: {text:?}: {self:#?}");
        self
    }

    /// The module logged a line with this in it.
    pub fn must_have_logged(self, text: &str) -> Seen {
        assert!(self.log.iter().any(|line| line.contains(text)), "not logged: {text:?}: {self:#?}");
        self
    }
}
