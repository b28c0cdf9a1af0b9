//! What `policy::decide` must do, said once more: a slow and obvious model, written from the design and
//! from `docs/guessing.md`, `docs/file-format.md` and `docs/decisions/`, never from `src/policy`.
//!
//! Its numbers are written out, so that a constant changed in `src` is a disagreement. It keeps lists
//! where the state keeps counts. `history` drives both and compares; the tests and the fuzz target
//! `decide` share it.
#![allow(unreachable_pub, reason = "a module of tests and of a fuzz target, not a crate")]

mod clock;
mod compare;
pub mod devices;
mod event;
mod failures;
pub mod history;
mod recovery;
mod rules;

use std::collections::HashMap;
use std::iter::repeat;

use pam_countersign::policy::{Denial, Proof};

use self::devices::{Device, Moving, Shown, code_of};
use self::failures::{Failures, THIRTY_DAYS};
use self::recovery::Vouched;

/// What one person types.
#[derive(Clone, Copy, Debug)]
pub enum Typed {
    /// A code, and the wrong code just before it in the same conversation.
    Code { code: Shown, previous: Option<Shown> },
    /// A recovery code of a set, by their numbers, and the refused code just before it.
    Recovery { set: u8, code: u8, previous: Option<Shown> },
}

/// What is remembered of a device.
#[derive(Clone, Copy, Debug)]
struct Memory {
    /// The last step or counter that is used up; everything before it is, too.
    used: Option<u64>,
    /// By how many steps the device is known to be ahead.
    drift: i64,
    /// To which side of the drift the last accepted code was: -1, 0, 1.
    side: i64,
}

/// All that one user's logins depend on.
pub struct Model {
    pub disabled: bool,
    /// The authenticators of the credential, by number.
    pub enrolled: Vec<usize>,
    /// Those of them that a first code has proven.
    pub confirmed: Vec<usize>,
    /// The set of recovery codes in the credential.
    pub recovery: Option<u8>,
    devices: &'static [Device],
    memories: HashMap<usize, Memory>,
    vouched: Vec<Vouched>,
    wrong_recovery_codes: u32,
    failures: Failures,
}

impl Model {
    /// A user of whom nothing is remembered.
    pub fn new(devices: &'static [Device], counter_key: [u8; 16]) -> Self {
        Self {
            disabled: false,
            enrolled: Vec::new(),
            confirmed: Vec::new(),
            recovery: None,
            devices,
            memories: HashMap::new(),
            vouched: Vec::new(),
            wrong_recovery_codes: 0,
            failures: Failures::new(counter_key),
        }
    }

    /// A device that has shown no code yet.
    pub fn remember(&mut self, device: usize) {
        self.memories.insert(device, Memory { used: None, drift: 0, side: 0 });
    }

    /// `countersign unlock`.
    pub fn unlock(&mut self) {
        self.failures.forget_all();
    }

    /// The state is gone; the credential is still there.
    pub fn lose_state(&mut self) {
        let former = std::mem::replace(self, Self::new(self.devices, self.failures.counter_key));
        self.disabled = former.disabled;
        self.enrolled = former.enrolled;
        self.confirmed = former.confirmed;
        self.recovery = former.recovery;
    }

    /// The seconds that codes from a source are still refused.
    pub fn wait(&mut self, source: &str, now: u64) -> u64 {
        self.failures.wait(source, now)
    }

    /// When a known place has been still for thirty days.
    pub fn ages_out(&self, place: u8) -> Option<u64> {
        let number = usize::from(place).checked_rem(self.failures.known.len())?;
        Some(self.failures.known[number].login + THIRTY_DAYS)
    }

    /// By how many steps a device is known to be ahead, and the first step or counter not used up.
    pub fn known_of(&self, device: usize) -> (i64, u64) {
        self.memories.get(&device).map_or((0, 0), |memory| (memory.drift, first_unused(memory)))
    }

    /// What someone types is judged, and what follows is remembered.
    pub fn attempt(&mut self, typed: Typed, source: &str, now: u64) -> Result<Proof, Denial> {
        if self.disabled {
            return Err(Denial::Disabled);
        }
        self.failures.no_failure_is_later_than(now);
        let proof = match typed {
            Typed::Code { code, previous } => self.code(code, previous, source, now)?,
            Typed::Recovery { set, code, previous } => {
                let left = self.recovery_code(set, code, source, now)?;
                let brought_back = previous.is_some_and(|previous| self.bring_back(previous, now));
                Proof::Recovery { left, brought_back }
            }
        };
        self.failures.login(source, now);
        Ok(proof)
    }

