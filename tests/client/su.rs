//! One su of `troubled-su`, at its pipes or its terminal: what is typed, what it says, what befalls it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::{Round, Trouble};

const PROMPT: &str = "Verification code: ";
/// What a verdict looks like, and what it is called. The first of these counts.
const VERDICTS: [(&str, &str); 5] = [
    ("in as ", "in"),
    ("Recovery code accepted", "in"),
    ("Wrong code.", "wrong"),
    ("su: ", "refused"),
    ("code was already used", "refused"),
];
/// How long su may be silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one look at su takes at most, in milliseconds.
const MOMENT: libc::c_int = 2;

/// A su that runs.
pub(crate) struct Su {
    process: Pid,
    keyboard: Option<File>,
    /// Gone where nobody can write there any more.
    screen: Option<File>,
    text: String,
    ended: bool,
}

impl Su {
    /// What is typed and what is shown may be the same terminal.
    pub(crate) fn new(process: Pid, keyboard: OwnedFd, screen: OwnedFd) -> Self {
        let (keyboard, screen) = (Some(File::from(keyboard)), Some(File::from(screen)));
        Self { process, keyboard, screen, text: String::new(), ended: false }
    }

    /// Runs it to its end; a report.
    pub(crate) fn run(&mut self, round: &Round, stopped: &mut dyn FnMut()) -> String {
        let early = matches!(round.trouble, Trouble::Early | Trouble::Alarm);
        let prompted = early || self.read_until(stopped, |text| text.contains(PROMPT)) == Some(true);
        let start = Instant::now();
        let mut sent = "gone";
        let _loops = (prompted && matches!(round.trouble, Trouble::Starve)).then(Loops::start);
        if prompted {
            let line = format!("{}\n", round.code);
            // Whoever does not read it says so by what he tells.
            let _ = self.keyboard.as_mut().map(|keyboard| keyboard.write_all(line.as_bytes()));
            if !early {
                thread::sleep(round.after);
            }
            sent = self.trouble(&round.trouble, stopped);
        }
        let over = self.read_until(stopped, |text| verdict(text).is_some());
        let took = start.elapsed().as_micros();
        let told = match (verdict(&self.text), over) {
            (Some(told), _) => told,
            (None, Some(_)) => "nothing",
            (None, None) => "silent",
        };
        self.end();
        format!("{told} {sent} {took} {}", self.text.escape_default())
    }

    fn trouble(&mut self, trouble: &Trouble, stopped: &mut dyn FnMut()) -> &'static str {
        match trouble {
            Trouble::None | Trouble::Early | Trouble::Alarm | Trouble::Starve => {}
            Trouble::Signal(signal) => return self.signal(*signal),
            Trouble::Freeze(group) => freeze(group, stopped),
            Trouble::Hangup => (self.keyboard, self.screen) = (None, None),
            Trouble::Key(key) => {
                let _ = self.keyboard.as_mut().map(|keyboard| keyboard.write_all(&[*key]));
            }
        }
        "at_once"
    }

    /// As often as it takes: the signal is refused while su holds the lock.
    fn signal(&self, signal: Signal) -> &'static str {
        if self.ended {
            return "gone";
        }
        let mut sent = "at_once";
        loop {
            match kill(self.process, signal) {
                Ok(()) => return sent,
                Err(Errno::EPERM) => sent = "later",
                Err(_) => return "gone",
            }
        }
    }

    /// Reads on until this holds of all that was said. `Some(false)` where nothing more comes, `None`
    /// where su was silent for too long.
    fn read_until(&mut self, stopped: &mut dyn FnMut(), holds: impl Fn(&str) -> bool) -> Option<bool> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if holds(&self.text) {
                return Some(true);
            }
            if self.screen.is_none() && self.ended {
                return Some(false);
            }
            if !self.read_for_a_moment() {
                self.look_after(stopped);
            }
        }
        None
    }

    /// Whether there was something to read, or the end of it.
    fn read_for_a_moment(&mut self) -> bool {
        let Some(screen) = self.screen.as_mut() else {
            thread::sleep(Duration::from_millis(1));
            return false;
        };
        let mut wanted = libc::pollfd { fd: screen.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: the one pollfd outlives the call.
        if unsafe { libc::poll(&raw mut wanted, 1, MOMENT) } <= 0 {
            return false;
        }
        let mut piece = [0; 1024];
        match screen.read(&mut piece) {
            Ok(length @ 1..) => {
                let piece = piece.get(..length).unwrap_or_default();
                self.text.push_str(&String::from_utf8_lossy(piece));
            }
            // A terminal without anybody inside answers with an error.
            _ => self.screen = None,
        }
        true
    }

    /// Notices that it has ended or was stopped.
    fn look_after(&mut self, stopped: &mut dyn FnMut()) {
        match waitpid(self.process, Some(WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Stopped(..)) => {
                stopped();
                self.signal(Signal::SIGCONT);
            }
            Ok(WaitStatus::StillAlive) => {}
            _ => self.ended = true,
        }
    }

    /// Ends whatever is left of it.
    fn end(&mut self) {
        if !self.ended {
            self.signal(Signal::SIGKILL);
            let _ = waitpid(self.process, None);
        }
    }
}

/// Processes that keep the first processor busy until they are dropped.
struct Loops([Child; 4]);

impl Loops {
    fn start() -> Self {
        let words = ["--cpu-list", "0", "sh", "-c", "while :; do :; done"];
        Self([(); 4].map(|()| Command::new("taskset").args(words).spawn().expect("taskset")))
    }
}

impl Drop for Loops {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Freezes a control group, and thaws it when told to go on.
fn freeze(group: &Path, stopped: &mut dyn FnMut()) {
    let is_frozen = || {
        let events = fs::read_to_string(group.join("cgroup.events")).unwrap_or_default();
        events.contains("frozen 1")
    };
    let deadline = Instant::now() + PATIENCE;
    if fs::write(group.join("cgroup.freeze"), "1").is_ok() {
        while !is_frozen() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        stopped();
    }
    let _ = fs::write(group.join("cgroup.freeze"), "0");
}

fn verdict(text: &str) -> Option<&'static str> {
    VERDICTS.iter().find(|(sign, _)| text.contains(sign)).map(|(_, told)| *told)
}
