//! The PAM border: C on one side, the login on the other.
//!
//! Nothing here decides. Pointers end in [`handle`]; above it there are only Rust values.
#![allow(unsafe_code)]

mod conversation;
mod entry;
mod handle;
mod result;
