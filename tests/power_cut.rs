//! The power fails at any moment: what a login acknowledged before is on the disk, and a replacement has
//! happened as a whole or not at all.
//!
//! Real logins on real file systems, on a disk that records every write and flush. Afterwards the disk is
//! made what it could have been at each point of the record, mounted, and looked at. `COUNTERSIGN_SOAK=1`
//! makes more logins and more images of each point.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::disallowed_macros, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "command/mod.rs"]
mod command;
#[path = "container/mod.rs"]
mod container;
#[path = "disk/mod.rs"]
mod disk;
#[path = "planting/mod.rs"]
mod planting;
#[path = "recorded_disk/mod.rs"]
mod recorded_disk;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use disk::{Kind, Mounted, keep_mounts_private};
use pam_countersign::credential::slot::Sequenced;
use pam_countersign::credential::{Failures, KeyName, KeyRecord, KnownSource, SourceName, State, format};
use planting::{CountingDevice, Phone, Planted, RECOVERY_CODES, now};
use recorded_disk::{Chance, Image, RecordedDisk, images};
use sandbox::{Conversation, Running, Sandbox, module};

/// Where logins come from that are let in; known after the first one, so that they clear nothing else.
const HOME: &str = "192.0.2.7";

/// How much is done.
struct Effort {
    /// Attempts to log in while the disk records.
    attempts: u64,
    /// Random images of a point of the record.
    at_random: usize,
    /// Images that are looked at; more are left out by chance.
    most_images: usize,
    /// On every so manieth image, people log in.
    logins_every: usize,
}

fn effort() -> Effort {
    match std::env::var("COUNTERSIGN_SOAK").as_deref() {
        Ok("1") => Effort { attempts: 60, at_random: 8, most_images: usize::MAX, logins_every: 40 },
        _ => Effort { attempts: 21, at_random: 6, most_images: 80, logins_every: 20 },
    }
}

/// What an acknowledged verdict says of the state from then on.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    sequence: u64,
    next: u64,
    charged: u32,
    used: usize,
}

impl Progress {
    fn of(current: &Sequenced) -> Self {
        let state = &current.state;
        Self {
            sequence: current.sequence,
            next: state.keys.first().map_or(0, |record| record.next),
            charged: state.counters.iter().map(|counter| counter.count).sum(),
            used: state.recovery.sets.iter().map(|set| set.used.len()).sum(),
        }
    }

    fn is_behind(self, other: Self) -> bool {
        self.sequence < other.sequence
            || self.next < other.next
            || self.charged < other.charged
            || self.used < other.used
    }
}

/// A sandbox whose store is on a disk that records. Fields are dropped in this order.
struct Machine {
    mounted: Option<Mounted>,
    disk: RecordedDisk,
    sandbox: Sandbox,
    kind: Kind,
    alice: Planted,
    token: CountingDevice,
    /// What is in alice's credential.
    credential: Vec<u8>,
    /// How many events there were when a verdict was seen, and what it said.
    marks: Vec<(usize, Progress)>,
    /// Every state that was seen, by its number.
    seen: BTreeMap<u64, State>,
}

impl Machine {
    /// Alice is enrolled, has logged in once, and all of it is on the disk; from here on it records.
    fn new(kind: Kind) -> Self {
        keep_mounts_private();
        let sandbox = Sandbox::new();
        sandbox.service("door", &format!("auth required {} attempts=1\n", module().display()));
        let disk = RecordedDisk::new(kind.least_size());
        kind.make_on(disk.device.path());
        let (mut alice, token) = Planted::counting("alice", 1000);
        fill_up(&mut alice.state);
        let credential = format::write(&alice.credential).expect("a credential").as_bytes().to_vec();
        let (marks, seen) = (Vec::new(), BTreeMap::new());
        let mut machine = Self { mounted: None, disk, sandbox, kind, alice, token, credential, marks, seen };
        machine.mount();
        machine.sandbox.lay_out_store();
        machine.alice.put_credential_into(&machine.sandbox.store());
        command::must(&machine.sandbox, &["adopt", "alice"]);
        machine.alice.overwrite_state_in(&machine.sandbox.store());
        assert_eq!(machine.log_in(&machine.token.code(0), HOME).authenticate(), "PAM_SUCCESS");
        machine.mark();
        machine.sync();
        machine.disk.start();
        machine
    }

