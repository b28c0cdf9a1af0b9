//! A place in which a test runs programs as uid 0 without being root: a user namespace made by
//! bwrap, with its own users, store, configuration, services and `/dev/log`, on a real disk.
//!
//! It must never show a program the accounts, the services or the store of the machine, and all
//! of the machine but `/tmp` and `/proc` is read-only inside.
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]

mod bwrap;
mod conversation;
mod log;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use tempfile::TempDir;

#[allow(unused_imports, reason = "each test uses its own part")]
pub use conversation::{Conversation, Gate, Running, all_at_once};
use log::LogSocket;

const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/sh
alice:x:1000:1000:Alice:/home/alice:/bin/sh
bob:x:1001:1001:Bob:/home/bob:/bin/sh
carol:x:1002:1002:Carol:/home/carol:/bin/sh
";
const GROUP: &str = "root:x:0:\nshadow:x:42:\nalice:x:1000:\nbob:x:1001:\ncarol:x:1002:\n";
/// The passwords are `password-of-alice`, `password-of-bob` and `password-of-carol`.
const SHADOW: &str = "\
root:*:20000:0:99999:7:::
alice:$6$countersign$rzSyNQL599iipwMX4IGRHRsvly/RuD72XaNWfw4CRYq/3xnQ4pEB8o9DrY6bD7USp9Acw6uHjsvN3Fk5Ndout.:20000:0:99999:7:::
bob:$6$countersign$pPIIAVPEXwspKTKXJxN3t4nxnwLbx2j1e8fnDgLF1sXiwGrDilkG40Gi96eiGy8qF4QwdshHmnrxUDCcF/udj0:20000:0:99999:7:::
carol:$6$countersign$refLrFJmRhwyjZTYG96sRW46WFolzC4BurBErtGqQ5F.NfJ5cNMH.I8mNLVzycEotm6GJpfJDKP6oZ9rezXHE1:20000:0:99999:7:::
";
/// What holds where a service names no module; without this file libpam logs an error each time.
const OTHER: &str = "\
auth required pam_deny.so
account required pam_deny.so
password required pam_deny.so
session required pam_deny.so
";
const NSSWITCH: &str = "passwd: files\ngroup: files\nshadow: files\nhosts: files\n";

/// One private machine, removed when it is dropped.
pub struct Sandbox {
    directory: TempDir,
    log: LogSocket,
    bwrap_arguments: Vec<OsString>,
}

impl Sandbox {
    /// Makes the directory, with an empty store and no service. Panics on tmpfs, where `fdatasync`
    /// costs nothing and proves nothing.
    pub fn new() -> Self {
        let parent = directory_for_tests();
        refuse_tmpfs(&parent);
        let directory = tempfile::Builder::new()
            .prefix("sandbox-")
            .tempdir_in(&parent)
            .expect("a directory for the test");
        let root = directory.path();
        fill(root);
        let log = LogSocket::bind(root);
        let bwrap_arguments = bwrap::arguments(root);
        Self { directory, log, bwrap_arguments }
    }

    /// The directory that holds everything; seen under the same path inside, and writable there.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// What is `/var/lib/countersign` inside.
    pub fn store(&self) -> PathBuf {
        self.path().join("var-lib-countersign")
    }

    /// Makes the directories of an empty store in what has been mounted there.
    pub fn lay_out_store(&self) {
        set_mode(&self.store(), 0o700);
        lay_out_store(&self.store());
    }

    /// Empties what is `/run` inside, as a restart does.
    pub fn restart(&self) {
        fs::remove_dir_all(self.path().join("run")).expect("what is /run inside");
        make_directory(&self.path().join("run"), 0o755);
    }

    /// Writes a service file: what is `/etc/pam.d/<name>` inside.
    pub fn service(&self, name: &str, text: &str) {
        write(&self.path().join("pam.d").join(name), text, 0o644);
    }

    /// Adds an account: a line of passwd(5), with no password.
    pub fn add_account(&self, line: &str) {
        let (name, _) = line.split_once(':').expect("a name");
        for (file, line) in [("passwd", line), ("shadow", &format!("{name}:*:20000:0:99999:7:::"))] {
            // In place: what is mounted inside is this file.
            let mut file = fs::File::options().append(true).open(self.path().join(file)).expect(file);
            writeln!(file, "{line}").expect("a line");
        }
    }

    /// Writes what is `/etc/security/countersign.toml` inside.
    pub fn configuration(&self, text: &str) {
        write(&self.configuration_path(), text, 0o644);
    }

    /// The path of what is `/etc/security/countersign.toml` inside.
    pub fn configuration_path(&self) -> PathBuf {
        self.path().join("security/countersign.toml")
    }

