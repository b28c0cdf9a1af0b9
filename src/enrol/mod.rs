//! Enrolling: a new authenticator is shown, proven by a first code, and only then anything exists; and
//! vouching anew for what is there.
//!
//! Pure: randomness and time are arguments, and nothing here writes. Until the first code is right,
//! all of it is in memory, so whoever gives up in the middle leaves nothing behind.
#![forbid(unsafe_code)]

mod keeping;
mod pending;
mod recovery_codes;
pub mod repair;
mod takeover;

pub use keeping::{
    DeviceProblem, KeepError, confirm_kept, disable, enable, keep, keep_at_login, keep_recovery_codes,
    remove_all, remove_device, waiting_in,
};
pub use pending::{Confirmed, Pending, Purpose, Wanted, begin};
pub use recovery_codes::RecoveryCodes;
pub use takeover::{ProvenElsewhere, Takeover};

use crate::credential::{Authenticator, Credential, KeyRecord, State};
use crate::otp::secret::BadSecret;
use crate::policy::replay::burned;

/// What the first device of a user is called.
pub const FIRST_DEVICE: &str = "phone";
/// How many first codes may be typed for a device before one has to begin anew.
pub const MOST_FIRST_CODES: u32 = 5;

/// A source of randomness fit for secrets.
pub trait Entropy {
    /// Why there was none.
    type Error: From<BadSecret>;

    /// Fills the bytes with random ones.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error>;
}

/// Vouches for a credential that was put in place from outside, as configuration management does:
/// time-based keys without a record start with the present window burned, counters at 0, and its
/// recovery codes become good. Records that there are stay.
pub fn adopt(credential: &Credential, state: &mut State, now: u64) {
    let in_use: Vec<_> = credential.authenticators.iter().map(Authenticator::key_name).collect();
    for (authenticator, key) in credential.authenticators.iter().zip(&in_use) {
        if state.key(*key).is_none() {
            let from_zero = KeyRecord { key: *key, next: 0, drift: 0, lean: 0 };
            state.put_key(burned(*key, authenticator.kind, now).unwrap_or(from_zero), &in_use);
        }
    }
    if let Some(set) = &credential.recovery {
        state.recovery.vouch_for(set.name());
    }
    state.written = now;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::SourceName;
    use crate::credential::record::tests::alice;
    use crate::policy::{Attempt, Denial, Presented, decide};

    /// Counts up, so that nothing made of it is alike.
    #[derive(Default)]
    pub(super) struct Counting(pub(super) u8);

    impl Entropy for Counting {
        type Error = BadSecret;

        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BadSecret> {
            for byte in bytes {
                self.0 = self.0.wrapping_add(1);
                *byte = self.0;
            }
            Ok(())
        }
    }

    #[test]
    fn adopting_burns_the_window_once_and_vouches_for_the_codes() {
        const NOW: u64 = 1_800_000_000;
        let mut credential = alice();
        credential.recovery = Some(RecoveryCodes::make(&mut Counting::default()).unwrap().to_set());
        let typed_at = |now: u64| {
            let code = credential.authenticators[0].generator().code(now / 30);
            let presented = Presented::Code { code, previous: None };
            Attempt { presented, source: SourceName::nowhere() }
        };
        let mut state = State::new([1; 16], NOW);
        adopt(&credential, &mut state, NOW);
        assert_eq!(decide(&credential, &mut state, &typed_at(NOW), NOW), Err(Denial::SpentCode));
        assert!(decide(&credential, &mut state, &typed_at(NOW + 360), NOW + 360).is_ok());
        assert_eq!(state.recovery.sets.len(), 1);
        let before = state.clone();
        adopt(&credential, &mut state, NOW + 360);
        assert_eq!(state, before);
    }
}
