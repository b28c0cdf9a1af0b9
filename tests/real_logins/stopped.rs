//! A caller of su has the real uid of an ordinary user and may stop it whenever he likes. What he
//! stops must never keep the person he names out, nor let a code in twice.

use std::thread;
use std::time::{Duration, Instant};

use crate::container::Terminal;
use crate::installed::{CODE_PROMPT, Guarded, password_of};
use crate::planting::{Phone, Planted};

/// Rounds in which su is stopped somewhere after the code was typed.
const ROUNDS: u32 = 100;
/// Rounds in which it is stopped at the terminal, by Control and Z.
const ROUNDS_AT_THE_TERMINAL: u32 = 10;
/// The latest moment after the code at which it is stopped.
const LATEST: Duration = Duration::from_millis(30);
/// How long anybody else's login may take, however slow the machine is.
const BOUND: Duration = Duration::from_secs(10);

/// Tells the number of the process that becomes su. The outer shell stands between su and script(1),
/// which would stop itself with a program that it has started.
const SU: &str = r#"sh -c 'echo "pid $$."; exec su alice -c "echo in as \$(id -un)."'; true"#;

/// Somebody's su to alice.
struct Su {
    terminal: Terminal,
    process: String,
}

/// What su said to a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    In,
    AlreadyUsed,
}

impl Su {
    fn start(guarded: &Guarded, from: &str) -> Su {
        let mut terminal = guarded.terminal(&["runuser", "-u", from, "--", "sh", "-c", SU]);
        terminal.expect("pid ");
        let process = terminal.expect(".");
        terminal.expect("Password: ");
        Su { terminal, process }
    }

    fn give_password(&mut self) {
        self.terminal.send_line(&password_of("alice"));
        self.terminal.expect(CODE_PROMPT);
    }

    fn verdict(&mut self) -> Verdict {
        match self.terminal.expect_any(&["in as alice.", "This code was already used"]) {
            0 => Verdict::In,
            _ => Verdict::AlreadyUsed,
        }
    }

    /// Another person's whole su.
    fn through(guarded: &Guarded, from: &str, code: &str) -> Verdict {
        let mut su = Su::start(guarded, from);
        su.give_password();
        su.terminal.send_line(code);
        su.verdict()
    }
}

/// A shell of bob's, with which he sends signals as nobody but himself.
struct Bob(Terminal);

impl Bob {
    fn start(guarded: &Guarded) -> Bob {
        Bob(guarded.terminal(&["runuser", "-u", "bob", "--", "sh"]))
    }

    /// Sends a signal and returns what the shell complained about, empty when it was sent.
    fn signal(&mut self, signal: &str, process: &str) -> String {
        self.0.send_line(&format!("echo '<''<'; kill -{signal} {process} 2>&1; echo '>''>'"));
        self.0.expect("<<\r\n");
        self.0.expect(">>").trim().to_owned()
    }
}

fn machine() -> (Guarded, Planted, Phone) {
    let guarded = Guarded::boot("bookworm");
    for name in ["alice", "bob", "carol"] {
        guarded.add_person(name);
    }
    guarded.guard_ssh("sshd-password-and-code");
    guarded.guard_also("su");
    let (planted, phone) = guarded.plant("alice");
    (guarded, planted, phone)
}

/// A moment after the code was typed, more often an early one: a verdict takes few milliseconds.
fn some_moment() -> Duration {
    let mut random = [0; 4];
    getrandom::fill(&mut random).expect("randomness");
    let part = f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX);
    LATEST.mul_f64(part * part)
}

/// Somebody else logs in as alice with a good code, and needs no longer than the bound.
fn alice_gets_in(guarded: &Guarded, round: u32, code: &str) {
    let start = Instant::now();
    if round.is_multiple_of(4) {
        guarded.by_ssh("alice").code(code).must_get_in();
    } else {
        assert_eq!(Su::through(guarded, "carol", code), Verdict::In, "in round {round}");
    }
    assert!(start.elapsed() < BOUND, "{:?} in round {round}", start.elapsed());
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_su_stopped_at_a_prompt_keeps_nobody_out() {
    let (guarded, planted, phone) = machine();
    let mut bob = Bob::start(&guarded);
    for round in 0..4 {
        guarded.renew(&planted);
        let mut su = Su::start(&guarded, "bob");
        if round % 2 == 1 {
            su.give_password();
        }
        assert_eq!(bob.signal("STOP", &su.process), "");
        alice_gets_in(&guarded, round / 2 * 4 + round % 2, &phone.code(0));
        bob.signal("KILL", &su.process);
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_su_stopped_while_it_judges_keeps_nobody_out_and_lets_no_code_in_twice() {
    let (guarded, planted, phone) = machine();
    let mut bob = Bob::start(&guarded);
    let (mut stopped, mut out_of_reach, mut over) = (0, 0, 0);
    for round in 0..ROUNDS {
        guarded.renew(&planted);
        let mut su = Su::start(&guarded, "bob");
        su.give_password();
        let code = phone.code(0);
        su.terminal.send_line(&code);
        thread::sleep(some_moment());
        match bob.signal("STOP", &su.process).as_str() {
            "" => stopped += 1,
            // The lock is held: the process is root's in every way.
            refused if refused.contains("not permitted") => out_of_reach += 1,
            gone if gone.contains("No such process") => over += 1,
            other => panic!("kill: {other}"),
        }

        if round % 2 == 0 {
            alice_gets_in(&guarded, round / 2, &phone.code(1));
            bob.signal("CONT", &su.process);
            su.verdict();
        } else {
            let start = Instant::now();
            let other = Su::through(&guarded, "carol", &code);
            assert!(start.elapsed() < BOUND, "{:?} in round {round}", start.elapsed());
            bob.signal("CONT", &su.process);
            let verdicts = [other, su.verdict()];
            let accepted = verdicts.iter().filter(|&&verdict| verdict == Verdict::In).count();
            assert_eq!(accepted, 1, "the same code in round {round}: {verdicts:?}");
        }
        bob.signal("KILL", &su.process);
    }
    println!("{ROUNDS} rounds: {stopped} stopped, {out_of_reach} out of reach, {over} over already");
    assert!(stopped > 0, "bob never stopped anything");
}

/// libpam holds Control and Z back while it reads without echo, so su stops when a line was read.
#[test]
#[ignore = "needs root: boots a container"]
fn a_su_stopped_at_the_terminal_keeps_nobody_out() {
    let (guarded, planted, phone) = machine();
    for round in 0..ROUNDS_AT_THE_TERMINAL {
        guarded.renew(&planted);
        let mut bob = guarded.terminal(&["runuser", "-u", "bob", "--", "bash", "--norc", "-i"]);
        // Without this, Control and Z would throw away what su has not read yet.
        bob.send_line("stty noflsh; su alice -c 'echo in as $(id -un).'");
        bob.expect("Password: ");
        if round == 0 {
            bob.send_control('z');
        }
        bob.send_line(&password_of("alice"));
        if round > 0 {
            bob.expect(CODE_PROMPT);
            if round == 1 {
                bob.send_control('z');
            }
            bob.send_line(&phone.code(0));
        }
        if round > 1 {
            thread::sleep(some_moment());
            bob.send_control('z');
        }
        let seen = bob.expect_any(&["Stopped", "in as alice."]);
        assert!(seen == 0 || round > 1, "{}", bob.transcript());
        alice_gets_in(&guarded, round, &phone.code(1));
        bob.send_line("kill -KILL %1; disown -a; exit 7");
        assert_eq!(bob.wait(), 7, "{}", bob.transcript());
    }
}
