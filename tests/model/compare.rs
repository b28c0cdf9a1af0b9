//! Whether a state holds what the model remembers, list by list.

use std::fmt::Debug;

use pam_countersign::credential::State;

use super::devices::Moving;
use super::{Model, first_unused};

/// Which recovery set the model means by a number; the first bytes of its salt are its name.
pub fn set_name(set: u8) -> [u8; 8] {
    [set; 8]
}

/// What the state calls a recovery code: the first bytes of its digest.
pub fn used_name(code: u8) -> [u8; 8] {
    [code; 8]
}

fn same<T: PartialEq + Debug>(what: &str, is: &T, must_be: &T) -> Result<(), String> {
    if is == must_be { Ok(()) } else { Err(format!("{what}: is {is:?}, must be {must_be:?}")) }
}

impl Model {
    /// Whether the state says the same; else what differs.
    pub fn agrees_with(&self, state: &State) -> Result<(), String> {
        self.keys_agree(state)?;
        self.failures_agree(state)?;
        let sets: Vec<_> = state.recovery.sets.iter().map(|set| (set.name, set.used.clone())).collect();
        let must_be = self.vouched.iter().map(|vouched| {
            (set_name(vouched.set), vouched.used.iter().map(|code| used_name(*code)).collect())
        });
        same("used recovery codes", &sets, &must_be.collect())?;
        same("wrong recovery codes", &state.recovery.failures, &self.wrong_recovery_codes)
    }

    fn keys_agree(&self, state: &State) -> Result<(), String> {
        same("number of keys", &state.keys.len(), &self.memories.len())?;
        for (device, memory) in &self.memories {
            let device = &self.devices[*device];
            let Some(record) = state.key(device.authenticator.key_name()) else {
                return Err(format!("{}: has no record", device.id));
            };
            same(device.id, &record.next, &first_unused(memory))?;
            if let Moving::Time { .. } = device.moving {
                same(&format!("drift of the {}", device.id), &i64::from(record.drift), &memory.drift)?;
            }
        }
        Ok(())
    }

    fn failures_agree(&self, state: &State) -> Result<(), String> {
        let counted = |failures: &Vec<u64>| (failures.len(), failures.last().copied().unwrap_or(0));
        let known: Vec<_> = state
            .known
            .iter()
            .map(|place| {
                let failures = (place.failures.count as usize, place.failures.last);
                (place.source.as_str(), failures, place.accepted)
            })
            .collect();
        let places = self.failures.known.iter();
        let must_be = places.map(|place| (place.source.as_str(), counted(&place.failures), place.login));
        same("known sources", &known, &must_be.collect())?;
        let strangers = state.counters.map(|counter| (counter.count as usize, counter.last));
        same("counters of strangers", &strangers, &self.failures.strangers.each_ref().map(counted))
    }
}
