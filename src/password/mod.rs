//! A proof that somebody knows the password of an account, in a process of its own.
//!
//! PAM modules read shadow passwords, speak to directories and load what an administrator has named;
//! the service, which anybody may call, does none of this. So it asks a process that lives for one
//! proof: [`proof`] is the service's side, [`process`] the other one, [`message`] what they say.
//! [`failures`] bounds how often a password can be guessed by way of the service.
#![forbid(unsafe_code)]

mod channel;
pub mod failures;
pub mod message;
pub mod process;
pub mod proof;

pub use failures::{Ended, Failures, Refusal};
pub use proof::{PasswordProven, Proof, Route, Step};
