//! A program on a pseudo-terminal, driven as a person would: wait for words, type, read.
//!
//! The terminal is opened with `rustix`, and the program becomes its session leader through
//! setsid(1), which needs no `unsafe`. Why not `rexpect`: it runs Rust code in a fork of a process
//! that has threads, it turns the echo off, so that a password shown by mistake would not be seen,
//! it keeps no transcript, and its terminals stay open in every program that another test starts
//! meanwhile, so that programs would outlive a killed test.

use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// Why no text can come any more.
const ENDED: &str = "the program ended";

/// Wide, so that no program wraps the lines that a test looks for.
const SIZE: Winsize = Winsize { ws_row: 50, ws_col: 250, ws_xpixel: 0, ws_ypixel: 0 };

/// A running program and the terminal it runs on. Both end on drop.
///
/// When the test process dies, however it dies, the terminal hangs up and the program gets SIGHUP.
#[derive(Debug)]
pub struct Terminal {
    command: String,
    child: Child,
    keyboard: File,
    screen: Arc<Screen>,
    /// How much of the output earlier calls of `expect` have gone past.
    read: usize,
    patience: Duration,
}

/// What the program has written so far, filled by a thread: a program never waits for its reader.
#[derive(Debug, Default)]
struct Screen {
    output: Mutex<Output>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Output {
    bytes: Vec<u8>,
    ended: bool,
}

impl Terminal {
    /// Starts a program of the host with an environment of PATH, HOME, `LANG=C.UTF-8` and `TERM=dumb`.
    pub fn start<Word: AsRef<OsStr>>(command: &[Word]) -> Terminal {
        let words: Vec<_> = command.iter().map(|word| word.as_ref().to_string_lossy()).collect();
        let words = words.join(" ");
        Terminal::open(command, words.clone())
            .unwrap_or_else(|error| panic!("`{words}` does not start on a terminal: {error}"))
    }

    fn open<Word: AsRef<OsStr>>(command: &[Word], words: String) -> io::Result<Terminal> {
        // Close-on-exec from the start: a copy in another program would keep the terminal alive.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags)?;
        unlockpt(&master)?;
        let slave = ioctl_tiocgptpeer(&master, flags)?;
        tcsetwinsize(&slave, SIZE)?;

        let child = Command::new("setsid")
            .arg("--ctty")
            // Tests may be started with the signals of the keyboard ignored, as in the background.
            .args(["env", "--default-signal=INT,QUIT,TSTP"])
            .args(command)
            .env_clear()
            .envs(["PATH", "HOME"].into_iter().filter_map(|key| Some((key, std::env::var_os(key)?))))
            .envs([("LANG", "C.UTF-8"), ("TERM", "dumb")])
            .stdin(slave.try_clone()?)
            .stdout(slave.try_clone()?)
            .stderr(Stdio::from(slave))
            .spawn()?;

        let keyboard = File::from(master);
        let screen = Arc::new(Screen::default());
        let (source, shown) = (keyboard.try_clone()?, Arc::clone(&screen));
        thread::spawn(move || shown.show_all(source));
        Ok(Terminal { command: words, child, keyboard, screen, read: 0, patience: PATIENCE })
    }

    /// How long `expect` and `wait` wait from now on; 20 seconds at first.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// The process id of the program on the host.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for this text after what was expected last; returns what stood before it.
    pub fn expect(&mut self, text: &str) -> String {
        self.find(&[text]).1
    }

    /// Waits for one of these texts and returns its index. The one that comes first counts, and
    /// where two begin at the same place, the one named first.
    pub fn expect_any(&mut self, texts: &[&str]) -> usize {
        self.find(texts).0
    }

    /// Like [`Terminal::expect_any`], but `None` when the program ends without any of the texts.
    pub fn expect_any_or_end(&mut self, texts: &[&str]) -> Option<usize> {
        match self.look_for(texts) {
            Ok((index, _)) => Some(index),
            Err(ENDED) => None,
            Err(why) => self.fail(&format!("waiting for {texts:?} or the end: {why}")),
        }
    }

