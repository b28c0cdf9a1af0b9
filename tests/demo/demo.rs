//! `make demo`: a Debian machine whose ssh asks for password and code, shown from enrolment to a
//! refused second use. With `KEEP=1` the machine stays up for a person with a phone.
//!
//! Nothing of the computer it runs on is changed: the machine is a container with a network of its
//! own, and it is gone when the demo ends.
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, reason = "a demo stops at what it does not expect")]

#[path = "../container/mod.rs"]
mod container;
#[path = "../installed/mod.rs"]
mod installed;
#[path = "../planting/mod.rs"]
mod planting;

mod relay;

use installed::{Enrolled, Guarded, Seen};

const USER: &str = "demo";
const EXAMPLE: &str = "sshd-password-and-code";

fn main() {
    if std::env::args().nth(1).as_deref() == Some(relay::ARGUMENT) {
        return relay::run();
    }
    let keep = std::env::var("KEEP").is_ok_and(|value| !value.is_empty() && value != "0");
    let end = keep.then(relay::End::prepare);

    let password = random_password();
    let guarded = machine(&password);
    let enrolled = enrolment(&guarded);
    let code = the_next_code(&enrolled);
    right_code(&guarded, &password, &code);
    same_code_again(&guarded, &password, &code);
    println!(
        "\nSo: the password is not enough, and neither is a code that somebody has watched being typed."
    );

    if let Some(end) = end {
        keep_up(&guarded, &enrolled, &password, end);
    } else {
        println!("Try it with your own phone: make demo KEEP=1");
    }
}

fn step(text: &str) {
    println!("\n== {text}\n");
}

fn machine(password: &str) -> Guarded {
    step("A Debian 12 machine boots in a container, and countersign is installed in it");
    println!("(the first time on a computer this downloads Debian, which takes a minute or two)");
    let guarded = Guarded::boot("bookworm");
    guarded.add_user(USER, password);
    guarded.guard_ssh(EXAMPLE);
    println!("The user {USER} has a random password. sshd asks PAM, and /etc/pam.d/sshd now says");
    println!("(from pam.d/{EXAMPLE}):\n");
    let service = guarded.read("/etc/pam.d/sshd");
    for line in service.lines().filter(|line| line.starts_with("@include common-auth") || is_ours(line)) {
        println!("    {line}");
    }
    guarded
}

fn is_ours(line: &str) -> bool {
    line.starts_with("auth") && line.contains("pam_countersign.so")
}

fn enrolment(guarded: &Guarded) -> Enrolled {
    step(&format!("root runs: countersign enroll {USER}"));
    let enrolled = guarded.enroll_with(USER, &["--issuer", "countersign demo"]);
    println!("scan this with the authenticator app of {USER}:");
    print_qr_code(&enrolled);
    println!("code that the app shows: {}", enrolled.first_code);
    println!(
        "\nThat code proved that the app has the key, and is used up by it. Shown once, for the drawer:"
    );
    println!("{} recovery codes, such as {}.", enrolled.recovery_codes.len(), enrolled.recovery_codes[0]);
    enrolled
}

fn print_qr_code(enrolled: &Enrolled) {
    print!("{}", enrolled.qr_code.replace('\r', ""));
    println!("key for typing in: {}", enrolled.key);
}

/// oathtool stands in for the phone. The code after the one that is used up is taken early, as the
/// module allows for a clock that is half a minute ahead.
fn the_next_code(enrolled: &Enrolled) -> String {
    enrolled.phone.code(1)
}

fn right_code(guarded: &Guarded, password: &str, code: &str) {
    step(&format!("{USER} logs in with ssh, with the password and the code {code}"));
    let seen = guarded.by_ssh(USER).password(password).code(code).must_get_in();
    show(&seen);
    println!("\n{USER} is in.");
}

fn same_code_again(guarded: &Guarded, password: &str, code: &str) {
    step("Somebody else knows the password too and has seen that code: a second session");
    // Otherwise the client would ask for a password on its own when sshd has refused.
    let only_pam = "PreferredAuthentications=keyboard-interactive";
    let attempt = guarded.by_ssh_with(USER, |ssh| ssh.option(only_pam)).password(password).code(code);
    let seen = attempt.must_be_refused("spent_code").must_have_shown("This code was already used");
    show(&seen);
    println!("\nNobody is in: a code is good for one login.");
}

/// The terminal as the person saw it, and what the machine logged of it.
fn show(seen: &Seen) {
    for line in seen.transcript.replace('\r', "").lines().filter(|line| !line.is_empty()) {
        println!("    {line}");
    }
    println!("\nThe journal says:\n");
    for line in &seen.log {
        println!("    {line}");
    }
}

fn keep_up(guarded: &Guarded, enrolled: &Enrolled, password: &str, end: relay::End) {
    let relay = relay::Relay::start(guarded.leader());
    step("The machine stays up. Scan this with an authenticator app on your phone:");
    print_qr_code(enrolled);
    println!("\nthen log in from another terminal of this computer:\n");
    println!("    {}\n", relay.ssh_command(USER));
    println!("    password:       {password}");
    println!("    code:           what the phone shows; the demo has used up the present ones,");
    println!("                    a fresh one comes within a minute");
    println!("    recovery code:  {} in place of a code, once", enrolled.recovery_codes[1]);
    println!("\nCtrl-C ends it.");
    let why = end.wait();
    println!("\n{why}: the machine is being removed.");
}

fn random_password() -> String {
    let mut random = [0; 8];
    getrandom::fill(&mut random).expect("randomness");
    format!("{:016x}", u64::from_le_bytes(random))
}
