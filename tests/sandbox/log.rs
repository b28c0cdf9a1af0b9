//! The receiving end of a private `/dev/log`.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

/// Datagrams that only this file sends; a line of syslog begins with `<`.
const COLLECT: &[u8] = b"\0collect";
const STOP: &[u8] = b"\0stop";

/// A socket with a thread that empties it: syslog(3) blocks once some ten datagrams wait.
pub struct LogSocket {
    to_itself: UnixDatagram,
    collected: Mutex<Receiver<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl LogSocket {
    /// Binds `log` in the directory.
    pub fn bind(directory: &Path) -> Self {
        // By way of the descriptor, because a socket's path may have 107 bytes only.
        let opened = File::open(directory).expect("the directory of the log socket opens");
        let path = format!("/proc/self/fd/{}/log", opened.as_raw_fd());
        let socket = UnixDatagram::bind(&path).expect("the log socket is bound");
        let to_itself = UnixDatagram::unbound().expect("a socket");
        to_itself.connect(&path).expect("the log socket accepts datagrams");
        let (sender, collected) = channel();
        let reader = Some(thread::spawn(move || receive(&socket, &sender)));
        Self { to_itself, collected: Mutex::new(collected), reader }
    }

    /// The lines that arrived since the last call, and all that were sent before this one.
    pub fn lines(&self) -> Vec<String> {
        let collected = self.collected.lock().expect("no test panicked while it read the log");
        self.to_itself.send(COLLECT).expect("the log socket takes a datagram");
        collected.recv().expect("the thread of the log socket runs")
    }
}

impl Drop for LogSocket {
    fn drop(&mut self) {
        if self.to_itself.send(STOP).is_ok()
            && let Some(reader) = self.reader.take()
        {
            let _ = reader.join();
        }
    }
}

fn receive(socket: &UnixDatagram, sender: &Sender<Vec<String>>) {
    let mut lines = Vec::new();
    let mut buffer = vec![0; 65536];
    while let Ok(length) = socket.recv(&mut buffer) {
        match buffer.get(..length).unwrap_or_default() {
            STOP => return,
            COLLECT => {
                if sender.send(std::mem::take(&mut lines)).is_err() {
                    return;
                }
            }
            line => {
                let text = String::from_utf8_lossy(line);
                lines.push(text.trim_end_matches(['\0', '\n']).to_owned());
            }
        }
    }
}
