//! What was written on the PAM line and in the policy file, and what it means.
//!
//! Pure: words in, a [`Config`] or the reason why not out. All defaults are in [`resolve`].
#![forbid(unsafe_code)]

pub mod args;
pub mod file;
pub mod resolve;

pub use args::{ArgumentError, RawArguments};
pub use resolve::{Config, FirstFactor, Unenrolled};
