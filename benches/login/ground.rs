//! A Debian machine in which the same people are enrolled with every module, among any number of others.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pam_countersign::credential::format;
use pam_countersign::credential::slot::{self, Sequenced};
use pam_countersign::user::UserName;

use crate::container::{Image, Machine};
use crate::figures::Figures;
use crate::module::Module;
use crate::planting::{self, CountingDevice, Planted};
use crate::{installed, sandbox};

const PACKAGES: [&str; 4] = ["libpam-google-authenticator", "libpam-oath", "strace", "valgrind"];
/// The program that logs in.
pub(crate) const CLIENT: &str = "/usr/local/bin/pam-client";
/// How many people log in. Nobody else needs an account, for looking names up is not what is measured.
pub(crate) const PEOPLE: usize = 8;
/// How many codes are fetched at once.
const CODES: u64 = 100;

/// One who logs in, with a device that counts and so has any number of codes.
struct Person {
    name: String,
    device: CountingDevice,
    secret: String,
    /// The counter value of the next code, for each module.
    next: [u64; Module::ALL.len()],
    codes: Vec<String>,
}

/// The machine.
pub(crate) struct Ground {
    pub(crate) machine: Machine,
    people: Vec<Person>,
    enrolled: usize,
    turn: [usize; Module::ALL.len()],
    /// A file beside the store, of real bytes.
    scratch: File,
}

impl Ground {
    pub(crate) fn boot() -> Self {
        let machine = Machine::boot(&Image::debian_with("bookworm", &PACKAGES));
        installed::install_in(&machine);
        machine.copy_in(&sandbox::example("pam-client"), CLIENT, 0o755);
        machine.write("/etc/pam.d/other", 0o644, "auth required pam_deny.so\n");
        for module in Module::ALL {
            machine.write(&format!("/etc/pam.d/{}", module.service()), 0o644, format!("{}\n", module.line()));
        }
        let root = root_of(&machine);
        let oath = root.join("etc/oath");
        fs::DirBuilder::new().mode(0o700).create(&oath).expect("a directory");
        let people = (0..PEOPLE).map(|number| Person::enrolled_in(&machine, number)).collect();
        let scratch = File::create_new(root.join("var/lib/scratch")).expect("a file");
        scratch
            .write_all_at(&[b'x'; 4096], 0)
            .and_then(|()| scratch.sync_all())
            .expect("a file of real bytes");
        let turn = [0; Module::ALL.len()];
        let mut ground = Self { machine, people, enrolled: PEOPLE, turn, scratch };
        ground.write_oath_file();
        ground
    }

    /// The root directory of the machine, as it is seen from here.
    pub(crate) fn root(&self) -> PathBuf {
        root_of(&self.machine)
    }

    /// Enrols others until there are so many.
    pub(crate) fn fill(&mut self, size: usize) {
        let (root, store) = (self.root(), self.root().join("var/lib/countersign"));
        let (mut planted, _) = Planted::new("other", 1);
        for number in self.enrolled..size {
            let name = other(number);
            planted.credential.user = UserName::new(name.as_bytes()).expect("a name");
            planted.credential.uid = Some(number_of(number) + 100_000);
            put_into_store(&store, &name, &planted);
            let home = root.join("home").join(&name);
            fs::create_dir(&home).expect("a home");
            fs::write(home.join(".google_authenticator"), "AEBAGBAF\n\" TOTP_AUTH\n").expect("a file");
        }
        self.enrolled = size;
        self.write_oath_file();
        // What was made is not to be written while logins are measured.
        self.machine.must(&["sync"]);
    }

    /// The file of pam_oath, in which people are spread among others.
    fn write_oath_file(&mut self) {
        let apart = self.enrolled / PEOPLE;
        let mut text = String::new();
        for number in 0..self.enrolled {
            let person = self.people.get(number / apart).filter(|_| number % apart == 0);
            let (name, secret, next) = match person {
                Some(person) => {
                    (person.name.clone(), hex(&person.secret), person.next[Module::Oath as usize])
                }
                None => (other(number), "00112233445566778899".to_owned(), 0),
            };
            let _ = writeln!(text, "HOTP/E/6\t{name}\t-\t{secret}\t{next}");
        }
        planting::write(&self.root().join("etc/oath/users.oath"), text.as_bytes());
    }

