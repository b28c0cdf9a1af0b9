//! The service for callers that are not root, in a booted machine: real users, the real systemd, the
//! module as users' programs load it, and peers who mean no good.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(unsafe_code, reason = "a thread that connects as somebody else")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "a test stops at what it does not expect")]

#[path = "container/mod.rs"]
mod container;
#[path = "service/devices.rs"]
mod devices;
#[path = "service/flood.rs"]
mod flood;
#[path = "service/hostile.rs"]
mod hostile;
#[path = "installed/mod.rs"]
mod installed;
#[path = "service/kinds.rs"]
mod kinds;
#[path = "service/looked_at.rs"]
mod looked_at;
#[path = "service/peer.rs"]
mod peer;
#[path = "planting/mod.rs"]
mod planting;
#[path = "screen/mod.rs"]
mod screen;
#[path = "service/users.rs"]
mod users;

use installed::Guarded;
use planting::{CountingDevice, Planted};

/// What a screen locker of a user calls.
const LOCKER: &str = "auth required pam_countersign.so attempts=1\naccount required pam_permit.so\n";

/// A machine with the service, and alice, who is enrolled with a device that has any number of codes.
struct Place {
    guarded: Guarded,
    planted: Planted,
    device: CountingDevice,
}

impl Place {
    fn new(suite: &str) -> Self {
        let guarded = Guarded::boot_with(suite, &["pamtester"]);
        for name in ["alice", "bob", "carol"] {
            guarded.add_person(name);
        }
        guarded.write("/etc/pam.d/locker", 0o644, LOCKER);
        guarded.must(&["systemctl", "enable", "--now", "countersign.socket"]);
        let (planted, device) = guarded.plant_counting("alice");
        Self { guarded, planted, device }
    }

    /// The counter that is next, by what is on disk.
    fn next(&self) -> u64 {
        self.planted.current_in_store(&self.guarded.store()).state.keys[0].next
    }

    /// The code that is next.
    fn code(&self) -> String {
        self.device.code(self.next())
    }

    fn wrong_code(&self) -> String {
        self.device.wrong_code(self.next())
    }

    /// Everything that is counted as a failure.
    fn charges(&self) -> u32 {
        let state = self.planted.current_in_store(&self.guarded.store()).state;
        let known = state.known.iter().map(|place| place.failures.count);
        state.counters.iter().map(|counter| counter.count).chain(known).sum()
    }
}
