//! Whole Debian machines for tests: booted containers with the real sshd, login, su and sudo.
//!
//! ```ignore
//! #[path = "container/mod.rs"]
//! mod container;
//!
//! let machine = container::Machine::boot(&container::Image::debian("bookworm"));
//! machine.add_user("alice", "correct horse");
//! let mut session = machine.ssh("alice").start();
//! session.expect("password: ");
//! session.send_line("correct horse");
//! session.expect("$ ");
//! ```
//!
//! It needs root, `debootstrap`, `systemd-nspawn`, util-linux and the `ssh` client.
//! Each machine has a loopback network of its own: nothing in it reaches the host's network, and
//! its sshd is reached by the host's `ssh` started inside that network. Nothing of the host is
//! changed outside the cache folder (see `image`) but the control groups that hold the machines.
//!
//! Everything here panics when the machine does not do what was asked: a test has no use for going
//! on. The message says what was awaited and shows what had been seen.

#![allow(dead_code, reason = "each test uses its own part of the harness")]
#![allow(unreachable_pub, reason = "pub says what is for tests, although a test has no users")]
#![allow(unused_imports, reason = "not every test names every type")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "a test stops at what it does not expect")]

mod directory;
mod image;
mod inside;
mod machine;
mod process;
mod ssh;
mod terminal;

pub use image::Image;
pub use inside::Cursor;
pub use machine::{Finished, Machine};
pub use ssh::SshCommand;
pub use terminal::Terminal;
