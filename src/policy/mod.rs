//! Deciding: whether what a person typed lets him in, and what that leaves in his state.
//!
//! Pure functions of credential, state, attempt and time. Nothing here waits, reads or writes.
#![forbid(unsafe_code)]

mod attempt;
pub mod decide;
mod denial;
mod notice;
pub mod recovery;
pub mod rehearsal;
pub mod remembered;
pub mod replay;
pub mod resync;
pub mod rules;
pub mod source;
pub mod throttle;
pub mod window;

pub use decide::{Accepted, Attempt, Denial, Presented, Proof, decide};
pub use remembered::{Moment, Origin, Place, place_of};
pub use source::{Facts, has_publickey, source_named, source_of};