    /// The raw lines (`<PRI>date …`) that arrived at `/dev/log` since the last call.
    pub fn log_lines(&self) -> Vec<String> {
        self.log.lines()
    }

    /// A program inside, as uid 0 with all capabilities of the namespace. The environment holds
    /// PATH only; what is added to the command (arguments, environment, pipes) reaches the program.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("bwrap");
        command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.args(&self.bwrap_arguments).arg(program);
        command
    }

    /// `pam-client` with the services of this sandbox; the test adds `--service`, `--user`, ….
    pub fn client(&self) -> Command {
        let mut command = self.command(example("pam-client"));
        command.args(["--confdir", "/etc/pam.d"]);
        command
    }

    /// One login: `pam-client` for this service and user, with these replies, run to its end.
    pub fn login(&self, service: &str, user: &str, replies: &[&str]) -> Conversation {
        let mut command = self.client();
        command.args(["--service", service, "--user", user, "--delay-report"]);
        command.args(replies.iter().map(|reply| format!("--reply={reply}")));
        Conversation::of(command)
    }
}

/// Waits until another process has a file open, as a login does while it waits for the lock of a state.
pub fn wait_until_opened(path: &Path) {
    let path = fs::canonicalize(path).expect("the file");
    let until = Instant::now() + Duration::from_secs(30);
    while !is_open_elsewhere(&path) {
        assert!(Instant::now() < until, "no process has opened {}", path.display());
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn is_open_elsewhere(path: &Path) -> bool {
    let own = PathBuf::from(format!("/proc/{}", std::process::id()));
    let processes = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    let descriptors = processes
        .filter(|process| *process != own)
        .filter_map(|process| fs::read_dir(process.join("fd")).ok());
    descriptors
        .flatten()
        .flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == path))
}

/// The module to test: `COUNTERSIGN_MODULE`, or the newest that cargo built for this profile.
pub fn module() -> PathBuf {
    if let Some(named) = std::env::var_os("COUNTERSIGN_MODULE") {
        return fs::canonicalize(&named)
            .unwrap_or_else(|error| panic!("COUNTERSIGN_MODULE={}: {error}", named.display()));
    }
    let profile = profile_directory();
    let candidates = [profile.join("libpam_countersign.so"), profile.join("deps/libpam_countersign.so")];
    let built = |path: &PathBuf| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let newest = candidates.iter().filter(|path| built(path).is_some()).max_by_key(|path| built(path));
    newest.cloned().unwrap_or_else(|| panic!("no libpam_countersign.so below {}", profile.display()))
}

/// An example of this package, which `cargo test` builds (unless it is told to build one target).
pub fn example(name: &str) -> PathBuf {
    let path = profile_directory().join("examples").join(name);
    assert!(path.exists(), "{} is missing: run `cargo build --examples`", path.display());
    path
}

/// `target/<profile>`, seen from a test in `deps/` or a program in `examples/`.
fn profile_directory() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this test");
    let directory = own.parent().expect("a directory");
    let below = directory.ends_with("deps") || directory.ends_with("examples");
    let profile = if below { directory.parent() } else { Some(directory) };
    profile.expect("a directory above").to_owned()
}

fn directory_for_tests() -> PathBuf {
    let path = option_env!("CARGO_TARGET_TMPDIR").map_or_else(profile_directory, PathBuf::from);
    fs::create_dir_all(&path).expect("the directory for tests");
    fs::canonicalize(path).expect("the directory for tests")
}

fn refuse_tmpfs(path: &Path) {
    let kind = statfs(path).expect("the kind of the file system").filesystem_type();
    assert!(
        kind != TMPFS_MAGIC,
        "{} is on tmpfs, where nothing is ever flushed: set CARGO_TARGET_DIR to a disk",
        path.display()
    );
}

fn fill(root: &Path) {
    let store = root.join("var-lib-countersign");
    make_directory(&store, 0o700);
    lay_out_store(&store);
    for open in ["pam.d", "security", "run"] {
        make_directory(&root.join(open), 0o755);
    }
    write(&root.join("passwd"), PASSWD, 0o644);
    write(&root.join("group"), GROUP, 0o644);
    write(&root.join("shadow"), SHADOW, 0o600);
    write(&root.join("nsswitch.conf"), NSSWITCH, 0o644);
    write(&root.join("pam.d/other"), OTHER, 0o644);
}

fn lay_out_store(store: &Path) {
    for private in ["users", "by-uid"] {
        make_directory(&store.join(private), 0o700);
    }
}

fn make_directory(path: &Path, mode: u32) {
    fs::create_dir(path).expect("a directory in the sandbox");
    set_mode(path, mode);
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    set_mode(path, mode);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}
