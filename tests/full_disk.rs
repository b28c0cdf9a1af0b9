//! A disk on which nothing more fits, on file systems as people have them: logins go on, codes are spent,
//! failures are charged; an enrolment says that it cannot and leaves everything as it was.
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
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use disk::{Below, Kind, LoopDevice, Mounted, keep_mounts_private};
use nix::fcntl::{FallocateFlags, fallocate};
use planting::{CountingDevice, Planted, RECOVERY_CODES};
use sandbox::{Conversation, Sandbox, module};

/// Logins in a row on a full disk.
const LOGINS: u64 = 50;

/// A sandbox whose store is a file system of its own. Fields are dropped in this order.
struct Machine {
    mounted: Option<Mounted>,
    device: LoopDevice,
    sandbox: Sandbox,
    kind: Kind,
    alice: Planted,
    token: CountingDevice,
}

impl Machine {
    /// Alice is enrolled on it, her state made by the product itself.
    fn new(kind: Kind) -> Self {
        keep_mounts_private();
        let sandbox = Sandbox::new();
        sandbox.service("door", &format!("auth required {} attempts=1\n", module().display()));
        let image = tempfile::tempfile_in(sandbox.path()).expect("an image");
        image.set_len(kind.least_size()).expect("its size");
        let device = LoopDevice::over(&image, Below::Cached);
        kind.make_on(device.path());
        let (alice, token) = Planted::counting("alice", 1000);
        let mut machine = Self { mounted: None, device, sandbox, kind, alice, token };
        machine.mount();
        machine.sandbox.lay_out_store();
        machine.alice.put_credential_into(&machine.sandbox.store());
        command::must(&machine.sandbox, &["adopt", "alice"]);
        machine
    }

    fn mount(&mut self) {
        let mounted = Mounted::new(self.kind, self.device.path(), &self.sandbox.store());
        let name = self.kind.name();
        self.mounted =
            Some(mounted.unwrap_or_else(|error| panic!("{name}: {error}; this test needs it in the kernel")));
    }

    /// As after a reboot: only what is on the disk counts.
    fn mount_again(&mut self) {
        if let Some(mounted) = self.mounted.take() {
            mounted.unmount();
        }
        self.device.settle();
        self.sandbox.restart();
        self.mount();
    }

    fn log_in(&self, code: &str) -> Conversation {
        self.sandbox.login("door", "alice", &[code])
    }

    /// Every file of the store that is not a filler, with its content.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.sandbox.store().join("users"), self.sandbox.store().join("by-uid")];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).expect("a directory of the store") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let content = fs::read(&path).expect("a file of the store");
                    files.insert(path, content);
                }
            }
        }
        files
    }

    /// Until neither a byte nor an empty file fits, and nothing that was only promised is left to give.
    fn fill(&self) {
        let (store, filler) = (self.sandbox.store(), self.sandbox.store().join("filler"));
        fs::create_dir(&filler).expect("a directory for what fills the disk");
        let mut files = 0;
        for round in 0_u32..100 {
            let added = fill_with_a_large_file(&filler.join(round.to_string()))
                + fill_with_small_files(&filler, round);
            nix::unistd::syncfs(File::open(&store).expect("the store")).expect("sync");
            files += added;
            if added == 0 {
                println!("{}: full after {files} files", self.kind.name());
                return;
            }
        }
        panic!("{} does not fill up", self.kind.name());
    }
}

/// Whether there was room; anything but a full disk is a surprise.
fn had_room(result: std::io::Result<()>) -> bool {
    match result {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::StorageFull => false,
        Err(error) => panic!("filling the disk: {error}"),
    }
}

/// One file of the largest extents that there are, down to the last byte; 1 if it could be made.
fn fill_with_a_large_file(path: &Path) -> u32 {
    let file = match File::create(path) {
        Err(error) if error.kind() == ErrorKind::StorageFull => return 0,
        other => other.expect("a file"),
    };
    let mut end = 0;
    for size in (12..=26).rev().map(|bits| 1_i64 << bits) {
        let extend = |end| fallocate(&file, FallocateFlags::empty(), end, size).map_err(Into::into);
        while had_room(extend(end)) {
            end += size;
        }
    }
    let mut tail = File::options().append(true).open(path).expect("the same file");
    for piece in [&[b'x'; 4096][..], b"x"] {
        while had_room(tail.write_all(piece)) {}
    }
    1
}

