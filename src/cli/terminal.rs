//! The law of the terminal:
//!
//! - secrets and codes go to standard output, and only where that is a terminal or `--force` is given
//! - questions, messages and errors go to standard error
//! - answers come from standard input, which may be a pipe
//! - an error is one line, and the next line says what to do about it
//! - messages begin with a small letter and end without a full stop
//! - nothing is coloured but the QR code, which needs dark on light to be read

use std::fmt::Display;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{self, LocalFlags, SetArg};
use zeroize::Zeroizing;

use super::error::Error;
use super::interruption::{First, Interruption};
use super::private_screen::PrivateScreen;
use crate::credential::StoreError;
use crate::sys::process;

/// The size taken for granted where a terminal does not tell.
const USUAL_SIZE: Size = Size { columns: 80, lines: 24 };

/// The longest line that is taken, in bytes; its room never grows, so no copy is left.
const LONGEST_ANSWER: usize = 4096;
/// How much of a long report is written at once, in bytes.
const PIECE: usize = 64 * 1024;

/// The size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Characters in a line.
    pub(super) columns: usize,
    /// Lines.
    pub(super) lines: usize,
}

/// What came of writing a report. Whoever reads it and has had enough, as head(1) has, is served; nothing
/// failed then.
pub(super) fn unless_nobody_reads(written: Result<(), Error>) -> Result<(), Error> {
    match written {
        Err(Error::System(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// The three streams of the command.
pub(super) struct Terminal {
    input: io::Stdin,
    out: io::Stdout,
    errors: io::Stderr,
    shows_secrets: bool,
    /// Whether a person may still type something.
    is_listening: bool,
    /// How far something has come, as it stands on the last line.
    progress: String,
    // Dropped in this order: a signal that ends the command must find the screen given back.
    private: Option<PrivateScreen>,
    held: Option<Interruption>,
}

impl Terminal {
    /// The streams of this process.
    pub(super) fn of_this_process() -> Self {
        let (input, out, errors) = (io::stdin(), io::stdout(), io::stderr());
        let (shows_secrets, is_listening) = (out.is_terminal(), input.is_terminal());
        Self {
            input,
            out,
            errors,
            shows_secrets,
            is_listening,
            progress: String::new(),
            private: None,
            held: None,
        }
    }

    /// Fails unless secrets may be shown: on a terminal, or where `force` asks for it.
    pub(super) fn permit_secrets(&mut self, force: bool) -> Result<(), Error> {
        self.shows_secrets |= force;
        if self.shows_secrets { Ok(()) } else { Err(Error::NotATerminal) }
    }

    /// Whether standard output is a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.out.is_terminal()
    }

    /// Whether a person sees and types here.
    pub(super) fn is_a_terminal_both_ways(&self) -> bool {
        self.out.is_terminal() && self.input.is_terminal()
    }

    /// Holds signals back until the next question, which they then answer with a no: whoever asks has something to
    /// undo first. Input that is no terminal would be waited for in vain.
    pub(super) fn hold_signals(&mut self) -> Result<(), Error> {
        if self.held.is_none() && self.input.is_terminal() {
            self.held = Some(Interruption::hold()?);
        }
        Ok(())
    }

    /// Shows what follows on a screen of its own, if somebody sees and types here.
    pub(super) fn enter_private_screen(&mut self) -> Result<(), Error> {
        if !self.is_a_terminal_both_ways() {
            return Err(Error::NoPrivateScreen);
        }
        self.hold_signals()?;
        self.private = Some(PrivateScreen::enter()?);
        Ok(())
    }

    /// Gives the screen back.
    pub(super) fn leave_private_screen(&mut self) {
        self.private = None;
    }

    /// Gives the screen back once a person has read what is on it. False where none was borrowed.
    pub(super) fn leave_private_screen_once_read(&mut self) -> bool {
        let was_private = self.private.is_some();
        if was_private {
            let _ = self.ask("press Enter once you have kept them: ");
            self.leave_private_screen();
        }
        was_private
    }

    /// The size of the terminal on standard output.
    pub(super) fn size(&self) -> Size {
        terminal_size::terminal_size_of(&self.out).map_or(USUAL_SIZE, |(width, height)| Size {
            columns: usize::from(width.0),
            lines: usize::from(height.0),
        })
    }

    /// Shows a secret, once [`Terminal::permit_secrets`] has agreed.
    pub(super) fn show(&mut self, text: &str) -> Result<(), Error> {
        if !self.shows_secrets {
            return Err(Error::NotATerminal);
        }
        self.report(text)
    }

    /// Writes a line that is the result of a verb and no secret to standard output.
    pub(super) fn report(&mut self, text: impl Display) -> Result<(), Error> {
        self.end_progress();
        let mut out = self.out.lock();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }

    /// Standard output for a report of many lines, written in large pieces.
    pub(super) fn pages(&self) -> io::BufWriter<io::StdoutLock<'static>> {
        io::BufWriter::with_capacity(PIECE, self.out.lock())
    }

    /// Writes a message to standard error. That it cannot be written changes nothing.
    pub(super) fn say(&mut self, text: impl Display) {
        self.end_progress();
        let _ = writeln!(self.errors.lock(), "{text}");
    }

    /// How many columns there are for [`Terminal::progress`]; none where nobody watches.
    pub(super) fn columns_for_progress(&self) -> Option<usize> {
        let size = self.errors.is_terminal().then(|| terminal_size::terminal_size_of(&self.errors))?;
        Some(size.map_or(USUAL_SIZE.columns, |(width, _)| usize::from(width.0)))
    }

    /// Shows how far something has come, in place of what was shown before.
    pub(super) fn progress(&mut self, text: String) {
        if text != self.progress {
            let before = self.progress.chars().count();
            let mut errors = self.errors.lock();
            let _ = write!(errors, "\r{text:before$}").and_then(|()| errors.flush());
            self.progress = text;
        }
    }

    /// Wipes it, so that something can be written in its place.
    pub(super) fn end_progress(&mut self) {
        let columns = std::mem::take(&mut self.progress).chars().count();
        if columns > 0 {
            let mut errors = self.errors.lock();
            let _ = write!(errors, "\r{:columns$}\r", "").and_then(|()| errors.flush());
        }
    }

    /// Asks for one line. `None` at the end of the input.
    pub(super) fn ask(&mut self, question: &str) -> Result<Option<Zeroizing<String>>, Error> {
        self.prompt(question);
        if let (Some(held), true) = (&mut self.held, self.input.is_terminal())
            && let First::Signal = held.wait(&self.input)?
        {
            return Ok(None);
        }
        let mut line = Zeroizing::new(String::with_capacity(LONGEST_ANSWER));
        // The rest of a longer one is no answer to anything.
        let mut input = self.input.lock().take(LONGEST_ANSWER as u64);
        Ok(if input.read_line(&mut line)? == 0 { None } else { Some(line) })
    }

    /// Waits so long for a line that nobody was asked for. Where no person can type one, it only waits.
    pub(super) fn typed_within(&mut self, wait: Duration) -> Result<Option<Zeroizing<String>>, Error> {
        let timeout = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
        let mut typed = self.is_listening.then(|| PollFd::new(self.input.as_fd(), PollFlags::POLLIN));
        match poll(typed.as_mut_slice(), timeout) {
            Ok(0) | Err(Errno::EINTR) => return Ok(None),
            Err(error) => return Err(io::Error::from(error).into()),
            Ok(_) => {}
        }
        let line = self.ask("")?;
        // At its end a terminal would be found readable again and again.
        self.is_listening = line.is_some();
        Ok(line)
    }

    /// Asks for one line that must not be seen: without echo where the input is a terminal.
    pub(super) fn ask_in_secret(&mut self, question: &str) -> Result<Option<Zeroizing<String>>, Error> {
        if !self.input.is_terminal() {
            return self.ask(question);
        }
        // A Ctrl-C ends the process only when the terminal is as before: rpassword raises it too early.
        let answer = process::deaf(|| self.read_unseen(question)).map_err(StoreError::from)??;
        match answer {
            Ok(line) => Ok(Some(Zeroizing::new(line))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What comes of reading without echo; an error of its own where the terminal cannot be set.
    fn read_unseen(&mut self, question: &str) -> io::Result<io::Result<String>> {
        // Before the question: who answers at once must not be seen either.
        let before = termios::tcgetattr(&self.input)?;
        let mut unseen = before.clone();
        unseen.local_flags.remove(LocalFlags::ECHO | LocalFlags::ISIG);
        termios::tcsetattr(&self.input, SetArg::TCSADRAIN, &unseen)?;
        self.prompt(question);
        let answer = rpassword::read_password();
        termios::tcsetattr(&self.input, SetArg::TCSADRAIN, &before)?;
        Ok(answer)
    }

    fn prompt(&mut self, question: &str) {
        let mut errors = self.errors.lock();
        let _ = write!(errors, "{question}").and_then(|()| errors.flush());
    }

    /// Asks for yes or no; anything but a yes is a no.
    pub(super) fn ask_yes(&mut self, question: &str) -> Result<bool, Error> {
        let answer = self.ask(&format!("{question} [y/N] "))?;
        Ok(answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes" | "Yes" | "YES")))
    }

    /// Says what went wrong and what to do about it.
    pub(super) fn complain(&mut self, error: &Error) {
        self.leave_private_screen();
        self.say(format_args!("countersign: {error}"));
        self.say(format_args!("hint: {}", error.hint()));
    }
}
