//! What other programs keep goes on here: import and export, as an administrator sees them.
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

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::{Output, Stdio};

use command::{log_in, machine, nothing_is_kept, recovery_codes_on, run};
use planting::{CountingDevice, Phone, now};
use sandbox::Sandbox;

/// The secret of the tests, 160 bits, in base32 and in hex.
const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const HEX: &str = "3132333435363738393031323334353637383930";
/// Where the users of pam_oath are, inside.
const USERS: &str = "/run/users.oath";

/// Writes a file that only root may read, which is in `/run` inside.
fn write(sandbox: &Sandbox, name: &str, text: &str) -> PathBuf {
    let path = sandbox.path().join("run").join(name);
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
    path
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn run_with_input(sandbox: &Sandbox, words: &[&str], input: &str) -> Output {
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_countersign"));
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command runs");
    // It may end without reading all of it; what it did then shows in its status.
    let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

#[test]
fn users_of_pam_oath_go_on_with_the_next_code_of_their_devices() {
    let sandbox = machine();
    let text = format!(
        "# all of us\nHOTP\talice\t-\t{HEX}\t41\t123456\t2026-11-22T12:00:00L\nHOTP/E/8 bob + {HEX} 7\n\
         HOTP/T30 nobody-here - {HEX}\nHOTP carol - 00\nHOTP/T90 dora - {HEX}\nHOTP\n"
    );
    let path = write(&sandbox, "users.oath", &text);
    let dry = run(&sandbox, &["import", "oath", USERS]);
    let told = "line 7: not taken over: it does not have type, user, PIN and secret\n\
         alice: can be taken over\n  \
         taken over: a secret of 160 bits, codes of 6 digits by SHA1, a counter that stands at 42\n  \
         left: the last code: every code that could have been used counts as used\n\
         bob: can be taken over\n  \
         taken over: a secret of 160 bits, codes of 8 digits by SHA1, a counter that stands at 7\n\
         nobody-here: not taken over: there is no account nobody-here\n\
         carol: not taken over: the secret is shorter than 80 bits\n\
         dora: not taken over: there is no account dora\n";
    assert_eq!(out(&dry), told);
    assert_eq!(
        errors(&dry),
        "2 can be taken over, 0 enrolled already, 0 without a file, 4 refused, 0 failed\n\
         nothing was changed; --apply does it\n"
    );
    assert_eq!(dry.status.code(), Some(3));
    assert!(nothing_is_kept(&sandbox) && sandbox.log_lines().is_empty());

    let done = run(&sandbox, &["import", "oath", USERS, "--apply"]);
    assert_eq!(out(&done), told.replace("can be taken over", "taken over"));
    assert!(
        errors(&done).ends_with("there are no recovery codes yet: countersign recovery USER makes them\n")
    );
    assert_eq!(
        sandbox.log_lines().iter().filter(|line| line.contains("event=imported by=uid:0 user=")).count(),
        2
    );
    let device = CountingDevice::new(BASE32);
    assert_eq!(log_in(&sandbox, &device.code(41)), "PAM_AUTH_ERR", "used there");
    assert_eq!(log_in(&sandbox, &device.code(42)), "PAM_SUCCESS");
    assert_eq!(log_in(&sandbox, &device.code(42)), "PAM_AUTH_ERR", "used here");
    assert_eq!(fs::read_to_string(path).expect("the source"), text);

    let again = run(&sandbox, &["import", "oath", USERS, "--apply"]);
    assert!(out(&again).contains("alice: is enrolled already, and stays so\n"), "{}", out(&again));
    assert_eq!(log_in(&sandbox, &device.code(42)), "PAM_AUTH_ERR", "still used");
    assert_eq!(log_in(&sandbox, &device.code(43)), "PAM_SUCCESS");
}

#[test]
fn a_user_whose_codes_follow_a_pin_is_refused_and_loses_no_factor() {
    let sandbox = machine();
    write(
        &sandbox,
        "users.oath",
        &format!("HOTP alice - {HEX}\nHOTP alice 8989 {HEX}00\nHOTP bob - {HEX}\n"),
    );
    for apply in [&[][..], &["--apply"]] {
        let output = run(&sandbox, &[&["import", "oath", USERS], apply].concat());
        assert_eq!(output.status.code(), Some(3), "{}", out(&output));
        let told = "alice: not taken over: its line has a PIN, which cannot be kept here; \
            to do without it, put - in its place\n";
        assert!(out(&output).contains(told), "{}", out(&output));
    }
    assert!(!sandbox.store().join("users/alice").exists(), "nothing of a user who is refused");
    assert!(sandbox.store().join("users/bob").exists(), "the others are taken over");
}

/// The highest counter whose code is taken, 2^63 − 2.
const LAST_COUNTER: u64 = 9_223_372_036_854_775_806;

#[test]
fn a_counter_above_the_limit_is_refused_by_every_import_and_its_dry_run_and_the_limit_is_named() {
    let sandbox = machine();
    let limit = format!("its counter is above {LAST_COUNTER}, the highest that can be kept");
    for counter in [LAST_COUNTER + 1, LAST_COUNTER + 2, u64::MAX - 10, u64::MAX] {
        write(&sandbox, "users.oath", &format!("HOTP alice - {HEX} {counter}\n"));
        let uri = format!("otpauth://hotp/a?secret={BASE32}&counter={counter}\n");
        for apply in [&[][..], &["--apply"]] {
            let of_oath = run(&sandbox, &[&["import", "oath", USERS], apply].concat());
            let of_uri = run_with_input(&sandbox, &[&["import", "uri", "-", "alice"], apply].concat(), &uri);
            for output in [of_oath, of_uri] {
                assert_eq!(out(&output), format!("alice: not taken over: {limit}\n"), "{counter} {apply:?}");
                assert_eq!(output.status.code(), Some(3), "{counter} {apply:?}");
            }
        }
    }
    assert!(nothing_is_kept(&sandbox));
}

#[test]
fn every_counter_that_an_import_takes_over_logs_in_and_ends_in_a_refusal() {
    let sandbox = machine();
    let device = CountingDevice::new(BASE32);
    let uri = format!("otpauth://hotp/a?secret={BASE32}&counter={}\n", LAST_COUNTER - 9);
    let done = run_with_input(&sandbox, &["import", "uri", "-", "alice", "--apply"], &uri);
    assert_eq!(done.status.code(), Some(0), "{}{}", out(&done), errors(&done));
    assert_eq!(log_in(&sandbox, &device.code(LAST_COUNTER - 9)), "PAM_SUCCESS");
    assert_eq!(log_in(&sandbox, &device.code(LAST_COUNTER + 1)), "PAM_AUTH_ERR", "it could not be kept");
    assert_eq!(log_in(&sandbox, &device.code(LAST_COUNTER)), "PAM_SUCCESS");
    for counter in [LAST_COUNTER, LAST_COUNTER + 1, LAST_COUNTER + 2] {
        assert_eq!(log_in(&sandbox, &device.code(counter)), "PAM_AUTH_ERR", "{counter}");
    }
}

#[test]
fn a_blank_or_a_hash_sign_in_the_label_of_a_uri_does_no_harm() {
    for label in ["My Company:alice smith", "C#:alice", "#1 / a b#c", "web1\u{a0}x:zoë"] {
        let sandbox = machine();
        let uri = format!("otpauth://hotp/{label}?secret={BASE32}&counter=3\n");
        let done = run_with_input(&sandbox, &["import", "uri", "-", "alice", "--apply"], &uri);
        assert_eq!(done.status.code(), Some(0), "{label}: {}", out(&done));
        assert_eq!(log_in(&sandbox, &CountingDevice::new(BASE32).code(3)), "PAM_SUCCESS", "{label}");
    }
}

#[test]
fn a_uri_of_another_type_is_told_so_before_anything_else_of_it_is_judged() {
    let sandbox = machine();
    for query in ["?secret=GEZD&digits=5", "?secret=GEZDGNBVGY3TQOJQ", "?digits=9&secret=%zz", ""] {
        let uri = format!("otpauth://steam/Steam:alice{query}\n");
        let output = run_with_input(&sandbox, &["import", "uri", "-", "alice"], &uri);
        let told = "alice: not taken over: its type steam is not supported, only totp and hotp are\n";
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(3), told), "{query}");
    }
}

