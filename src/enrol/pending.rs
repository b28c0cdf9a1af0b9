//! A new authenticator, from the making of its secret to the proof by a first code.

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{DeviceProblem, Entropy, RecoveryCodes};
use crate::credential::record::MOST_AUTHENTICATORS;
use crate::credential::{
    Authenticator, CodeParameters, Credential, KeyName, KeyRecord, Kind, RecoverySet, State,
};
use crate::otp::uri::{Label, Moving, otpauth};
use crate::otp::{Algorithm, Code, RecoveryCode, SharedSecret};
use crate::policy::replay::{is_fresh, spend};
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

/// What a new authenticator is to be like. The default is what every app takes as given.
#[derive(Default)]
pub struct Wanted {
    /// How its codes are made.
    pub parameters: CodeParameters,
    /// The secret that the device has already; without one a secret is made.
    pub secret: Option<SharedSecret>,
    /// For a device that counts: the counter of its next code.
    pub counter: u64,
}

/// A new authenticator that has not been proven yet, with the recovery codes that go with it.
pub struct Pending {
    user: User,
    purpose: Purpose,
    authenticator: Authenticator,
    recovery: Option<RecoveryCodes>,
    counter: u64,
    counter_key: [u8; 16],
}

/// Makes a secret as long as the output of the HMAC (RFC 6238 §5.1), and a set of recovery codes where the
/// purpose asks for one. `id` is the name that people have for the device.
pub fn begin<E: Entropy>(
    user: User,
    id: &str,
    purpose: Purpose,
    wanted: Wanted,
    entropy: &mut E,
) -> Result<Pending, E::Error> {
    let CodeParameters { kind, algorithm, digits } = wanted.parameters;
    let secret = match wanted.secret {
        Some(secret) => secret,
        None => made_secret(algorithm, entropy)?,
    };
    let with_codes = purpose.comes_with_recovery_codes();
    let recovery = if with_codes { Some(RecoveryCodes::make(entropy)?) } else { None };
    let mut counter_key = [0; 16];
    entropy.fill(&mut counter_key)?;
    let authenticator = Authenticator { id: id.to_owned(), secret, kind, algorithm, digits, confirmed: None };
    Ok(Pending { user, purpose, authenticator, recovery, counter: wanted.counter, counter_key })
}

fn made_secret<E: Entropy>(algorithm: Algorithm, entropy: &mut E) -> Result<SharedSecret, E::Error> {
    let mut bytes = Zeroizing::new([0; 64]);
    let bytes = bytes.get_mut(..algorithm.output_length()).unwrap_or_default();
    entropy.fill(bytes)?;
    Ok(SharedSecret::from_bytes(bytes)?)
}

impl Pending {
    /// Whose it is.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Whether what the user has leaves a place for it.
    pub fn fits(&self, former: &Credential) -> Result<(), DeviceProblem> {
        let place = place_in(former, &self.authenticator.id, self.purpose)?;
        let mut others = former.authenticators.iter().enumerate().filter(|(other, _)| Some(*other) != place);
        let is_same = |other: &Authenticator| bool::from(other.secret.ct_eq(&self.authenticator.secret));
        let stay = !self.purpose.comes_with_recovery_codes();
        if stay && others.any(|(_, other)| is_same(other)) { Err(DeviceProblem::SameSecret) } else { Ok(()) }
    }

    /// What the QR code says.
    pub fn otpauth_uri(&self, label: &Label<'_>) -> Zeroizing<String> {
        let moving = match self.authenticator.kind {
            Kind::Totp(period) => Moving::Totp(period),
            Kind::Hotp => Moving::Hotp(self.counter),
        };
        let Authenticator { secret, algorithm, digits, .. } = &self.authenticator;
        otpauth(label, secret, *algorithm, *digits, moving)
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
        let mut record = self.fresh_record();
        let generator = self.authenticator.generator();
        let matched = candidates(self.authenticator.kind, &record, now)
            .into_iter()
            .filter(|candidate| is_fresh(&record, *candidate))
            .find(|candidate| bool::from(generator.code(candidate.factor).ct_eq(typed)))?;
        spend(&mut record, matched);
        let mut authenticator = self.authenticator.clone();
        authenticator.confirmed = Some(now);
        Some(self.to_keep(authenticator, record))
    }

