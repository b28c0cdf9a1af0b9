//! What Debian's google-authenticator writes goes on here: in a booted container its own program makes the
//! files, by all its flags, and the people log in over ssh with the codes that `oathtool` makes.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "container/mod.rs"]
mod container;
#[path = "installed/mod.rs"]
mod installed;
#[path = "planting/mod.rs"]
mod planting;

use installed::Guarded;
use planting::{CountingDevice, Phone};

/// The same as of the comparison, so that there is one image.
const PACKAGES: [&str; 4] = ["libpam-google-authenticator", "libpam-oath", "libfaketime", "strace"];

/// Whom the real program enrols, with which of its flags.
const PEOPLE: [(&str, &[&str]); 12] = [
    ("alice", &["-t", "-d", "-f", "-w", "3", "-r", "3", "-R", "30"]),
    ("reuse", &["-t", "-D", "-f", "-w", "17", "-u"]),
    ("minimal", &["-t", "-d", "-f", "-W", "-u", "-e", "0"]),
    ("widest", &["-t", "-d", "-f", "-w", "21", "-r", "10", "-R", "600", "-e", "10"]),
    ("minute", &["-t", "-d", "-f", "-w", "3", "-u", "-S", "60"]),
    ("quarter", &["-t", "-D", "-f", "-W", "-u", "-S", "15"]),
    ("labelled", &["-t", "-d", "-f", "-W", "-u", "-l", "a label", "-i", "an issuer", "-q"]),
    ("drawn", &["-t", "-d", "-f", "-W", "-u", "-Q", "ANSI"]),
    ("counter", &["-c", "-f", "-w", "3", "-u"]),
    ("narrow", &["-c", "-f", "-W", "-r", "3", "-R", "30"]),
    ("counted", &["-c", "-f", "-w", "17", "-u", "-e", "1"]),
    ("tenth", &["-t", "-d", "-f", "-W", "-u", "-S", "10"]),
];
/// Whose codes change too fast for the rules here.
const TOO_FAST: &str = "tenth";