#[test]
fn an_import_of_everybody_is_well_the_second_time() {
    let sandbox = machine();
    write(&sandbox, "users.oath", &format!("HOTP/T60/7 alice - {HEX}\nHOTP bob - {HEX}\n"));
    let words = ["import", "oath", USERS, "--apply", "--recovery-dir", "/run/pages"];
    let first = run(&sandbox, &words);
    assert_eq!(first.status.code(), Some(0), "{}", errors(&first));
    let line = "  what could have been used counts as used: codes are taken in ";
    let seconds =
        out(&first).lines().find_map(|text| text.strip_prefix(line)?.strip_suffix(" s")?.parse().ok());
    assert!(seconds.is_some_and(|seconds: u64| (11 * 60..=12 * 60).contains(&seconds)), "{}", out(&first));

    let pages = sandbox.path().join("run/pages");
    assert_eq!(fs::metadata(&pages).expect("the directory").mode() & 0o777, 0o700);
    let page = pages.join("alice.txt");
    assert_eq!(fs::metadata(&page).expect("the page").mode() & 0o777, 0o600);
    let codes = recovery_codes_on(&fs::read_to_string(&page).expect("the page"));
    assert_eq!(codes.len(), 10);
    assert!(!out(&first).contains(&codes[0]) && !errors(&first).contains(&codes[0]));
    assert_eq!(log_in(&sandbox, &codes[0]), "PAM_SUCCESS");
    assert_eq!(log_in(&sandbox, &codes[0]), "PAM_AUTH_ERR");

    let kept = fs::read(&page).expect("the page");
    let second = run(&sandbox, &words);
    assert_eq!(second.status.code(), Some(0), "{}", errors(&second));
    assert!(
        errors(&second)
            .starts_with("0 taken over, 2 enrolled already, 0 without a file, 0 refused, 0 failed\n")
    );
    assert_eq!(fs::read(&page).expect("the page"), kept);
}

