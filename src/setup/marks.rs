//! What logins have used up of a person's codes: by it a code that was accepted since is known.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::credential::State;

/// What is used up, of each key and each set of recovery codes. It holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// The first code of each key that can still be accepted.
    keys: BTreeMap<String, u64>,
    /// How many recovery codes are used of each set.
    recovery: BTreeMap<String, usize>,
}

impl Marks {
    /// Those of a state.
    pub fn of(state: &State) -> Self {
        Self {
            keys: state.keys.iter().map(|key| (HEXLOWER.encode(&key.key.0), key.next)).collect(),
            recovery: state
                .recovery
                .sets
                .iter()
                .map(|set| (HEXLOWER.encode(&set.name), set.used.len()))
                .collect(),
        }
    }

    /// Whether a code or a recovery code was accepted between these and those: something that was known then is
    /// used up further now. A device that is new since proves nothing.
    pub fn show_a_code_until(&self, later: &Self) -> bool {
        let further = |key: &String, then: &u64| later.keys.get(key).is_some_and(|now| now > then);
        let more = |set: &String, then: &usize| later.recovery.get(set).is_some_and(|now| now > then);
        self.keys.iter().any(|(key, then)| further(key, then))
            || self.recovery.iter().any(|(set, then)| more(set, then))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::{KeyName, KeyRecord};

    #[test]
    fn a_code_or_a_recovery_code_shows_and_nothing_else_does() {
        let mut state = State::new([0; 16], 0);
        state.keys.push(KeyRecord { key: KeyName([1; 8]), next: 7, drift: 0, lean: 0 });
        state.recovery.vouch_for([2; 8]);
        let before = Marks::of(&state);
        let shows = |change: &dyn Fn(&mut State)| {
            let mut later = state.clone();
            change(&mut later);
            before.show_a_code_until(&Marks::of(&later))
        };
        assert!(!shows(&|_| {}));
        assert!(shows(&|state| state.keys[0].next = 8));
        assert!(shows(&|state| state.recovery.sets[0].used.push([3; 8])));
        assert!(!shows(&|state| state.counters[0].count = 5));
        assert!(!shows(&|state| state.keys.push(KeyRecord {
            key: KeyName([9; 8]),
            next: 9,
            drift: 0,
            lean: 0
        })));
        assert!(!shows(&|state| state.recovery.vouch_for([9; 8])));
        assert!(!shows(&State::vouch_for_nothing));
    }
}
