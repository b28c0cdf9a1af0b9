//! What a machine is made of: files, users, sshd, name services and the journal.
//!
//! All of it is done by programs inside, so that no link in the machine's files leads out of it.

use super::Machine;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

const PATIENCE: Duration = Duration::from_secs(20);

/// A place in the journal.
#[derive(Clone, Debug)]
pub struct Cursor(String);

impl Machine {
    /// Writes a file owned by root, with this mode. Missing directories above it are made. A file or
    /// link that is there is replaced by a new file, never written to or followed.
    pub fn write(&self, path: &str, mode: u32, contents: impl AsRef<[u8]>) {
        let mode = format!("--mode={mode:o}");
        let install = ["install", "-D", "-T", &mode, "--", "/dev/stdin", path];
        self.must_with_input(&install, contents.as_ref());
    }

    /// Reads a file; what is not UTF-8 is replaced.
    pub fn read(&self, path: &str) -> String {
        self.must(&["cat", "--", path])
    }

    /// Copies a file of the host, in the manner of [`Machine::write`].
    pub fn copy_in(&self, host_path: &Path, path: &str, mode: u32) {
        let contents = fs::read(host_path)
            .unwrap_or_else(|error| panic!("{} cannot be copied: {error}", host_path.display()));
        self.write(path, mode, contents);
    }

    /// Adds a user with a home directory, the shell bash and this password.
    pub fn add_user(&self, name: &str, password: &str) {
        self.must(&["useradd", "--create-home", "--shell=/bin/bash", "--", name]);
        self.must_with_input(&["chpasswd"], format!("{name}:{password}\n").as_bytes());
    }

    /// Makes a key pair on the host, lets it log in as this user, and returns the private key's path.
    /// The key is gone with the machine.
    pub fn authorize_key(&self, user: &str) -> PathBuf {
        let key = self.keys().join(user);
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", user, "-f"])
            .arg(&key)
            .status();
        assert!(made.as_ref().is_ok_and(std::process::ExitStatus::success), "ssh-keygen: {made:?}");

        let home = self.must(&["getent", "passwd", user]);
        let home = home.split(':').nth(5).expect("passwd(5) has a home directory");
        let folder = format!("{home}/.ssh");
        let file = format!("{folder}/authorized_keys");
        self.copy_in(&key.with_extension("pub"), &file, 0o600);
        self.must(&["chown", "-R", &format!("{user}:"), "--", &folder]);
        self.must(&["chmod", "0700", "--", &folder]);
        key
    }

    /// Restarts sshd with these lines of `sshd_config(5)` before all others, in place of those of an
    /// earlier call, and returns when it listens.
    pub fn sshd_config(&self, lines: &str) {
        self.write("/etc/ssh/sshd_config.d/10-test.conf", 0o644, lines);
        // The message of `sshd -t` says which line is wrong; that of systemctl does not.
        self.must(&["sshd", "-t"]);
        self.restart("ssh.service");
    }

    /// Lets every program find a user under the name in capitals too, with `pw_name` in lower case,
    /// as directory services do that ignore case.
    pub fn fold_case_of_names(&self) {
        self.add_name_service("fold", "passwd|shadow");
    }

    /// Has groups that are in no file asked for at a name service that is sick: it fails at once.
    pub fn sicken_groups(&self) {
        self.add_name_service("sick", "group");
    }

    /// From now on that name service hangs for a minute.
    pub fn let_groups_hang(&self) {
        self.write("/etc/nss_sick", 0o644, "hang\n");
    }

    /// Compiles a name service of `tests/container` and has it asked after the files.
    fn add_name_service(&self, name: &str, databases: &str) {
        let source = format!("{}/tests/container/nss_{name}.c", env!("CARGO_MANIFEST_DIR"));
        let library = self.directory().join(format!("libnss_{name}.so.2"));
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&library)
            .args([&format!("-Wl,-soname,libnss_{name}.so.2"), &source])
            .output()
            .unwrap_or_else(|error| panic!("cc does not start: {error}"));
        assert!(
            compiled.status.success(),
            "{source} does not compile:\n{}",
            String::from_utf8_lossy(&compiled.stderr)
        );
        let libraries = self.must(&["sh", "-c", "dirname /usr/lib/*-linux-gnu*/libc.so.6"]);
        let installed = format!("{}/libnss_{name}.so.2", libraries.trim_end());
        self.copy_in(&library, &installed, 0o644);
        let both = format!("s/^({databases}):.*/\\1: files {name}/");
        self.must(&["sed", "-E", "-i", &both, "/etc/nsswitch.conf"]);
    }

    /// The whole journal, one entry a line, oldest first, with all that was logged before this call.
    pub fn journal(&self) -> String {
        self.journalctl(&[])
    }

    /// The end of the journal as it is now.
    pub fn cursor(&self) -> Cursor {
        let shown = self.journalctl(&["--lines=1", "--show-cursor"]);
        let cursor = shown.lines().find_map(|line| line.strip_prefix("-- cursor: "));
        Cursor(cursor.unwrap_or_else(|| panic!("no cursor in {shown:?}")).to_owned())
    }

    /// What was logged after the cursor was taken.
    pub fn journal_since(&self, cursor: &Cursor) -> String {
        self.journalctl(&["--after-cursor", &cursor.0])
    }

    /// Waits at most 20 seconds until the journal since the cursor contains the text, and returns
    /// that journal. For what is logged after the person at the terminal has had the answer.
    pub fn wait_for_journal(&self, cursor: &Cursor, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let journal = self.journal_since(cursor);
            if journal.contains(text) {
                return journal;
            }
            assert!(Instant::now() < deadline, "waiting for {text:?} in the journal:\n{journal}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn journalctl(&self, arguments: &[&str]) -> String {
        self.must(&["journalctl", "--sync"]);
        let command = ["journalctl", "--quiet", "--no-pager", "--output=short"];
        self.must(&[&command, arguments].concat())
    }
}
