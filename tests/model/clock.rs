//! What a clock that was years ahead has left behind, and how it comes back to the present
//! (`docs/decisions/0009-back-to-the-present.md`).

use super::devices::{Moving, Shown};
use super::{Model, burned};

impl Model {
    /// Whether more is used of a device of the time than any code of now could have used.
    pub(super) fn is_ahead(&self, device: usize, now: u64) -> bool {
        let used = self.memories.get(&device).and_then(|memory| memory.used);
        match self.devices[device].moving {
            Moving::Time { period } => used.is_some_and(|used| used > now / period + 20),
            Moving::Counter => false,
        }
    }

    /// A code of now, just before the recovery code, shows that the clock is right now. A counter's does
    /// not.
    pub(super) fn bring_back(&mut self, previous: Shown, now: u64) -> bool {
        let usable = self.usable(now);
        let steps = self.steps_of(previous, &usable, now);
        let by_time = |device: usize| matches!(self.devices[device].moving, Moving::Time { .. });
        steps.iter().any(|(_, device)| by_time(*device)) && self.burn_those_ahead(now)
    }

    /// `countersign repair`: what is ahead, or not remembered, has its window burned.
    pub fn repair(&mut self, now: u64) {
        self.burn_those_ahead(now);
        for device in self.enrolled.clone() {
            if let Moving::Time { period } = self.devices[device].moving {
                self.memories.entry(device).or_insert(burned(period, now));
            }
        }
    }

    fn burn_those_ahead(&mut self, now: u64) -> bool {
        let mut any = false;
        for device in self.enrolled.clone() {
            if let Moving::Time { period } = self.devices[device].moving
                && self.is_ahead(device, now)
            {
                self.memories.insert(device, burned(period, now));
                any = true;
            }
        }
        any
    }
}
