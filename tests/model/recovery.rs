//! Recovery codes: which sets are vouched for, and what is used of them
//! (`docs/decisions/0005-recovery-set-in-state.md`).

use pam_countersign::policy::Denial;

use super::Model;
use super::failures::wait_of;

/// A set of recovery codes that is vouched for, and the codes that were used.
#[derive(Clone, Debug)]
pub struct Vouched {
    pub set: u8,
    pub used: Vec<u8>,
}

/// How many codes a set of recovery codes has here.
pub const RECOVERY_CODES: u8 = 3;

impl Model {
    /// The codes of a set are good from now on, but none that was used. Three sets are remembered.
    pub fn vouch_for(&mut self, set: u8) {
        let former = self.vouched.iter().position(|vouched| vouched.set == set);
        let vouched = former.map_or(Vouched { set, used: Vec::new() }, |place| self.vouched.remove(place));
        self.vouched.push(vouched);
        if self.vouched.len() > 3 {
            self.vouched.remove(0);
        }
    }

    /// A recovery code of the credential's set is good once, also where codes are refused, and lifts the cap where it
    /// is typed. A wrong one is a failure of its source. Where a source waits for codes, it waits for recovery codes
    /// as long as the wrong ones of all sources together say.
    pub(super) fn recovery_code(
        &mut self,
        set: u8,
        code: u8,
        source: &str,
        now: u64,
    ) -> Result<usize, Denial> {
        let seconds = wait_of(&self.wrong_recovery_codes, now);
        let source_is_free = !self.failures.is_capped(source) && self.failures.wait(source, now) == 0;
        if seconds > 0 && !source_is_free {
            return Err(Denial::BackedOff { seconds });
        }
        if self.recovery != Some(set) {
            return self.wrong_recovery_code(source, now);
        }
        let Some(vouched) = self.vouched.iter_mut().find(|vouched| vouched.set == set) else {
            return Err(Denial::UnvouchedRecoveryCodes);
        };
        if code >= RECOVERY_CODES {
            return self.wrong_recovery_code(source, now);
        }
        if vouched.used.contains(&code) {
            return Err(Denial::SpentRecoveryCode);
        }
        vouched.used.push(code);
        let left = usize::from(RECOVERY_CODES) - vouched.used.len();
        self.wrong_recovery_codes.clear();
        self.failures.lift_cap(source);
        Ok(left)
    }

    fn wrong_recovery_code(&mut self, source: &str, now: u64) -> Result<usize, Denial> {
        self.wrong_recovery_codes.push(now);
        self.failures.charge(source, now);
        Err(Denial::WrongRecoveryCode)
    }
}