    /// What to keep where an administrator does without the first code: the device is refused until
    /// [`super::confirm_kept`] has proven it.
    pub fn unproven(&self) -> Confirmed {
        self.to_keep(self.authenticator.clone(), self.fresh_record())
    }

    /// What to keep where an administrator hands the secret to its user and vouches for it: the device is taken from
    /// its first code on, and none of its codes is used. That first login is what proves it.
    pub fn vouched_for(&self, now: u64) -> Confirmed {
        let authenticator = Authenticator { confirmed: Some(now), ..self.authenticator.clone() };
        self.to_keep(authenticator, self.fresh_record())
    }

    fn fresh_record(&self) -> KeyRecord {
        KeyRecord { key: self.authenticator.key_name(), next: self.counter, drift: 0, lean: 0 }
    }

    fn to_keep(&self, authenticator: Authenticator, record: KeyRecord) -> Confirmed {
        Confirmed {
            user: self.user.clone(),
            purpose: self.purpose,
            authenticator,
            set: self.recovery.as_ref().map(RecoveryCodes::to_set),
            codes: self.recovery.as_ref().map(|made| made.codes().to_vec()).unwrap_or_default(),
            record,
            counter_key: self.counter_key,
        }
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

/// A proven authenticator, one that an administrator vouches for, or one whose proof is put off: what to keep, and the recovery
/// codes to show once.
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

    /// The name of its key, by which it is known again.
    pub fn key_name(&self) -> KeyName {
        self.record.key
    }

    /// Whether a first code has proven it, or an administrator vouches for it. Else it is refused until a first code does.
    pub fn is_proven(&self) -> bool {
        self.authenticator.confirmed.is_some()
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
        self.put_into(&mut state, self.record, &self.first_credential());
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

    /// Enters the authenticator into a state that there is: its first code is spent, new recovery codes are
    /// vouched for, and a replacement forgets failures. Records of other keys stay.
    ///
    /// A secret from outside may have been here before. Then its record stays, and a first code that it
    /// calls spent proves nothing.
    pub fn enter_into(&self, state: &mut State, credential: &Credential) -> Result<(), DeviceProblem> {
        let mut record = self.record;
        if let Some(former) = state.key(record.key) {
            if self.authenticator.confirmed.is_some() && former.next >= record.next {
                return Err(DeviceProblem::SpentCode);
            }
            record.next = record.next.max(former.next);
        }
        self.put_into(state, record, credential);
        Ok(())
    }

    fn put_into(&self, state: &mut State, record: KeyRecord, credential: &Credential) {
        let in_use: Vec<_> = credential.authenticators.iter().map(Authenticator::key_name).collect();
        state.put_key(record, &in_use);
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
        begin(user, "phone", Purpose::First, Wanted::default(), &mut Counting::default()).unwrap()
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
            *pending.otpauth_uri(&Label { issuer: "web1", account: "alice" }),
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
    fn a_device_that_an_administrator_vouches_for_is_taken_from_its_first_code_on() {
        let pending = pending();
        let kept = pending.vouched_for(NOW);
        assert!(kept.is_proven());
        let (credential, mut state) = (kept.first_credential(), kept.first_state(NOW));
        assert_eq!(credential.check(), Ok(()));
        let typed = attempt(typed(code_at(&pending, NOW)));
        assert!(decide(&credential, &mut state, &typed, NOW).is_ok(), "the present one");
        assert_eq!(decide(&credential, &mut state, &typed, NOW), Err(Denial::SpentCode), "once");
    }

    #[test]
    fn a_device_comes_beside_or_in_place_of_the_one_of_its_name() {
        let first = pending().confirm(&code_at(&pending(), NOW), NOW).unwrap();
        let former = first.first_credential();
        let made = |id: &str, purpose| {
            let user = User { name: UserName::new(b"alice").unwrap(), uid: Some(1000) };
            let made = begin(user, id, purpose, Wanted::default(), &mut Counting(100)).unwrap();
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
            let made = begin(user, id, purpose, Wanted::default(), &mut Counting(100)).unwrap();
            let made = made.confirm(&code_at(&made, NOW), NOW).unwrap();
            let mut state = former.first_state(NOW);
            state.counters[3].count = 7;
            let credential = made.credential_after(&former.first_credential()).unwrap();
            made.enter_into(&mut state, &credential).unwrap();
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

    fn brought(kind: Kind, counter: u64, purpose: Purpose) -> Pending {
        let user = User { name: UserName::new(b"alice").unwrap(), uid: Some(1000) };
        let parameters = CodeParameters { kind, ..CodeParameters::default() };
        let secret = SharedSecret::from_bytes(b"a token's own secret").unwrap();
        let wanted = Wanted { parameters, secret: Some(secret), counter };
        begin(user, "token", purpose, wanted, &mut Counting::default()).unwrap()
    }

    #[test]
    fn a_secret_is_as_long_as_the_output_of_its_hash() {
        for (algorithm, length) in [(Algorithm::Sha1, 20), (Algorithm::Sha256, 32), (Algorithm::Sha512, 64)] {
            let parameters = CodeParameters { algorithm, ..CodeParameters::default() };
            let wanted = Wanted { parameters, ..Wanted::default() };
            let user = User { name: UserName::new(b"alice").unwrap(), uid: Some(1000) };
            let made = begin(user, "phone", Purpose::First, wanted, &mut Counting::default()).unwrap();
            assert_eq!(made.authenticator.secret.as_bytes().len(), length);
        }
    }

    #[test]
    fn a_secret_that_comes_back_makes_no_used_code_good() {
        let kind = CodeParameters::default().kind;
        for used_up_to in [NOW / 30 - 1, NOW / 30, NOW / 30 + 1] {
            let made = brought(kind, 0, Purpose::InPlaceOfAll);
            let confirmed = made.confirm(&code_at(&made, NOW), NOW).unwrap();
            let mut state = State::new([1; 16], NOW);
            let record = KeyRecord { next: used_up_to + 1, ..made.fresh_record() };
            state.put_key(record, &[]);
            let before = state.clone();
            let entered = confirmed.enter_into(&mut state, &confirmed.first_credential());
            let is_spent = used_up_to >= NOW / 30;
            assert_eq!(entered.is_err(), is_spent, "{used_up_to}");
            if is_spent {
                assert_eq!(state, before);
            }
        }
    }

    #[test]
    fn a_secret_that_comes_back_unproven_keeps_its_record() {
        let unproven = brought(Kind::Hotp, 3, Purpose::Beside).unproven();
        let mut state = State::new([1; 16], NOW);
        unproven.enter_into(&mut state, &unproven.first_credential()).unwrap();
        assert_eq!(state.keys[0].next, 3);
        state.keys[0].next = 700;
        unproven.enter_into(&mut state, &unproven.first_credential()).unwrap();
        assert_eq!(state.keys[0].next, 700);
    }

    #[test]
    fn a_counter_is_proven_from_where_it_stands() {
        let made = brought(Kind::Hotp, 700, Purpose::First);
        let code = |counter: u64| made.authenticator.generator().code(counter);
        assert!(made.confirm(&code(699), NOW).is_none(), "used before");
        assert!(made.confirm(&code(0), NOW).is_none());
        let confirmed = made.confirm(&code(702), NOW).unwrap();
        assert_eq!(confirmed.first_state(NOW).keys[0].next, 703);
        let label = Label { issuer: "web1", account: "alice" };
        assert!(made.otpauth_uri(&label).ends_with("&counter=700"));
    }

    #[test]
    fn an_unproven_device_is_refused_at_logins() {
        let made = brought(CodeParameters::default().kind, 0, Purpose::First);
        let unproven = made.unproven();
        assert!(!unproven.is_proven());
        let mut state = unproven.first_state(NOW);
        let attempt = attempt(typed(code_at(&made, NOW)));
        let verdict = decide(&unproven.first_credential(), &mut state, &attempt, NOW);
        assert_eq!(verdict, Err(Denial::NoUsableAuthenticator));
    }

    #[test]
    fn a_secret_is_no_second_device_and_may_take_its_own_place() {
        let kind = CodeParameters::default().kind;
        let former = brought(kind, 0, Purpose::First).unproven().first_credential();
        let mut beside = brought(kind, 0, Purpose::Beside);
        beside.authenticator.id = "other".to_owned();
        assert_eq!(beside.fits(&former), Err(DeviceProblem::SameSecret));
        assert_eq!(brought(kind, 0, Purpose::InPlaceOfOne).fits(&former), Ok(()));
        assert_eq!(brought(kind, 0, Purpose::InPlaceOfAll).fits(&former), Ok(()));
    }
}
