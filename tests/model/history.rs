//! Histories made of any bytes: what happens to one user, told to `policy::decide` and to the model.

use std::collections::BTreeMap;

use pam_countersign::credential::slot::{self, Sequenced, Slot};
use pam_countersign::credential::{Credential, KeyRecord, RecoverySet, SourceName, State};
use pam_countersign::enrol::repair::{Mending, mend};
use pam_countersign::otp::{RecoveryDigest, RecoverySalt};
use pam_countersign::policy::{Accepted, Attempt, Denial, Presented, decide, throttle};
use pam_countersign::user::UserName;

use super::compare::{set_name, used_name};
use super::devices::{Moving, START, Shown, code_of, devices};
use super::event::Event;
use super::recovery::RECOVERY_CODES;
use super::rules::{plain_rules, word};
use super::{Model, Typed};

/// One user: what is judged, and the model that it must agree with.
pub struct History {
    credential: Credential,
    state: State,
    model: Model,
    now: u64,
    last: Typed,
    /// Decisions compared so far.
    pub decisions: u64,
    /// Those by what came of them: an event or a reason, as in the log.
    pub verdicts: BTreeMap<&'static str, u64>,
}

const COUNTER_KEY: [u8; 16] = [5; 16];
/// Nobody's clock is earlier: this is years before the module was written.
const EARLIEST: u64 = 1_000_000_000;
/// No device has codes of seven digits.
const NOBODYS: Shown = Shown { digits: 7, value: 0 };

impl History {
    /// Runs a history from its beginning; the events that lead to a disagreement, and what it is.
    pub fn run(bytes: &[u8]) -> Result<Self, String> {
        let (first, rest) = bytes.split_at_checked(2).unwrap_or((&[1, 0], &[]));
        let mut history = Self::new(first[0], first[1]);
        let events: Vec<Event> = rest.as_chunks().0.iter().copied().map(Event::read).collect();
        for (number, event) in events.iter().enumerate() {
            history.happen(*event).map_err(|what| {
                let happened: Vec<_> = events[..=number].iter().map(|event| format!("{event:?}")).collect();
                let (enrolled, happened) = (&history.model.enrolled, happened.join("\n  "));
                format!("{what}\nenrolled now: {enrolled:?}\nevents:\n  {happened}")
            })?;
        }
        history.reads_back()?;
        Ok(history)
    }

    /// A user with the devices of a bit pattern, all proven, of which those of another are not
    /// remembered.
    fn new(enrolled: u8, forgotten: u8) -> Self {
        let mut history = Self {
            credential: Credential {
                user: UserName::new(b"alice").unwrap(),
                uid: Some(1000),
                disabled: false,
                authenticators: Vec::new(),
                recovery: None,
            },
            state: State::new(COUNTER_KEY, START),
            model: Model::new(devices(), COUNTER_KEY),
            now: START,
            last: Typed::Code { code: NOBODYS, previous: None },
            decisions: 0,
            verdicts: BTreeMap::new(),
        };
        history.model.enrolled = (0..devices().len()).filter(|device| enrolled >> device & 1 == 1).collect();
        history.model.confirmed = (0..devices().len()).collect();
        for device in (0..devices().len()).filter(|device| forgotten >> device & 1 == 0) {
            let key = devices()[device].authenticator.key_name();
            history.state.put_key(KeyRecord { key, next: 0, drift: 0, lean: 0 }, &[]);
            history.model.remember(device);
        }
        history.new_set(0, true);
        history.write_credential();
        history
    }