    fn mount(&mut self) {
        let mounted = Mounted::new(self.kind, self.disk.device.path(), &self.sandbox.store());
        self.mounted = Some(mounted.unwrap_or_else(|error| panic!("{}: {error}", self.kind.name())));
    }

    fn unmount(&mut self) {
        self.mounted.take().expect("it is mounted").unmount();
        self.disk.device.settle();
    }

    fn sync(&self) {
        let store = fs::File::open(self.sandbox.store()).expect("the store");
        nix::unistd::syncfs(store).expect("sync");
    }

    /// Other programs write to the disk too, and now and then all of it is written back.
    fn let_others_write(&self, number: u64) {
        let path = self.sandbox.store().join(format!("other-{}", number % 5));
        fs::write(path, "written by others ".repeat(400)).expect("write a file");
        if number % 3 == 2 {
            self.sync();
        }
    }

    fn client(&self, code: &str, source: &str) -> Command {
        let mut client = self.sandbox.client();
        client.args(["--service", "door", "--user", "alice", "--rhost", source, "--reply", code]);
        client
    }

    fn log_in(&self, code: &str, source: &str) -> Conversation {
        Conversation::of(self.client(code, source))
    }

    fn current(&self) -> Sequenced {
        self.alice.current_in_store(&self.sandbox.store())
    }

    /// A verdict was seen: what it says must hold from here on.
    fn mark(&mut self) {
        let position = self.disk.position();
        let current = self.current();
        self.marks.push((position, Progress::of(&current)));
        self.seen.insert(current.sequence, current.state);
    }

    /// What the last verdict before a cut said.
    fn required(&self, cut: usize) -> Progress {
        let before = self.marks.iter().rev().find(|(position, _)| *position <= cut);
        before.expect("the login before the recording").1
    }

    /// The attempts by turns: a code, a wrong one, now and then a recovery code or a used code.
    fn next_attempt(&self, number: u64) -> (String, String) {
        let next = self.current().state.keys[0].next;
        match number % 7 {
            1 | 4 => (self.token.wrong_code(next), format!("198.51.100.{}", number % 256)),
            3 if number / 7 < 3 => {
                (RECOVERY_CODES[usize::try_from(number / 7).expect("0 to 2")].to_owned(), HOME.to_owned())
            }
            6 => (self.token.code(next - 1), format!("203.0.113.{}", number % 256)),
            _ => (self.token.code(next), HOME.to_owned()),
        }
    }

    /// Attempts whose verdicts are all seen, each marked as soon as it is.
    fn log_in_again_and_again(&mut self, attempts: u64) {
        for number in 0..attempts {
            let (code, source) = self.next_attempt(number);
            let mut running = Running::start(self.client(&code, &source));
            assert!(running.wait_for("authenticate "), "no verdict");
            self.mark();
            let verdict = running.finish().authenticate().to_owned();
            assert_eq!(verdict == "PAM_SUCCESS", source == HOME, "attempt {number}: {verdict}");
            self.let_others_write(number);
        }
    }

    /// Attempts that are killed at any moment; how many verdicts were seen.
    fn log_in_and_be_killed(&mut self, attempts: u64, chance: &mut Chance) -> usize {
        let mut verdicts = 0;
        for number in 0..attempts {
            let (code, source) = self.next_attempt(number);
            let mut client = self.client(&code, &source);
            client.arg("--hold");
            let mut running = Running::start(client);
            assert!(running.wait_until_ready(), "{}", running.finish().stderr);
            running.release();
            std::thread::sleep(Duration::from_micros(chance.below(10_000)));
            let said = running.kill().raw;
            if said.contains("Wrong code.") || said.contains("authenticate ") {
                self.mark();
                verdicts += 1;
            }
            self.let_others_write(number);
        }
        verdicts
    }

