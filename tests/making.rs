//! Devices of every kind: how their codes are made, secrets that come from outside, and first codes that come
//! later. `oathtool` makes all codes.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "command/mod.rs"]
mod command;
#[path = "container/mod.rs"]
mod container;
#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use command::{QUESTION, log_in, machine, nothing_is_kept, on_terminal, recovery_codes_on, run};
use container::Terminal;
use planting::{CountingDevice, Planted, now};
use sandbox::Sandbox;

/// The secret of RFC 4226 Appendix D.
const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const HEX: &str = "3132333435363738393031323334353637383930";

/// What makes the codes of a device.
#[derive(Clone, Debug)]
struct Device {
    algorithm: &'static str,
    digits: u8,
    /// In seconds; none for a counter.
    period: Option<u64>,
    key: String,
}

impl Device {
    fn usual(key: &str) -> Self {
        Self { algorithm: "sha1", digits: 6, period: Some(30), key: key.to_owned() }
    }

    fn counting(key: &str) -> Self {
        Self { period: None, ..Self::usual(key) }
    }

    /// The options that ask for it.
    fn options(&self) -> Vec<String> {
        let mut options = ["--algorithm", self.algorithm, "--digits"].map(str::to_owned).to_vec();
        options.push(self.digits.to_string());
        match self.period {
            Some(seconds) => options.extend(["--period".to_owned(), seconds.to_string()]),
            None => options.push("--hotp".to_owned()),
        }
        options
    }

