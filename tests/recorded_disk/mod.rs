//! A disk that records what is written to it and when it was told to flush, and that can show itself as a
//! power cut would have left it: everything that was flushed, and of the rest any part.
//!
//! It is one file of a FUSE file system, with a loop device on top that goes around the page cache. A flush
//! of the block layer arrives as an fsync; so does a write that must be durable by itself, since the loop
//! device has no such writes.
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what it does not expect"
)]

mod cuts;
mod fuse;
mod pages;

use std::fs::{self, File};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use fuser::BackgroundSession;
use nix::mount::{MntFlags, umount2};
use tempfile::TempDir;

use crate::disk::{Below, LoopDevice};
pub use cuts::{Chance, Image, images};
pub use pages::Pages;

/// One thing that reached the disk.
#[derive(Clone)]
pub enum Event {
    /// Bytes for an offset. Until the next flush a power cut may lose or tear them.
    Write { offset: u64, data: Vec<u8> },
    /// Everything before is on the disk.
    Flush,
}

/// What is on the disk, and what reached it since [`RecordedDisk::start`].
#[derive(Default)]
struct Content {
    below: Pages,
    above: Pages,
    record: Option<Vec<Event>>,
}

impl Content {
    fn write(&mut self, offset: u64, data: &[u8]) {
        self.above.write(&self.below, offset, data);
        if let Some(record) = &mut self.record {
            record.push(Event::Write { offset, data: data.to_vec() });
        }
    }

    fn flush(&mut self) {
        if let Some(record) = &mut self.record {
            record.push(Event::Flush);
        }
    }
}

/// The disk. Fields are dropped in this order.
pub struct RecordedDisk {
    /// The block device.
    pub device: LoopDevice,
    _session: Session,
    content: Arc<Mutex<Content>>,
}

/// The mounted FUSE file system, which ends when it is dropped.
struct Session {
    _background: BackgroundSession,
    directory: TempDir,
}

impl Drop for Session {
    fn drop(&mut self) {
        // Lazily: the loop device lets go of its file a moment after its last user.
        let _ = umount2(self.directory.path(), MntFlags::MNT_DETACH);
    }
}

impl RecordedDisk {
    /// An empty disk of so many bytes.
    pub fn new(size: u64) -> Self {
        let content = Arc::new(Mutex::new(Content::default()));
        let directory = tempfile::Builder::new().prefix("disk-").tempdir_in(env!("CARGO_TARGET_TMPDIR"));
        let directory = directory.expect("a directory for the disk");
        let one_file = fuse::OneFile { size, content: Arc::clone(&content) };
        let mounted = fuser::Session::new(one_file, directory.path(), &fuser::Config::default());
        let background = mounted.and_then(fuser::Session::spawn).unwrap_or_else(|error| {
            panic!("FUSE: {error}; this test needs /dev/fuse and fuse in /proc/filesystems")
        });
        let session = Session { _background: background, directory };
        let path = session.directory.path().join(fuse::NAME);
        let file = File::options().read(true).write(true).open(path).expect("the file that is the disk");
        let device = LoopDevice::over(&file, Below::Direct);
        must_go_around_the_cache(device.path());
        Self { device, _session: session, content }
    }

    /// Takes what is there as durable, and records from here on. Nothing may be on its way.
    pub fn start(&self) {
        let mut content = self.content();
        let above = std::mem::take(&mut content.above);
        above.sink_into(&mut content.below);
        content.record = Some(Vec::new());
    }

    /// How many events there are so far.
    pub fn position(&self) -> usize {
        self.content().record.as_ref().map_or(0, Vec::len)
    }

    /// Ends the recording.
    pub fn stop(&self) -> Vec<Event> {
        self.content().record.take().expect("a recording")
    }

    /// Makes the disk what a power cut left. It must not be in use.
    pub fn become_as(&self, image: &Image<'_>) {
        let mut content = self.content();
        content.above = image.changes(&content.below);
        drop(content);
        self.device.settle();
    }

    /// What it was at the start of the recording.
    pub fn at_start(&self) -> Pages {
        self.content().below.clone()
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().expect("the disk does not panic")
    }
}

/// Otherwise the order of the record would be the order of writing back.
fn must_go_around_the_cache(device: &Path) {
    let name = device.file_name().expect("a name").to_string_lossy().into_owned();
    let direct = fs::read_to_string(format!("/sys/block/{name}/loop/dio"));
    assert_eq!(direct.expect("what the loop device does").trim(), "1", "{name} does not write directly");
    let cache = fs::read_to_string(format!("/sys/block/{name}/queue/write_cache"));
    assert_eq!(cache.expect("what the loop device does").trim(), "write back", "{name} gets no flushes");
}
