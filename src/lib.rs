//! countersign: a one-time code behind the password (or the SSH key) of a Linux login.
//!
//! The map, lowest layer first. A module uses only those above it in this list, as the table in
//! `docs/architecture.md` says in detail; `tests/layers.rs` keeps it so.
//!
//! - [`user`]: names of accounts
//! - [`document`]: a TOML text as a tree
//! - [`otp`]: one-time codes, recovery codes, otpauth URIs
//! - [`credential`]: what is kept of a user, its text on disk, and what a keeper promises
//! - [`policy`]: whether a code lets someone in, and what that leaves behind
//! - [`config`]: what was written on the PAM line, and what it means
//! - [`verifier`]: who can judge a code
//! - [`enrol`], [`login`]: the two use cases, over traits
//! - [`status`]: what is known of a user
//! - [`notice`]: what a person is told once he is in
//! - [`qr`]: QR codes, as modules and as text
//! - [`wire`]: what goes over the socket of the service
//! - [`log`]: the line that tells of a login
//! - [`sys`]: system calls, made safe
//! - [`store`]: the keeper of credentials on this machine
//! - [`import`]: what other programs keep of a device
//! - [`remote`]: the verifier at the other end of a socket
//! - [`password`]: a proof of a password, in a process of its own
//! - [`backend`]: the one place that knows every kind of keeper and verifier
//! - [`doctor`]: finds what would keep people out or let them in
//! - [`setup`]: what a guided setup changes, as texts
//! - [`backup`]: makes that change, and takes it back
//! - [`service`]: judges codes for callers that are not root
//! - `pam`: the PAM module; [`cli`]: the command
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::mem_forget,
    clippy::exit
)]

#[cfg(panic = "abort")]
compile_error!("a panic must unwind to the guard at the PAM border: build with panic = \"unwind\"");

pub mod backend;
pub mod backup;
pub mod cli;
pub mod config;
pub mod credential;
pub mod doctor;
pub mod document;
pub mod enrol;
pub mod import;
pub mod log;
pub mod login;
pub mod notice;
pub mod otp;
mod pam;
pub mod password;
pub mod policy;
pub mod qr;
pub mod remote;
pub mod service;
pub mod setup;
pub mod status;
pub mod store;
pub mod sys;
pub mod user;
pub mod verifier;
pub mod wire;