    fn find(&mut self, texts: &[&str]) -> (usize, String) {
        self.look_for(texts).unwrap_or_else(|why| self.fail(&format!("waiting for {texts:?}: {why}")))
    }

    fn look_for(&mut self, texts: &[&str]) -> Result<(usize, String), &'static str> {
        let start = self.read;
        let found = self.screen.wait_until(self.patience, |output| {
            let unread = &output.bytes[start..];
            match first_of(unread, texts) {
                Some(found) => Some(Ok((found, unread[..found.position].to_vec()))),
                None if output.ended => Some(Err(ENDED)),
                None => None,
            }
        });
        let (found, before) = found.unwrap_or(Err("nothing more came"))?;
        self.read = start + found.position + texts[found.index].len();
        Ok((found.index, String::from_utf8_lossy(&before).into_owned()))
    }

    /// Types this text and Enter.
    pub fn send_line(&mut self, text: &str) {
        self.send(&format!("{text}\r"));
    }

    /// Types this text.
    pub fn send(&mut self, text: &str) {
        if let Err(error) = self.keyboard.write_all(text.as_bytes()) {
            self.fail(&format!("typing {text:?}: {error}"));
        }
    }

    /// Types a letter with Control held down: `'c'` interrupts, `'d'` ends the input.
    pub fn send_control(&mut self, letter: char) {
        let code = u8::try_from(letter).map_or(0, |letter| letter & 0x1f);
        self.send(&char::from(code).to_string());
    }

    /// Waits for the program to end, reading all it has to say. The status is its exit code, or 128
    /// and the number of the signal that ended it.
    pub fn wait(&mut self) -> i32 {
        let ended = self.screen.wait_until(self.patience, |output| output.ended.then_some(()));
        if ended.is_none() {
            self.fail("waiting for the program to end");
        }
        match self.child.wait() {
            Ok(status) => code(status),
            Err(error) => self.fail(&format!("waiting for the exit status: {error}")),
        }
    }

    /// Whether the program has ended and its output has been read to the end.
    pub fn has_ended(&self) -> bool {
        self.screen.output().ended
    }

    /// All that the terminal has shown so far, with carriage returns and the echo of what was typed.
    pub fn transcript(&self) -> String {
        String::from_utf8_lossy(&self.screen.output().bytes).into_owned()
    }

    /// Ends the program at once with SIGKILL.
    pub fn kill(&mut self) {
        // It fails only for a program that has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn fail(&self, what: &str) -> ! {
        panic!(
            "{what}\n  in: {}\n--- the terminal so far ---\n{}\n--- end ---",
            self.command,
            self.transcript().replace('\r', "")
        )
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Screen {
    /// Reads until nobody holds the other side of the terminal; Linux reports that as EIO.
    fn show_all(&self, mut source: File) {
        let mut buffer = [0; 4096];
        loop {
            match source.read(&mut buffer) {
                Ok(count @ 1..) => self.output().bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => break,
            }
            self.changed.notify_all();
        }
        self.output().ended = true;
        self.changed.notify_all();
    }

    /// Looks at the output now and whenever there is more. `None`: not before the time was over.
    fn wait_until<Found>(
        &self,
        patience: Duration,
        mut look: impl FnMut(&Output) -> Option<Found>,
    ) -> Option<Found> {
        let deadline = Instant::now() + patience;
        let mut output = self.output();
        loop {
            if let Some(found) = look(&output) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            output = self.changed.wait_timeout(output, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy)]
struct Found {
    position: usize,
    index: usize,
}

fn first_of(bytes: &[u8], texts: &[&str]) -> Option<Found> {
    let position = |text: &str| bytes.windows(text.len()).position(|part| part == text.as_bytes());
    texts
        .iter()
        .enumerate()
        .filter_map(|(index, text)| Some(Found { position: position(text)?, index }))
        .min_by_key(|found| (found.position, found.index))
}

fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .or(status.signal().map(|signal| 128 + signal))
        .expect("a program that has ended has a code or a signal")
}
