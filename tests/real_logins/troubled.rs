//! What must hold of alice's state whatever callers of su do: it never goes back, whoever was told
//! something has its trace, and nobody else is kept out.

use std::fs;
use std::time::Duration;

use pam_countersign::credential::slot::{self, Sequenced, Slot};

use crate::caller::{Caller, SU, SU_TO_DAVE};
use crate::installed::Guarded;
use crate::planting::{CountingDevice, Planted, RECOVERY_CODES};

/// How long anybody else's login may take, however slow the machine is.
pub(crate) const BOUND: Duration = Duration::from_secs(10);
/// The module alone: hashing passwords would take most of the time.
const SERVICE: &str = "auth required pam_countersign.so attempts=1\n\
                       account required pam_permit.so\n\
                       session required pam_permit.so\n";
/// A machine in which su asks for a code and nothing else, and what is known of alice's state.
pub(crate) struct Door {
    pub(crate) guarded: Guarded,
    alice: Planted,
    device: CountingDevice,
    first: u64,
    codes: Vec<String>,
    wrong: String,
    before: Sequenced,
    dave: CountingDevice,
    next_of_dave: u64,
}

impl Door {
    pub(crate) fn new() -> Self {
        let guarded = Guarded::boot("bookworm");
        for name in ["alice", "bob", "carol", "dave"] {
            guarded.add_person(name);
            // Quicker to start than bash.
            guarded.must(&["usermod", "--shell=/bin/sh", "--", name]);
        }
        guarded.write("/etc/pam.d/su", 0o644, SERVICE);
        Caller::install(&guarded);
        let (alice, device) = guarded.plant_counting("alice");
        let (_, dave) = guarded.plant_counting("dave");
        let before = alice.current_in_store(&guarded.store());
        let (codes, wrong) = (device.codes(0), device.wrong_code(0));
        Self { guarded, alice, device, first: 0, codes, wrong, before, dave, next_of_dave: 0 }
    }

    /// The counter that is next, by what is on disk.
    fn next(&self) -> u64 {
        self.before.state.keys[0].next
    }

    /// The code that is so many after the next one.
    pub(crate) fn code(&mut self, ahead: u64) -> String {
        let counter = self.next() + ahead;
        // No code of the look-ahead may be taken for a wrong one, so some are always left.
        if !(self.first..self.first + 80).contains(&counter) {
            self.first = counter;
            self.codes = self.device.codes(counter);
            self.wrong = self.device.wrong_code(counter);
        }
        let number = usize::try_from(counter - self.first).expect("a small number");
        self.codes[number].clone()
    }

    /// The code that was accepted last, if there was one.
    pub(crate) fn spent_code(&self) -> Option<String> {
        self.next().checked_sub(1).map(|counter| self.device.code(counter))
    }

    /// A code that is good neither now nor soon.
    pub(crate) fn wrong_code(&mut self) -> String {
        self.code(0);
        self.wrong.clone()
    }

