//! `pam-crowd`: many processes that log in at the same moment, some of which are killed.
//!
//! It reads one round a line from its input: `COUNT MICROSECONDS SERVICE USER RHOST REPLY…`. As many
//! processes start a transaction and wait at their first prompt; all are released together, and, unless
//! the microseconds are 0, killed with SIGKILL so long afterwards. `{}` in USER and RHOST becomes the
//! number of the process. For each different end it prints how many came to it, the name of the status of
//! `pam_authenticate` (or `killed`), and the last message; after a round, `done`.
#![allow(unsafe_code, reason = "fork and pipes between processes are system calls")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(dead_code, reason = "it shares its conversation with pam-client")]

mod conversation;
mod ffi;
mod script;
mod status;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, PipeReader, PipeWriter, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use ffi::{Item, Transaction};
use script::{Behaviour, Script, say};
use status::status_name;

fn main() -> ExitCode {
    // A thousand processes have a pipe each.
    raise_descriptor_limit();
    // Not through `io::stdin`, whose lock and buffer the copies of this process would inherit.
    let Ok(input) = io::stdin().as_fd().try_clone_to_owned() else { return ExitCode::from(2) };
    for line in BufReader::new(File::from(input)).lines().map_while(Result::ok) {
        match Round::parse(&line).and_then(|round| round.run()) {
            Some(ends) => {
                for (end, count) in ends {
                    say(&format!("{count} {end}"));
                }
                say("done");
            }
            None => return ExitCode::from(2),
        }
    }
    ExitCode::SUCCESS
}

/// One line of the input.
struct Round {
    count: u32,
    kill_after: Duration,
    service: CString,
    user: String,
    rhost: String,
    replies: Vec<CString>,
}

impl Round {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let count = words.next()?.parse().ok()?;
        let kill_after = Duration::from_micros(words.next()?.parse().ok()?);
        let service = CString::new(words.next()?).ok()?;
        let [user, rhost] = [words.next()?.to_owned(), words.next()?.to_owned()];
        let replies = words.map(CString::new).collect::<Result<_, _>>().ok()?;
        Some(Self { count, kill_after, service, user, rhost, replies })
    }

    /// What the process of this number does.
    fn script(&self, number: u32) -> Option<Script> {
        Some(Script {
            service: self.service.clone(),
            confdir: c"/etc/pam.d".to_owned(),
            user: Some(CString::new(self.user.replace("{}", &number.to_string())).ok()?),
            authtok: None,
            replies: self.replies.clone(),
            behaviour: Behaviour::Normal,
            change_user: None,
        })
    }

    /// Runs the round; what came of the processes.
    fn run(&self) -> Option<BTreeMap<String, u32>> {
        let (gate, opener) = io::pipe().ok()?;
        let mut members = Vec::new();
        for number in 0..self.count {
            members.push(self.start(number, &gate, &opener)?);
        }
        for member in &mut members {
            member.wait_until_ready();
        }
        drop(opener);
        if !self.kill_after.is_zero() {
            thread::sleep(self.kill_after);
            members.iter().for_each(Member::kill);
        }
        let mut ends = BTreeMap::new();
        for member in members {
            *ends.entry(member.end()).or_insert(0) += 1;
        }
        Some(ends)
    }

    fn start(&self, number: u32, gate: &PipeReader, opener: &PipeWriter) -> Option<Member> {
        let (output, input) = io::pipe().ok()?;
        // SAFETY: this process has one thread, so that its copy finds everything as it is here.
        match unsafe { libc::fork() } {
            -1 => None,
            0 => {
                redirect(gate.as_raw_fd(), 0);
                redirect(input.as_raw_fd(), 1);
                // Whoever held the other end of the gate would wait for himself.
                close(opener.as_raw_fd());
                self.log_in(number);
                // SAFETY: `_exit` may be called at any time; nothing of the parent's is to be flushed.
                unsafe { libc::_exit(0) }
            }
            process => Some(Member { process, output: BufReader::new(output), said: Vec::new() }),
        }
    }

    /// One transaction, whose messages and status go to the standard output.
    fn log_in(&self, number: u32) {
        let held = Cell::new(true);
        let Some(script) = self.script(number) else { return };
        let transaction = match Transaction::start(&script, &held) {
            Ok(transaction) => transaction,
            Err(status) => return say(&format!("authenticate {}", status_name(status))),
        };
        let place = format!("{}.{}", number / 250, number % 250 + 1);
        if let Ok(rhost) = CString::new(self.rhost.replace("{}", &place)) {
            transaction.set(Item::RemoteHost, &rhost);
        }
        let status = transaction.call("authenticate", 0).unwrap_or(-1);
        say(&format!("authenticate {}", status_name(status)));
        transaction.end(status);
    }
}

/// One process of a round.
struct Member {
    process: libc::pid_t,
    output: BufReader<PipeReader>,
    said: Vec<String>,
}

impl Member {
    /// Reads on until it waits at its prompt, or has ended.
    fn wait_until_ready(&mut self) {
        let mut line = String::new();
        while self.output.read_line(&mut line).is_ok_and(|length| length > 0) {
            let said = std::mem::take(&mut line);
            if said == "ready\n" {
                return;
            }
            self.said.push(said.trim_end().to_owned());
        }
    }

    fn kill(&self) {
        // SAFETY: kill touches no memory; the process is a child that was not waited for yet.
        unsafe { libc::kill(self.process, libc::SIGKILL) };
    }

    /// Waits for its end; its verdict, if it came to one, and its last message.
    fn end(mut self) -> String {
        let mut rest = String::new();
        // A line that is cut off by a kill stays as it is.
        let _ = self.output.read_to_string(&mut rest);
        self.said.extend(rest.lines().map(str::to_owned));
        // SAFETY: a null pointer means that the status is not wanted.
        unsafe { libc::waitpid(self.process, std::ptr::null_mut(), 0) };
        let status = self.said.iter().find_map(|line| line.strip_prefix("authenticate "));
        let told =
            self.said.iter().rev().find(|line| line.starts_with("error ") || line.starts_with("info "));
        format!("{} {}", status.unwrap_or("killed"), told.map_or("-", String::as_str))
    }
}

fn redirect(from: i32, to: i32) {
    // SAFETY: dup2 touches no memory, and standard streams of a new process belong to nobody else.
    unsafe { libc::dup2(from, to) };
}

fn close(descriptor: i32) {
    // SAFETY: the copy of the parent's descriptor is used by nothing else in this new process.
    unsafe { libc::close(descriptor) };
}

fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer leads to a limit that outlives the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0 {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: the pointer leads to a limit that outlives the call.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    }
}