/// A machine in which the real program has enrolled them all.
fn machine() -> (Guarded, Vec<(&'static str, String)>) {
    let guarded = Guarded::boot_with("bookworm", &PACKAGES);
    let mut made = Vec::new();
    for (name, flags) in PEOPLE {
        guarded.add_person(name);
        let program = ["runuser", "-u", name, "--", "google-authenticator"];
        // It may ask for a first code: no.
        guarded.must_with_input(&[&program[..], flags].concat(), b"-1\n");
        let text = guarded.read(&format!("/home/{name}/.google_authenticator"));
        made.push((name, text.lines().next().expect("a secret").to_owned()));
    }
    guarded.guard_ssh("sshd-password-and-code");
    (guarded, made)
}

/// The words before a command for which it is eleven minutes ago.
fn eleven_minutes_ago(guarded: &Guarded) -> [String; 3] {
    let library = guarded.must(&["sh", "-c", "ls /usr/lib/*/faketime/libfaketime.so.1"]);
    ["env".to_owned(), format!("LD_PRELOAD={}", library.trim_end()), "FAKETIME=-660s".to_owned()]
}

fn import_all(guarded: &Guarded, ago: &[String]) -> container::Finished {
    let command = ["countersign", "import", "google-authenticator", "--all", "--apply"];
    let words: Vec<&str> = ago.iter().map(String::as_str).chain(command).collect();
    guarded.run(&words)
}

fn files_of(guarded: &Guarded) -> String {
    guarded.must(&[
        "sh",
        "-c",
        "stat -c '%n %a %u %i %s %y %z' /home/*/.google_authenticator; cat /home/*/.g*",
    ])
}

#[test]
#[ignore = "needs root: boots a container"]
fn every_file_of_the_real_program_imports_and_its_next_code_logs_in() {
    let (guarded, made) = machine();
    let before = files_of(&guarded);
    // So that no test waits: the codes of that time are used up by now.
    let finished = import_all(&guarded, &eleven_minutes_ago(&guarded));
    assert_eq!(finished.status, 3, "{finished:#?}");
    assert!(finished.stderr.contains("11 taken over, 0 enrolled already"), "{finished:#?}");
    let too_fast = format!("{TOO_FAST}: not taken over: its codes are shown for less than 15");
    assert!(finished.stdout.contains(&too_fast), "{finished:#?}");
    assert_eq!(files_of(&guarded), before, "the sources are as they were");

    for (name, secret) in &made {
        let code = match *name {
            TOO_FAST => continue,
            "counter" | "narrow" | "counted" => CountingDevice::new(secret).code(1),
            "minute" => with_period(60, secret),
            "quarter" => with_period(15, secret),
            _ => Phone::new(secret).code(0),
        };
        guarded.by_ssh(name).code(&code).must_get_in();
        guarded.by_ssh(name).code(&code).must_be_refused("spent_code");
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn what_was_used_with_the_real_module_is_used_here() {
    let (guarded, made) = machine();
    guarded.write(
        "/etc/pam.d/incumbent",
        0o644,
        "auth required pam_google_authenticator.so\naccount required pam_permit.so\n",
    );
    let secret = |name: &str| made.iter().find(|(other, _)| *other == name).expect("hers").1.clone();
    let (alice, counted) = (Phone::new(&secret("alice")), CountingDevice::new(&secret("counted")));
    let typed = |name: &str, code: &str| at_the_incumbent(&guarded, name, code);
    let code = alice.code(0);
    assert!(typed("alice", &code) && typed("counted", &counted.code(4)));
    let file = guarded.read("/home/alice/.google_authenticator");
    assert!(file.lines().any(|line| line.starts_with("\" DISALLOW_REUSE ")), "{file}");

    import_all(&guarded, &[]);
    guarded.by_ssh("alice").code(&code).must_be_refused("spent_code");
    guarded.by_ssh("counted").code(&counted.code(4)).must_be_refused("spent_code");
    guarded.by_ssh("counted").code(&counted.code(5)).must_get_in();
}

/// Whether another module lets somebody in who types this.
fn at_the_incumbent(guarded: &Guarded, name: &str, code: &str) -> bool {
    guarded.copy_in(&example("pam-client"), "/usr/local/bin/pam-client", 0o755);
    let reply = format!("--reply={code}");
    let words = ["pam-client", "--confdir", "/etc/pam.d", "--service=incumbent", "--user", name, &reply];
    let finished = guarded.run(&words);
    (finished.stdout + &finished.stderr).contains("authenticate PAM_SUCCESS")
}

#[test]
#[ignore = "needs root: boots a container"]
fn what_was_used_with_pam_oath_is_used_here_and_the_next_code_logs_in() {
    let guarded = Guarded::boot_with("bookworm", &PACKAGES);
    let kinds = ["HOTP", "HOTP/E/8", "HOTP/T30", "HOTP/T60/7"];
    for (number, kind) in kinds.iter().enumerate() {
        let name = format!("person{number}");
        guarded.add_person(&name);
        let line = format!("{kind} {name} - 3132333435363738393031323334353637383{number}30\n");
        guarded.must_with_input(&["sh", "-c", "umask 077; cat >>/etc/users.oath"], line.as_bytes());
    }
    let module = "auth required pam_oath.so usersfile=/etc/users.oath window=10 digits=6\n";
    guarded.write("/etc/pam.d/incumbent", 0o644, module);
    let device = CountingDevice::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQMBQ");
    assert!(at_the_incumbent(&guarded, "person0", &device.code(4)));
    let before = guarded.read("/etc/users.oath");
    assert!(before.contains("\t4\t"), "the counter of the last code: {before}");

    let words = ["countersign", "import", "oath", "/etc/users.oath", "--apply"];
    let ago = eleven_minutes_ago(&guarded);
    let words: Vec<&str> = ago.iter().map(String::as_str).chain(words).collect();
    let finished = guarded.run(&words);
    assert_eq!(finished.status, 0, "{finished:#?}");
    assert_eq!(guarded.read("/etc/users.oath"), before);
    guarded.guard_ssh("sshd-password-and-code");
    guarded.by_ssh("person0").code(&device.code(4)).must_be_refused("spent_code");
    guarded.by_ssh("person0").code(&device.code(5)).must_get_in();
    let code = Phone::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQMRQ").code(0);
    guarded.by_ssh("person2").code(&code).must_get_in();
    guarded.by_ssh("person2").code(&code).must_be_refused("spent_code");
}

#[test]
#[ignore = "needs root: boots a container"]
fn what_lies_in_a_home_harms_nobody_else() {
    let guarded = Guarded::boot_with("bookworm", &PACKAGES);
    for name in ["alice", "fifo", "link", "theirs", "broken"] {
        guarded.add_person(name);
    }
    let file = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n\" HOTP_COUNTER 1\n";
    for name in ["alice", "theirs"] {
        guarded.write(&format!("/home/{name}/.google_authenticator"), 0o400, file);
    }
    guarded.must(&["chown", "alice:", "/home/alice/.google_authenticator"]);
    guarded.must(&["runuser", "-u", "fifo", "--", "mkfifo", "-m", "600", "/home/fifo/.google_authenticator"]);
    let link = ["ln", "-s", "/home/alice/.google_authenticator", "/home/link/.google_authenticator"];
    guarded.must(&[&["runuser", "-u", "link", "--"], &link[..]].concat());
    guarded.write("/home/broken/.google_authenticator", 0o600, "GEZD\x1b[2J\0");
    guarded.must(&["chown", "broken:", "/home/broken/.google_authenticator"]);

    let finished = guarded.run(&["countersign", "import", "google-authenticator", "--all", "--apply"]);
    assert_eq!(finished.status, 1, "{finished:#?}");
    for line in [
        "alice: taken over\n",
        "fifo: not taken over: it is no ordinary file\n",
        "link: not taken over: it is no ordinary file\n",
        "theirs: not taken over: the file cannot be read: Permission denied",
        "broken: not taken over: it holds a NUL byte\n",
    ] {
        assert!(finished.stdout.contains(line), "{line}: {finished:#?}");
    }
    assert!(!finished.stdout.contains('\x1b'));
    guarded.guard_ssh("sshd-password-and-code");
    let device = CountingDevice::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    guarded.by_ssh("alice").code(&device.code(1)).must_get_in();
}

/// The code that a device of another period shows now, by `oathtool`.
fn with_period(seconds: u32, secret: &str) -> String {
    let step = format!("--time-step-size={seconds}s");
    let made = std::process::Command::new("oathtool").args(["--totp", "--base32", &step, secret]).output();
    String::from_utf8(made.expect("oathtool").stdout).expect("a code").trim_end().to_owned()
}

/// An example of this package.
fn example(name: &str) -> std::path::PathBuf {
    let own = std::env::current_exe().expect("the path of this test");
    own.parent().and_then(std::path::Path::parent).expect("a directory").join("examples").join(name)
}