#[test]
fn a_page_that_cannot_be_written_keeps_its_user_as_he_was_and_nobody_else() {
    let sandbox = machine();
    write(&sandbox, "users.oath", &format!("HOTP alice - {HEX}\nHOTP bob - {HEX}\n"));
    let pages = sandbox.path().join("run/pages");
    fs::create_dir(&pages).expect("a directory");
    let words = ["import", "oath", USERS, "--apply", "--recovery-dir", "/run/pages"];
    let open_to_others = run(&sandbox, &words);
    assert_eq!(open_to_others.status.code(), Some(1));
    assert!(errors(&open_to_others).contains("it must be a directory for root alone"));
    assert!(nothing_is_kept(&sandbox));

    fs::set_permissions(&pages, fs::Permissions::from_mode(0o700)).expect("its mode");
    fs::write(pages.join("alice.txt"), "hers").expect("a page");
    let output = run(&sandbox, &words);
    assert_eq!(output.status.code(), Some(3), "{}", errors(&output));
    assert!(out(&output).contains("alice: not taken over: /run/pages/alice.txt is there already\n"));
    assert!(out(&output).contains("bob: taken over\n"));
    assert_eq!(fs::read(pages.join("alice.txt")).expect("the page"), b"hers");
    assert!(!sandbox.store().join("users/alice").exists());
}

#[test]
fn what_is_no_users_file_is_refused_at_once() {
    let sandbox = machine();
    let path = write(&sandbox, "users.oath", &format!("HOTP alice - {HEX}\n"));
    let refused = |why: &str| {
        let output = run(&sandbox, &["import", "oath", USERS, "--apply"]);
        assert_eq!(output.status.code(), Some(1), "{why}");
        assert!(errors(&output).contains(why), "{why}: {}", errors(&output));
        assert!(nothing_is_kept(&sandbox));
    };
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("its mode");
    refused("cannot use /run/users.oath: the file is open to others");
    fs::remove_file(&path).expect("away");
    refused("there is no such file");
    symlink("/run/elsewhere", &path).expect("a link");
    refused("it is no ordinary file");
    fs::remove_file(&path).expect("away");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    refused("it is no ordinary file");
}