/// Files of one byte, and empty ones when no byte fits, until none can be made; how many. Their long
/// names fill what is set apart for metadata.
fn fill_with_small_files(directory: &Path, round: u32) -> u32 {
    let mut made = 0;
    let mut bytes_fit = true;
    loop {
        let path = directory.join(format!("{round}-{made:0>240}"));
        let mut file = match File::create(&path) {
            Err(error) if error.kind() == ErrorKind::StorageFull => return made,
            other => other.expect("a file"),
        };
        made += 1;
        // Asking again and again takes btrfs minutes.
        bytes_fit = bytes_fit && had_room(file.write_all(b"x"));
    }
}

fn logins_go_on(kind: Kind) {
    let mut machine = Machine::new(kind);
    machine.fill();
    for counter in 0..LOGINS {
        let code = machine.token.code(counter);
        let login = machine.log_in(&code);
        assert_eq!(
            login.authenticate(),
            "PAM_SUCCESS",
            "{counter}: {}",
            machine.sandbox.log_lines().join("\n")
        );
        assert_eq!(machine.log_in(&code).authenticate(), "PAM_AUTH_ERR", "login {counter}, the second time");
    }
    assert_eq!(machine.log_in(RECOVERY_CODES[0]).authenticate(), "PAM_SUCCESS");
    let charged = |machine: &Machine| {
        let state = machine.alice.state_in_store(&machine.sandbox.store());
        state.counters.iter().map(|counter| counter.count).sum::<u32>()
    };
    for failures in 1..=3 {
        let wrong = machine.log_in(&machine.token.wrong_code(0));
        assert!(wrong.raw.contains("Wrong code."), "{}", wrong.raw);
        assert_eq!(charged(&machine), failures);
    }
    machine.mount_again();
    assert_eq!(charged(&machine), 3, "after a reboot too");
    for used in [machine.token.code(LOGINS - 1).as_str(), RECOVERY_CODES[0]] {
        assert_eq!(machine.log_in(used).authenticate(), "PAM_AUTH_ERR");
    }
    assert_eq!(machine.log_in(&machine.token.code(LOGINS)).authenticate(), "PAM_SUCCESS");
}

fn enrolment_leaves_all_as_it_was(kind: Kind) {
    let machine = Machine::new(kind);
    let pages = machine.sandbox.store().join("pages");
    fs::create_dir(&pages).expect("a directory on the same disk");
    fs::set_permissions(&pages, fs::Permissions::from_mode(0o700)).expect("its mode");
    machine.fill();
    let before = machine.files();
    for words in [&["alice", "--replace"][..], &["bob"]] {
        let tried = command::enroll(&machine.sandbox, words, || panic!("nothing fits on this disk"));
        assert_eq!(tried.status, 1, "{}", tried.screen);
        assert!(tried.screen.contains("No space left on device"), "{}", tried.screen);
        assert_eq!(machine.files(), before, "{words:?} left something");
    }
    assert_eq!(machine.log_in(&machine.token.code(0)).authenticate(), "PAM_SUCCESS");
    let bob = machine.sandbox.login("door", "bob", &["123456"]);
    assert_ne!(bob.authenticate(), "PAM_AUTHINFO_UNAVAIL", "bob is not enrolled, not broken");
    import_leaves_all_as_it_was(&machine);
    enrolment_of_many_leaves_all_as_it_was(&machine);
}

/// Whether it is the page that does not fit, or what is kept.
fn enrolment_of_many_leaves_all_as_it_was(machine: &Machine) {
    let before = machine.files();
    fs::write(machine.sandbox.path().join("run/list"), "bob\ncarol\n").expect("the list");
    for (directory, outside) in [
        ("/var/lib/countersign/pages", machine.sandbox.store().join("pages")),
        ("/run/handed-out", machine.sandbox.path().join("run/handed-out")),
    ] {
        let words = ["enroll", "--from", "/run/list", "--into", directory];
        let tried = command::run(&machine.sandbox, &words);
        let told = String::from_utf8_lossy(&tried.stdout);
        assert_eq!(tried.status.code(), Some(1), "{told}");
        for line in ["line 1: bob: not enrolled: ", "line 2: carol: not enrolled: "] {
            assert!(told.contains(line), "{told}");
        }
        assert_eq!(told.matches("No space left").count(), 2, "{told}");
        assert_eq!(machine.files(), before, "{directory}");
        assert_eq!(fs::read_dir(outside).expect("the directory").count(), 0, "a page of nobody");
    }
}

