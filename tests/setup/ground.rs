//! A machine with alice, who may use sudo and has a device that counts, so that no test waits for a code, and with
//! bob, who is not enrolled.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::thread;
use std::time::{Duration, Instant};

use crate::installed::Guarded;
use crate::planting::{CountingDevice, Planted};

/// What setup says once the change is made.
pub(crate) const MADE: &str = "the change is made. It is put back by itself unless you confirm it:";
/// How long to wait for what the machine does by itself.
const PATIENCE: Duration = Duration::from_secs(40);
/// Every file that a setup could touch: its mode, owner, kind, target and bytes.
const SNAPSHOT: &str = "find /etc/pam.d /etc/ssh /etc/systemd/system -printf '%p %y %m %u %g %l\\n' | sort; \
                        find /etc/pam.d /etc/ssh -type f | sort | xargs sha256sum";

/// The machine.
pub(crate) struct Ground {
    guarded: Guarded,
    alice: Planted,
    device: CountingDevice,
    counter: Cell<u64>,
}

impl Ground {
    /// Boots one.
    pub(crate) fn boot(suite: &str) -> Self {
        Self::boot_with(suite, &[])
    }

    /// Boots one with more of Debian's packages.
    pub(crate) fn boot_with(suite: &str, packages: &[&str]) -> Self {
        let guarded = Guarded::boot_with(suite, packages);
        for name in ["alice", "bob"] {
            guarded.add_person(name);
        }
        guarded.must(&["usermod", "--append", "--groups=sudo", "alice"]);
        let (alice, device) = guarded.plant_counting("alice");
        Self { guarded, alice, device, counter: Cell::new(0) }
    }

    /// The next code of alice.
    pub(crate) fn code(&self) -> String {
        let counter = self.counter.get();
        self.counter.set(counter + 1);
        self.device.code(counter)
    }

    /// Sets the device back to the first code that was never judged: a program that is killed before it judges one
    /// would bring the device ahead of what is known of it.
    pub(crate) fn take_back_unused_codes(&self) {
        let next = self.alice.state_in_store(&self.guarded.store()).keys[0].next;
        self.counter.set(next);
    }

    /// A code that is none of hers.
    pub(crate) fn wrong_code(&self) -> String {
        self.device.wrong_code(self.counter.get())
    }

    /// What a setup could touch, as it is now.
    pub(crate) fn snapshot(&self) -> String {
        self.must(&["sh", "-c", SNAPSHOT])
    }

    /// The units of a setup that is not confirmed: what runs, and what is on the disk.
    pub(crate) fn rollback_units(&self) -> String {
        let units =
            "systemctl list-units --state=active,activating,failed --plain --no-legend 'countersign-setup*'";
        let links = "find /etc/systemd/system -name 'countersign-setup*'";
        self.must(&["sh", "-c", &format!("{units}; {links}")])
    }

    /// Waits until the machine is so.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < deadline, "waiting until {what}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Deref for Ground {
    type Target = Guarded;

    fn deref(&self) -> &Guarded {
        &self.guarded
    }
}

impl DerefMut for Ground {
    fn deref_mut(&mut self) -> &mut Guarded {
        &mut self.guarded
    }
}
