//! A Debian machine with the three modules side by side, one user enrolled with each by the same secret.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::container::{Cursor, Image, Machine};
use crate::crowd::Crowd;
use crate::installed;
use crate::planting::{Phone, Planted, RECOVERY_CODES};
use crate::sandbox::example;
use crate::subject::Subject;

/// What is installed beside countersign: the incumbents, another time, and failing system calls.
const PACKAGES: [&str; 4] = ["libpam-google-authenticator", "libpam-oath", "libfaketime", "strace"];
/// Where the programs that log in are put.
pub(crate) const CLIENT: &str = "/usr/local/bin/pam-client";
const CROWD: &str = "/usr/local/bin/pam-crowd";
/// A service where countersign asks up to three times in a login.
pub(crate) const THREE_QUESTIONS: &str = "three-questions";
/// The recovery code of google-authenticator; it takes eight digits.
const SCRATCH_CODE: &str = "24681357";

/// How many log in beside alice, and what their names begin with.
pub(crate) const BESIDE_ALICE: usize = 8;
pub(crate) const BESIDE: &str = "person";

/// The machine.
pub(crate) struct Ground {
    pub(crate) machine: Machine,
    pub(crate) phone: Phone,
    /// Alice, and those who log in beside her.
    people: Vec<Planted>,
    faketime: String,
}

impl Ground {
    /// Boots the machine; nobody is enrolled yet.
    pub(crate) fn boot() -> Self {
        let machine = Machine::boot(&Image::debian_with("bookworm", &PACKAGES));
        installed::install_in(&machine);
        for (path, name) in [(CLIENT, "pam-client"), (CROWD, "pam-crowd")] {
            machine.copy_in(&example(name), path, 0o755);
        }
        for name in ["alice", "bob"] {
            machine.add_user(name, "not asked for here");
        }
        machine.write("/etc/pam.d/other", 0o644, "auth required pam_deny.so\n");
        for subject in Subject::ALL {
            let service = format!("/etc/pam.d/{}", subject.service());
            machine.write(&service, 0o644, format!("{}\n", subject.line()));
        }
        // As countersign comes: three questions in a login.
        machine.write(&format!("/etc/pam.d/{THREE_QUESTIONS}"), 0o644, "auth required pam_countersign.so\n");
        let faketime = machine.must(&["sh", "-c", "ls /usr/lib/*/faketime/libfaketime.so.1"]);
        let (alice, phone) = Planted::new("alice", uid_of(&machine, "alice"));
        let mut people = vec![alice];
        for number in 0..BESIDE_ALICE {
            let name = format!("{BESIDE}{number}");
            machine.add_user(&name, "not asked for here");
            people.push(with_the_secret_of(&people[0], &name, uid_of(&machine, &name)));
        }
        Self { machine, phone, people, faketime: faketime.trim_end().to_owned() }
    }