    /// Lets an event happen; the disagreement that it leads to.
    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Code { later, device, steps, source } => {
                self.now += later;
                if let Some(code) = self.code(device, steps) {
                    self.attempt(Typed::Code { code, previous: None }, source)?;
                }
            }
            Event::Pair { device, steps, apart, source } => self.pair(device, steps, apart, source)?,
            Event::Again { source } => {
                self.attempt(self.last, source)?;
            }
            Event::CodeAndRecovery { device, steps, code, source } => {
                if let Some(shown) = self.code(device, steps) {
                    let denial = self.attempt(Typed::Code { code: shown, previous: None }, source)?;
                    let refused = matches!(denial, Some(Denial::WrongCode | Denial::ClockWentBack));
                    let (set, previous) = (self.model.recovery.unwrap_or(0), refused.then_some(shown));
                    self.attempt(Typed::Recovery { set, code, previous }, source)?;
                }
            }
            Event::Wrong { times, sources, seconds, source } => {
                for number in 0..times {
                    let code = Typed::Code { code: NOBODYS, previous: None };
                    self.attempt(code, source.wrapping_add(number % sources))?;
                    self.now += seconds;
                }
            }
            Event::Recovery { set, code, source } => {
                let set = set.or(self.model.recovery).unwrap_or(0);
                self.attempt(Typed::Recovery { set, code, previous: None }, source)?;
            }
            Event::Clock(seconds) => self.now = self.now.saturating_add_signed(seconds).max(EARLIEST),
            Event::WaitOut { source, seconds } => {
                let wait = self.model.wait(&source_name(source), self.now);
                self.now = self.now.saturating_add_signed(wait.cast_signed() + seconds);
            }
            Event::AgeOut { place, seconds, device, source } => {
                if let Some(then) = self.model.ages_out(place).filter(|then| *then > self.now) {
                    self.now = then.saturating_add_signed(seconds);
                    self.happen(Event::Code { later: 0, device, steps: 0, source })?;
                }
            }
            Event::Unlock => {
                throttle::unlock(&mut self.state);
                self.model.unlock();
            }
            Event::Repair => {
                let mending = Mending { clock_is_right: true, ..Mending::default() };
                mend(&self.credential, &mut self.state, &mending, self.now);
                self.model.repair(self.now);
            }
            Event::LoseState => {
                self.state = State::new(COUNTER_KEY, self.now);
                self.model.lose_state();
            }
            Event::Disable(disabled) => self.model.disabled = disabled,
            Event::Enrol { device, there } => put(&mut self.model.enrolled, device, there),
            Event::Confirm { device, known } => put(&mut self.model.confirmed, device, known),
            Event::NewSet { set, vouched } => self.new_set(set, vouched),
        }
        self.write_credential();
        Ok(())
    }

    /// The credential says what the model says of it.
    fn write_credential(&mut self) {
        self.credential.disabled = self.model.disabled;
        let wanted = self.model.enrolled.iter().map(|device| {
            let confirmed = self.model.confirmed.contains(device).then_some(START);
            (devices()[*device].id, confirmed)
        });
        let has = self.credential.authenticators.iter();
        if has.map(|device| (device.id.as_str(), device.confirmed)).eq(wanted) {
            return;
        }
        let authenticators = self.model.enrolled.iter().map(|device| {
            let mut authenticator = devices()[*device].authenticator.clone();
            authenticator.confirmed = self.model.confirmed.contains(device).then_some(START);
            authenticator
        });
        self.credential.authenticators = authenticators.collect();
    }

    fn new_set(&mut self, set: u8, vouched: bool) {
        let digests = (0..RECOVERY_CODES).map(digest_of).collect();
        self.credential.recovery = Some(RecoverySet { salt: salt_of(set), digests });
        self.model.recovery = Some(set);
        if vouched {
            self.state.recovery.vouch_for(set_name(set));
            self.model.vouch_for(set);
        }
    }

    /// The code so many steps from the middle of a device's window, or from its next counter. One in
    /// eight is of any device, enrolled or not.
    fn code(&self, device: u8, steps: i64) -> Option<Shown> {
        let (which, any) = (usize::from(device % 8), usize::from(device / 8));
        let enrolled = &self.model.enrolled;
        let of_enrolled = which.checked_rem(enrolled.len()).filter(|_| which < 7);
        let device = of_enrolled.map_or(any % devices().len(), |number| enrolled[number]);
        let (drift, unused) = self.model.known_of(device);
        let step = match devices()[device].moving {
            Moving::Time { period } => (self.now / period).checked_add_signed(drift + steps),
            Moving::Counter => unused.checked_add_signed(steps),
        };
        step.map(|step| code_of(device, step))
    }

    /// Types one code and, where that is wrong, another one after it.
    fn pair(&mut self, device: u8, steps: i64, apart: i64, source: u8) -> Result<(), String> {
        let (Some(first), Some(second)) = (self.code(device, steps), self.code(device, steps + apart)) else {
            return Ok(());
        };
        let denial = self.attempt(Typed::Code { code: first, previous: None }, source)?;
        let previous = matches!(denial, Some(Denial::WrongCode | Denial::ClockWentBack)).then_some(first);
        self.attempt(Typed::Code { code: second, previous }, source)?;
        Ok(())
    }

    /// Decides, compares the verdict and what it leaves behind, and returns the denial if it is one.
    fn attempt(&mut self, typed: Typed, source: u8) -> Result<Option<Denial>, String> {
        let source = source_name(source);
        let before = self.state.clone();
        let attempt =
            Attempt { presented: presented(typed), source: SourceName::new(source.clone()).unwrap() };
        let verdict = decide(&self.credential, &mut self.state, &attempt, self.now);
        let must_be = self.model.attempt(typed, &source, self.now);
        self.last = typed;
        self.decisions += 1;
        let told = |what: String| format!("{typed:?} from {source} at {}: {what}", self.now);
        if verdict.as_ref().map(Accepted::proof) != must_be.as_ref() {
            return Err(told(format!("is {verdict:?}, must be {must_be:?}")));
        }
        self.model.agrees_with(&self.state).map_err(&told)?;
        plain_rules(&before, &self.state, &must_be, self.now).map_err(&told)?;
        if self.decisions.is_multiple_of(64) {
            self.reads_back().map_err(&told)?;
        }
        *self.verdicts.entry(word(&must_be)).or_default() += 1;
        Ok(must_be.err())
    }

    fn reads_back(&self) -> Result<(), String> {
        let current = Sequenced { sequence: 1, state: self.state.clone() };
        let slot = slot::encode(&self.credential.user, &current).ok_or("the state cannot be written")?;
        if slot::decode(&self.credential.user, &slot) == Slot::Valid(current) {
            Ok(())
        } else {
            Err("the state does not read back".to_owned())
        }
    }
}

fn put(numbers: &mut Vec<usize>, device: u8, there: bool) {
    let device = usize::from(device) % devices().len();
    numbers.retain(|other| *other != device);
    if there {
        numbers.push(device);
    }
}

/// Six places of the owner, strangers, and nowhere.
fn source_name(number: u8) -> String {
    match number % 64 {
        0 => "none:".to_owned(),
        number if number < 32 => format!("addr:192.0.2.{}", number % 6),
        number => format!("addr:198.51.100.{number}"),
    }
}

fn presented(typed: Typed) -> Presented {
    match typed {
        Typed::Code { code, previous } => {
            Presented::Code { code: code.typed(), previous: previous.map(Shown::typed) }
        }
        Typed::Recovery { set, code, previous } => Presented::Recovery {
            salt: salt_of(set),
            digest: digest_of(code),
            previous: previous.map(Shown::typed),
        },
    }
}

fn salt_of(set: u8) -> RecoverySalt {
    RecoverySalt([set; 16])
}

/// Deriving real ones would take the time of a thousand decisions.
fn digest_of(code: u8) -> RecoveryDigest {
    RecoveryDigest([used_name(code)[0]; 32])
}
