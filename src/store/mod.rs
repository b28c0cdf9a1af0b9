//! Keepers of credentials. So far one: a directory of this machine that belongs to root.
#![forbid(unsafe_code)]

mod alone;
mod by_uid;
mod enrolment;
pub mod files;
mod half_made;
mod listing;
mod making;
mod names;
mod seen;
mod state_file;

pub use files::FileStore;
pub use listing::{Entry, Listing};
