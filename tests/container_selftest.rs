//! The container harness itself: machines boot, every kind of login works in them as it does on any
//! Debian, and nothing of them is left.

#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]

#[path = "container/mod.rs"]
mod container;

use container::{Image, Machine};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn machine_with_people(suite: &str) -> Machine {
    let image = Image::debian(suite);
    let start = Instant::now();
    let machine = Machine::boot(&image);
    eprintln!("{suite} is up after {:?}", start.elapsed());
    machine.add_user("alice", "correct horse");
    machine.add_user("bob", "battery staple");
    machine.must(&["usermod", "--append", "--groups=sudo", "alice"]);
    machine.sshd_config("KbdInteractiveAuthentication yes\nPasswordAuthentication no\n");
    machine
}

fn every_login_works(suite: &str) {
    let mut machine = machine_with_people(suite);
    ssh_with_a_password_then_su_and_sudo(&machine);
    ssh_with_a_key(&machine);
    a_terminal_inside_has_a_name(&machine);
    login_on_the_console(&mut machine);
    capitals_find_the_same_user(&machine);
}

fn ssh_with_a_password_then_su_and_sudo(machine: &Machine) {
    let before = machine.cursor();
    let from = "127.0.0.7".parse().expect("an address");
    let mut session = machine.ssh("alice").from(from).start();
    session.expect("Password: ");
    session.send_line("wrong");
    session.expect("Password: ");
    session.send_line("correct horse");
    session.expect("alice@localhost:~$ ");

    session.send_line("su - bob");
    session.expect("Password: ");
    session.send_line("battery staple");
    session.expect("bob@localhost:~$ ");
    session.send_line("exit");
    session.expect("alice@localhost:~$ ");

    session.send_line("sudo id -un");
    session.expect("password for alice: ");
    session.send_line("correct horse");
    session.expect("root\r\n");
    session.expect("$ ");
    session.send_line("exit 3");
    assert_eq!(session.wait(), 3);
    assert!(!session.transcript().contains("horse"), "a password was echoed");

    let journal = machine.wait_for_journal(&before, "session closed for user alice");
    for line in [
        "error: PAM: Authentication failure for alice from 127.0.0.7",
        "Accepted keyboard-interactive/pam for alice from 127.0.0.7",
        "(to bob) alice on pts/",
        "COMMAND=/usr/bin/id -un",
    ] {
        assert!(journal.contains(line), "{line:?} is not in the journal:\n{journal}");
    }
}

fn ssh_with_a_key(machine: &Machine) {
    let key = machine.authorize_key("bob");
    let from = "::1".parse().expect("an address");
    let mut session = machine.ssh("bob").key(&key).from(from).command("id -un; exit 4").start();
    session.expect("bob\r\n");
    assert_eq!(session.wait(), 4);
}

fn a_terminal_inside_has_a_name(machine: &Machine) {
    let mut terminal = machine.terminal(&["sh", "-c", "tty; echo \"it's $0\"; cat", "a name"]);
    terminal.expect("/dev/pts/");
    terminal.expect("it's a name\r\n");
    terminal.send_line("typed");
    assert_eq!(terminal.expect_any(&["other", "typed"]), 1);
    terminal.expect("typed");
    terminal.send_control('c');
    assert_eq!(terminal.wait(), 130);
}

fn login_on_the_console(machine: &mut Machine) {
    for _ in 0..3 {
        let console = machine.fresh_console();
        console.send_line("alice");
        console.expect("Password: ");
        console.send_line("correct horse");
        console.expect("alice@localhost:~$ ");
    }
    let console = machine.console();
    console.send_line("exit");
    console.expect("login: ");
    console.send_line("alice");
    console.expect("Password: ");
    console.send_line("wrong");
    console.expect("Login incorrect");
    console.expect("login: ");
}

fn capitals_find_the_same_user(machine: &Machine) {
    assert_eq!(machine.run(&["getent", "passwd", "ALICE"]).status, 2);
    machine.fold_case_of_names();
    assert!(machine.must(&["getent", "passwd", "ALICE"]).starts_with("alice:x:"));
    assert!(machine.must(&["getent", "shadow", "Alice"]).starts_with("alice:$"));
    assert_eq!(machine.run(&["getent", "passwd", "CAROL"]).status, 2);

    let mut session = machine.ssh("ALICE").command("id -un").start();
    session.expect("Password: ");
    session.send_line("correct horse");
    session.expect("alice\r\n");
    assert_eq!(session.wait(), 0);
}

#[test]
#[ignore = "needs root: boots a container"]
fn every_login_works_on_debian_12() {
    every_login_works("bookworm");
}

#[test]
#[ignore = "needs root: boots a container"]
fn every_login_works_on_debian_13() {
    every_login_works("trixie");
}

#[test]
#[ignore = "needs root: boots a container"]
fn two_machines_do_not_meet_and_nothing_is_left_of_them() {
    let image = Image::debian("bookworm");
    let (first, second) = (Machine::boot(&image), Machine::boot(&image));
    first.write("/etc/security/of-the-first", 0o640, "written\n");
    assert_eq!(first.must(&["stat", "-c", "%a %U", "/etc/security/of-the-first"]), "640 root\n");
    assert_eq!(first.read("/etc/security/of-the-first"), "written\n");
    assert_ne!(second.run(&["test", "-e", "/etc/security/of-the-first"]).status, 0);

    first.sshd_config("");
    let directories = [first.directory().to_owned(), second.directory().to_owned()];
    let leaders = [first.leader(), second.leader()];
    drop(first);
    assert_eq!(second.must(&["systemctl", "is-active", "ssh.service"]), "active\n");
    drop(second);
    for (directory, leader) in directories.iter().zip(leaders) {
        assert!(!directory.exists(), "{} is left", directory.display());
        assert!(!Path::new(&format!("/proc/{leader}")).exists(), "process {leader} is left");
    }
}

/// This test starts itself once more, and there it waits for its end with a machine in its hands.
#[test]
#[ignore = "needs root: boots a container"]
fn a_machine_dies_with_a_test_run_that_is_killed() {
    const NAME: &str = "a_machine_dies_with_a_test_run_that_is_killed";
    let image = Image::debian("bookworm");
    if std::env::var_os("TO_BE_KILLED").is_some() {
        let machine = Machine::boot(&image);
        println!("\nbooted {} {}", machine.leader(), machine.directory().display());
        loop {
            thread::park();
        }
    }

    let mut run = Command::new(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "--nocapture", NAME])
        .env("TO_BE_KILLED", "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts");
    let output = BufReader::new(run.stdout.take().expect("a pipe"));
    let mut lines = output.lines().map_while(Result::ok);
    let booted = lines.find_map(|line| line.strip_prefix("booted ").map(str::to_owned));
    run.kill().expect("it can be killed");
    run.wait().expect("it has ended");

    let booted = booted.expect("it has booted a machine");
    let (leader, directory) = booted.split_once(' ').expect("two words");
    let deadline = Instant::now() + Duration::from_secs(10);
    while Path::new("/proc").join(leader).exists() {
        assert!(Instant::now() < deadline, "process {leader} is left");
        thread::sleep(Duration::from_millis(10));
    }
    let _next = Machine::boot(&image);
    assert!(!Path::new(directory).exists(), "{directory} is left");
}
