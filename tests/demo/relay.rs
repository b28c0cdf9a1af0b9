//! What a machine that stays up needs: a port of the computer that leads to its sshd, and an end.
//!
//! The machine has a network of its own. So this program starts itself once more inside of that
//! network and hands over a socket that already listens outside of it.

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::thread;

/// The argument that makes this program a relay.
pub(super) const ARGUMENT: &str = "--relay";

/// A port that leads to the sshd of a machine, until it is dropped.
pub(super) struct Relay {
    address: SocketAddr,
    child: Child,
}

impl Relay {
    /// Opens a free port of the loopback network and relays it into the network of this process.
    pub(super) fn start(process: u32) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its number");
        // The relay ends with this program, however this program ends.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "nsenter", "--net", "--target", &process.to_string(), "--"])
            .arg(std::env::current_exe().expect("the path of this program"))
            .arg(ARGUMENT)
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .spawn()
            .expect("setpriv starts the relay");
        Relay { address, child }
    }

    /// What a person types.
    pub(super) fn ssh_command(&self, user: &str) -> String {
        format!(
            "ssh -p {} -o PubkeyAuthentication=no -o StrictHostKeyChecking=no \
             -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR {user}@{}",
            self.address.port(),
            self.address.ip()
        )
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // It fails only when the relay has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The relay itself: its standard input is a listening socket.
pub(super) fn run() {
    let socket = io::stdin().as_fd().try_clone_to_owned().expect("standard input is open");
    for client in TcpListener::from(socket).incoming() {
        let Ok(client) = client else { continue };
        thread::spawn(move || {
            // A connection that fails closes, and the client says so.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, 22)).and_then(|server| join(client, server));
        });
    }
}

/// Copies both ways until both sides have ended.
fn join(client: TcpStream, server: TcpStream) -> io::Result<()> {
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let forth = thread::spawn(move || copy(from_client, to_server));
    copy(server, client);
    // Either side may have broken off; then there is nobody left to tell.
    let _ = forth.join();
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// The signal that this program sends itself.
const INPUT_ENDED: Signal = Signal::SIGUSR1;

/// The end that a person gives to a machine that stays up: Ctrl-C, a signal, or the end of the input.
pub(super) struct End {
    signals: SigSet,
}

impl End {
    /// Holds those signals back from now on, in this thread and in all that it starts, so that the
    /// machine can be removed when one comes. A hang-up stays what it is: programs in the machine
    /// end by it when this one is killed.
    pub(super) fn prepare() -> End {
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, INPUT_ENDED].into_iter().collect();
        signals.thread_block().expect("signals can be blocked");
        End { signals }
    }

    /// Waits for the end and says what it was.
    pub(super) fn wait(self) -> &'static str {
        thread::spawn(|| {
            // Whatever is typed is of no interest; a broken input is an input that has ended.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = kill(Pid::this(), INPUT_ENDED);
        });
        match self.signals.wait() {
            Ok(Signal::SIGINT) => "Ctrl-C",
            Ok(Signal::SIGTERM) => "Told to end",
            Ok(_) | Err(_) => "The input has ended",
        }
    }
}