    /// Makes the disk what each power cut could have left, and looks at it.
    fn after_each_cut(&mut self, seed: u64, mut look: impl FnMut(&mut Self, &Image<'_>, usize)) {
        let start = Instant::now();
        let record = self.disk.stop();
        self.unmount();
        let mut chance = Chance::new(seed);
        let all = images(&self.disk.at_start(), &record, effort().at_random, &mut chance);
        let found = all.len();
        let images = chance.some_of(all, effort().most_images);
        for (number, image) in images.iter().enumerate() {
            self.disk.become_as(image);
            self.sandbox.restart();
            self.mount();
            look(self, image, number);
            self.unmount();
        }
        let (kind, points) = (self.kind.name(), record.len() + 1);
        let looked_at = images.len();
        println!("{kind}: {points} cut points, {looked_at} of {found} images, {:?}", start.elapsed());
    }

    /// The state is whole and not behind what was acknowledged; the credential is what it was.
    fn must_hold(&self, image: &Image<'_>) {
        let context = format!("{}, cut after event {}", self.kind.name(), image.cut);
        let directory = self.alice.directory(&self.sandbox.store());
        let credential = fs::read(directory.join("credential.toml")).expect("the credential");
        assert_eq!(credential, self.credential, "{context}");
        let current = self.current();
        let (found, required) = (Progress::of(&current), self.required(image.cut));
        assert!(!found.is_behind(required), "{context}: {found:?} instead of {required:?}");
        if let Some(seen) = self.seen.get(&current.sequence) {
            assert_eq!(*seen, current.state, "{context}");
        }
    }

    /// The last code that was let in is refused, the next one is let in.
    fn logins_must_hold(&self, image: &Image<'_>) {
        let used = self.token.code(self.required(image.cut).next - 1);
        assert_eq!(self.log_in(&used, "203.0.113.1").authenticate(), "PAM_AUTH_ERR", "a used code");
        let next = self.token.code(self.current().state.keys[0].next);
        assert_eq!(self.log_in(&next, HOME).authenticate(), "PAM_SUCCESS", "the next code");
    }
}

/// Removed keys and known sources, so that a slot reaches over several sectors and can be torn.
fn fill_up(state: &mut State) {
    for number in 0..10 {
        let record = KeyRecord { key: KeyName([number; 8]), next: 1_000_000, drift: 0, lean: 0 };
        state.put_key(record, &[]);
    }
    for number in 0..7 {
        let source = SourceName::new(format!("addr:2001:db8:0:{number}::/64")).expect("a source");
        state.known.push(KnownSource {
            source,
            failures: Failures::default(),
            accepted: now(),
            remembered: Vec::new(),
        });
    }
}

fn verdicts_hold(kind: Kind) {
    let mut machine = Machine::new(kind);
    machine.log_in_again_and_again(effort().attempts);
    machine.after_each_cut(1, |machine, image, number| {
        machine.must_hold(image);
        if number % effort().logins_every == 0 {
            machine.logins_must_hold(image);
        }
    });
}

fn verdicts_before_a_kill_hold(kind: Kind) {
    let mut machine = Machine::new(kind);
    let attempts = effort().attempts;
    let verdicts = machine.log_in_and_be_killed(attempts, &mut Chance::new(2));
    println!("{}: {verdicts} of {attempts} verdicts were seen before the kill", kind.name());
    machine.after_each_cut(3, |machine, image, _| machine.must_hold(image));
}

/// An enrolment by the command while the disk records.
struct Made {
    name: &'static str,
    uid: u32,
    phone: Phone,
    /// How many events there were when the screen said that it is done.
    told: usize,
    /// The lowest time step that its first code can have spent.
    step: u64,
    credential: Vec<u8>,
}

impl Made {
    fn by_the_command(machine: &Machine, name: &'static str, uid: u32, words: &[&str]) -> Self {
        let (mut told, step) = (None, now() / 30);
        let enrolled = command::enroll(&machine.sandbox, words, || told = Some(machine.disk.position()));
        assert_eq!(enrolled.status, 0, "{}", enrolled.screen);
        let directory = machine.sandbox.store().join("users").join(name);
        let credential = fs::read(directory.join("credential.toml")).expect("the credential");
        Self { name, uid, phone: enrolled.phone, told: told.expect("it was told"), step, credential }
    }

