//! Devices that were proven elsewhere, taken over together: an enrolment of which nothing is shown and no
//! first code is asked.
//!
//! Another program has taken codes of them, perhaps a moment ago, so what could have been used counts as used.

use super::{Entropy, FIRST_DEVICE, RecoveryCodes};
use crate::credential::record::BadCredential;
use crate::credential::state::MOST_DRIFT;
use crate::credential::{
    Authenticator, CodeParameters, Credential, EnrolmentStore, KeyRecord, Kind, State, StoreError,
};
use crate::otp::{RecoveryCode, SharedSecret};
use crate::policy::resync::MOST_STEPS;
use crate::policy::window::WINDOW;
use crate::user::User;

/// A device that was proven elsewhere.
#[derive(Clone, Debug)]
pub struct ProvenElsewhere {
    /// How its codes are made.
    pub parameters: CodeParameters,
    /// Its secret.
    pub secret: SharedSecret,
    /// The lowest time step or counter that is not known to be used.
    pub next: u64,
    /// By how many time steps its clock is ahead.
    pub drift: i8,
    /// How many time steps ahead of that a code may have been taken; `None` where nobody knows.
    pub ahead: Option<u8>,
}

/// A first enrolment that is not kept yet.
pub struct Takeover {
    /// What to show or save, once; nothing where no recovery codes were asked for.
    pub codes: Vec<RecoveryCode>,
    user: User,
    credential: Credential,
    state: State,
}

impl Takeover {
    /// Makes ready what is to be kept of a user's devices, with new recovery codes where somebody will get
    /// to see them.
    pub fn of<E: Entropy>(
        user: User,
        devices: &[ProvenElsewhere],
        with_recovery_codes: bool,
        now: u64,
        entropy: &mut E,
    ) -> Result<Self, E::Error> {
        let made = if with_recovery_codes { Some(RecoveryCodes::make(entropy)?) } else { None };
        let mut counter_key = [0; 16];
        entropy.fill(&mut counter_key)?;
        let mut state = State::new(counter_key, now);
        let authenticators = (1..).zip(devices).map(|(number, device)| authenticator(number, device, now));
        let authenticators: Vec<Authenticator> = authenticators.collect();
        for (authenticator, device) in authenticators.iter().zip(devices) {
            state.put_key(record_of(authenticator, device, now), &[]);
        }
        let recovery = made.as_ref().map(RecoveryCodes::to_set);
        if let Some(set) = &recovery {
            state.recovery.vouch_for(set.name());
        }
        let credential =
            Credential { user: user.name.clone(), uid: user.uid, disabled: false, authenticators, recovery };
        let codes = made.map(|made| made.codes().to_vec()).unwrap_or_default();
        Ok(Self { codes, user, credential, state })
    }

    /// Whether it can be kept.
    pub fn check(&self) -> Result<(), BadCredential> {
        self.credential.check()
    }

    /// What is to be kept.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// How many seconds after `now` every device shows a code that is taken.
    pub fn seconds_until_taken(&self, now: u64) -> u64 {
        let of_one = |device: &Authenticator| {
            let Kind::Totp(period) = device.kind else { return 0 };
            let record = self.state.key(device.key_name());
            // When the device shows it.
            let first =
                record.map_or(0, |record| record.next.saturating_add_signed(-i64::from(record.drift)));
            period.start_of(first).saturating_sub(now)
        };
        self.credential.authenticators.iter().map(of_one).max().unwrap_or(0)
    }

    /// Keeps it, all or nothing, for a user of whom nothing is kept yet.
    pub fn keep(&self, store: &impl EnrolmentStore) -> Result<(), StoreError> {
        store.create(&self.user, &self.credential, &self.state)
    }
}

fn authenticator(number: usize, device: &ProvenElsewhere, now: u64) -> Authenticator {
    let id = if number == 1 { FIRST_DEVICE.to_owned() } else { format!("{FIRST_DEVICE}-{number}") };
    let CodeParameters { kind, algorithm, digits } = device.parameters;
    Authenticator { id, secret: device.secret.clone(), kind, algorithm, digits, confirmed: Some(now) }
}