    /// A login that must succeed, of whose turn it is.
    pub(crate) fn log_in(&mut self, module: Module) -> Figures {
        let words = self.login(module, 1);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Figures::read(&self.machine.must(&words))
    }

    /// The command that logs in so often whose turn it is.
    pub(crate) fn login(&mut self, module: Module, times: usize) -> Vec<String> {
        let turn = &mut self.turn[module as usize];
        let person = &mut self.people[*turn % PEOPLE];
        *turn += 1;
        let service = format!("--service={}", module.service());
        let (user, repeat) = (format!("--user={}", person.name), format!("--repeat={times}"));
        let mut words =
            [CLIENT, "--confdir=/etc/pam.d", &service, &user, "--timing", "--reply-each", &repeat]
                .map(str::to_owned)
                .to_vec();
        words.extend((0..times).map(|_| format!("--reply={}", person.code(module))));
        words
    }

    /// What no login can do without: 4096 bytes that are there are written, and flushed.
    pub(crate) fn write_and_flush(&self) -> Duration {
        let start = Instant::now();
        self.scratch.write_all_at(&[b'x'; 4096], 0).and_then(|()| self.scratch.sync_data()).expect("a write");
        start.elapsed()
    }
}

impl Person {
    fn enrolled_in(machine: &Machine, number: usize) -> Self {
        let name = format!("person{number}");
        machine.add_user(&name, "not asked for here");
        let uid = machine.must(&["id", "-u", &name]).trim_end().parse().expect("a uid");
        let (planted, device) = Planted::counting(&name, uid);
        let root = root_of(machine);
        planted.put_into(&root.join("var/lib/countersign"));
        let secret = planted.credential.authenticators[0].secret.to_base32().to_string();
        let home = root.join("home").join(&name);
        let file = home.join(".google_authenticator");
        fs::write(&file, format!("{secret}\n\" WINDOW_SIZE 10\n\" HOTP_COUNTER 1\n")).expect("a file");
        fs::set_permissions(&file, Permissions::from_mode(0o400)).expect("its mode");
        for path in [&home, &file] {
            chown(path, Some(uid), Some(uid)).expect("an owner");
        }
        Self { name, device, secret, next: [1; Module::ALL.len()], codes: Vec::new() }
    }

    /// The next code that the module has not seen.
    fn code(&mut self, module: Module) -> String {
        let next = self.next[module as usize];
        self.next[module as usize] += 1;
        while self.codes.len() as u64 <= next {
            let more = self.device.codes(self.codes.len() as u64);
            self.codes.extend(more.into_iter().take(CODES.try_into().expect("a number")));
        }
        self.codes[usize::try_from(next).expect("a number")].clone()
    }
}

fn root_of(machine: &Machine) -> PathBuf {
    PathBuf::from(format!("/proc/{}/root", machine.leader()))
}

fn other(number: usize) -> String {
    format!("other{number:06}")
}

fn number_of(number: usize) -> u32 {
    number.try_into().expect("a small number")
}

fn hex(base32: &str) -> String {
    let bytes = data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).expect("base32");
    data_encoding::HEXLOWER.encode(&bytes)
}

/// As enrolment does, but for holes between the slots of the state, which spare the disk six gigabytes and are
/// never read.
fn put_into_store(store: &Path, name: &str, planted: &Planted) {
    let directory = store.join("users").join(name);
    fs::DirBuilder::new().mode(0o700).create(&directory).expect("a directory");
    let text = format::write(&planted.credential).expect("a credential that can be written");
    planting::write(&directory.join("credential.toml"), text.as_bytes());
    let state = File::create_new(directory.join("state")).expect("a state");
    state.set_permissions(Permissions::from_mode(0o600)).expect("its mode");
    for (sequence, offset) in [(planted.state.written, 0), (planted.state.written + 1, 65_536)] {
        let current = Sequenced { sequence, state: planted.state.clone() };
        let bytes = slot::encode(&planted.credential.user, &current).expect("a state that can be written");
        state.write_all_at(&bytes, offset).expect("a slot");
    }
    let uid = planted.credential.uid.expect("a uid");
    planting::write(&store.join("by-uid").join(uid.to_string()), format!("{name}\n").as_bytes());
}
