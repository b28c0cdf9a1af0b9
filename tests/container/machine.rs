//! A booted machine: its life from boot to removal, and programs that run in it.

use super::directory::Directory;
use super::process::{bounding_set, is_first_process, leader_below, status};
use super::{Image, SshCommand, Terminal};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const BOOT: Duration = Duration::from_secs(60);
const DEATH: Duration = Duration::from_secs(10);
const MOMENT: Duration = Duration::from_millis(10);

/// Programs inside see nothing of the test's environment.
const ENVIRONMENT: [&str; 6] = [
    "env",
    "-i",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    "TERM=dumb",
];

/// A program that nobody watches ends after two minutes, so that a test that hangs says where.
const LIMIT: [&str; 3] = ["timeout", "--kill-after=5", "120"];

/// Starts the machine in control groups of its own, because two machines that shared one would take
/// each other's services for their own; and in a world of processes of its own, because otherwise
/// the machine would outlive a systemd-nspawn that is killed.
const BOOT_SCRIPT: &str = r#"
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
        [ -e "$hierarchy/cgroup.procs" ] || continue
        mkdir -p "$hierarchy/$1" && echo $$ >"$hierarchy/$1/cgroup.procs" || exit
    done
    export SYSTEMD_LOG_TARGET=console
    exec unshare --pid --fork --kill-child --mount-proc \
        systemd-nspawn --quiet --boot --register=no --keep-unit --private-network \
        --kill-signal=SIGKILL --machine="$1" --directory="$2"
"#;

/// A Debian system in a container: its own files, processes, users and loopback network.
///
/// On drop it is killed and its files are removed, also when the test panics. When the test process
/// is killed, the machine dies with it, and the next boot removes the files. It is `Sync`: parallel
/// logins can be driven from threads. A machine in a `static` is never dropped but dies with the
/// test process all the same.
#[derive(Debug)]
pub struct Machine {
    // Dropped in this order: the program, then the files.
    console: Terminal,
    leader: u32,
    bounding_set: String,
    directory: Directory,
}

/// What a program that has ended left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The exit code; 128 and the number of the signal; 124 after two minutes.
    pub status: i32,
    /// Its standard output; what is not UTF-8 is replaced.
    pub stdout: String,
    /// Its standard error; what is not UTF-8 is replaced.
    pub stderr: String,
}

impl Machine {
    /// Copies the image, boots the copy, and returns when systemd has started everything.
    pub fn boot(image: &Image) -> Machine {
        let machines = image.machines();
        let directory = Directory::create(&machines)
            .unwrap_or_else(|error| panic!("no directory in {}: {error}", machines.display()));
        copy(image.root(), &directory.root());
        let console = Terminal::start(&boot_command(&directory));
        let leader = wait_for_leader(&console);
        let bounding_set = bounding_set(leader);
        let machine = Machine { console, leader, bounding_set, directory };
        machine.wait_until_up();
        machine
    }

    fn wait_until_up(&self) {
        let deadline = Instant::now() + BOOT;
        loop {
            let state = self.run(&["systemctl", "is-system-running"]);
            match state.stdout.trim_end() {
                "running" | "degraded" => return,
                _ if self.console.has_ended() || Instant::now() > deadline => panic!(
                    "waiting for the machine to be up: {state:?}\n--- its console ---\n{}",
                    self.console.transcript()
                ),
                _ => thread::sleep(MOMENT),
            }
        }
    }

    /// Runs a program as root inside, without a terminal and with an empty standard input.
    pub fn run(&self, command: &[&str]) -> Finished {
        self.run_with_input(command, b"")
    }

    /// Like [`Machine::run`], with these bytes on its standard input.
    pub fn run_with_input(&self, command: &[&str], input: &[u8]) -> Finished {
        let words = self.inside(&[&LIMIT, command]);
        match piped(&words, input) {
            Ok(output) => finished(&output),
            Err(error) => panic!("`{}` does not start: {error}", words.join(" ")),
        }
    }

    /// Runs a program as root inside that must succeed, and returns its standard output.
    pub fn must(&self, command: &[&str]) -> String {
        self.must_with_input(command, b"")
    }

    /// Like [`Machine::must`], with these bytes on its standard input.
    pub fn must_with_input(&self, command: &[&str], input: &[u8]) -> String {
        let finished = self.run_with_input(command, input);
        assert!(finished.status == 0, "`{}` failed: {finished:#?}", command.join(" "));
        finished.stdout
    }

    /// Starts a program as root inside, with pipes for its standard input and output. It may run for as
    /// long as it likes, but not longer than the machine.
    pub fn start(&self, command: &[&str]) -> Child {
        let mut start = self.command(command);
        start.stdin(Stdio::piped()).stdout(Stdio::piped());
        start.spawn().unwrap_or_else(|error| panic!("`{}` does not start: {error}", command.join(" ")))
    }

    /// A program as root inside, for whoever starts it in a way of his own.
    pub fn command(&self, command: &[&str]) -> Command {
        let words = self.inside(&[command]);
        let mut enter = Command::new(&words[0]);
        enter.args(&words[1..]);
        enter
    }

