//! The service `io.countersign`: judges codes for callers that cannot read the store, over a local socket.
//!
//! It speaks Varlink (`docs/io.countersign.varlink`). Who asks is known from the kernel, and who may ask
//! what stands in one table, in [`interface`]. It never believes what a caller says about himself.
#![forbid(unsafe_code)]

mod connection;

mod enrolment;
mod interface;
pub mod journal;
mod office;
mod password;
mod people;
mod permission;
mod public_door;
mod root_door;
mod seats;
mod server;

pub use server::{Ending, answers_to, serve};
