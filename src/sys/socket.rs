//! Local stream sockets: reaching one, being handed one, who is at the other end, and messages that end
//! with a NUL.
//!
//! Every wait has an end. Writing to a peer that is gone is an error and no SIGPIPE, which would end the
//! host process.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, getsockopt, recv, send, socket,
};
use nix::sys::stat::Mode;
use nix::unistd::dup2_stdin;
use zeroize::Zeroizing;

use super::clock::Deadline;
use super::secure_file::above_standard;

/// The pause between two tries to connect, while the queue of the listener is full.
const PAUSE: Duration = Duration::from_millis(10);

/// Who is at the other end of a socket, as the kernel noted it when the connection was made (unix(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The effective uid of then.
    pub uid: u32,
    /// The effective gid of then.
    pub gid: u32,
}

impl Peer {
    /// The peer of a connected socket.
    pub fn of(socket: impl AsFd) -> io::Result<Self> {
        let credentials = getsockopt(&socket.as_fd(), PeerCredentials)?;
        Ok(Self { uid: credentials.uid(), gid: credentials.gid() })
    }
}

/// The supplementary groups of the peer, as the kernel noted them (`SO_PEERGROUPS`, socket(7)).
pub fn supplementary_groups(socket: impl AsFd) -> io::Result<Vec<u32>> {
    let mut groups: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let mut size =
            libc::socklen_t::try_from(groups.len() * size_of::<libc::gid_t>()).map_err(io::Error::other)?;
        // SAFETY: the kernel writes at most `size` bytes into the vector, which has so many.
        let result = unsafe {
            libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut size,
            )
        };
        let count = usize::try_from(size).map_err(io::Error::other)? / size_of::<libc::gid_t>();
        match Errno::result(result) {
            Ok(_) => {
                groups.truncate(count);
                return Ok(groups);
            }
            // There are more, and it has said how many.
            Err(Errno::ERANGE) if count > groups.len() => groups.resize(count, 0),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until somebody wants to connect. `Ok(false)` when nobody did for so long.
pub fn is_waited_for(listener: impl AsFd, patience: Option<Duration>) -> io::Result<bool> {
    let timeout = patience.map_or(PollTimeout::NONE, |time| {
        PollTimeout::try_from(time.as_millis()).unwrap_or(PollTimeout::MAX)
    });
    match poll(&mut [PollFd::new(listener.as_fd(), PollFlags::POLLIN)], timeout) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Room for a message. It never grows, so no copy is left behind, and whoever runs out of memory does so
/// before he asks.
pub struct Room(Zeroizing<Vec<u8>>);

impl Room {
    /// For at most so many bytes.
    pub fn new(longest: usize) -> Self {
        Self(Zeroizing::new(vec![0; longest.saturating_add(1)]))
    }
}

/// One end of a connection.
#[derive(Debug)]
pub struct Connection(OwnedFd);

impl Connection {
    /// Reaches who listens at `path`. Fails with `NotFound` or `ConnectionRefused` where nobody does, and
    /// with `TimedOut` where the queue of the listener stays full until the deadline.
    pub fn open(path: &Path, deadline: Deadline) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let descriptor = above_standard(socket(AddressFamily::Unix, SockType::Stream, flags, None)?)?;
        let address = UnixAddr::new(path)?;
        loop {
            match connect(descriptor.as_raw_fd(), &address) {
                Ok(()) => return Ok(Self(descriptor)),
                // The listener has not yet taken in all who came before.
                Err(Errno::EAGAIN) => std::thread::sleep(PAUSE.min(left_until(deadline)?)),
                Err(Errno::EINTR) => {
                    left_until(deadline)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes the socket that is this process's standard input, which then is /dev/null.
    ///
    /// Programs that this process starts later get no end of it.
    pub fn from_standard_input() -> io::Result<Self> {
        // Above the standard streams and closed on exec(2).
        let descriptor = io::stdin().as_fd().try_clone_to_owned()?;
        let nothing = open("/dev/null", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
        dup2_stdin(nothing)?;
        Ok(Self(descriptor))
    }

    /// Who is at the other end.
    pub fn peer(&self) -> io::Result<Peer> {
        Peer::of(&self.0)
    }

    /// Sends all of it. After the deadline nothing is sent.
    pub fn send(&self, mut bytes: &[u8], deadline: Deadline) -> io::Result<()> {
        while !bytes.is_empty() {
            left_until(deadline)?;
            match send(self.0.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(Errno::EAGAIN) => self.wait_for(PollFlags::POLLOUT, deadline)?,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Receives one message into `room`, without the NUL that ends it; nothing may follow it.
    pub fn receive(&self, room: Room, deadline: Deadline) -> io::Result<Zeroizing<Vec<u8>>> {
        let Room(mut message) = room;
        let mut length = 0;
        loop {
            let room = message.get_mut(length..).unwrap_or_default();
            if room.is_empty() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let received = self.receive_some(room, deadline)?;
            let end = room.iter().take(received).position(|&byte| byte == 0);
            length += received;
            match end {
                Some(end) if end + 1 == received => {
                    message.truncate(length - 1);
                    return Ok(message);
                }
                Some(_) => return Err(io::ErrorKind::InvalidData.into()),
                None => {}
            }
        }
    }

    /// Receives some of what comes, at least one byte: how many. The end of the stream is an error
    /// (`UnexpectedEof`).
    pub fn receive_some(&self, room: &mut [u8], deadline: Deadline) -> io::Result<usize> {
        loop {
            // Also where there is always more to receive.
            left_until(deadline)?;
            match recv(self.0.as_raw_fd(), room, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(received) => return Ok(received),
                Err(Errno::EAGAIN) => self.wait_for(PollFlags::POLLIN, deadline)?,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn wait_for(&self, event: PollFlags, deadline: Deadline) -> io::Result<()> {
        // In whole milliseconds, upwards: else the last one would be spent in a busy loop.
        let left = left_until(deadline)?.as_millis().saturating_add(1);
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(self.0.as_fd(), event)], timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn left_until(deadline: Deadline) -> io::Result<Duration> {
    deadline.left().ok_or_else(|| io::ErrorKind::TimedOut.into())
}

impl From<OwnedFd> for Connection {
    /// Takes over a connected socket.
    fn from(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    fn pair() -> (Connection, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Connection::from(OwnedFd::from(ours)), theirs)
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(50))
    }

    #[test]
    fn a_message_ends_with_a_nul_and_nothing_follows() {
        let (ours, mut theirs) = pair();
        theirs.write_all(b"{\"a\":1}\0").unwrap();
        assert_eq!(ours.receive(Room::new(64), soon()).unwrap().as_slice(), b"{\"a\":1}");
        theirs.write_all(b"{}\0{}\0").unwrap();
        assert_eq!(ours.receive(Room::new(64), soon()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_message_may_be_as_long_as_it_may_and_no_longer() {
        let (ours, mut theirs) = pair();
        theirs.write_all(b"1234\0").unwrap();
        assert_eq!(ours.receive(Room::new(4), soon()).unwrap().as_slice(), b"1234");
        theirs.write_all(b"12345\0").unwrap();
        assert_eq!(ours.receive(Room::new(4), soon()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn who_says_nothing_half_or_goes_is_not_waited_for() {
        let (ours, mut theirs) = pair();
        assert_eq!(ours.receive(Room::new(64), soon()).unwrap_err().kind(), io::ErrorKind::TimedOut);
        theirs.write_all(b"{\"a\"").unwrap();
        assert_eq!(ours.receive(Room::new(64), soon()).unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(theirs);
        assert_eq!(ours.receive(Room::new(64), soon()).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(ours.send(b"x", soon()).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn who_does_not_read_is_not_waited_for() {
        let (ours, _theirs) = pair();
        assert_eq!(ours.send(&vec![0; 1 << 22], soon()).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn where_nobody_listens_there_is_no_connection() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let kind = |path: &Path| Connection::open(path, soon()).map(drop).unwrap_err().kind();
        assert_eq!(kind(&path), io::ErrorKind::NotFound);
        drop(UnixListener::bind(&path).unwrap());
        assert_eq!(kind(&path), io::ErrorKind::ConnectionRefused);
        let listener = UnixListener::bind(directory.path().join("other")).unwrap();
        let connection = Connection::open(&directory.path().join("other"), soon()).unwrap();
        assert_eq!(connection.peer().unwrap().uid, nix::unistd::geteuid().as_raw());
        drop(listener);
    }

    #[test]
    fn a_pair_is_between_this_process_and_itself() {
        let (ours, theirs) = pair();
        let own = Peer { uid: nix::unistd::geteuid().as_raw(), gid: nix::unistd::getegid().as_raw() };
        assert_eq!((ours.peer().unwrap(), Peer::of(&theirs).unwrap()), (own, own));
    }

    #[test]
    fn a_full_queue_is_not_waited_for_after_the_deadline() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        let mut queued = Vec::new();
        let error = loop {
            match Connection::open(&path, Deadline::after(Duration::ZERO)) {
                Ok(connection) => queued.push(connection),
                Err(error) => break error,
            }
            assert!(queued.len() < 10_000, "the queue has no end");
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = Connection::open(&path, soon()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