/// The record of a device in which everything is used that could have been used by now. A time step that lies
/// further ahead than any code could, as somebody may have written into his file, is brought back.
fn record_of(authenticator: &Authenticator, device: &ProvenElsewhere, now: u64) -> KeyRecord {
    let drift = device.drift.clamp(-MOST_DRIFT.cast_signed(), MOST_DRIFT.cast_signed());
    let next = match authenticator.kind {
        Kind::Hotp => device.next,
        Kind::Totp(period) => {
            let step = period.step_at(now);
            // Where nobody knows, as far as a clock may be learned to be off.
            let ahead = device.ahead.map_or(MOST_DRIFT.cast_signed().saturating_add(WINDOW), |ahead| {
                i8::try_from(ahead).unwrap_or(i8::MAX).max(WINDOW)
            });
            let last = step.saturating_add_signed(i64::from(drift) + i64::from(ahead));
            let furthest = step.saturating_add(MOST_STEPS).saturating_add(1);
            device.next.max(last.saturating_add(1)).min(furthest)
        }
    };
    let drift = if authenticator.kind == Kind::Hotp { 0 } else { drift };
    KeyRecord { key: authenticator.key_name(), next, drift, lean: 0 }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Counting;
    use super::*;
    use crate::credential::SourceName;
    use crate::otp::Period;
    use crate::policy::{Attempt, Denial, Presented, decide};
    use crate::user::UserName;

    const NOW: u64 = 1_800_000_000;
    const STEP: u64 = NOW / 30;

    fn device() -> ProvenElsewhere {
        ProvenElsewhere {
            parameters: CodeParameters::default(),
            secret: SharedSecret::from_bytes(b"12345678901234567890").unwrap(),
            next: 0,
            drift: 0,
            ahead: Some(1),
        }
    }

    fn taken_over(devices: &[ProvenElsewhere]) -> Takeover {
        let user = User { name: UserName::new(b"alice").unwrap(), uid: Some(1000) };
        let made = Takeover::of(user, devices, true, NOW, &mut Counting::default()).unwrap();
        assert_eq!(made.check(), Ok(()));
        made
    }

    /// What comes of a code of the first device, typed at a moment.
    fn typed(made: &Takeover, factor: u64, now: u64) -> Result<(), Denial> {
        let code = made.credential.authenticators[0].generator().code(factor);
        let presented = Presented::Code { code, previous: None };
        let attempt = Attempt { presented, source: SourceName::nowhere() };
        decide(&made.credential, &mut made.state.clone(), &attempt, now).map(drop)
    }

    #[test]
    fn what_the_other_program_could_have_taken_is_used_and_the_next_code_is_good() {
        let made = taken_over(&[device()]);
        for used in [STEP - 1, STEP, STEP + 1] {
            assert_eq!(typed(&made, used, NOW), Err(Denial::SpentCode), "{used}");
        }
        assert_eq!(typed(&made, STEP + 1, NOW + 60), Err(Denial::SpentCode));
        assert!(typed(&made, STEP + 2, NOW + 30).is_ok());
        assert_eq!(made.seconds_until_taken(NOW), 60);
        assert_eq!(made.seconds_until_taken(NOW + 59), 1);
        assert_eq!(made.seconds_until_taken(NOW + 61), 0);
    }

    #[test]
    fn drift_and_what_is_written_as_used_come_along() {
        let made = taken_over(&[ProvenElsewhere { drift: -4, ..device() }]);
        assert_eq!(typed(&made, STEP - 3, NOW), Err(Denial::SpentCode));
        assert!(typed(&made, STEP - 2, NOW + 30).is_ok());
        let made = taken_over(&[ProvenElsewhere { next: STEP + 4, ..device() }]);
        assert_eq!(typed(&made, STEP + 3, NOW + 90), Err(Denial::SpentCode));
        assert!(typed(&made, STEP + 4, NOW + 90).is_ok());
    }

    #[test]
    fn no_window_and_no_record_keeps_a_device_out_for_long() {
        for (next, ahead, minutes) in [(0, None, 6), (u64::MAX, Some(1), 11), (0, Some(50), 11)] {
            let made = taken_over(&[ProvenElsewhere { next, ahead, ..device() }]);
            let later = NOW + minutes * 60;
            assert!(typed(&made, STEP, NOW).is_err());
            assert!(typed(&made, later / 30, later).is_ok(), "{next} {ahead:?}");
            assert!(made.seconds_until_taken(NOW) <= minutes * 60);
        }
    }

    #[test]
    fn a_counter_goes_on_where_it_stands() {
        let parameters = CodeParameters { kind: Kind::Hotp, ..CodeParameters::default() };
        let made = taken_over(&[ProvenElsewhere { parameters, next: 7, drift: 3, ahead: None, ..device() }]);
        assert_eq!(typed(&made, 6, NOW), Err(Denial::SpentCode));
        assert!(typed(&made, 7, NOW).is_ok());
        assert_eq!(made.seconds_until_taken(NOW), 0);
    }

    #[test]
    fn several_devices_come_together_and_recovery_codes_only_if_they_are_asked_for() {
        let other = SharedSecret::from_bytes(b"09876543210987654321").unwrap();
        let parameters =
            CodeParameters { kind: Kind::Totp(Period::new(60).unwrap()), ..CodeParameters::default() };
        let made = taken_over(&[device(), ProvenElsewhere { parameters, secret: other, ..device() }]);
        let names: Vec<&str> = made.credential.authenticators.iter().map(|one| one.id.as_str()).collect();
        assert_eq!((names, made.codes.len()), (vec!["phone", "phone-2"], 10));
        assert_eq!(made.state.recovery.sets.len(), 1);
        let user = made.user.clone();
        let without = Takeover::of(user.clone(), &[device()], false, NOW, &mut Counting::default()).unwrap();
        assert!(without.codes.is_empty() && without.credential.recovery.is_none());
        let same = Takeover::of(user, &[device(), device()], false, NOW, &mut Counting::default()).unwrap();
        assert_eq!(same.check(), Err(BadCredential::SameSecret));
    }
}
