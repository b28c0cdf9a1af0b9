//! Reading what a caller says, within bounds: no message is longer or takes longer than it may, and no
//! connection lasts for ever.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::seats::Visit;
use crate::sys::clock::Deadline;
use crate::wire::LONGEST_QUESTION;

/// How long a caller may be silent who has begun something: people look for their phone.
const SILENCE: Duration = Duration::from_secs(300);
/// How long anybody else may be.
const SHORT_SILENCE: Duration = Duration::from_secs(10);
/// How long a message may take from its first byte to its last.
const MESSAGE: Duration = Duration::from_secs(10);
/// How long a connection lasts at most.
const CONNECTION: Duration = Duration::from_secs(900);
/// How long a caller may not read.
const WRITE: Duration = Duration::from_secs(10);

/// What a caller says.
pub(super) struct Incoming<'a> {
    visit: &'a Visit,
    ends: Deadline,
    /// Of the message that has begun: how much of it came, and when it must be whole.
    message: Option<(usize, Deadline)>,
}

/// What a caller is told.
pub(super) struct Outgoing<'a>(&'a UnixStream);

/// Both directions of a connection that has just begun.
pub(super) fn ends_of(visit: &Visit) -> io::Result<(Incoming<'_>, Outgoing<'_>)> {
    visit.stream().set_write_timeout(Some(WRITE))?;
    Ok((Incoming { visit, ends: Deadline::after(CONNECTION), message: None }, Outgoing(visit.stream())))
}

impl Read for Incoming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.visit.rest();
        let until = self
            .message
            .map_or_else(
                || Deadline::after(if self.visit.has_begun() { SILENCE } else { SHORT_SILENCE }),
                |(_, until)| until,
            )
            .min(self.ends);
        self.visit.stream().set_read_timeout(Some(until.left().ok_or(io::ErrorKind::TimedOut)?))?;
        let length = self.visit.listen(buffer)?;
        self.note(buffer.get(..length).unwrap_or_default())?;
        Ok(length)
    }
}

impl Incoming<'_> {
    /// Keeps account of where messages begin and end.
    fn note(&mut self, received: &[u8]) -> io::Result<()> {
        for (place, part) in received.split(|&byte| byte == 0).enumerate() {
            if place > 0 {
                self.message = None;
            }
            if !part.is_empty() {
                let (length, until) = self.message.unwrap_or_else(|| (0, Deadline::after(MESSAGE)));
                self.message = Some((length.saturating_add(part.len()), until));
            }
            if self.message.is_some_and(|(length, _)| length > LONGEST_QUESTION) {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(())
    }
}

impl Write for Outgoing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stream = self.0;
        stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::seats::Guest;

    /// A visit and the caller's end of its connection.
    fn pair() -> (Visit, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Visit::new(Guest::User(1000), ours), theirs)
    }

    #[test]
    fn a_message_is_bounded_however_it_is_cut() {
        let (visit, mut theirs) = pair();
        let (mut incoming, _) = ends_of(&visit).unwrap();
        let mut buffer = vec![0; 8192];
        for _ in 0..3 {
            let whole = [vec![b'x'; LONGEST_QUESTION], vec![0]].concat();
            for piece in whole.chunks(5000) {
                theirs.write_all(piece).unwrap();
                let mut left = piece.len();
                while left > 0 {
                    left -= incoming.read(&mut buffer).unwrap();
                }
            }
        }
        assert!(incoming.message.is_none());
        let error = loop {
            theirs.write_all(&[b'x'; 1000]).unwrap();
            if let Err(error) = incoming.read(&mut buffer) {
                break error;
            }
            assert!(incoming.message.is_some_and(|(length, _)| length <= LONGEST_QUESTION));
        };
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_message_that_is_never_whole_ends_the_connection() {
        let (visit, mut theirs) = pair();
        let (mut incoming, _) = ends_of(&visit).unwrap();
        theirs.write_all(b"{").unwrap();
        assert_eq!(incoming.read(&mut [0; 10]).unwrap(), 1);
        let (length, _) = incoming.message.expect("a message that has begun");
        incoming.message = Some((length, Deadline::after(Duration::ZERO)));
        theirs.write_all(b"\"").unwrap();
        assert_eq!(incoming.read(&mut [0; 10]).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn the_time_of_a_message_begins_with_its_first_byte() {
        let (visit, mut theirs) = pair();
        let (mut incoming, _) = ends_of(&visit).unwrap();
        let sender = std::thread::Builder::new().spawn(move || {
            // So that it is waited for already.
            std::thread::sleep(Duration::from_millis(20));
            let earliest = Deadline::after(MESSAGE);
            theirs.write_all(b"{").unwrap();
            earliest
        });
        assert_eq!(incoming.read(&mut [0; 10]).unwrap(), 1);
        let (_, until) = incoming.message.expect("a message that has begun");
        assert!(until >= sender.unwrap().join().unwrap());
    }

    #[test]
    fn no_connection_lasts_for_ever() {
        let (visit, mut theirs) = pair();
        let (mut incoming, _) = ends_of(&visit).unwrap();
        incoming.ends = Deadline::after(Duration::ZERO);
        theirs.write_all(b"{}\0").unwrap();
        assert_eq!(incoming.read(&mut [0; 10]).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