    /// Where a file of the machine is seen from here, whatever is mounted there.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.machine.leader())).join(inside.trim_start_matches('/'))
    }

    /// Makes alice newly enrolled: nothing is used up, nothing is counted, nothing else lies about.
    pub(crate) fn renew(&self, subject: Subject) {
        self.enrol(subject, &self.people[..1]);
    }

    /// The same with all the others, who have alice's secret too.
    pub(crate) fn renew_all(&self, subject: Subject) {
        self.enrol(subject, &self.people);
    }

    fn enrol(&self, subject: Subject, people: &[Planted]) {
        match subject {
            Subject::Countersign => self.enrol_in_countersign(people),
            Subject::GoogleAuthenticator => {
                for person in people {
                    self.enrol_in_google_authenticator(person);
                }
            }
            Subject::Oath => self.enrol_in_oath(people),
        }
    }

    fn enrol_in_countersign(&self, people: &[Planted]) {
        let store = self.path(Subject::Countersign.directory());
        set_mode(&store, 0o700);
        for below in ["users", "by-uid"] {
            fs::create_dir_all(store.join(below)).expect("a directory of the store");
            set_mode(&store.join(below), 0o700);
        }
        for person in people {
            person.put_into(&store);
        }
    }

    /// What `google-authenticator --time-based --disallow-reuse --rate-limit=3 --rate-time=30
    /// --window-size=3` writes, in a file with the mode that it gives.
    fn enrol_in_google_authenticator(&self, person: &Planted) {
        let home = self.path(&format!("/home/{}", person.credential.user));
        let owner = person.credential.uid;
        chown(&home, owner, owner).expect("a home");
        set_mode(&home, 0o700);
        for name in names_in(&home).iter().filter(|name| name.starts_with(".google_authenticator")) {
            fs::remove_file(home.join(name)).expect("what was there before");
        }
        let secret = self.secret_text(Subject::GoogleAuthenticator);
        let lines = "\" RATE_LIMIT 3 30\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n";
        let file = home.join(".google_authenticator");
        fs::write(&file, format!("{secret}\n{lines}{SCRATCH_CODE}\n")).expect("the file");
        chown(&file, owner, owner).expect("its owner");
        set_mode(&file, 0o400);
    }

    fn enrol_in_oath(&self, people: &[Planted]) {
        let directory = self.path(Subject::Oath.directory());
        fs::create_dir_all(&directory).expect("the directory");
        set_mode(&directory, 0o700);
        for name in names_in(&directory).iter().filter(|name| *name != "lost+found") {
            fs::remove_file(directory.join(name)).expect("what was there before");
        }
        let secret = self.secret_text(Subject::Oath);
        let lines = people.iter().map(|person| format!("HOTP/T30/6 {} - {secret}\n", person.credential.user));
        let file = directory.join("users.oath");
        fs::write(&file, lines.collect::<String>()).expect("the file");
        set_mode(&file, 0o600);
    }

    /// The secret as the module's file spells it.
    pub(crate) fn secret_text(&self, subject: Subject) -> String {
        let base32 = self.people[0].credential.authenticators[0].secret.to_base32().to_string();
        if subject != Subject::Oath {
            return base32;
        }
        let bytes = data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).expect("base32");
        data_encoding::HEXLOWER.encode(&bytes)
    }

    /// A recovery code that is good after [`Ground::renew`], where there are any.
    pub(crate) fn recovery_code(subject: Subject) -> Option<&'static str> {
        match subject {
            Subject::Countersign => Some(RECOVERY_CODES[0]),
            Subject::GoogleAuthenticator => Some(SCRATCH_CODE),
            Subject::Oath => None,
        }
    }

    /// How many wrong guesses the module's file holds against alice, where it holds any.
    pub(crate) fn charged(&self, subject: Subject) -> Option<usize> {
        match subject {
            Subject::Countersign => {
                let state = self.people[0].state_in_store(&self.path(subject.directory()));
                let failures = state.counters.iter().map(|counter| counter.count).sum::<u32>();
                Some(failures as usize)
            }
            Subject::GoogleAuthenticator => {
                let text = fs::read_to_string(self.path(subject.secret_file())).expect("her file");
                let line = text.lines().find_map(|line| line.strip_prefix("\" RATE_LIMIT 3 30"));
                Some(line.expect("the limit").split_whitespace().count())
            }
            Subject::Oath => None,
        }
    }

    /// A program that starts crowds at the module's service, now or so many seconds from now.
    pub(crate) fn crowd(&self, subject: Subject, ahead: u64) -> Crowd {
        let mut words = self.time_words((ahead > 0).then(|| crate::planting::now() + ahead));
        words.push(CROWD.to_owned());
        Crowd::of(self.command(&words), &subject.service())
    }

    /// A command inside.
    pub(crate) fn command(&self, words: &[String]) -> Command {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.machine.command(&words)
    }

    /// The words in front of a command that tell it another time, which goes on from there.
    pub(crate) fn time_words(&self, time: Option<u64>) -> Vec<String> {
        let Some(time) = time else { return Vec::new() };
        let preload = format!("LD_PRELOAD={}", self.faketime);
        ["env", &preload, &format!("FAKETIME=@{time}"), "FAKETIME_FMT=%s"].map(str::to_owned).to_vec()
    }

    /// What the module logged since then: all but what systemd does meanwhile.
    pub(crate) fn log_since(&self, cursor: &Cursor) -> Vec<String> {
        let journal = self.machine.journal_since(cursor);
        let of_systemd = |line: &&str| line.contains(" systemd") || line.contains("-- ");
        journal.lines().filter(|line| !of_systemd(line)).map(str::to_owned).collect()
    }
}

fn uid_of(machine: &Machine, name: &str) -> u32 {
    machine.must(&["id", "-u", name]).trim_end().parse().expect("a uid")
}

/// Somebody else, with the same secret, so that one code is right for all.
fn with_the_secret_of(alice: &Planted, name: &str, uid: u32) -> Planted {
    let (mut person, _) = Planted::new(name, uid);
    person.credential.authenticators.clone_from(&alice.credential.authenticators);
    person.state.keys.clone_from(&alice.state.keys);
    person
}

/// The names in a directory.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
}