    fn code(
        &mut self,
        code: Shown,
        previous: Option<Shown>,
        source: &str,
        now: u64,
    ) -> Result<Proof, Denial> {
        if self.failures.is_capped(source) {
            return Err(Denial::Capped);
        }
        if let seconds @ 1.. = self.failures.wait(source, now) {
            return Err(Denial::BackedOff { seconds });
        }
        let usable = self.usable(now);
        if usable.is_empty() {
            return Err(Denial::NoUsableAuthenticator);
        }
        let steps =
            usable.iter().flat_map(|device| self.window(*device, now).into_iter().zip(repeat(*device)));
        let good: Vec<_> = steps.filter(|(step, device)| code_of(*device, *step) == code).collect();
        let is_fresh = |(step, device): &(u64, usize)| !self.is_used(*device, *step);
        let fresh: Vec<_> = good.iter().copied().filter(is_fresh).collect();
        // One code may be that of two steps. Then it counts as both, one after the other.
        let sides: Vec<_> = fresh.iter().map(|(step, device)| self.side(*device, *step, now)).collect();
        for ((step, device), side) in fresh.iter().zip(sides) {
            self.accept(*device, *step, side);
        }
        if let Some((_, device)) = fresh.first() {
            return Ok(self.proof(*device, false));
        }
        if good.iter().any(|(_, device)| self.is_ahead(*device, now)) {
            return Err(Denial::ClockWentBack);
        }
        if !good.is_empty() {
            return Err(Denial::SpentCode);
        }
        let pair = previous.and_then(|previous| self.pair(&usable, previous, code, now));
        if let Some((device, second)) = pair {
            self.accept_pair(device, second, now);
            return Ok(self.proof(device, true));
        }
        self.failures.charge(source, now);
        Err(Denial::WrongCode)
    }

    /// The steps and counters of the present windows that a code is of.
    fn steps_of(&self, code: Shown, usable: &[usize], now: u64) -> Vec<(u64, usize)> {
        let steps =
            usable.iter().flat_map(|device| self.window(*device, now).into_iter().zip(repeat(*device)));
        steps.filter(|(step, device)| code_of(*device, *step) == code).collect()
    }

    fn proof(&self, device: usize, resynchronised: bool) -> Proof {
        let authenticator = self.devices[device].id.to_owned();
        let drift = i8::try_from(self.known_of(device).0).unwrap();
        Proof::Code {
            authenticator,
            digits: self.devices[device].authenticator.digits.number(),
            drift,
            resynchronised,
        }
    }

    /// The confirmed authenticators. One of the time of which nothing is remembered starts with its window
    /// burned; a counter stays refused.
    fn usable(&mut self, now: u64) -> Vec<usize> {
        let mut usable = Vec::new();
        for device in self.enrolled.iter().copied().filter(|device| self.confirmed.contains(device)) {
            if let Moving::Time { period } = self.devices[device].moving {
                self.memories.entry(device).or_insert(burned(period, now));
            }
            if self.memories.contains_key(&device) {
                usable.push(device);
            }
        }
        usable
    }

    /// The present step and one to either side, as the device counts; the next ten counters and the last used.
    fn window(&self, device: usize, now: u64) -> Vec<u64> {
        let (drift, unused) = self.known_of(device);
        match self.devices[device].moving {
            Moving::Time { period } => {
                let present = (now / period).checked_add_signed(drift).unwrap();
                vec![present - 1, present, present + 1]
            }
            Moving::Counter => (unused.saturating_sub(1)..unused + 10).collect(),
        }
    }

    fn is_used(&self, device: usize, step: u64) -> bool {
        self.memories[&device].used.is_some_and(|used| step <= used)
    }

    /// To which side of the device's present step a step lies.
    fn side(&self, device: usize, step: u64, now: u64) -> i64 {
        match self.devices[device].moving {
            Moving::Time { period } => {
                let ahead = step.cast_signed() - (now / period).cast_signed();
                ahead - self.known_of(device).0
            }
            Moving::Counter => 0,
        }
    }

    /// The device moves on. Its drift moves by one step when two codes in a row were off to one side.
    fn accept(&mut self, device: usize, step: u64, side: i64) {
        let memory = self.memories.get_mut(&device).unwrap();
        memory.used = Some(step);
        if side == memory.side && (memory.drift + side).abs() <= 10 {
            memory.drift += side;
            memory.side = 0;
        } else {
            memory.side = side;
        }
    }

    /// Two consecutive codes of one device, both unused, within 20 steps of now or within 50 counters.
    fn pair(&self, usable: &[usize], first: Shown, second: Shown, now: u64) -> Option<(usize, u64)> {
        for device in usable {
            let (_, unused) = self.known_of(*device);
            let (lowest, highest) = match self.devices[*device].moving {
                Moving::Time { period } => (unused.max(now / period - 20), now / period + 20),
                Moving::Counter => (unused, unused + 50),
            };
            for step in lowest..highest {
                if code_of(*device, step) == first && code_of(*device, step + 1) == second {
                    return Some((*device, step + 1));
                }
            }
        }
        None
    }

    fn accept_pair(&mut self, device: usize, second: u64, now: u64) {
        let memory = self.memories.get_mut(&device).unwrap();
        memory.used = Some(second);
        if let Moving::Time { period } = self.devices[device].moving {
            memory.drift = (second.cast_signed() - (now / period).cast_signed()).clamp(-10, 10);
            memory.side = 0;
        }
    }
}

/// Every step is used that a device ten steps ahead could have shown.
fn burned(period: u64, now: u64) -> Memory {
    Memory { used: Some(now / period + 11), drift: 0, side: 0 }
}

fn first_unused(memory: &Memory) -> u64 {
    memory.used.map_or(0, |used| used + 1)
}