    /// Runs a program as root inside, on a terminal that the machine knows as one of its own.
    pub fn terminal(&self, command: &[&str]) -> Terminal {
        let quoted: Vec<String> = command.iter().map(|word| quote(word)).collect();
        // The host's terminal has no name inside; script(1) opens one that has.
        let command = format!("exec {}", quoted.join(" "));
        Terminal::start(&self.inside(&[&["script", "-qec", &command, "/dev/null"]]))
    }

    /// The host's ssh client, about to log in as this user from 127.0.0.1.
    pub fn ssh(&self, user: &str) -> SshCommand<'_> {
        SshCommand::new(self, user)
    }

    /// The console, where agetty and login(1) greet: it begins with the messages of the boot and
    /// `login: `.
    pub fn console(&mut self) -> &mut Terminal {
        &mut self.console
    }

    /// Ends whatever is on the console and returns it with a fresh `login: ` just read.
    pub fn fresh_console(&mut self) -> &mut Terminal {
        // Everything before this line is old, also what is still on its way.
        let line = self.must(&["cat", "/proc/sys/kernel/random/uuid"]);
        self.must(&["systemctl", "stop", "console-getty.service"]);
        self.must_with_input(&["tee", "/dev/console"], line.as_bytes());
        self.must(&["systemctl", "start", "console-getty.service"]);
        self.console.expect(line.trim_end());
        self.console.expect("login: ");
        &mut self.console
    }

    /// Restarts a systemd unit and returns when it says that it is ready.
    pub fn restart(&self, unit: &str) {
        // Tests restart more often than systemd finds healthy.
        self.run(&["systemctl", "reset-failed", unit]);
        self.must(&["systemctl", "restart", unit]);
    }

    /// Cuts the power, as far as a container has any, and starts the machine again from what is on its disk;
    /// returns when systemd has started everything.
    pub fn cut_power_and_start(&mut self) {
        self.kill();
        self.console = Terminal::start(&boot_command(&self.directory));
        self.leader = wait_for_leader(&self.console);
        self.wait_until_up();
    }

    /// Ends everything in the machine at once.
    fn kill(&mut self) {
        // nspawn was told to kill the machine on this signal; so it tidies up after itself.
        let nspawn = status(self.leader, "PPid").parse().ok().and_then(Pid::from_raw);
        if let Some(nspawn) = nspawn.filter(|_| is_first_process(self.leader)) {
            let _ = kill_process(nspawn, Signal::TERM);
        }
        let deadline = Instant::now() + DEATH;
        while !self.console.has_ended() && Instant::now() < deadline {
            thread::sleep(MOMENT);
        }
        self.console.kill();
        while is_first_process(self.leader) && Instant::now() < deadline {
            thread::sleep(MOMENT);
        }
    }

    /// The process id, on the host, of the machine's init.
    pub fn leader(&self) -> u32 {
        self.leader
    }

    /// The directory on the host that holds all of the machine, private to root.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Where the machine's key pairs for ssh go, on the host.
    pub(super) fn keys(&self) -> PathBuf {
        self.directory.path().join("keys")
    }

    /// The command line that runs this one inside, in all the namespaces of the machine's init and
    /// with no more capabilities: root inside cannot load a module or set the host's clock.
    fn inside(&self, command: &[&[&str]]) -> Vec<String> {
        let leader = self.leader.to_string();
        let enter = ["nsenter", "--target", &leader, "--all", "--"];
        let limit = ["setpriv", "--bounding-set", &self.bounding_set];
        let words = [&[&enter, &ENVIRONMENT[..], &limit], command].concat().concat();
        words.into_iter().map(str::to_owned).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
    }
}

fn copy(image: &Path, root: &Path) {
    let copied = Command::new("cp").args(["-a", "--reflink=auto", "--"]).args([image, root]).status();
    assert!(
        copied.as_ref().is_ok_and(std::process::ExitStatus::success),
        "copying {} to {}: {copied:?}",
        image.display(),
        root.display()
    );
}

fn boot_command(directory: &Directory) -> Vec<String> {
    let root = directory.root().display().to_string();
    ["sh", "-c", BOOT_SCRIPT, "boot", directory.name(), &root].map(str::to_owned).to_vec()
}

fn wait_for_leader(console: &Terminal) -> u32 {
    let deadline = Instant::now() + BOOT;
    loop {
        if let Some(leader) = leader_below(console.process_id()) {
            return leader;
        }
        assert!(
            !console.has_ended() && Instant::now() < deadline,
            "waiting for systemd-nspawn to start init; it said:\n{}",
            console.transcript()
        );
        thread::sleep(MOMENT);
    }
}

fn piped(words: &[String], input: &[u8]) -> std::io::Result<Output> {
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut pipe = child.stdin.take();
    thread::scope(|scope| {
        // A program may end without reading all of it; what it did then shows in its status.
        scope.spawn(move || pipe.as_mut().map(|pipe| pipe.write_all(input)));
        child.wait_with_output()
    })
}

fn finished(output: &Output) -> Finished {
    let status = output.status;
    Finished {
        status: status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The word as the shell reads it back.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
