//! The walk through all users: in pieces, so that memory stays bounded, and each piece by all processors.

use std::num::NonZero;
use std::{panic, thread};

use super::row::Row;
use crate::cli::error::Error;
use crate::credential::StoreError;
use crate::store::Listing;
use crate::sys;

/// How many users are looked at before their rows are told.
const PIECE: usize = 1024;
/// Fewer names than this are looked at sooner than a thread is started.
const FEWEST_A_THREAD: usize = 16;

/// Calls `with` with the row of each name, in the order of the names.
pub(super) fn walk(
    listing: &Listing,
    mut names: impl Iterator<Item = Result<Vec<u8>, StoreError>>,
    mut with: impl FnMut(Row) -> Result<(), Error>,
) -> Result<(), Error> {
    let now = sys::clock::now();
    loop {
        let piece = names.by_ref().take(PIECE).collect::<Result<Vec<_>, _>>()?;
        if piece.is_empty() {
            return Ok(());
        }
        for row in at_once(listing, &piece, now)? {
            with(row)?;
        }
    }
}

/// The rows of these names, in their order. Each processor has a share of them.
fn at_once(listing: &Listing, names: &[Vec<u8>], now: Option<u64>) -> Result<Vec<Row>, Error> {
    let rows = |names: &[Vec<u8>]| -> Vec<Row> {
        names.iter().filter_map(|name| Row::of(name, listing.look_at(name), now)).collect()
    };
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let share = names.len().div_ceil(processors).max(FEWEST_A_THREAD);
    if names.len() <= share {
        return Ok(rows(names));
    }
    thread::scope(|scope| {
        let shares = names.chunks(share);
        let threads = shares.map(|names| thread::Builder::new().spawn_scoped(scope, move || rows(names)));
        let threads = threads.collect::<Result<Vec<_>, _>>()?;
        let rows = threads.into_iter().map(|thread| match thread.join() {
            Ok(rows) => rows,
            Err(panicked) => panic::resume_unwind(panicked),
        });
        Ok(rows.collect::<Vec<_>>().into_iter().flatten().collect())
    })
}