#[test]
fn two_devices_of_a_user_come_together_or_not_at_all() {
    let sandbox = machine();
    let other = "00112233445566778899";
    write(
        &sandbox,
        "users.oath",
        &format!("HOTP alice - {HEX}\nHOTP alice - {other}\nHOTP bob - {HEX}\nHOTP bob - {HEX}\n"),
    );
    let output = run(&sandbox, &["import", "oath", USERS, "--apply"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(out(&output).contains("bob: not taken over: two authenticators have the same secret\n"));
    let second = CountingDevice::new(
        &data_encoding::BASE32_NOPAD.encode(&[0, 17, 34, 51, 68, 85, 102, 119, 136, 153]),
    );
    assert_eq!(log_in(&sandbox, &CountingDevice::new(BASE32).code(0)), "PAM_SUCCESS");
    assert_eq!(log_in(&sandbox, &second.code(3)), "PAM_SUCCESS");
    let status = out(&run(&sandbox, &["status", "alice"]));
    assert!(status.contains("phone-2"), "{status}");
}

#[test]
fn what_one_host_exports_another_imports_and_nothing_used_is_good_again() {
    let old = machine();
    write(&old, "users.oath", &format!("HOTP alice - {HEX} 5\nHOTP/T30/8 alice - 00112233445566778899\n"));
    command::must(&old, &["import", "oath", USERS, "--apply"]);
    let device = CountingDevice::new(BASE32);
    assert_eq!(log_in(&old, &device.code(8)), "PAM_SUCCESS");
    old.log_lines();

    let hidden = run(&old, &["export", "alice", "--uri"]);
    assert_eq!((hidden.status.code(), out(&hidden).as_str()), (Some(3), ""));
    assert!(old.log_lines().is_empty());
    assert_eq!(
        run(&old, &["export", "alice", "--force"]).status.code(),
        Some(2),
        "there is one form, and it is named"
    );
    assert_eq!(run(&old, &["export", "bob", "--uri", "--force"]).status.code(), Some(4));
    let shown = run(&old, &["export", "alice", "--uri", "--force"]);
    assert_eq!(shown.status.code(), Some(0));
    assert!(errors(&shown).starts_with("warning: whoever reads this can make the codes of alice\n"));
    assert!(old.log_lines().join("\n").contains("event=exported by=uid:0 user=\"alice\""));
    let uris = out(&shown);
    assert!(
        uris.contains(&format!(":alice?secret={BASE32}&issuer=")) && uris.contains("&counter=9\n"),
        "{uris}"
    );
    assert!(uris.contains("&digits=8\n"), "{uris}");

    let new = machine();
    let dry = run_with_input(&new, &["import", "uri", "-", "alice"], &uris);
    assert_eq!(dry.status.code(), Some(0), "{}", errors(&dry));
    assert!(out(&dry).contains("  left: issuer and account: the app shows them, nothing here does\n"));
    assert!(!out(&dry).contains(BASE32) && nothing_is_kept(&new));
    let done = run_with_input(&new, &["import", "uri", "-", "alice", "--apply"], &uris);
    assert_eq!(done.status.code(), Some(0), "{}", errors(&done));
    assert_eq!(log_in(&new, &device.code(8)), "PAM_AUTH_ERR", "used on the other host");
    assert_eq!(log_in(&new, &device.code(9)), "PAM_SUCCESS");
    let again = run_with_input(&new, &["import", "uri", "-", "alice", "--apply"], &uris);
    assert_eq!(again.status.code(), Some(3));
    assert!(out(&again).contains("alice: is enrolled already, and stays so\n"));
}

#[test]
fn bad_uris_are_refused_and_leave_nothing() {
    let good = format!("otpauth://hotp/a?secret={BASE32}&counter=0\n");
    let cases = [
        ("otpauth://totp/a?secret=%zz\n".to_owned(), 3, "a percent sign in it stands for nothing"),
        (format!("{good}otpauth://totp/a?secret=GEZD\n"), 3, "the secret is shorter than 80 bits"),
        (good.repeat(2), 3, "two authenticators have the same secret"),
        (good.repeat(9), 3, "there are more than 5 authenticators"),
        ("A".repeat(100_000), 3, "it is not otpauth://"),
        ("\n".to_owned(), 3, "given up"),
        (String::new(), 3, "given up"),
    ];
    for (input, status, why) in cases {
        let sandbox = machine();
        let output = run_with_input(&sandbox, &["import", "uri", "-", "alice", "--apply"], &input);
        let told = out(&output) + &errors(&output);
        assert_eq!(output.status.code(), Some(status), "{told}");
        assert!(told.contains(why), "{why}: {told}");
        assert!(nothing_is_kept(&sandbox));
    }
    let sandbox = machine();
    assert_eq!(
        run(&sandbox, &["import", "uri", &good, "alice"]).status.code(),
        Some(2),
        "not on the command line"
    );
    assert_eq!(run(&sandbox, &["import", "uri", "-", "nobody-here"]).status.code(), Some(1));
}

#[test]
fn on_a_terminal_a_uri_is_not_echoed_and_an_export_needs_no_force() {
    let sandbox = machine();
    let mut terminal = command::on_terminal(&sandbox, &["import", "uri", "-", "alice", "--apply"]);
    terminal.expect("otpauth URI, or an empty line to end: ");
    let uri = format!("otpauth://hotp/web1:alice?secret={BASE32}&issuer=web1&counter=3");
    terminal.send_line(&uri);
    terminal.expect("otpauth URI, or an empty line to end: ");
    terminal.send_line("");
    terminal.expect("alice: taken over");
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    assert!(!terminal.transcript().contains("GEZD"), "{}", terminal.transcript());

    let mut terminal = command::on_terminal(&sandbox, &["export", "alice", "--uri"]);
    terminal.expect("warning: whoever reads this can make the codes of alice");
    terminal.expect(&format!("secret={BASE32}&issuer="));
    terminal.expect("once alice logs in there: countersign remove alice");
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
}

#[test]
fn an_export_that_cannot_be_logged_shows_nothing() {
    let sandbox = machine();
    write(&sandbox, "users.oath", &format!("HOTP alice - {HEX}\n"));
    command::must(&sandbox, &["import", "oath", USERS, "--apply"]);
    fs::remove_file(sandbox.path().join("log")).expect("no logger");
    fs::write(sandbox.path().join("log"), "").expect("no logger");
    let output = run(&sandbox, &["export", "alice", "--uri", "--force"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
    assert!(errors(&output).contains("countersign: this could not be logged: "), "{}", errors(&output));
}

#[test]
fn what_cannot_go_to_another_host_is_named_and_the_rest_goes() {
    let sandbox = machine();
    let (mut alice, _) = planting::Planted::counting("alice", 1000);
    let mut phone = planting::Planted::new("alice", 1000).0.credential.authenticators[0].clone();
    phone.secret = pam_countersign::otp::SharedSecret::from_base32(BASE32).expect("a secret");
    "tablet".clone_into(&mut phone.id);
    alice.credential.authenticators.push(phone.clone());
    "waiting".clone_into(&mut phone.id);
    phone.confirmed = None;
    phone.secret = pam_countersign::otp::SharedSecret::from_bytes(&[9; 20]).expect("a secret");
    alice.credential.authenticators.push(phone);
    alice.state.keys.clear();
    alice.credential.disabled = true;
    alice.put_into(&sandbox.store());
    let output = run(&sandbox, &["export", "alice", "--uri", "--force"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(out(&output).contains(BASE32) && out(&output).lines().count() == 1, "{}", out(&output));
    let told = errors(&output);
    assert!(told.contains("phone is left out: where its counter stands is not known;"), "{told}");
    assert!(told.contains("warning: alice is disabled here;"), "{told}");
    assert!(told.contains("waiting is left out: it waits for its first code\n"), "{told}");
}

/// In the sandbox there is but one uid, so it is root whose home is read; see `tests/real_imports.rs`.
fn with_a_home() -> (Sandbox, PathBuf) {
    let sandbox = machine();
    let home = sandbox.path().join("run/home");
    fs::create_dir(&home).expect("a home");
    let passwd = sandbox.path().join("passwd");
    let text = fs::read_to_string(&passwd).expect("the accounts").replace(":/root:", ":/run/home:");
    fs::write(&passwd, text).expect("the accounts");
    (sandbox, home.join(".google_authenticator"))
}

#[test]
fn a_file_of_google_authenticator_is_told_taken_over_and_left_as_it_is() {
    let (sandbox, path) = with_a_home();
    let words = ["import", "google-authenticator", "root"];
    let absent = run(&sandbox, &words);
    assert_eq!((absent.status.code(), errors(&absent).as_str()), (Some(3), "there is no such file\n"));
    let step = now() / 30;
    let text = format!(
        "{BASE32}\n\" RATE_LIMIT 3 30 {0}\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE {step}\n\" TOTP_AUTH\n12345678\n",
        now()
    );
    write(&sandbox, "home/.google_authenticator", &text);
    let before = fs::metadata(&path).expect("the file");
    let told = "root: can be taken over\n  \
        taken over: a secret of 160 bits, codes of 6 digits by SHA1, a new one every 30 seconds, the codes that were used\n  \
        left: 1 scratch codes: too short to be kept; --recovery-dir makes recovery codes\n  \
        left: a window of 3 codes: here it is one period to either side, or ten counters ahead, and two codes in a row\n  \
        left: its limit of attempts: here waits grow after five wrong codes\n  \
        what could have been used counts as used: codes are taken in ";
    let dry = run(&sandbox, &words);
    assert_eq!(dry.status.code(), Some(0));
    assert!(out(&dry).starts_with(told), "{}", out(&dry));
    assert!(nothing_is_kept(&sandbox));
    let done = run(&sandbox, &[&words[..], &["--apply"]].concat());
    assert_eq!(done.status.code(), Some(0), "{}", errors(&done));
    let phone = Phone::new(BASE32);
    let typed = |code: &str| sandbox.login("door", "root", &[code]).authenticate().to_owned();
    assert_eq!(typed(&phone.code_at(step * 30)), "PAM_AUTH_ERR", "used there");
    assert_eq!(typed("12345678"), "PAM_AUTH_ERR", "a scratch code");
    let after = fs::metadata(&path).expect("the file");
    assert_eq!(fs::read_to_string(&path).expect("the file"), text);
    assert_eq!((before.mtime(), before.ctime(), before.ino()), (after.mtime(), after.ctime(), after.ino()));
    assert_eq!(
        run(&sandbox, &[&words[..], &["--apply"]].concat()).status.code(),
        Some(3),
        "enrolled already"
    );
}

#[test]
fn a_link_a_fifo_and_a_file_that_others_can_read_are_refused_in_a_home() {
    let (sandbox, path) = with_a_home();
    let refused = |why: &str| {
        let output = run(&sandbox, &["import", "google-authenticator", "root", "--apply"]);
        assert_eq!(output.status.code(), Some(3), "{why}");
        assert_eq!(out(&output), format!("root: not taken over: {why}\n"));
        fs::remove_file(&path).expect("away");
        assert!(nothing_is_kept(&sandbox));
    };
    let good = format!("{BASE32}\n\" TOTP_AUTH\n");
    write(&sandbox, "elsewhere", &good);
    symlink("/run/elsewhere", &path).expect("a link");
    refused("it is no ordinary file");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    refused("it is no ordinary file");
    write(&sandbox, "home/.google_authenticator", &good);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("its mode");
    refused("the file is open to others");
    write(&sandbox, "home/.google_authenticator", &(good.clone() + &"\n".repeat(65_536)));
    refused("the file is too large");
    write(&sandbox, "home/.google_authenticator", &(good + "\0"));
    refused("it holds a NUL byte");
}