fn import_leaves_all_as_it_was(machine: &Machine) {
    let before = machine.files();
    let users = b"HOTP bob - 3132333435363738393031323334353637383930\n";
    let source = machine.sandbox.path().join("run/users.oath");
    planting::write(&source, users);
    for pages in [&[][..], &["--recovery-dir", "/run/pages"]] {
        let words = [&["import", "oath", "/run/users.oath", "--apply"], pages].concat();
        let tried = command::run(&machine.sandbox, &words);
        let told = String::from_utf8_lossy(&tried.stdout);
        assert_eq!(tried.status.code(), Some(1), "{told}");
        assert!(told.starts_with("bob: not taken over: ") && told.contains("No space left"), "{told}");
        assert_eq!(machine.files(), before, "{words:?} left something");
        assert_eq!(fs::read(&source).expect("the source"), users);
        assert!(!machine.sandbox.path().join("run/pages/bob.txt").exists(), "a page of codes not in force");
    }
}

fn a_read_only_one_denies(kind: Kind) {
    let machine = Machine::new(kind);
    machine.mounted.as_ref().expect("it is mounted").make_read_only();
    machine.sandbox.log_lines();
    for code in [machine.token.code(0).as_str(), RECOVERY_CODES[0]] {
        assert_eq!(machine.log_in(code).authenticate(), "PAM_AUTHINFO_UNAVAIL");
        let log = machine.sandbox.log_lines().join("\n");
        assert!(log.contains("event=error reason=store_failed"), "{log}");
        assert!(log.contains("Read-only file system"), "{log}");
        assert!(log.contains("mend=\"mount the file system of /var/lib/countersign writable\""), "{log}");
    }
}

#[test]
#[ignore = "needs root: mounts disks"]
fn logins_on_a_full_ext4_work_and_spend_their_codes() {
    logins_go_on(Kind::Ext4);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn logins_on_a_full_xfs_work_and_spend_their_codes() {
    logins_go_on(Kind::Xfs);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn logins_on_a_full_btrfs_work_and_spend_their_codes() {
    logins_go_on(Kind::Btrfs);
}

/// Copied there, a state is copied on write too: the limit of the promise, and what `doctor` looks for.
#[test]
#[ignore = "needs root: mounts disks"]
fn on_a_full_btrfs_a_state_that_was_copied_there_denies_and_the_log_says_why() {
    let machine = Machine::new(Kind::Btrfs);
    let state = machine.alice.directory(&machine.sandbox.store()).join("state");
    let content = fs::read(&state).expect("the state");
    fs::remove_file(&state).expect("remove the state");
    planting::write(&state, &content);
    assert_eq!(machine.log_in(&machine.token.code(0)).authenticate(), "PAM_SUCCESS", "there is room");
    machine.fill();
    machine.sandbox.log_lines();
    assert_eq!(machine.log_in(&machine.token.code(1)).authenticate(), "PAM_AUTHINFO_UNAVAIL");
    let log = machine.sandbox.log_lines().join("\n");
    assert!(log.contains("cannot write the state: No space left on device"), "{log}");
}

#[test]
#[ignore = "needs root: mounts disks"]
fn enrolment_on_a_full_ext4_leaves_all_as_it_was() {
    enrolment_leaves_all_as_it_was(Kind::Ext4);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn enrolment_on_a_full_xfs_leaves_all_as_it_was() {
    enrolment_leaves_all_as_it_was(Kind::Xfs);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn enrolment_on_a_full_btrfs_leaves_all_as_it_was() {
    enrolment_leaves_all_as_it_was(Kind::Btrfs);
}

#[test]
#[ignore = "needs root: mounts disks"]
fn a_login_on_a_read_only_disk_is_denied_and_the_log_says_why() {
    for kind in [Kind::Ext4, Kind::Xfs, Kind::Btrfs] {
        a_read_only_one_denies(kind);
    }
}
