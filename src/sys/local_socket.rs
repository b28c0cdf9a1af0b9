//! Sockets of this machine: who is at the other end, and a connection that does not wait.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::fcntl::{OFlag, open};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect as connect_to, getsockopt, socket, sockopt,
};
use nix::sys::stat::Mode;

/// Connects to a listening socket. One whose queue is full fails (`WouldBlock`): it is never waited for.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let end = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    connect_to(std::os::fd::AsRawFd::as_raw_fd(&end), &UnixAddr::new(path)?)?;
    let stream = UnixStream::from(end);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// The uid of who connected, listens, or made the pair (SO_PEERCRED), as it was then.
pub fn peer_uid(stream: &UnixStream) -> io::Result<u32> {
    Ok(getsockopt(stream, sockopt::PeerCredentials)?.uid())
}

/// Takes the socket that is this process's standard input, which then is /dev/null.
///
/// Programs that this process starts later get no end of it.
pub fn take_standard_input() -> io::Result<UnixStream> {
    let input = io::stdin();
    // Above the standard streams and closed on exec(2).
    let stream = UnixStream::from(input.as_fd().try_clone_to_owned()?);
    let nothing = open("/dev/null", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    nix::unistd::dup2_stdin(nothing)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_pair_is_between_this_process_and_itself() {
        let (one, other) = UnixStream::pair().unwrap();
        let own = nix::unistd::geteuid().as_raw();
        assert_eq!((peer_uid(&one).unwrap(), peer_uid(&other).unwrap()), (own, own));
    }

    #[test]
    fn a_socket_that_is_not_there_and_one_that_nobody_listens_on_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        assert_eq!(connect(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        drop(UnixListener::bind(&path).unwrap());
        assert_eq!(connect(&path).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_queue_that_is_full_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let backlog = nix::sys::socket::Backlog::new(1).unwrap();
        nix::sys::socket::listen(&listener, backlog).unwrap();
        let mut held = Vec::new();
        let refusal = loop {
            match connect(&path) {
                Ok(stream) => held.push(stream),
                Err(error) => break error,
            }
            assert!(held.len() < 10, "the queue never fills");
        };
        assert_eq!(refusal.kind(), io::ErrorKind::WouldBlock);
    }
}