    /// The code of so many periods from now, or of a counter.
    fn code(&self, number: u64) -> String {
        let mut oathtool = Command::new("oathtool");
        match self.period {
            Some(seconds) => oathtool.args([
                format!("--totp={}", self.algorithm.to_uppercase()),
                format!("--time-step-size={seconds}s"),
                format!("--now=@{}", now() + seconds * number),
            ]),
            // It makes those of SHA-1 alone, so the time stands for the counter.
            None => oathtool.args([
                format!("--totp={}", self.algorithm.to_uppercase()),
                "--time-step-size=1s".to_owned(),
                format!("--now=@{number}"),
            ]),
        };
        let made = oathtool.args([format!("--digits={}", self.digits), "--base32".to_owned()]).arg(&self.key);
        let made = made.output().expect("oathtool is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8_lossy(&made.stdout).trim().to_owned()
    }
}

/// The command with lines to read.
fn given(sandbox: &Sandbox, words: &[&str], lines: &str) -> Output {
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_countersign"));
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command runs");
    // It may end before it has read all of it.
    let _ = child.stdin.take().expect("its input").write_all(lines.as_bytes());
    child.wait_with_output().expect("its end")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn key_on(terminal: &mut Terminal) -> String {
    terminal.expect("key for typing in:");
    terminal.expect(QUESTION).split_whitespace().collect()
}

fn alice_is_enrolled(sandbox: &Sandbox) -> Planted {
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    alice
}

#[test]
fn codes_of_every_kind_of_device_let_in_once() {
    let mut seen = 0;
    for algorithm in ["sha1", "sha256", "sha512"] {
        for digits in [6, 7, 8] {
            for period in [Some(15), Some(30), Some(120), None] {
                let sandbox = machine();
                let mut device = Device { algorithm, digits, period, key: String::new() };
                let options = device.options();
                let options: Vec<&str> = options.iter().map(String::as_str).collect();
                let mut terminal = on_terminal(&sandbox, &[&["enroll", "alice"], &options[..]].concat());
                device.key = key_on(&mut terminal);
                let bits = [("sha1", 160), ("sha256", 256), ("sha512", 512)];
                let (_, bits) = bits.iter().find(|(name, _)| *name == algorithm).expect("its bits");
                assert_eq!(device.key.len(), usize::div_ceil(*bits, 5));
                terminal.send_line(&device.code(0));
                assert_eq!(terminal.wait(), 0, "{device:?}: {}", terminal.transcript());
                let next = device.code(1);
                assert_eq!(next.len(), usize::from(digits));
                assert_eq!(log_in(&sandbox, &next), "PAM_SUCCESS", "{device:?}");
                assert_eq!(log_in(&sandbox, &next), "PAM_AUTH_ERR", "{device:?}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 36);
}

#[test]
fn add_and_replace_take_the_same_options() {
    let sandbox = machine();
    alice_is_enrolled(&sandbox);
    for (verb, mut device) in [
        ("add", Device { algorithm: "sha256", digits: 8, period: Some(60), key: String::new() }),
        ("replace", Device { algorithm: "sha512", digits: 7, period: None, key: String::new() }),
    ] {
        let options = device.options();
        let words = [verb, "tablet", "--user", "alice", "--issuer", "web1", "--label", "a b"];
        let options: Vec<&str> = words.into_iter().chain(options.iter().map(String::as_str)).collect();
        let mut terminal = on_terminal(&sandbox, &options);
        device.key = key_on(&mut terminal);
        terminal.send_line(&device.code(0));
        terminal.expect("tablet of alice is in force");
        assert_eq!(terminal.wait(), 0);
        assert_eq!(log_in(&sandbox, &device.code(1)), "PAM_SUCCESS", "{verb}");
    }
}

#[test]
fn what_cannot_be_is_wrong_usage() {
    let sandbox = machine();
    for words in [
        &["--algorithm", "md5"][..],
        &["--digits", "5"],
        &["--digits", "9"],
        &["--period", "14"],
        &["--period", "121"],
        &["--hotp", "--period", "30"],
        &["--counter", "7"],
        &["--no-confirm"],
        &["--secret-stdin", "hex"],
        &["--secret-stdin=base64"],
    ] {
        let refused = run(&sandbox, &[&["enroll", "alice"], words].concat());
        assert_eq!(refused.status.code(), Some(2), "{words:?}");
        assert!(refused.stdout.is_empty() && !errors(&refused).is_empty(), "{words:?}");
    }
    assert!(nothing_is_kept(&sandbox));
}

#[test]
fn a_token_is_enrolled_by_the_secret_that_it_has_and_the_secret_is_not_shown() {
    let device = Device::usual(BASE32);
    for (option, secret) in [
        ("--secret-stdin", "gezd gnbv gy3t qojq gezd gnbv gy3t qojq"),
        ("--secret-stdin=base32", BASE32),
        ("--secret-stdin=hex", HEX),
        ("--secret-stdin=hex", "31:32:33:34:35:36:37:38:39:30:31:32:33:34:35:36:37:38:39:30"),
    ] {
        let sandbox = machine();
        let lines = format!("{secret}\n{}\n", device.code(0));
        let done = given(&sandbox, &["enroll", "alice", option, "--force"], &lines);
        assert_eq!(done.status.code(), Some(0), "{option}: {}", errors(&done));
        let shown = String::from_utf8_lossy(&done.stdout);
        assert_eq!(recovery_codes_on(&shown).len(), 10);
        for leak in [secret, "key for typing in", "█"] {
            assert!(!shown.contains(leak) && !errors(&done).contains(leak), "{option} {leak}");
        }
        assert_eq!(log_in(&sandbox, &device.code(1)), "PAM_SUCCESS", "{option}");
    }
}

/// The highest counter whose code is taken, 2^63 − 2.
const LAST_COUNTER: u64 = 9_223_372_036_854_775_806;

#[test]
fn a_counter_above_the_limit_is_refused_and_the_limit_is_named() {
    let sandbox = machine();
    for counter in [LAST_COUNTER + 1, LAST_COUNTER + 2, u64::MAX] {
        let counter = counter.to_string();
        for verb in [&["enroll", "alice"][..], &["add", "token", "--user", "alice"]] {
            let words = [verb, &["--hotp", "--counter", &counter, "--force"]].concat();
            let refused = given(&sandbox, &words, "000000\n");
            assert_eq!(refused.status.code(), Some(2), "{words:?}: {}", errors(&refused));
            assert!(errors(&refused).contains(&LAST_COUNTER.to_string()), "{}", errors(&refused));
        }
    }
    assert!(nothing_is_kept(&sandbox));
}

#[test]
fn the_last_counter_is_taken_once_and_then_nothing_more() {
    let sandbox = machine();
    let device = CountingDevice::new(BASE32);
    let counter = (LAST_COUNTER - 5).to_string();
    let words = ["enroll", "alice", "--hotp", "--counter", &counter, "--secret-stdin", "--force"];
    let made = given(&sandbox, &words, &format!("{BASE32}\n{}\n", device.code(LAST_COUNTER - 5)));
    assert_eq!(made.status.code(), Some(0), "{}", errors(&made));
    assert_eq!(log_in(&sandbox, &device.code(LAST_COUNTER + 1)), "PAM_AUTH_ERR");
    assert_eq!(log_in(&sandbox, &device.code(LAST_COUNTER)), "PAM_SUCCESS");
    for counter in [LAST_COUNTER, LAST_COUNTER + 1] {
        assert_eq!(log_in(&sandbox, &device.code(counter)), "PAM_AUTH_ERR");
    }
    let status = run(&sandbox, &["status", "alice"]);
    assert_eq!(status.status.code(), Some(0), "{}", errors(&status));
}

#[test]
fn base32_with_bits_left_over_is_taken_wherever_a_secret_is_read() {
    let secret = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let device = CountingDevice::new(secret);
    let as_typed = "abcd-efgh ijkl-mnop qrst-uvwx yz======";
    let sandbox = machine();
    let words = ["enroll", "alice", "--hotp", "--secret-stdin", "--force"];
    let made = given(&sandbox, &words, &format!("{as_typed}\n{}\n", device.code(0)));
    assert_eq!(made.status.code(), Some(0), "enroll: {}", errors(&made));
    assert_eq!(log_in(&sandbox, &device.code(1)), "PAM_SUCCESS");

    let sandbox = machine();
    alice_is_enrolled(&sandbox);
    let words = ["add", "token", "--user", "alice", "--hotp", "--secret-stdin", "--force"];
    let made = given(&sandbox, &words, &format!("{secret}\n{}\n", device.code(0)));
    assert_eq!(made.status.code(), Some(0), "add: {}", errors(&made));
    assert_eq!(log_in(&sandbox, &device.code(1)), "PAM_SUCCESS");

    let sandbox = machine();
    let (alice, _) = Planted::counting("alice", 1000);
    alice.put_credential_into(&sandbox.store());
    let path = alice.directory(&sandbox.store()).join("credential.toml");
    let text = std::fs::read_to_string(&path).expect("a credential");
    let theirs = alice.credential.authenticators[0].secret.to_base32();
    planting::write(&path, text.replace(theirs.as_str(), secret).as_bytes());
    let adopted = run(&sandbox, &["adopt", "alice"]);
    assert_eq!(adopted.status.code(), Some(0), "adopt: {}", errors(&adopted));
    assert_eq!(log_in(&sandbox, &device.code(0)), "PAM_SUCCESS");

    let sandbox = machine();
    let uri = format!("otpauth://hotp/a?secret={secret}&counter=0\n");
    let made = given(&sandbox, &["import", "uri", "-", "alice", "--apply"], &uri);
    assert_eq!(made.status.code(), Some(0), "import: {}", errors(&made));
    assert_eq!(log_in(&sandbox, &device.code(0)), "PAM_SUCCESS");
}

#[test]
fn a_secret_typed_at_a_terminal_is_not_seen() {
    let sandbox = machine();
    alice_is_enrolled(&sandbox);
    let device = Device::counting(BASE32);
    let words = ["add", "token", "--user", "alice", "--hotp", "--counter", "7", "--secret-stdin"];
    let mut terminal = on_terminal(&sandbox, &words);
    terminal.expect("secret of the device: ");
    terminal.send_line(BASE32);
    terminal.expect(QUESTION);
    terminal.send_line(&device.code(6));
    terminal.expect("that is not the code");
    terminal.expect(QUESTION);
    terminal.send_line(&device.code(9));
    terminal.expect("token of alice is in force");
    assert_eq!(terminal.wait(), 0);
    assert!(!terminal.transcript().contains("GEZD"), "{}", terminal.transcript());
    assert_eq!(log_in(&sandbox, &device.code(9)), "PAM_AUTH_ERR");
    assert_eq!(log_in(&sandbox, &device.code(10)), "PAM_SUCCESS");
}

#[test]
fn what_is_no_secret_is_refused_and_never_repeated() {
    let sandbox = machine();
    let long = "A".repeat(208);
    for (option, line, why) in [
        ("--secret-stdin", "GEZDGNBV", "the secret is shorter than 80 bits"),
        ("--secret-stdin", HEX, "the secret is not base32\nhint: for a secret in hex: --secret-stdin=hex"),
        ("--secret-stdin", long.as_str(), "the secret is longer than 1024 bits"),
        ("--secret-stdin=hex", BASE32, "the secret is not hex\nhint: for a secret in base32: --secret-stdin"),
        ("--secret-stdin=hex", "313233343536373839", "the secret is shorter than 80 bits"),
        ("--secret-stdin", "", "the secret is shorter than 80 bits"),
    ] {
        let refused = given(&sandbox, &["enroll", "alice", option, "--force"], &format!("{line}\n"));
        assert_eq!(refused.status.code(), Some(2), "{line}");
        assert!(errors(&refused).contains(&format!("countersign: {why}")), "{}", errors(&refused));
        assert!(line.is_empty() || !errors(&refused).contains(line), "{}", errors(&refused));
    }
    // A line that never ends is cut.
    let endless = "A".repeat(1_000_000);
    let refused = given(&sandbox, &["enroll", "alice", "--secret-stdin", "--force"], &endless);
    assert!(errors(&refused).contains("countersign: the secret is "), "{}", errors(&refused));
    let ended = given(&sandbox, &["enroll", "alice", "--secret-stdin", "--force"], "");
    assert_eq!(ended.status.code(), Some(3));
    let weak = Device::usual("GEZDGNBVGY3TQOJQ");
    let lines = format!("{}\n000000\n", weak.key);
    let warned = given(&sandbox, &["enroll", "alice", "--secret-stdin", "--force"], &lines);
    assert!(errors(&warned).contains("warning: this secret has 80 bits; 128 are the least to be safe"));
    assert!(nothing_is_kept(&sandbox));
}

#[test]
fn a_secret_that_comes_back_makes_no_used_code_good() {
    let sandbox = machine();
    alice_is_enrolled(&sandbox);
    let token = Device::counting(BASE32);
    let add = |name: &str, counter: u64, code: u64| {
        let counter = counter.to_string();
        let words =
            ["add", name, "--user", "alice", "--hotp", "--counter", &counter, "--secret-stdin", "--force"];
        given(&sandbox, &words, &format!("{BASE32}\n{}\n", token.code(code)))
    };
    assert_eq!(add("token", 0, 4).status.code(), Some(0));
    assert_eq!(log_in(&sandbox, &token.code(8)), "PAM_SUCCESS");
    let twice = add("other", 0, 9);
    assert_eq!(twice.status.code(), Some(3));
    assert!(errors(&twice).contains("there is a device of that secret already"), "{}", errors(&twice));
    command::must(&sandbox, &["remove", "alice", "--device", "token", "--yes"]);
    for used in [5, 8] {
        let refused = add("token", 0, used);
        assert_eq!(refused.status.code(), Some(3), "{}", errors(&refused));
        assert!(errors(&refused).contains("this code was already used"), "{}", errors(&refused));
    }
    assert_eq!(add("token", 0, 9).status.code(), Some(0));
    assert_eq!(log_in(&sandbox, &token.code(8)), "PAM_AUTH_ERR");
    assert_eq!(log_in(&sandbox, &token.code(10)), "PAM_SUCCESS");
}

#[test]
fn a_device_without_its_first_code_is_refused_until_it_is_confirmed() {
    let sandbox = machine();
    let made = given(&sandbox, &["enroll", "alice", "--no-confirm", "--force"], "");
    assert_eq!(made.status.code(), Some(0), "{}", errors(&made));
    assert!(
        errors(&made).contains("phone of alice is refused until its first code: countersign confirm alice")
    );
    let shown = String::from_utf8_lossy(&made.stdout).into_owned();
    assert_eq!(recovery_codes_on(&shown).len(), 10);
    let key = shown.lines().find_map(|line| line.strip_prefix("key for typing in: ")).expect("a key");
    let device = Device::usual(&key.replace(' ', ""));
    assert_eq!(log_in(&sandbox, &device.code(0)), "PAM_AUTH_ERR");
    let status = run(&sandbox, &["status", "alice"]);
    assert!(String::from_utf8_lossy(&status.stdout).contains("not confirmed"));

    let mut wrong = on_terminal(&sandbox, &["confirm", "alice"]);
    for _ in 0..5 {
        wrong.expect(QUESTION);
        wrong.send_line("no code");
        wrong.expect("that is not the code; wait for the next one and try again");
    }
    wrong.expect("countersign: no code was right");
    assert_eq!(wrong.wait(), 3);
    assert_eq!(log_in(&sandbox, &device.code(0)), "PAM_AUTH_ERR");

    let mut confirm = on_terminal(&sandbox, &["confirm", "alice"]);
    confirm.expect(QUESTION);
    confirm.send_line(&device.code(0));
    confirm.expect("phone of alice is in force");
    assert_eq!(confirm.wait(), 0);
    assert_eq!(log_in(&sandbox, &device.code(0)), "PAM_AUTH_ERR", "it is spent");
    assert_eq!(log_in(&sandbox, &device.code(1)), "PAM_SUCCESS");
    let log = sandbox.log_lines().join("\n");
    for event in ["device_pending", "device_confirmed"] {
        let line = format!("event={event} by=uid:0 authenticator=phone user=\"alice\"");
        assert!(log.contains(&line), "{log}");
    }

    let again = run(&sandbox, &["confirm", "alice"]);
    assert_eq!(again.status.code(), Some(3));
    assert!(errors(&again).contains("no such device waits for its first code"), "{}", errors(&again));
    assert_eq!(run(&sandbox, &["confirm", "bob"]).status.code(), Some(4));
    assert_eq!(run(&sandbox, &["confirm", "nobody-of-that-name"]).status.code(), Some(1));
}

#[test]
fn of_several_devices_that_wait_each_is_confirmed_by_its_name() {
    let sandbox = machine();
    alice_is_enrolled(&sandbox);
    for (name, option, secret) in
        [("token", "--secret-stdin", BASE32), ("tablet", "--secret-stdin=hex", &"ab".repeat(20))]
    {
        let words = ["add", name, "--user", "alice", "--hotp", option, "--no-confirm", "--force"];
        let made = given(&sandbox, &words, &format!("{secret}\n"));
        assert_eq!(made.status.code(), Some(0), "{}", errors(&made));
        assert!(made.stdout.is_empty(), "there is nothing to show");
    }
    let which = run(&sandbox, &["confirm", "alice"]);
    assert_eq!(which.status.code(), Some(3));
    assert!(errors(&which).contains("hint: name it: countersign confirm --device NAME USER"));
    let token = Device::counting(BASE32);
    let done = given(&sandbox, &["confirm", "alice", "--device", "token"], &format!("{}\n", token.code(0)));
    assert_eq!(done.status.code(), Some(0), "{}", errors(&done));
    assert_eq!(log_in(&sandbox, &token.code(1)), "PAM_SUCCESS");
}

/// Else nothing would be in force until then, and whoever relies on it is locked out.
#[test]
fn a_device_in_force_does_not_make_room_for_one_that_is_not_proven() {
    let sandbox = machine();
    alice_is_enrolled(&sandbox);
    for words in [&["enroll", "alice", "--replace"][..], &["replace", "phone", "--user", "alice"]] {
        let refused = run(&sandbox, &[words, &["--no-confirm", "--force"]].concat());
        assert_eq!(refused.status.code(), Some(3), "{words:?}");
        let errors = errors(&refused);
        assert!(errors.contains("no device would be in force until the new one is confirmed"), "{errors}");
        assert!(refused.stdout.is_empty());
    }
    assert_eq!(log_in(&sandbox, planting::RECOVERY_CODES[0]), "PAM_SUCCESS");
}

#[test]
fn the_page_of_recovery_codes_says_whose_they_are_and_what_to_do() {
    let sandbox = machine();
    alice_is_enrolled(&sandbox);
    let path = sandbox.path().join("page.txt");
    let made = run(&sandbox, &["recovery", "alice", "--force", "--file", path.to_str().expect("a path")]);
    assert_eq!(made.status.code(), Some(0), "{}", errors(&made));
    let page = std::fs::read_to_string(&path).expect("the page");
    let host = Command::new("uname").arg("-n").output().expect("uname").stdout;
    let today = Command::new("date").args(["-u", "+%F"]).output().expect("date").stdout;
    let [host, today] = [host, today].map(|text| String::from_utf8(text).expect("text").trim().to_owned());
    let first = page.lines().next().expect("a line");
    assert!(first.starts_with(&format!("Recovery codes of alice on {host}, made on 20")), "{first}");
    assert!(first.ends_with(&today), "{first}, unless it was made just before midnight");
    assert_eq!(recovery_codes_on(&page).len(), 10);
    for advice in ["countersign replace phone", "countersign recovery"] {
        assert!(page.contains(advice), "{page}");
    }
    // What any printer takes.
    assert!(
        page.is_ascii() && page.lines().count() < 60 && page.lines().skip(1).all(|line| line.len() <= 78)
    );
}
