//! Another program that writes to the disk, as a database or a mail server does.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// Appends 16 KiB to a file and flushes it, again and again, until it is dropped.
pub(crate) struct Writer {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(root: &Path) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let file = File::create(root.join("var/lib/other")).expect("a file");
        let thread = thread::spawn(move || {
            let mut place = 0;
            while !told.load(Ordering::Relaxed) {
                file.write_all_at(&[b'x'; 16_384], place).and_then(|()| file.sync_all()).expect("a write");
                place += 16_384;
            }
        });
        Self { is_over, thread: Some(thread) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it ends");
        }
    }
}
