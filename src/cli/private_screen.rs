//! The alternate screen of a terminal, which keeps nothing to scroll back to.

use std::io::{self, Write as _};

/// To the alternate screen, which is then wiped (xterm's control sequences).
const ENTER: &str = "\u{1b}[?1049h\u{1b}[H\u{1b}[2J";
/// Wiped first: a terminal without an alternate screen has shown all of it on its only one.
const LEAVE: &str = "\u{1b}[H\u{1b}[2J\u{1b}[?1049l";

/// The screen, borrowed until this is dropped.
pub(super) struct PrivateScreen(());

impl PrivateScreen {
    /// Borrows it.
    pub(super) fn enter() -> io::Result<Self> {
        let mut out = io::stdout().lock();
        out.write_all(ENTER.as_bytes())?;
        out.flush()?;
        Ok(Self(()))
    }
}

impl Drop for PrivateScreen {
    fn drop(&mut self) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(LEAVE.as_bytes()).and_then(|()| out.flush());
    }
}
