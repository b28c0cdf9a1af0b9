//! A shell at a terminal, and the person who sits there.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use pam_countersign::credential::slot::{self, Sequenced};
use pam_countersign::user::UserName;

use super::answer::Answer;
use super::{PROMPT, password_for};
use crate::container::Terminal;
use crate::installed::Guarded;
use crate::planting::Phone;

pub struct Shell {
    terminal: Terminal,
}

impl Shell {
    /// Waits until it is ready.
    pub fn start(mut terminal: Terminal) -> Self {
        terminal.expect(PROMPT);
        Self { terminal }
    }

    pub fn set_patience(&mut self, patience: Duration) {
        self.terminal.set_patience(patience);
    }

    pub fn command(&mut self, command: &str) {
        self.terminal.send_line(command);
    }

    pub fn type_in(&mut self, text: &str) {
        self.terminal.send_line(text);
    }

    /// Waits for a line of the guide, part by part.
    pub fn expect(&mut self, shown: &str, place: &str) {
        for part in shown.split('…').map(str::trim_start).filter(|part| !part.trim().is_empty()) {
            let found = self.terminal.expect_any_or_end(&[part, PROMPT]);
            assert_eq!(found, Some(0), "{place}: no `{part}` in:\n{}", self.transcript());
        }
    }

    /// The status of the command that has ended.
    pub fn end_of_command(&mut self, place: &str) -> i32 {
        let transcript = |shell: &Self| shell.transcript();
        let ended = self.terminal.expect_any_or_end(&[PROMPT]);
        assert!(ended.is_some(), "{place}: the shell is gone:\n{}", transcript(self));
        self.terminal.send_line("echo \"[status $?]\"");
        self.terminal.expect("\n[status ");
        let status = self.terminal.expect("]");
        self.terminal.expect(PROMPT);
        status.parse().unwrap_or_else(|error| panic!("{place}: {error}: {status:?}"))
    }

    pub fn transcript(&self) -> String {
        self.terminal.transcript()
    }
}

/// Alice, with what she has.
pub struct Person {
    name: &'static str,
    device: Option<Phone>,
    /// Screens keep showing what is old.
    seen: Vec<String>,
    recovery_codes: Vec<String>,
    spent: usize,
}

impl Person {
    pub fn new(name: &'static str) -> Self {
        Self { name, device: None, seen: Vec::new(), recovery_codes: Vec::new(), spent: 0 }
    }

    /// She has a device with this base32 secret.
    pub fn has_device(&mut self, secret: &str) {
        self.device = Some(Phone::new(secret));
    }

    /// Takes over what a screen shows her: a new key, new recovery codes.
    pub fn look_at(&mut self, screen: &str) {
        let key = screen.rsplit_once("key for typing in: ").and_then(|(_, rest)| rest.split_once("\r\n"));
        if let Some((key, _)) = key {
            let key = key.replace(' ', "");
            if !self.seen.contains(&key) {
                self.has_device(&key);
                self.seen.push(key);
            }
        }
        let codes = screen.lines().map(str::trim).filter(|line| is_recovery_code(line));
        let new: Vec<String> =
            codes.filter(|code| !self.seen.iter().any(|seen| seen == code)).map(str::to_owned).collect();
        if !new.is_empty() {
            self.seen.extend(new.iter().cloned());
            self.recovery_codes = new;
            self.spent = 0;
        }
    }

    pub fn answer(&mut self, answer: &Answer, guarded: &Guarded, prompt: &str) -> String {
        match answer {
            Answer::Code => self.code(guarded),
            Answer::WrongCode => self.device.as_ref().map_or_else(|| "000000".to_owned(), Phone::wrong_code),
            Answer::Password => password_for(prompt),
            Answer::Both => format!("{}{}", password_for(prompt), self.code(guarded)),
            Answer::RecoveryCode => {
                self.spent += 1;
                self.recovery_codes.get(self.spent - 1).expect("a recovery code is left").clone()
            }
            Answer::Words(words) => words.clone(),
        }
    }

    fn code(&self, guarded: &Guarded) -> String {
        let code = self.device.as_ref().expect("she has a device").code(0);
        half_a_minute_later(guarded, self.name);
        code
    }
}

fn is_recovery_code(line: &str) -> bool {
    let groups: Vec<&str> = line.split('-').collect();
    let is_group = |group: &&str| group.len() == 4 && group.bytes().all(|byte| byte.is_ascii_alphanumeric());
    groups.len() == 4 && groups.iter().all(is_group)
}

/// Makes the codes of somebody's devices good that would be good again half a minute later, which no test waits for.
fn half_a_minute_later(guarded: &Guarded, name: &str) {
    let path = guarded.store().join("users").join(name).join("state");
    let Ok(bytes) = fs::read(&path) else { return };
    let user = UserName::new(name.as_bytes()).expect("a name");
    let at = |offset: usize| &bytes[offset..offset + slot::SIZE];
    let Ok(chosen) = slot::read(&user, at(0), at(65_536)) else { return };
    let mut state = chosen.current.state;
    for key in &mut state.keys {
        key.next = 0;
    }
    let next = Sequenced { sequence: chosen.current.sequence + 1, state };
    let bytes = slot::encode(&user, &next).expect("a state");
    let file = fs::File::options().write(true).open(&path).expect("the state");
    file.write_all_at(&bytes, chosen.place.other().offset()).expect("a slot");
}
