//! Signals that are held back while something must be undone before the command may end: a borrowed screen,
//! files of an enrolment that is given up.
//!
//! They are noticed at the next question, which then is not answered. Once all is undone and this is dropped,
//! the signal ends the command as it would have done.

use std::io::{self, Stdin};
use std::os::fd::AsFd as _;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// What ends a command at a terminal. Control and Z would stop it with the secret on the screen, so it is held too.
const HELD: [Signal; 5] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGTSTP];

/// Signals, held until this is dropped.
pub(super) struct Interruption {
    arrived: SignalFd,
    before: SigSet,
}

/// What came first.
pub(super) enum First {
    /// Something was typed.
    Input,
    /// A signal that is to end the command.
    Signal,
}

impl Interruption {
    /// Holds them from now on.
    pub(super) fn hold() -> io::Result<Self> {
        let held: SigSet = HELD.into_iter().collect();
        let mut before = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&held), Some(&mut before))?;
        let arrived = SignalFd::with_flags(&held, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
        match arrived {
            Ok(arrived) => Ok(Self { arrived, before }),
            Err(error) => {
                let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
                Err(error.into())
            }
        }
    }

    /// Waits for a line at a terminal, or for a signal.
    pub(super) fn wait(&mut self, input: &Stdin) -> io::Result<First> {
        loop {
            let mut either = [
                PollFd::new(self.arrived.as_fd(), PollFlags::POLLIN),
                PollFd::new(input.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut either, PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let [signal, typed] = either.map(|one| one.any().unwrap_or(false));
            if signal && !self.is_stop()? {
                return Ok(First::Signal);
            }
            if typed {
                return Ok(First::Input);
            }
        }
    }

    /// Whether the signal is Control and Z, which is dropped. Any other stays where it is.
    fn is_stop(&mut self) -> io::Result<bool> {
        let mut stop = SigSet::empty();
        stop.add(Signal::SIGTSTP);
        self.arrived.set_mask(&stop)?;
        let taken = self.arrived.read_signal()?;
        self.arrived.set_mask(&HELD.into_iter().collect())?;
        Ok(taken.is_some())
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        // Setting a mask that was in force before cannot fail.
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None);
    }
}
