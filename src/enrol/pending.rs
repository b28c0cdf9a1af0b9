//! A new authenticator, from the making of its secret to the proof by a first code.

use zeroize::Zeroizing;

use super::{DeviceProblem, Entropy, RecoveryCodes};
use crate::credential::record::MOST_AUTHENTICATORS;
use crate::credential::{Authenticator, Credential, KeyRecord, Kind, RecoverySet, State};
use crate::otp::secret::MADE_HERE;
use crate::otp::uri::{Label, Moving, otpauth};
use crate::otp::{Algorithm, Code, Digits, Period, RecoveryCode, SharedSecret};
use crate::policy::replay::spend;
use crate::policy::throttle::unlock;
use crate::policy::window::candidates;
use crate::user::User;

/// What a new authenticator is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The first of a user, with recovery codes.
    First,
    /// In place of all that he has, with new recovery codes.
    InPlaceOfAll,
    /// Beside those that he has.
    Beside,
    /// In place of the one of the same name, as with a new phone.
    InPlaceOfOne,
}

impl Purpose {
    fn comes_with_recovery_codes(self) -> bool {
        matches!(self, Self::First | Self::InPlaceOfAll)
    }
}

/// A new authenticator that has not been proven yet, with the recovery codes that go with it.
pub struct Pending {
    user: User,
    purpose: Purpose,
    authenticator: Authenticator,
    recovery: Option<RecoveryCodes>,
    counter_key: [u8; 16],
}

/// Makes a secret of 160 bits, and a set of recovery codes where the purpose asks for one. `id` is the
/// name that people have for the device.
pub fn begin<E: Entropy>(
    user: User,
    id: &str,
    purpose: Purpose,
    entropy: &mut E,
) -> Result<Pending, E::Error> {
    let mut secret = Zeroizing::new([0; MADE_HERE]);
    entropy.fill(secret.as_mut())?;
    let with_codes = purpose.comes_with_recovery_codes();
    let recovery = if with_codes { Some(RecoveryCodes::make(entropy)?) } else { None };
    let mut counter_key = [0; 16];
    entropy.fill(&mut counter_key)?;
    let authenticator = Authenticator {
        id: id.to_owned(),
        secret: SharedSecret::from_bytes(secret.as_ref())?,
        kind: Kind::Totp(Period::RECOMMENDED),
        algorithm: Algorithm::Sha1,
        digits: Digits::Six,
        confirmed: None,
    };
    Ok(Pending { user, purpose, authenticator, recovery, counter_key })
}

impl Pending {
    /// Whose it is.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Whether what the user has leaves a place for it.
    pub fn fits(&self, former: &Credential) -> Result<(), DeviceProblem> {
        place_in(former, &self.authenticator.id, self.purpose).map(drop)
    }

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
        Some(Confirmed {
            user: self.user.clone(),
            purpose: self.purpose,
            authenticator,
            set: self.recovery.as_ref().map(RecoveryCodes::to_set),
            codes: self.recovery.as_ref().map(|made| made.codes().to_vec()).unwrap_or_default(),
            record,
            counter_key: self.counter_key,
        })
    }
}

/// The place of the device that makes room; none for one beside others.
fn place_in(former: &Credential, id: &str, purpose: Purpose) -> Result<Option<usize>, DeviceProblem> {
    let place = former.authenticators.iter().position(|other| other.id == id);
    match purpose {
        Purpose::Beside if place.is_some() => Err(DeviceProblem::NameTaken),
        Purpose::Beside if former.authenticators.len() >= MOST_AUTHENTICATORS => Err(DeviceProblem::TooMany),
        Purpose::First | Purpose::InPlaceOfAll | Purpose::Beside => Ok(None),
        Purpose::InPlaceOfOne => place.map(Some).ok_or(DeviceProblem::Unknown),
    }
}

/// A proven authenticator: what to keep, and the recovery codes to show once.
pub struct Confirmed {
    /// What to show, once; nothing where the recovery codes stay as they are.
    pub codes: Vec<RecoveryCode>,
    /// Whose it is.
    pub user: User,
    /// What it is for.
    pub purpose: Purpose,
    /// The new recovery codes, as they are kept.
    pub set: Option<RecoverySet>,
    authenticator: Authenticator,
    record: KeyRecord,
    counter_key: [u8; 16],
}

impl Confirmed {
    /// The name that people have for the device.
    pub fn id(&self) -> &str {
        &self.authenticator.id
    }

    /// The credential of a user who had none.
    pub fn first_credential(&self) -> Credential {
        Credential {
            user: self.user.name.clone(),
            uid: self.user.uid,
            disabled: false,
            authenticators: vec![self.authenticator.clone()],
            recovery: self.set.clone(),
        }
    }

    /// The state of a user who had none, in which the first code is spent.
    pub fn first_state(&self, now: u64) -> State {
        let mut state = State::new(self.counter_key, now);
        self.enter_into(&mut state, &self.first_credential());
        state
    }

