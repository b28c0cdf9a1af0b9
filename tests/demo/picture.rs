//! `make picture`: what an administrator and a user see, as `docs/terminal.svg`, from a run in a Debian machine.
//!
//! The secret and the codes in it are real, and those of a machine that is gone.
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "it stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "it stops at what it does not expect")]
#![allow(dead_code, unreachable_pub, reason = "modules of tests")]

#[path = "../container/mod.rs"]
mod container;
#[path = "../guide/mod.rs"]
mod guide;
#[path = "../installed/mod.rs"]
mod installed;
#[path = "../planting/mod.rs"]
mod planting;

use anstyle_svg::Term;

use container::Terminal;
use guide::Follower;
use installed::{Guarded, password_of};
use planting::Phone;

fn main() {
    let path = std::env::args().nth(1).expect("the path of the picture");
    let follower = Follower::new();
    let guarded = follower.machine();
    guarded.guard_ssh("sshd-password-and-code");
    let (enrolment, phone) = enrolment(guarded);
    let code = phone.code(1);
    let first = login(guarded, &code, "⟩ ");
    let second = login(guarded, &code, "Verification code: ");
    let shown = format!("# countersign enroll alice\n{enrolment}\n\n{first}\n\n{second}\n");
    std::fs::write(path, Term::new().render_svg(&shown.replace('\r', ""))).expect("the picture is written");
}

/// What root sees, up to the first lines of the page with the recovery codes.
fn enrolment(guarded: &Guarded) -> (String, Phone) {
    let mut terminal = guarded.terminal(&["countersign", "enroll", "alice"]);
    terminal.expect("key for typing in: ");
    let key = terminal.expect("\r\n").replace(' ', "");
    let phone = Phone::new(&key);
    terminal.expect("code that the app shows: ");
    let code = phone.code(0);
    terminal.send_line(&code);
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    let shown = terminal.transcript();
    let (before, _) = shown.split_once("\r\nalice is enrolled.").expect("that she is");
    let told = shown.lines().find(|line| line.starts_with("alice is enrolled.")).expect("that she is");
    (format!("{}\n{told}\n…", before.trim_end()), phone)
}

/// What a user sees who types this code, until this is shown again.
fn login(guarded: &Guarded, code: &str, until: &str) -> String {
    let mut terminal: Terminal = guarded.terminal(&["runuser", "-l", "alice"]);
    terminal.expect("⟩ ");
    terminal.send_line("ssh alice@web1");
    terminal.expect("Password: ");
    terminal.send_line(&password_of("alice"));
    terminal.expect("Verification code: ");
    let before = terminal.transcript();
    terminal.send_line(code);
    let answer = terminal.expect(until);
    // Nothing of what is typed behind these two is on the screen, and the greeting of Debian is not ours.
    let (_, asked) = before.split_once("ssh alice@web1").expect("what was typed");
    let told: Vec<&str> = answer.lines().map(str::trim_end).filter(|line| line.contains("code")).collect();
    let greeted = if told.is_empty() { "alice@web1:~$".to_owned() } else { told.join("\n") };
    format!("$ ssh alice@web1{}\n{greeted}", asked.trim_end())
}
