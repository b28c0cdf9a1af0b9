//! countersign in a Debian machine, installed and set up the way a user would: `make install`, the
//! lines of `pam.d/` by the command that their comments give, `countersign enroll` at a terminal.
//!
//! ```ignore
//! #[path = "container/mod.rs"]
//! mod container;
//! #[path = "installed/mod.rs"]
//! mod installed;
//! #[path = "planting/mod.rs"]
//! mod planting;
//!
//! let guarded = installed::Guarded::boot("bookworm");
//! guarded.add_person("alice");
//! let alice = guarded.enroll("alice");
//! guarded.guard_ssh("sshd-password-and-code");
//! guarded.ssh("alice").password().code(&alice.phone.code(1)).must_get_in();
//! ```
//!
//! What is installed is `$COUNTERSIGN_MODULE` and `$COUNTERSIGN_COMMAND`, or what `make build` made.
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]
#![allow(unused_imports, reason = "not every test names every type")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "a test stops at what it does not expect")]

mod attempt;
mod enrolment;
mod example;
mod files;

pub use attempt::{Attempt, Seen};
pub use enrolment::Enrolled;
pub use example::Example;

use crate::container::{Image, Machine};
use std::ops::{Deref, DerefMut};

/// The prompt of the module.
pub const CODE_PROMPT: &str = "Verification code: ";

/// A booted machine in which countersign is installed and nothing is guarded yet.
#[derive(Debug)]
pub struct Guarded {
    machine: Machine,
}

impl Guarded {
    /// Boots a machine of this Debian suite and installs countersign in it.
    pub fn boot(suite: &str) -> Guarded {
        Guarded::boot_with(suite, &[])
    }

    /// Like [`Guarded::boot`], with more of Debian's packages.
    pub fn boot_with(suite: &str, packages: &[&str]) -> Guarded {
        let built = files::built();
        let guarded = Guarded::boot_without(suite, packages);
        files::install(&built, &guarded);
        // What the examples replace, so that a test can go back to it.
        guarded.must(&["cp", "-a", "/etc/pam.d", example::PRISTINE]);
        guarded
    }

    /// Boots a machine in which countersign is not installed, for tests that do it in their own way.
    pub fn boot_without(suite: &str, packages: &[&str]) -> Guarded {
        Guarded { machine: Machine::boot(&Image::debian_with(suite, packages)) }
    }

    /// Adds a user whose password is [`password_of`] him.
    pub fn add_person(&self, name: &str) {
        self.machine.add_user(name, &password_of(name));
    }

    /// The uid of a user.
    pub fn uid_of(&self, name: &str) -> u32 {
        self.machine.must(&["id", "-u", "--", name]).trim_end().parse().expect("a uid")
    }
}

impl Deref for Guarded {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}

impl DerefMut for Guarded {
    fn deref_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }
}

/// Installs countersign in a machine that was booted otherwise.
pub fn install_in(machine: &Machine) {
    files::install(&files::built(), machine);
}

/// The password of a user of these tests.
pub fn password_of(name: &str) -> String {
    format!("the password of {name}")
}