    /// The credential that a former one becomes. A new phone does not lift what an administrator has
    /// ordered.
    pub fn credential_after(&self, former: &Credential) -> Result<Credential, DeviceProblem> {
        if self.purpose.comes_with_recovery_codes() {
            return Ok(Credential { disabled: former.disabled, ..self.first_credential() });
        }
        let place = place_in(former, self.id(), self.purpose)?;
        let mut after = former.clone();
        match place.and_then(|place| after.authenticators.get_mut(place)) {
            Some(replaced) => *replaced = self.authenticator.clone(),
            None => after.authenticators.push(self.authenticator.clone()),
        }
        Ok(after)
    }

    /// Enters the proven authenticator into a state that there is: its first code is spent, new recovery
    /// codes are vouched for, and a replacement forgets failures. Records of other keys stay.
    pub fn enter_into(&self, state: &mut State, credential: &Credential) {
        let in_use: Vec<_> = credential.authenticators.iter().map(Authenticator::key_name).collect();
        state.put_key(self.record, &in_use);
        if let Some(set) = &self.set {
            state.recovery.vouch_for(set.name());
            state.recovery.failures = 0;
        }
        if self.purpose != Purpose::Beside {
            unlock(state);
        }
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
        begin(user, "phone", Purpose::First, &mut Counting::default()).unwrap()
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
    fn a_device_comes_beside_or_in_place_of_the_one_of_its_name() {
        let first = pending().confirm(&code_at(&pending(), NOW), NOW).unwrap();
        let former = first.first_credential();
        let made = |id: &str, purpose| {
            let user = User { name: UserName::new(b"alice").unwrap(), uid: Some(1000) };
            let made = begin(user, id, purpose, &mut Counting(100)).unwrap();
            made.confirm(&code_at(&made, NOW), NOW).unwrap()
        };
        let names = |credential: &Credential| {
            credential.authenticators.iter().map(|device| device.id.clone()).collect::<Vec<_>>()
        };
        let tablet = made("tablet", Purpose::Beside).credential_after(&former).unwrap();
        assert_eq!(names(&tablet), ["phone", "tablet"]);
        assert_eq!(tablet.recovery, former.recovery);
        let taken = made("phone", Purpose::Beside).credential_after(&former);
        assert_eq!(taken.unwrap_err(), DeviceProblem::NameTaken);
        let unknown = made("tablet", Purpose::InPlaceOfOne).credential_after(&former);
        assert_eq!(unknown.unwrap_err(), DeviceProblem::Unknown);
        let moved = made("phone", Purpose::InPlaceOfOne).credential_after(&tablet).unwrap();
        assert_eq!(names(&moved), ["phone", "tablet"]);
        assert_ne!(moved.authenticators[0].key_name(), tablet.authenticators[0].key_name());
        let mut full = former.clone();
        while full.authenticators.len() < MOST_AUTHENTICATORS {
            let id = format!("device-{}", full.authenticators.len());
            full.authenticators.push(Authenticator { id, ..full.authenticators[0].clone() });
        }
        let one_more = made("one-more", Purpose::Beside).credential_after(&full);
        assert_eq!(one_more.unwrap_err(), DeviceProblem::TooMany);
    }

    #[test]
    fn a_device_beside_others_lifts_no_wait_and_a_new_one_in_place_does() {
        let former = pending().confirm(&code_at(&pending(), NOW), NOW).unwrap();
        for (purpose, is_lifted) in [(Purpose::Beside, false), (Purpose::InPlaceOfOne, true)] {
            let id = if is_lifted { "phone" } else { "tablet" };
            let user = User { name: UserName::new(b"alice").unwrap(), uid: Some(1000) };
            let made = begin(user, id, purpose, &mut Counting(100)).unwrap();
            let made = made.confirm(&code_at(&made, NOW), NOW).unwrap();
            let mut state = former.first_state(NOW);
            state.counters[3].count = 7;
            let credential = made.credential_after(&former.first_credential()).unwrap();
            made.enter_into(&mut state, &credential);
            assert_eq!(state.counters[3].count == 0, is_lifted, "{purpose:?}");
            assert_eq!(state.keys.len(), 2, "the record of the former key stays");
        }
    }

    #[test]
    fn the_first_code_is_spent() {
        let pending = pending();
        let confirmed = pending.confirm(&code_at(&pending, NOW), NOW).unwrap();
        let mut state = confirmed.first_state(NOW);
        let again = attempt(typed(code_at(&pending, NOW)));
        assert_eq!(decide(&confirmed.first_credential(), &mut state, &again, NOW), Err(Denial::SpentCode));
        let next = attempt(typed(code_at(&pending, NOW + 30)));
        assert!(decide(&confirmed.first_credential(), &mut state, &next, NOW).is_ok());
    }

    #[test]
    fn the_recovery_codes_shown_are_the_ones_that_work() {
        let pending = pending();
        let confirmed = pending.confirm(&code_at(&pending, NOW), NOW).unwrap();
        assert_eq!(confirmed.codes.len(), 10);
        let salt = confirmed.set.as_ref().unwrap().salt;
        let mut state = confirmed.first_state(NOW);
        for code in &confirmed.codes {
            let presented = Presented::Recovery { salt, digest: code.digest(&salt), previous: None };
            assert!(decide(&confirmed.first_credential(), &mut state, &attempt(presented), NOW).is_ok());
        }
    }
}
