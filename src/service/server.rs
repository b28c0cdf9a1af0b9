//! Taking callers in: a thread for each that has a seat.
//!
//! A caller can only hold up his own thread. What he sends is bounded in [`super::connection`].

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use varlink::{ConnectionHandler as _, VarlinkService};

use super::connection::ends_of;
use super::interface::Desk;
use super::office::Office;
use super::permission::Caller;
use super::public_door::PublicDoor;
use super::seats::{Guest, Seats, Visit};
use crate::sys::socket::{self, Peer};
use crate::wire::error;

/// Enough for any answer; a thread takes memory only as it needs it.
const STACK: usize = 512 * 1024;
/// The pause after a failure to take somebody in, as when there are no descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// When the service ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Never: nobody would start it again.
    Never,
    /// When nobody has come for so long: whoever holds the socket starts it again.
    WhenIdleFor(Duration),
}

/// Takes callers in until the ending. Root's own socket has a thread and seats of its own, so that root's logins
/// wait for none of the users who ask at the public one.
pub fn serve(public: &UnixListener, root: Option<UnixListener>, ending: Ending) -> io::Result<()> {
    // A caller who has gone again before being taken in must not be waited for.
    public.set_nonblocking(true)?;
    let office = Arc::new(Office::default());
    if let Some(listener) = root {
        listener.set_nonblocking(true)?;
        let office = Arc::clone(&office);
        thread::Builder::new().stack_size(STACK).spawn(move || serve_root(&listener, &office))?;
    }
    let patience = match ending {
        Ending::Never => None,
        Ending::WhenIdleFor(time) => Some(time),
    };
    let mut door = PublicDoor::new();
    let mut arrivals = office.root_door.arrivals();
    loop {
        if socket::is_waited_for(public.as_fd(), patience)? {
            accept(public, |stream| take_in(stream, &mut door, &office));
        } else if office.root_door.close_if(arrivals, || office.is_idle()) {
            return Ok(());
        } else {
            arrivals = office.root_door.arrivals();
        }
    }
}

/// Takes in those who come to root's own socket, until the service ends.
fn serve_root(listener: &UnixListener, office: &Arc<Office>) {
    let mut is_open = true;
    while is_open {
        if socket::is_waited_for(listener.as_fd(), None).is_err() {
            thread::sleep(PAUSE);
            continue;
        }
        is_open = office.root_door.pass(|| accept(listener, |stream| take_in_of_root(stream, office)));
    }
}

fn accept(listener: &UnixListener, take_in: impl FnOnce(UnixStream)) {
    match listener.accept() {
        Ok((stream, _)) => take_in(stream),
        Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
        Err(_) => thread::sleep(PAUSE),
    }
}

/// Gives a caller at the public socket a seat, or sends that caller away before anything else is done.
fn take_in(stream: UnixStream, door: &mut PublicDoor, office: &Arc<Office>) {
    let Ok(peer) = Peer::of(&stream) else { return };
    let Some(guest) = door.admit(peer.uid) else { return send_away(&stream) };
    seat(Visit::new(guest, stream), peer, &office.seats, office);
}

/// Gives a caller at root's own socket a seat. Its directory lets no other user in; a caller who is not root
/// at any rate gets no answer.
fn take_in_of_root(stream: UnixStream, office: &Arc<Office>) {
    let Ok(peer) = Peer::of(&stream) else { return };
    if peer.uid == 0 {
        seat(Visit::new(Guest::Root, stream), peer, &office.seats_of_root, office);
    }
}

/// Gives a caller a thread, if there is a seat.
fn seat(visit: Visit, peer: Peer, seats: &Seats, office: &Arc<Office>) {
    let visit = Arc::new(visit);
    let Some(seat) = seats.take(&visit) else { return send_away(visit.stream()) };
    let own = Arc::clone(&visit);
    let office = Arc::clone(office);
    let attend = move || {
        let _seat = seat;
        // Whatever goes wrong with a caller ends his connection and nothing else.
        let _ = attend_to(&own, peer, office);
        own.rest();
    };
    if thread::Builder::new().stack_size(STACK).spawn(attend).is_err() {
        send_away(visit.stream());
    }
}

/// Answers all questions of a caller.
fn attend_to(visit: &Arc<Visit>, peer: Peer, office: Arc<Office>) -> io::Result<()> {
    let mut groups = socket::supplementary_groups(visit.stream())?;
    groups.push(peer.gid);
    let caller = Caller { uid: peer.uid, groups };
    let (incoming, mut outgoing) = ends_of(visit)?;
    let desk = Desk::new(caller, office, Arc::clone(visit));
    converse(desk, &mut BufReader::new(incoming), &mut outgoing)
}

/// Reads questions and writes answers until there are no more.
fn converse(desk: Desk, questions: &mut dyn BufRead, answers: &mut dyn Write) -> io::Result<()> {
    let (version, page) = (env!("CARGO_PKG_VERSION"), "man:countersign-serve(8)");
    let service = VarlinkService::new("countersign", "countersign", version, page, vec![Box::new(desk)]);
    service.handle(questions, answers, None).map(drop).map_err(io::Error::other)
}

/// What a caller of this uid is answered who says this and goes: the whole service but for its sockets, for
/// a fuzzer.
#[doc(hidden)]
pub fn answers_to(uid: u32, questions: &[u8]) -> io::Result<Vec<u8>> {
    let (stream, _) = UnixStream::pair()?;
    let visit = Arc::new(Visit::new(Guest::User(uid), stream));
    let desk = Desk::new(Caller { uid, groups: vec![uid] }, Arc::default(), visit);
    let mut answers = Vec::new();
    // Nonsense ends the conversation; what was answered before stays.
    let _ = converse(desk, &mut &*questions, &mut answers);
    Ok(answers)
}

/// Says that there are too many callers, without waiting for whoever does not read it.
fn send_away(mut stream: &UnixStream) {
    let busy = format!("{{\"error\":\"{}\"}}\0", error::BUSY);
    if stream.set_nonblocking(true).is_ok() {
        let _ = stream.write_all(busy.as_bytes());
    }
}