    /// A recovery code that is not used yet, and those that are.
    pub(crate) fn recovery_codes(&self) -> (Option<&'static str>, &'static [&'static str]) {
        let used = self.used_recovery_codes();
        (RECOVERY_CODES.get(used).copied(), &RECOVERY_CODES[..used])
    }

    fn used_recovery_codes(&self) -> usize {
        self.before.state.recovery.sets[0].used.len()
    }

    /// The counter goes on; failures and recovery codes begin anew. Only while nobody logs in.
    pub(crate) fn renew(&mut self) {
        self.alice.state.keys[0].next = self.next();
        self.guarded.renew(&self.alice);
        self.before = self.alice.current_in_store(&self.guarded.store());
    }

    /// How many decisions were written since the last look, after one at alice's state: it is whole, has
    /// not gone back, and nothing lies beside it.
    pub(crate) fn traces(&mut self) -> Traces {
        let store = self.guarded.store();
        let now = self.alice.current_in_store(&store);
        assert!(now.sequence >= self.before.sequence, "the state went back");
        assert!(now.state.keys[0].next >= self.next(), "the counter went back");
        let directory = self.alice.directory(&store);
        assert_eq!(fs::read_dir(&directory).expect("her directory").count(), 2, "a file is left");
        let credential = fs::read(directory.join("credential.toml")).expect("a credential");
        let text = pam_countersign::credential::format::write(&self.alice.credential).expect("a text");
        assert_eq!(credential, text.as_bytes(), "the credential was written to");

        let used_before = self.used_recovery_codes();
        let before = std::mem::replace(&mut self.before, now);
        let (before, now) = (&before, &self.before);
        Traces {
            writes: now.sequence - before.sequence,
            codes: now.state.keys[0].next - before.state.keys[0].next,
            recovery_codes: self.used_recovery_codes() - used_before,
            charges: i64::from(charges(now)) - i64::from(charges(before)),
        }
    }

    /// Nothing but the two slots was ever written to the state, and both are whole.
    pub(crate) fn state_is_clean(&self) {
        let bytes = fs::read(self.alice.directory(&self.guarded.store()).join("state")).expect("a state");
        assert_eq!(bytes.len(), 65_536 + slot::SIZE);
        assert!(bytes[slot::SIZE..65_536].iter().all(|&byte| byte == b'\n'), "between the slots");
        for start in [0, 65_536] {
            let slot = slot::decode(&self.alice.credential.user, &bytes[start..start + slot::SIZE]);
            assert!(matches!(slot, Slot::Blank | Slot::Valid(_)), "a slot at {start}");
        }
    }

    /// Whether somebody holds the lock of alice's state.
    pub(crate) fn is_locked(&self) -> bool {
        let state = fs::File::open(self.alice.directory(&self.guarded.store()).join("state"));
        let free = state.expect("a state").try_lock();
        matches!(free, Err(fs::TryLockError::WouldBlock))
    }

    /// Carol logs in as dave, and needs no longer than the bound.
    pub(crate) fn dave_gets_in(&mut self, carol: &mut Others) {
        let code = self.dave.code(self.next_of_dave);
        self.next_of_dave += 1;
        let end = carol.to_dave.calls(&code);
        assert!(end.is_in() && end.took < BOUND, "carol to dave: {end:?}");
    }

    /// Carol logs in as alice and as dave, and needs no longer than the bound.
    pub(crate) fn others_get_in(&mut self, carol: &mut Others) {
        let end = carol.to_alice.calls(&self.code(0));
        assert!(end.is_in() && end.took < BOUND, "carol to alice: {end:?}");
        assert_eq!(self.traces().codes, 1);
        self.dave_gets_in(carol);
    }
}

/// What has changed between two looks at a state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traces {
    pub(crate) writes: u64,
    pub(crate) codes: u64,
    pub(crate) recovery_codes: usize,
    pub(crate) charges: i64,
}

/// Carol, who never makes any trouble.
pub(crate) struct Others {
    pub(crate) to_alice: Caller,
    to_dave: Caller,
}

impl Others {
    pub(crate) fn of(guarded: &Guarded) -> Self {
        let su = |words| Caller::at_a_pipe(guarded, "carol", words);
        Self { to_alice: su(SU), to_dave: su(SU_TO_DAVE) }
    }
}

/// All failures that are counted, wherever they came from.
fn charges(state: &Sequenced) -> u32 {
    let known = state.state.known.iter().map(|place| place.failures.count);
    state.state.counters.iter().map(|counter| counter.count).chain(known).sum()
}

/// A random number below the bound.
pub(crate) fn random_below(bound: u32) -> u32 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("randomness");
    u32::from_le_bytes(bytes) % bound
}

/// How many rounds a test has: a few where it runs with all others, all of them under `make soak`.
pub(crate) fn rounds(usual: u32, soak: u32) -> u32 {
    if std::env::var_os("COUNTERSIGN_SOAK").is_some() { soak } else { usual }
}
