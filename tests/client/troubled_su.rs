//! `troubled-su`: starts su again and again and troubles it just after the code was typed.
//!
//! Its arguments are the command to start, after `--terminal` where that shall have a terminal of its
//! own in place of pipes. It reads one round a line from its input: `MICROSECONDS TROUBLE CODE`. It
//! starts the command, types the code at the prompt, and so long afterwards brings the trouble:
//! `none`, a signal by its name, `hangup` (the terminal closes), `key:c` (Control and a letter); or the
//! code is typed without waiting for a prompt, `early`, and with an `alarm` whose time runs from the start.
//! `starve` keeps the first processor busy, from the prompt on, before the code.
//! `freeze:DIRECTORY` freezes a control group; when that is done it prints `stopped` and thaws it after a line. For each round it prints
//! `TOLD SENT MICROSECONDS TEXT`: what su told (`in`, `wrong`, `refused`, `nothing`; `silent` after
//! half a minute), whether it could be reached (`at_once`, `later`, `gone`), how long the verdict
//! took, and all that was said. Where the command stops it prints `stopped` and goes on after a line.
#![allow(unsafe_code, reason = "a new process gets its terminal and its alarm before it starts")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]

mod su;

use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::str::FromStr as _;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use su::Su;

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let at_a_terminal = words.first().is_some_and(|word| word == "--terminal");
    if at_a_terminal {
        words.remove(0);
    }
    let mut input = io::stdin().lines().map_while(Result::ok);
    while let Some(line) = input.next() {
        let Some(round) = Round::parse(&line) else { return ExitCode::from(2) };
        let started = if at_a_terminal { round.at_a_terminal(&words) } else { round.at_a_pipe(&words) };
        let Ok(mut su) = started else { return ExitCode::from(3) };
        let mut told_to_go_on = || {
            say("stopped");
            input.next();
        };
        let report = su.run(&round, &mut told_to_go_on);
        say(&report);
    }
    ExitCode::SUCCESS
}

/// One line of the input.
struct Round {
    after: Duration,
    trouble: Trouble,
    code: String,
}

/// What happens to su.
enum Trouble {
    None,
    Signal(Signal),
    Hangup,
    Key(u8),
    Early,
    Alarm,
    Starve,
    Freeze(PathBuf),
}

impl Round {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        let after = Duration::from_micros(words.next()?.parse().ok()?);
        let trouble = match words.next()? {
            "none" => Trouble::None,
            "hangup" => Trouble::Hangup,
            "early" => Trouble::Early,
            "alarm" => Trouble::Alarm,
            "starve" => Trouble::Starve,
            word => match word.split_once(':') {
                Some(("key", letter)) => Trouble::Key(letter.bytes().next()? & 0x1f),
                Some((_, directory)) => Trouble::Freeze(PathBuf::from(directory)),
                None => Trouble::Signal(Signal::from_str(word).ok()?),
            },
        };
        Some(Self { after, trouble, code: words.next()?.to_owned() })
    }

    fn at_a_pipe(&self, words: &[String]) -> io::Result<Su> {
        let (output, said) = io::pipe()?;
        let (typed, input) = io::pipe()?;
        let mut command = self.command(words);
        command.stdin(typed).stderr(said.try_clone()?).stdout(said);
        let process = start(&mut command)?;
        Ok(Su::new(process, OwnedFd::from(input), OwnedFd::from(output)))
    }

    fn at_a_terminal(&self, words: &[String]) -> io::Result<Su> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let keyboard = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&keyboard)?;
        rustix::pty::unlockpt(&keyboard)?;
        let inside = rustix::pty::ioctl_tiocgptpeer(&keyboard, flags)?;
        let mut modes = tcgetattr(&inside)?;
        // Else an interrupt would throw away a code that su has not read yet.
        modes.local_modes |= LocalModes::NOFLSH;
        tcsetattr(&inside, OptionalActions::Now, &modes)?;
        let mut command = self.command(words);
        command.stdin(inside.try_clone()?).stdout(inside.try_clone()?).stderr(inside);
        // SAFETY: setsid and an ioctl may be called between fork and exec, and touch no memory.
        unsafe { command.pre_exec(own_terminal) };
        let process = start(&mut command)?;
        let screen = keyboard.try_clone()?;
        Ok(Su::new(process, keyboard, screen))
    }

    fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new(words.first().map_or("su", String::as_str));
        command.args(words.iter().skip(1));
        if matches!(self.trouble, Trouble::Alarm) {
            let after = self.after;
            // SAFETY: setitimer may be called between fork and exec, and its memory is its own.
            unsafe { command.pre_exec(move || ring_after(after)) };
        }
        command
    }
}

/// The process of a command; what the command held of pipes is closed with it.
fn start(command: &mut Command) -> io::Result<Pid> {
    let child = command.spawn()?;
    i32::try_from(child.id()).map(Pid::from_raw).map_err(io::Error::other)
}

fn own_terminal() -> io::Result<()> {
    rustix::process::setsid()?;
    rustix::process::ioctl_tiocsctty(io::stdin())?;
    Ok(())
}

/// The time goes on in the program that is started (execve(2)).
fn ring_after(after: Duration) -> io::Result<()> {
    let microseconds = libc::suseconds_t::from(after.subsec_micros().max(1));
    let seconds = libc::time_t::try_from(after.as_secs()).map_err(io::Error::other)?;
    let time = libc::itimerval {
        it_interval: libc::timeval { tv_sec: 0, tv_usec: 0 },
        it_value: libc::timeval { tv_sec: seconds, tv_usec: microseconds },
    };
    // SAFETY: the new value outlives the call, and the old one is not wanted.
    let result = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const time, std::ptr::null_mut()) };
    Errno::result(result).map(drop).map_err(io::Error::from)
}

fn say(line: &str) {
    let mut output = io::stdout().lock();
    // Whoever does not listen any more has no use for it.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}
