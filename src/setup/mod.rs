//! What `countersign setup` changes, and what takes it back: the texts alone.
//!
//! Pure: it computes what a file becomes, and whether a file is still what it became. It reads and writes
//! nothing (`backup` does), and it knows what lines to write from the examples in `pam.d/` only.
#![forbid(unsafe_code)]

pub mod choices;
pub mod diff;
mod example;
pub mod marks;
pub mod plan;
pub mod put_back;
pub mod record;
pub mod sshd;
pub mod stack_edit;

pub use choices::{Choices, FirstFactor, Service};
pub use plan::{FileEdit, plan};
pub use record::{Changed, Phase, Record, Version};