    /// With this credential in force: the state knows it, its first code is spent, the next lets in.
    fn must_be_whole(&self, sandbox: &Sandbox, try_it: bool) {
        let (mut planted, _) = Planted::new(self.name, self.uid);
        planted.credential = format::parse(&self.credential).expect("the credential that was made");
        let state = planted.state_in_store(&sandbox.store());
        let record = state.key(planted.credential.authenticators[0].key_name()).expect("its record");
        assert!(record.next > self.step, "the first code is spent");
        let set = planted.credential.recovery.expect("recovery codes").name();
        assert!(state.recovery.set(set).is_some(), "the recovery codes are vouched for");
        if try_it {
            let login = sandbox.login("door", self.name, &[&self.phone.code(1)]);
            assert_eq!(login.authenticate(), "PAM_SUCCESS", "{}", self.name);
        }
    }
}

/// Alice has her former device or the new one, each with a state that goes with it.
fn replaced_or_not(machine: &Machine, new: &Made, image: &Image<'_>, try_it: bool) -> bool {
    let directory = machine.alice.directory(&machine.sandbox.store());
    let credential = fs::read(directory.join("credential.toml")).expect("the credential");
    if credential == new.credential {
        new.must_be_whole(&machine.sandbox, try_it);
        return true;
    }
    assert_eq!(credential, machine.credential, "neither the former one nor the new one");
    assert!(image.cut < new.told, "the former device is in force again");
    let (state, key) = (machine.current().state, machine.alice.credential.authenticators[0].key_name());
    assert_eq!(state.key(key).map(|record| record.next), Some(1));
    if try_it {
        let used = machine.log_in(&machine.token.code(0), "203.0.113.1");
        assert_eq!(used.authenticate(), "PAM_AUTH_ERR");
        assert_eq!(machine.log_in(&machine.token.code(1), HOME).authenticate(), "PAM_SUCCESS");
        assert_eq!(machine.log_in(RECOVERY_CODES[0], HOME).authenticate(), "PAM_SUCCESS");
    }
    false
}

/// Bob has a whole enrolment or no directory at all.
fn enrolled_or_not(store: &Path, sandbox: &Sandbox, bob: &Made, image: &Image<'_>, try_it: bool) -> bool {
    let directory = store.join("users").join(bob.name);
    if !directory.exists() {
        assert!(image.cut < bob.told, "the enrolment is lost");
        return false;
    }
    let read = |path: &Path| fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(read(&directory.join("credential.toml")), bob.credential);
    assert_eq!(read(&store.join("by-uid").join(bob.uid.to_string())), b"bob\n");
    bob.must_be_whole(sandbox, try_it);
    true
}

fn enrolments_are_whole_or_have_not_happened(kind: Kind) {
    let mut machine = Machine::new(kind);
    let alice = Made::by_the_command(&machine, "alice", 1000, &["alice", "--replace"]);
    let bob = Made::by_the_command(&machine, "bob", 1001, &["bob"]);
    machine.let_others_write(2);
    let mut outcomes = BTreeMap::<(bool, bool), usize>::new();
    machine.after_each_cut(4, |machine, image, number| {
        let try_it = number % (effort().logins_every / 2) == 0;
        let replaced = replaced_or_not(machine, &alice, image, try_it);
        let enrolled = enrolled_or_not(&machine.sandbox.store(), &machine.sandbox, &bob, image, try_it);
        *outcomes.entry((replaced, enrolled)).or_default() += 1;
    });
    println!("{}: images by (replaced, enrolled): {outcomes:?}", kind.name());
    assert!(outcomes.len() >= 3, "the cuts reach neither, one and both");
}

#[test]
#[ignore = "needs root: mounts disks"]
fn on_ext4_a_verdict_outlives_a_power_cut() {
    verdicts_hold(Kind::Ext4);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn on_ext4_a_verdict_outlives_a_kill_and_a_power_cut() {
    verdicts_before_a_kill_hold(Kind::Ext4);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn on_ext4_an_enrolment_is_whole_after_a_power_cut_or_has_not_happened() {
    enrolments_are_whole_or_have_not_happened(Kind::Ext4);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn on_xfs_a_verdict_outlives_a_power_cut() {
    verdicts_hold(Kind::Xfs);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn on_xfs_a_verdict_outlives_a_kill_and_a_power_cut() {
    verdicts_before_a_kill_hold(Kind::Xfs);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn on_xfs_an_enrolment_is_whole_after_a_power_cut_or_has_not_happened() {
    enrolments_are_whole_or_have_not_happened(Kind::Xfs);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn on_btrfs_a_verdict_outlives_a_power_cut() {
    verdicts_hold(Kind::Btrfs);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn on_btrfs_a_verdict_outlives_a_kill_and_a_power_cut() {
    verdicts_before_a_kill_hold(Kind::Btrfs);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn on_btrfs_an_enrolment_is_whole_after_a_power_cut_or_has_not_happened() {
    enrolments_are_whole_or_have_not_happened(Kind::Btrfs);
}
