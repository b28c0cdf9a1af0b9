//! Enrolling: a new authenticator is shown, proven by a first code, and only then anything exists.
//!
//! Pure: randomness and time are arguments, and nothing here writes. Until the first code is right,
//! all of it is in memory, so whoever gives up in the middle leaves nothing behind.
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

use crate::credential::{Authenticator, Credential, KeyRecord, Kind, RecoverySet, State};
use crate::otp::recovery::CODES_IN_A_SET;
use crate::otp::secret::{BadSecret, MADE_HERE};
use crate::otp::uri::{Label, Moving, otpauth};
use crate::otp::{Algorithm, Code, Digits, Period, RecoveryCode, RecoverySalt, SharedSecret};
use crate::policy::replay::{burned, spend};
use crate::policy::throttle::unlock;
use crate::policy::window::candidates;
use crate::user::User;

/// A source of randomness fit for secrets.
pub trait Entropy {
    /// Why there was none.
    type Error: From<BadSecret>;

    /// Fills the bytes with random ones.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error>;
}

/// A new authenticator that has not been proven yet, with the recovery codes that go with it.
pub struct Pending {
    user: User,
    authenticator: Authenticator,
    salt: RecoverySalt,
    codes: Vec<RecoveryCode>,
    counter_key: [u8; 16],
}

/// Makes a secret of 160 bits and a set of recovery codes.
pub fn begin<E: Entropy>(user: User, entropy: &mut E) -> Result<Pending, E::Error> {
    let mut secret = Zeroizing::new([0; MADE_HERE]);
    entropy.fill(secret.as_mut())?;
    let mut salt = RecoverySalt([0; 16]);
    entropy.fill(&mut salt.0)?;
    let mut codes = Vec::with_capacity(CODES_IN_A_SET);
    for _ in 0..CODES_IN_A_SET {
        let mut bits = Zeroizing::new([0; 10]);
        entropy.fill(bits.as_mut())?;
        codes.push(RecoveryCode::from_random(*bits));
    }
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
    Ok(Pending { user, authenticator, salt, codes, counter_key })
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
        let digests = self.codes.iter().map(|code| code.digest(&self.salt)).collect();
        let credential = Credential {
            user: self.user.name.clone(),
            uid: self.user.uid,
            disabled: false,
            authenticators: vec![authenticator],
            recovery: Some(RecoverySet { salt: self.salt, digests }),
        };
        let codes = self.codes.clone();
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
    use crate::policy::{Attempt, Denial, Presented, decide};
    use crate::user::UserName;

    const NOW: u64 = 1_800_000_000;

    /// Counts up, so that nothing made of it is alike.
    struct Counting(u8);

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

    fn pending() -> Pending {
        let user = User { name: UserName::new(b"alice").unwrap(), uid: Some(1000) };
        begin(user, &mut Counting(0)).unwrap()
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
        let mut state = confirmed.first_state(NOW);
        for code in &confirmed.codes {
            let presented = Presented::Recovery {
                salt: pending.salt,
                digest: code.digest(&pending.salt),
                previous: None,
            };
            assert!(decide(&confirmed.credential, &mut state, &attempt(presented), NOW).is_ok());
        }
    }

    #[test]
    fn adopting_burns_the_window_once_and_vouches_for_the_codes() {
        let pending = pending();
        let confirmed = pending.confirm(&code_at(&pending, NOW), NOW).unwrap();
        let mut state = State::new([1; 16], NOW);
        adopt(&confirmed.credential, &mut state, NOW);
        let now = attempt(typed(code_at(&pending, NOW)));
        assert_eq!(decide(&confirmed.credential, &mut state, &now, NOW), Err(Denial::SpentCode));
        let later = attempt(typed(code_at(&pending, NOW + 360)));
        assert!(decide(&confirmed.credential, &mut state, &later, NOW + 360).is_ok());
        assert_eq!(state.recovery.sets.len(), 1);
        let before = state.clone();
        adopt(&confirmed.credential, &mut state, NOW + 360);
        assert_eq!(state, before);
    }
}
