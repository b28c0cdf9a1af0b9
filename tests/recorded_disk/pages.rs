//! What is on a disk, in memory: only the pages that are not zero.

use std::collections::HashMap;
use std::sync::Arc;

const PAGE: usize = 4096;
/// The smallest thing that a disk writes whole, in bytes.
pub const SECTOR: usize = 512;

/// Pages of a disk by their number. Those that are not here are as they were below.
#[derive(Clone, Default)]
pub struct Pages(HashMap<u64, Arc<[u8; PAGE]>>);

impl Pages {
    /// Reads at an offset in bytes, from these pages or else from those below, or else zeros.
    pub fn read(&self, below: &Self, offset: u64, bytes: &mut [u8]) {
        for_each_part(offset, bytes.len(), |page, within, part| {
            match self.0.get(&page).or_else(|| below.0.get(&page)) {
                Some(content) => bytes[part].copy_from_slice(&content[within]),
                None => bytes[part].fill(0),
            }
        });
    }

    /// Writes at an offset in bytes; the rest of each page comes from below.
    pub fn write(&mut self, below: &Self, offset: u64, bytes: &[u8]) {
        for_each_part(offset, bytes.len(), |page, within, part| {
            let former = || below.0.get(&page).cloned().unwrap_or_else(|| Arc::new([0; PAGE]));
            let content = Arc::make_mut(self.0.entry(page).or_insert_with(former));
            content[within].copy_from_slice(&bytes[part]);
        });
    }

    /// Lays these pages over those below, for good.
    pub fn sink_into(self, below: &mut Self) {
        below.0.extend(self.0);
        below.0.retain(|_, content| content.iter().any(|byte| *byte != 0));
    }
}

/// Cuts a range of a disk at its pages: number of the page, range in it, range in the whole.
fn for_each_part(
    offset: u64,
    length: usize,
    mut action: impl FnMut(u64, std::ops::Range<usize>, std::ops::Range<usize>),
) {
    let mut done = 0;
    while done < length {
        let position = offset + u64::try_from(done).expect("a length");
        let size = u64::try_from(PAGE).expect("a size");
        let start = usize::try_from(position % size).expect("less than a page");
        let part = (PAGE - start).min(length - done);
        action(position / size, start..start + part, done..done + part);
        done += part;
    }
}
