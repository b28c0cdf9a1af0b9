//! A new authenticator, from the making of its secret to the proof by a first code.

use zeroize::Zeroizing;

use super::{Entropy, RecoveryCodes};
use crate::credential::{Authenticator, Credential, KeyRecord, Kind, State};
use crate::otp::secret::MADE_HERE;
use crate::otp::uri::{Label, Moving, otpauth};
use crate::otp::{Algorithm, Code, Digits, Period, RecoveryCode, SharedSecret};
use crate::policy::replay::spend;
use crate::policy::throttle::unlock;
use crate::policy::window::candidates;
use crate::user::User;

/// A new authenticator that has not been proven yet, with the recovery codes that go with it.
pub struct Pending {
    user: User,
    authenticator: Authenticator,
    recovery: RecoveryCodes,
    counter_key: [u8; 16],
}

/// Makes a secret of 160 bits and a set of recovery codes.
pub fn begin<E: Entropy>(user: User, entropy: &mut E) -> Result<Pending, E::Error> {
    let mut secret = Zeroizing::new([0; MADE_HERE]);
    entropy.fill(secret.as_mut())?;
    let recovery = RecoveryCodes::make(entropy)?;
    let mut counter_key = [0; 16];
    entropy.fill(&mut counter_key)?;
    let authenticator = Authenticator {
        id: "phone".to_owned(),
        secret: SharedSecret::from_bytes(secret.as_ref())?,
        kind: Kind::Totp(Period::RECOMMENDED),
        algorithm: Algorithm::Sha1,
        digits: Digits::Six,
        confirmed: None,
    };
    Ok(Pending { user, authenticator, recovery, counter_key })
}

impl Pending {
    /// What the QR code says.
    pub fn otpauth_uri(&self, issuer: &str) -> Zeroizing<String> {
        let label = Label { issuer, account: self.user.name.as_str() };
        let moving = match self.authenticator.kind {
            Kind::Totp(period) => Moving::Totp(period),
            Kind::Hotp => Moving::Hotp(0),
        };
        let Authenticator { secret, algorithm, digits, .. } = &self.authenticator;
        otpauth(&label, secret, *algorithm, *digits, moving)
    }

    /// The secret as base32 in groups of four, for typing in.
    pub fn key_in_groups(&self) -> Zeroizing<String> {
        let key = self.authenticator.secret.to_base32();
        let mut grouped = Zeroizing::new(String::with_capacity(key.len() * 2));
        for (place, letter) in key.chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                grouped.push(' ');
            }
            grouped.push(letter);
        }
        grouped
    }

    /// Proves the authenticator by a first code. `None` when the code is wrong; more may be tried,
    /// for whoever types it has the secret on his screen.
    pub fn confirm(&self, typed: &Code, now: u64) -> Option<Confirmed> {
        use subtle::ConstantTimeEq as _;

        let key = self.authenticator.key_name();
        let mut record = KeyRecord { key, next: 0, drift: 0, lean: 0 };
        let generator = self.authenticator.generator();
        let matched = candidates(self.authenticator.kind, &record, now)
            .into_iter()
            .find(|candidate| bool::from(generator.code(candidate.factor).ct_eq(typed)))?;
        spend(&mut record, matched);
        let mut authenticator = self.authenticator.clone();
        authenticator.confirmed = Some(now);
        let credential = Credential {
            user: self.user.name.clone(),
            uid: self.user.uid,
            disabled: false,
            authenticators: vec![authenticator],
            recovery: Some(self.recovery.to_set()),
        };
        let codes = self.recovery.codes().to_vec();
        Some(Confirmed { credential, record, codes, counter_key: self.counter_key })
    }
}

/// A proven authenticator: what to keep, and the recovery codes to show once.
pub struct Confirmed {
    /// What to keep.
    pub credential: Credential,
    /// What to show, once.
    pub codes: Vec<RecoveryCode>,
    record: KeyRecord,
    counter_key: [u8; 16],
}

impl Confirmed {
    /// The state of a user who had none, in which the first code is spent.
    pub fn first_state(&self, now: u64) -> State {
        let mut state = State::new(self.counter_key, now);
        self.enter_into(&mut state);
        state
    }

    /// Enters the proven authenticator into a state that there is: its first code is spent, the new
    /// recovery codes are vouched for, failures are forgotten. Records of other keys stay.
    pub fn enter_into(&self, state: &mut State) {
        state.put_key(self.record, &[self.record.key]);
        if let Some(set) = &self.credential.recovery {
            state.recovery.vouch_for(set.name());
        }
        state.recovery.failures = 0;
        unlock(state);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Counting;
    use super::*;
    use crate::credential::SourceName;
    use crate::policy::{Attempt, Denial, Presented, decide};
    use crate::user::UserName;

    const NOW: u64 = 1_800_000_000;

    fn pending() -> Pending {
        let user = User { name: UserName::new(b"alice").unwrap(), uid: Some(1000) };
        begin(user, &mut Counting::default()).unwrap()
    }

    fn code_at(pending: &Pending, now: u64) -> Code {
        pending.authenticator.generator().code(now / 30)
    }

    fn typed(code: Code) -> Presented {
        Presented::Code { code, previous: None }
    }

    fn attempt(presented: Presented) -> Attempt {
        Attempt { presented, source: SourceName::nowhere() }
    }

    #[test]
    fn a_secret_made_here_has_160_bits_and_is_shown_in_groups() {
        let pending = pending();
        assert_eq!(pending.authenticator.secret.as_bytes().len(), 20);
        assert_eq!(*pending.key_in_groups(), "AEBA GBAF AYDQ QCIK BMGA 2DQP CAIR EEYU");
        assert_eq!(
            *pending.otpauth_uri("web1"),
            "otpauth://totp/web1:alice?secret=AEBAGBAFAYDQQCIKBMGA2DQPCAIREEYU&issuer=web1"
        );
    }

    #[test]
    fn only_the_right_code_proves_it() {
        let pending = pending();
        assert!(pending.confirm(&code_at(&pending, NOW - 300), NOW).is_none());
        assert!(pending.confirm(&code_at(&pending, NOW + 30), NOW).is_some());
    }

    #[test]
    fn the_first_code_is_spent() {
        let pending = pending();
        let confirmed = pending.confirm(&code_at(&pending, NOW), NOW).unwrap();
        let mut state = confirmed.first_state(NOW);
        let again = attempt(typed(code_at(&pending, NOW)));
        assert_eq!(decide(&confirmed.credential, &mut state, &again, NOW), Err(Denial::SpentCode));
        let next = attempt(typed(code_at(&pending, NOW + 30)));
        assert!(decide(&confirmed.credential, &mut state, &next, NOW).is_ok());
    }

    #[test]
    fn the_recovery_codes_shown_are_the_ones_that_work() {
        let pending = pending();
        let confirmed = pending.confirm(&code_at(&pending, NOW), NOW).unwrap();
        assert_eq!(confirmed.codes.len(), 10);
        let salt = confirmed.credential.recovery.as_ref().unwrap().salt;
        let mut state = confirmed.first_state(NOW);
        for code in &confirmed.codes {
            let presented = Presented::Recovery { salt, digest: code.digest(&salt), previous: None };
            assert!(decide(&confirmed.credential, &mut state, &attempt(presented), NOW).is_ok());
        }
    }
}
