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
use crate::sys::secure_file::{Directory, OpenError};
use crate::wire;

/// How long the service stays when nobody comes; whoever holds its socket starts it again.
const IDLE: Duration = Duration::from_secs(60);

/// Serves until no caller is left, or for ever on sockets of its own.
pub(super) fn run(options: &Serve, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let (public, root, ending) = match &options.listen {
        Some(path) => {
            let root = listen_for_root(path)?;
            let public = listen(path, 0o666).map_err(|error| Error::Listen(path.clone(), error))?;
            terminal.say(format_args!("listening at {}", path.display()));
            (public, Some(root), Ending::Never)
        }
        None => {
            let (public, root) = handed_over()?;
            (public, root, Ending::WhenIdleFor(IDLE))
        }
    };
    // No core file of a process that holds secrets.
    nix::sys::prctl::set_dumpable(false).map_err(io::Error::from)?;
    serve(&public, root, ending)?;
    Ok(ExitCode::Success)
}

/// The sockets that systemd has made (sd_listen_fds(3)): the public one, and root's, which is known by its path.
fn handed_over() -> Result<(UnixListener, Option<UnixListener>), Error> {
    let mut handed = ListenFd::from_env();
    let (mut public, mut root) = (None, None);
    for place in 0..handed.len() {
        let Some(listener) = handed.take_unix_listener(place).ok().flatten() else { continue };
        let address = listener.local_addr()?;
        let is_roots = address.as_pathname() == Some(Path::new(wire::ROOT_SOCKET));
        *if is_roots { &mut root } else { &mut public } = Some(listener);
    }
    Ok((public.ok_or(Error::NoSocket)?, root))
}

/// Root's own socket, in a directory beside the public one that no other user can enter.
fn listen_for_root(public: &Path) -> Result<UnixListener, Error> {
    let above = public.parent().unwrap_or(Path::new("/"));
    let directory = above.join("root");
    let path = directory.join(public.file_name().unwrap_or_default());
    let listener = ensure_directory(above, 0o755)
        .and_then(|()| ensure_directory(&directory, 0o700))
        .and_then(|()| require_private(&directory))
        .and_then(|()| listen(&path, 0o600));
    listener.map_err(|error| Error::Listen(path, error))
}

fn ensure_directory(path: &Path, mode: u32) -> io::Result<()> {
    if path.exists() { Ok(()) } else { new::directory(path, mode) }
}

fn require_private(path: &Path) -> io::Result<()> {
    Directory::open(path).map(drop).map_err(|problem| match problem {
        OpenError::System(error) => error,
        _ => io::Error::other(format!("{} must be a directory for root alone", path.display())),
    })
}

/// A socket of this mode, whatever the umask. One that a killed service has left is replaced.
fn listen(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_abandoned(path) => {
            remove_file(path)?;
            UnixListener::bind(path)?
        }
        other => other?,
    };
    set_permissions(path, Permissions::from_mode(mode))?;
    Ok(listener)
}

/// Whether nobody listens at a socket any more: one that was killed has left it.
fn is_abandoned(path: &Path) -> bool {
    UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
