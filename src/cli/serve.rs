//! `countersign serve`: the service that judges codes for callers that are not root.

use std::fs::{Permissions, remove_file, set_permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use listenfd::ListenFd;

use super::args::Serve;
use super::error::{Error, ExitCode};
use super::terminal::Terminal;
use super::who;
use crate::service::{Ending, serve};
use crate::sys::new;

/// How long the service stays when nobody comes; whoever holds its socket starts it again.
const IDLE: Duration = Duration::from_secs(60);

/// Serves until nobody comes any more, or for ever on a socket of its own.
pub(super) fn run(options: &Serve, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let (listener, ending) = match &options.listen {
        Some(path) => {
            let listener = listen(path).map_err(|error| Error::Listen(path.clone(), error))?;
            terminal.say(format_args!("listening at {}", path.display()));
            (listener, Ending::Never)
        }
        None => (handed_over()?, Ending::WhenIdleFor(IDLE)),
    };
    // No core file of a process that holds secrets.
    nix::sys::prctl::set_dumpable(false).map_err(io::Error::from)?;
    serve(&listener, ending)?;
    Ok(ExitCode::Success)
}

/// The socket that systemd has made (sd_listen_fds(3)).
fn handed_over() -> Result<UnixListener, Error> {
    ListenFd::from_env().take_unix_listener(0).ok().flatten().ok_or(Error::NoSocket)
}

/// A socket that everybody may reach: who may ask what is decided from who he is.
fn listen(path: &Path) -> io::Result<UnixListener> {
    if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
        new::directory(directory, 0o755)?;
    }
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_abandoned(path) => {
            remove_file(path)?;
            UnixListener::bind(path)?
        }
        other => other?,
    };
    set_permissions(path, Permissions::from_mode(0o666))?;
    Ok(listener)
}

/// Whether nobody listens at a socket any more: one that was killed has left it.
fn is_abandoned(path: &Path) -> bool {
    UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
