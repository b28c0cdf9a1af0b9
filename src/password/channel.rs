//! Messages over a socket, each within a time. Judges nothing.

use std::io;

use zeroize::{Zeroize as _, Zeroizing};

use super::message::{BadMessage, MOST_BYTES};
use crate::sys::clock::Deadline;
use crate::sys::socket::Connection;

/// One end of a conversation.
pub(super) struct Channel {
    connection: Connection,
    /// As large as the longest message with its NUL. A byte that is not in use is zero.
    buffer: Zeroizing<Vec<u8>>,
    /// How many bytes were read.
    filled: usize,
    /// How many of them make up the message that was received last.
    taken: usize,
}

impl Channel {
    pub(super) fn new(connection: Connection) -> Self {
        let buffer = Zeroizing::new(vec![0; MOST_BYTES.saturating_add(1)]);
        Self { connection, buffer, filled: 0, taken: 0 }
    }

    /// Sends a message, its NUL included.
    pub(super) fn send(&self, message: &[u8], deadline: Deadline) -> io::Result<()> {
        self.connection.send(message, deadline)
    }

    /// The next message, without its NUL. The end of the stream is an error (`UnexpectedEof`).
    pub(super) fn receive(&mut self, deadline: Deadline) -> io::Result<&[u8]> {
        self.wipe_taken();
        let length = loop {
            let read = self.buffer.get(..self.filled).unwrap_or_default();
            if let Some(length) = read.iter().position(|byte| *byte == 0) {
                break length;
            }
            self.read_more(deadline)?;
        };
        self.taken = length.saturating_add(1);
        Ok(self.buffer.get(..length).unwrap_or_default())
    }

    fn read_more(&mut self, deadline: Deadline) -> io::Result<()> {
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        if room.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, BadMessage::TooLong));
        }
        self.filled = self.filled.saturating_add(self.connection.receive_some(room, deadline)?);
        Ok(())
    }

    /// Forgets the message that was received last.
    fn wipe_taken(&mut self) {
        self.buffer.copy_within(self.taken..self.filled, 0);
        self.filled = self.filled.saturating_sub(self.taken);
        self.taken = 0;
        self.buffer.get_mut(self.filled..).unwrap_or_default().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    fn pair() -> (UnixStream, Channel) {
        let (peer, ours) = UnixStream::pair().unwrap();
        (peer, Channel::new(Connection::from(OwnedFd::from(ours))))
    }

    #[test]
    fn messages_come_one_by_one_and_are_wiped_when_the_next_is_wanted() {
        let (mut peer, mut channel) = pair();
        peer.write_all(b"a long secret\0two\0thr").unwrap();
        assert_eq!(channel.receive(soon()).unwrap(), b"a long secret");
        assert_eq!(channel.receive(soon()).unwrap(), b"two");
        assert!(!channel.buffer.windows(6).any(|part| part == b"secret"));
        peer.write_all(b"ee\0").unwrap();
        assert_eq!(channel.receive(soon()).unwrap(), b"three");
        drop(peer);
        assert_eq!(channel.receive(soon()).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(channel.buffer.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn half_a_message_is_none() {
        let (mut peer, mut channel) = pair();
        peer.write_all(b"{\"end\":\"proven\"}").unwrap();
        drop(peer);
        assert_eq!(channel.receive(soon()).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn the_longest_message_fits_and_a_longer_one_is_an_error() {
        let (mut peer, mut channel) = pair();
        let longest = [&[b'x'; MOST_BYTES][..], b"\0"].concat();
        peer.write_all(&longest).unwrap();
        assert_eq!(channel.receive(soon()).unwrap().len(), MOST_BYTES);
        peer.write_all(&[b'x'; MOST_BYTES + 1]).unwrap();
        assert_eq!(channel.receive(soon()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn nobody_is_waited_for_after_the_deadline() {
        let (peer, mut channel) = pair();
        let wait = Deadline::after(Duration::from_millis(20));
        assert_eq!(channel.receive(wait).unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(channel.receive(wait).unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(channel.send(b"x\0", wait).unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(peer);
    }
}
