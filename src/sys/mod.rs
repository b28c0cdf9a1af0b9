//! The operating system, made safe: descriptors, sockets, locks, identity, accounts, clock, randomness,
//! and libpam as an application calls it.
//!
//! With `pam` the only place that may hold `unsafe`. It knows system calls and nothing of codes.
#![allow(unsafe_code)]

pub mod accounts;
pub mod attributes;
pub mod clock;
pub mod entropy;
pub mod home_file;
pub mod host;
pub mod lock;
pub mod new;
pub mod pam_client;
mod pam_conversation;
pub mod pam_trial;
pub mod process;
pub mod program;
pub mod secure_file;
pub mod session;
pub mod slots;
pub mod socket;
pub mod subordinate;
pub mod system_file;
pub mod user;
pub mod zone;
