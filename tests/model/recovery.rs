//! Recovery codes: which sets are vouched for, and what is used of them
//! (`docs/decisions/0005-recovery-set-in-state.md`).

use pam_countersign::policy::Denial;

use super::Model;

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

    /// A recovery code of the credential's set is good once, also where its source waits or is capped, and lifts the
    /// cap where it is typed. A wrong one is a failure of its source, unless that waits or is capped.
    pub(super) fn recovery_code(
        &mut self,
        set: u8,
        code: u8,
        source: &str,
        now: u64,
    ) -> Result<usize, Denial> {
        if self.recovery != Some(set) {
            return Err(self.wrong_recovery_code(source, now));
        }
        let Some(vouched) = self.vouched.iter_mut().find(|vouched| vouched.set == set) else {
            return Err(Denial::UnvouchedRecoveryCodes);
        };
        if code >= RECOVERY_CODES {
            return Err(self.wrong_recovery_code(source, now));
        }
        if vouched.used.contains(&code) {
            return Err(Denial::SpentRecoveryCode);
        }
        vouched.used.push(code);
        let left = usize::from(RECOVERY_CODES) - vouched.used.len();
        self.wrong_recovery_codes = 0;
        self.failures.lift_cap(source);
        Ok(left)
    }

    fn wrong_recovery_code(&mut self, source: &str, now: u64) -> Denial {
        if self.failures.is_capped(source) {
            return Denial::Capped;
        }
        match self.failures.wait(source, now) {
            0 => {
                self.wrong_recovery_codes = 100.min(self.wrong_recovery_codes + 1);
                self.failures.charge(source, now);
                Denial::WrongRecoveryCode
            }
            seconds => Denial::BackedOff { seconds },
        }
    }
}
