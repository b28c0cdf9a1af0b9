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

    /// A recovery code of the credential's set is good once, whoever waits, and lifts the cap where it
    /// is typed. Wrong ones are counted apart.
    pub(super) fn recovery_code(&mut self, set: u8, code: u8, source: &str) -> Result<usize, Denial> {
        if self.recovery != Some(set) {
            self.wrong_recovery_codes = 100.min(self.wrong_recovery_codes + 1);
            return Err(Denial::WrongRecoveryCode);
        }
        let Some(vouched) = self.vouched.iter_mut().find(|vouched| vouched.set == set) else {
            return Err(Denial::UnvouchedRecoveryCodes);
        };
        if code >= RECOVERY_CODES {
            self.wrong_recovery_codes = 100.min(self.wrong_recovery_codes + 1);
            return Err(Denial::WrongRecoveryCode);
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
}
