//! What was written on the PAM line and in the policy file, and what it means.
//!
//! Pure: words in, a [`Config`] or the reason why not out. All defaults are in [`resolve`].
#![forbid(unsafe_code)]

pub mod args;
mod duration;
pub mod file;
mod place;
pub mod resolve;
pub mod rule;
pub mod texts;

pub use args::{ArgumentError, FirstPass, RawArguments};
pub use file::{PolicyFile, Tell, Unenrolled};
pub use resolve::{Config, FirstFactor};
pub use texts::Texts;
