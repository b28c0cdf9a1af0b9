//! How a new device is shown: QR codes that scan on any terminal and from files, the key, the private screen;
//! and what is left of it when somebody gives up.
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
#[path = "screen/mod.rs"]
mod screen;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use command::{
    QUESTION, after, alone_with_signals, log_in, machine, nothing_is_kept, on_terminal, phone_of, run, start,
};
use container::Terminal;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use planting::Planted;
use screen::Theme;

const COMMAND: &str = env!("CARGO_BIN_EXE_countersign");
const TO_THE_PRIVATE_SCREEN: &str = "\u{1b}[?1049h";
const BACK: &str = "\u{1b}[?1049l";

/// RFC 3986, by other means than those that are tested.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// The key on the screen, wherever its lines are broken.
fn key_on(terminal: &mut Terminal) -> String {
    terminal.expect("key for typing in:");
    terminal.expect(QUESTION).split_whitespace().collect()
}

fn give_up(mut terminal: Terminal) {
    terminal.send_control('c');
    terminal.wait();
}

#[test]
fn every_form_reads_to_the_exact_uri_whatever_the_labels() {
    let longest = "𝕬".repeat(64);
    let labels = [
        ("h", "a"),
        ("web1.example.org", "alice@example.org"),
        ("Müller & Söhne", "zoë +1 50%"),
        ("例え株式会社", "ユーザー"),
        (longest.as_str(), longest.as_str()),
    ];
    for (issuer, label) in labels {
        let sandbox = machine();
        let [png, svg] = ["code.png", "code.svg"].map(|name| sandbox.path().join(name));
        for form in ["--ascii", "--private"] {
            let files = ["--png", png.to_str().expect("a path"), "--svg", svg.to_str().expect("a path")];
            let words = ["enroll", "alice", "--issuer", issuer, "--label", label, form];
            let mut terminal = after(&sandbox, "stty columns 400 rows 220", &[&words[..], &files].concat());
            let key = key_on(&mut terminal);
            let (issuer, label) = (escaped(issuer), escaped(label));
            let uri = format!("otpauth://totp/{issuer}:{label}?secret={key}&issuer={issuer}");
            for theme in [Theme::Dark, Theme::Light] {
                let read = screen::read_qr_code_on(&terminal.transcript(), theme);
                assert_eq!(read, uri, "{form} on {theme:?}");
            }
            assert_eq!(screen::read_picture(&png), uri);
            assert_eq!(screen::read_svg(&svg), uri);
            for file in [&png, &svg] {
                let mode = fs::metadata(file).expect("a file").permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", file.display());
            }
            give_up(terminal);
            assert!(!png.exists() && !svg.exists(), "what was given up is gone");
            assert!(nothing_is_kept(&sandbox));
        }
    }
}

#[test]
fn the_uri_says_all_that_the_codes_are_made_of() {
    let sandbox = machine();
    let made: [(&[&str], &str, &str); 3] = [
        (
            &["--algorithm", "sha256", "--digits", "7", "--period", "15"],
            "totp",
            "&algorithm=SHA256&digits=7&period=15",
        ),
        (
            &["--algorithm", "sha512", "--digits", "8", "--hotp"],
            "hotp",
            "&algorithm=SHA512&digits=8&counter=0",
        ),
        (&["--hotp"], "hotp", "&counter=0"),
    ];
    for (words, kind, parameters) in made {
        let words = [&["enroll", "alice", "--issuer", "web1"], words].concat();
        let mut terminal = after(&sandbox, "stty columns 200 rows 100", &words);
        let key = key_on(&mut terminal);
        let uri = format!("otpauth://{kind}/web1:alice?secret={key}&issuer=web1{parameters}");
        assert_eq!(screen::read_qr_code(&terminal.transcript()), uri);
        for odd in ["algorithm", "digits", "period"] {
            let warned = terminal.transcript().contains(&format!("warning: many apps ignore --{odd}"));
            assert_eq!(warned, words.contains(&format!("--{odd}").as_str()), "{odd} in {words:?}");
        }
        give_up(terminal);
    }
}

#[test]
fn a_console_without_utf_8_gets_ascii_alone() {
    let sandbox = machine();
    for (line, is_ascii) in [
        ("export LANG=C", true),
        ("export LC_ALL=de_DE.ISO-8859-1", true),
        ("export LANG=C LC_CTYPE=C.UTF-8", false),
        ("unset LANG", false),
    ] {
        let mut terminal =
            after(&sandbox, &format!("stty columns 200 rows 100; {line}"), &["enroll", "alice"]);
        let key = key_on(&mut terminal);
        let screen = terminal.transcript();
        assert_eq!(screen.is_ascii(), is_ascii, "{line}: {screen}");
        assert!(screen::read_qr_code(&screen).contains(&key), "{line}");
        give_up(terminal);
    }
}

#[test]
fn a_terminal_of_twenty_columns_gets_the_key_in_whole_groups_and_is_told_of_files() {
    let sandbox = machine();
    let mut terminal = after(&sandbox, "stty columns 20 rows 8", &["enroll", "alice"]);
    terminal.expect("the terminal is too small for the QR code, which takes ");
    terminal.expect("--png FILE or --svg FILE, or type the key");
    terminal.expect("key for typing in:\r\n");
    let lines: Vec<String> = terminal.expect(QUESTION).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line.len() == 19 && line.split(' ').all(|group| group.len() == 4)));
    let phone = planting::Phone::new(&lines.concat().replace(' ', ""));
    terminal.send_line(&phone.code(0));
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    assert_eq!(log_in(&sandbox, &phone.code(1)), "PAM_SUCCESS");
}

#[test]
fn the_size_that_a_code_is_said_to_take_is_enough_and_less_is_not() {
    let sandbox = machine();
    for form in [&["enroll", "alice"][..], &["enroll", "alice", "--ascii"]] {
        let mut small = after(&sandbox, "stty columns 20 rows 8", form);
        small.expect("which takes ");
        let columns: usize = small.expect(" columns").parse().expect("a number");
        small.expect(" and ");
        let lines: usize = small.expect(" lines").parse().expect("a number");
        give_up(small);
        for (columns, lines, fits) in
            [(columns, lines, true), (columns - 1, lines, false), (columns, lines - 1, false)]
        {
            let mut terminal = after(&sandbox, &format!("stty columns {columns} rows {lines}"), form);
            let key = key_on(&mut terminal);
            let screen = terminal.transcript();
            assert_eq!(!screen.contains("too small"), fits, "{form:?} on {columns} x {lines}");
            if fits {
                assert!(screen::read_qr_code(&screen).contains(&key));
                let used = screen.lines().skip_while(|line| !line.contains('\u{1b}')).count();
                assert!(used <= lines, "{used} of {lines} lines");
            }
            give_up(terminal);
        }
    }
}

#[test]
fn what_is_private_is_on_a_screen_of_its_own() {
    let sandbox = machine();
    let mut terminal = on_terminal(&sandbox, &["enroll", "alice", "--private"]);
    terminal.expect(TO_THE_PRIVATE_SCREEN);
    let phone = phone_of(&mut terminal);
    terminal.send_line(&phone.wrong_code());
    terminal.expect(QUESTION);
    // Control and Z would stop it with the secret on the screen.
    terminal.send_control('z');
    terminal.send_line(&phone.code(0));
    terminal.expect("press Enter once you have kept them: ");
    terminal.send_line("");
    terminal.expect(BACK);
    terminal.expect("alice is enrolled");
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    let screen = terminal.transcript();
    let (before, private) = screen.split_once(TO_THE_PRIVATE_SCREEN).expect("it is entered");
    let (private, after) = private.split_once(BACK).expect("it is left");
    assert_eq!(command::recovery_codes_on(private).len(), 10);
    for outside in [before, after] {
        assert!(!outside.contains("key for typing in") && command::recovery_codes_on(outside).is_empty());
    }
    assert_eq!(log_in(&sandbox, &phone.code(1)), "PAM_SUCCESS");

    let mut terminal = on_terminal(&sandbox, &["add", "tablet", "--user", "alice", "--private"]);
    terminal.expect(TO_THE_PRIVATE_SCREEN);
    let tablet = phone_of(&mut terminal);
    terminal.send_line(&tablet.code(0));
    terminal.expect(BACK);
    terminal.expect("tablet of alice is in force");
    assert_eq!(terminal.wait(), 0);
}

/// The command itself, among the processes that have this path among their words.
fn process_of(path: &Path) -> Pid {
    let path = path.to_str().expect("a path");
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let found = processes.filter_map(|process| {
        let words = fs::read_to_string(process.path().join("cmdline")).ok()?;
        let is_it = words.starts_with(COMMAND) && words.split('\0').any(|word| word == path);
        is_it.then(|| process.file_name().to_str()?.parse().ok())?
    });
    Pid::from_raw(found.last().expect("the command"))
}

#[test]
fn new_recovery_codes_can_be_private_too() {
    let sandbox = machine();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let mut terminal = on_terminal(&sandbox, &["recovery", "alice", "--private"]);
    terminal.expect(TO_THE_PRIVATE_SCREEN);
    terminal.expect("press Enter once you have kept them: ");
    let codes = command::recovery_codes_on(&terminal.transcript());
    terminal.send_line("");
    terminal.expect(BACK);
    terminal.expect("the new recovery codes of alice are in force");
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    assert_eq!((codes.len(), command::recovery_codes_on(&terminal.transcript()).len()), (10, 10));
    assert_eq!(log_in(&sandbox, &codes[0]), "PAM_SUCCESS");
    let refused = run(&sandbox, &["recovery", "alice", "--private", "--force"]);
    assert_eq!(refused.status.code(), Some(3));
    assert_eq!(log_in(&sandbox, &codes[1]), "PAM_SUCCESS", "nothing was changed");
}

/// As in an editor or on paper.
#[test]
fn what_is_forced_into_a_file_is_read_dark_on_light() {
    let sandbox = machine();
    let output = run(&sandbox, &["enroll", "alice", "--force"]);
    let shown = String::from_utf8(output.stdout).expect("text");
    assert!(!shown.contains('\u{1b}'));
    let key = shown.lines().find_map(|line| line.strip_prefix("key for typing in: ")).expect("a key");
    assert!(screen::read_qr_code_on(&shown, Theme::Light).contains(&key.replace(' ', "")));
}

#[test]
fn whatever_ends_it_the_screen_is_given_back_and_nothing_is_left() {
    let sandbox = machine();
    let png = sandbox.path().join("code.png");
    let words = [COMMAND, "enroll", "alice", "--private", "--png", png.to_str().expect("a path")];
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        let mut terminal = alone_with_signals(&sandbox, &words);
        key_on(&mut terminal);
        assert!(png.exists());
        if signal == Signal::SIGINT {
            terminal.send_control('c');
        } else {
            kill(process_of(&png), signal).expect("the command runs");
        }
        terminal.expect(BACK);
        terminal.expect("countersign: given up");
        assert_eq!(terminal.wait(), 128 + signal as i32, "{signal}");
        assert!(!png.exists(), "{signal}");
        assert!(nothing_is_kept(&sandbox), "{signal}");
    }
    let mut wrong = alone_with_signals(&sandbox, &words);
    key_on(&mut wrong);
    for _ in 0..5 {
        wrong.send_line("no idea");
    }
    wrong.expect(BACK);
    wrong.expect("countersign: no code was right");
    assert_eq!(wrong.wait(), 3);
    assert!(!png.exists());
}

#[test]
fn a_private_screen_needs_a_terminal() {
    let sandbox = machine();
    let refused = run(&sandbox, &["enroll", "alice", "--private", "--force"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(refused.stdout.is_empty());
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(errors.contains("countersign: a private screen needs a terminal"), "{errors}");
    let mut piped = after(&sandbox, "exec </dev/null", &["enroll", "alice", "--private"]);
    piped.expect("countersign: a private screen needs a terminal");
    assert_eq!(piped.wait(), 3);
    assert!(nothing_is_kept(&sandbox));
}

#[test]
fn a_qr_code_that_is_kept_stays_and_is_named() {
    let sandbox = machine();
    let png = sandbox.path().join("code.png");
    let mut terminal = on_terminal(&sandbox, &["enroll", "alice", "--png", png.to_str().expect("a path")]);
    let phone = phone_of(&mut terminal);
    terminal.send_line(&phone.code(0));
    terminal.expect(&format!("the QR code is in {}: whoever reads it has the secret", png.display()));
    assert_eq!(terminal.wait(), 0);
    assert!(screen::read_picture(&png).starts_with("otpauth://totp/"));
}

/// Nothing of what is there already is changed, through links neither.
#[test]
fn no_file_is_overwritten() {
    let sandbox = machine();
    let at = |name: &str| -> PathBuf { sandbox.path().join(name) };
    fs::write(at("precious"), "precious").expect("a file");
    symlink(at("precious"), at("link")).expect("a link");
    symlink(at("nowhere"), at("dangling")).expect("a link");
    fs::create_dir(at("directory")).expect("a directory");
    for option in ["--png", "--svg", "--recovery-file"] {
        for name in ["precious", "link", "dangling", "directory"] {
            let path = at(name);
            let refused =
                run(&sandbox, &["enroll", "alice", "--force", option, path.to_str().expect("a path")]);
            assert_eq!(refused.status.code(), Some(3), "{option} {name}");
            let errors = String::from_utf8_lossy(&refused.stderr);
            assert!(errors.contains(&format!("{} is there already", path.display())), "{errors}");
            assert!(refused.stdout.is_empty(), "{option} {name}");
        }
    }
    // Both at once in the same place: the second finds the first.
    let twice = at("twice");
    let twice = twice.to_str().expect("a path");
    let refused = run(&sandbox, &["enroll", "alice", "--force", "--png", twice, "--svg", twice]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(!Path::new(twice).exists());
    assert_eq!(fs::read_to_string(at("precious")).expect("the file"), "precious");
    assert!(!at("nowhere").exists() && nothing_is_kept(&sandbox));
}

#[test]
fn a_full_disk_leaves_no_part_of_a_file_and_no_enrolment() {
    let sandbox = machine();
    let small = sandbox.path().join("small");
    fs::create_dir(&small).expect("a directory");
    let path = small.join("file");
    let path = path.to_str().expect("a path");
    // Room for the directory entry, and none for the content.
    let mount = format!(
        "mount -t tmpfs -o size=4k tmpfs '{0}' && head -c 4096 /dev/zero >'{0}/filler' && trap '' XFSZ",
        small.display()
    );
    for option in ["--png", "--svg", "--recovery-file"] {
        // Looked at inside: the disk is seen nowhere else.
        let script = format!("{mount}; \"$0\" \"$@\"; ends=$?; ls -A '{}'; exit $ends", small.display());
        let mut shell = sandbox.command("sh");
        shell.args(["-c", &script, COMMAND, "enroll", "alice", option, path]);
        let mut terminal = start(&shell);
        if option == "--recovery-file" {
            let phone = phone_of(&mut terminal);
            terminal.send_line(&phone.code(0));
        }
        terminal.expect(&format!("countersign: cannot write {path}: No space left on device"));
        terminal.expect("nothing was changed");
        assert_eq!(terminal.wait(), 1, "{}", terminal.transcript());
        let screen = terminal.transcript();
        assert!(screen.ends_with("\nfiller\r\n"), "{option}: {screen}");
        assert!(nothing_is_kept(&sandbox), "{option}");
    }
}

#[test]
fn what_cannot_be_a_label_is_wrong_usage() {
    let sandbox = machine();
    let (alice, _) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    let long = "x".repeat(65);
    for option in ["--issuer", "--label"] {
        for text in ["", "a:b", " a", "a\u{1b}[2J", &long] {
            let words = ["add", "tablet", "--user", "alice", "--force", option, text];
            let refused = run(&sandbox, &words);
            assert_eq!(refused.status.code(), Some(2), "{option} {text:?}");
            let errors = String::from_utf8_lossy(&refused.stderr);
            assert!(errors.contains("cannot be an issuer or a label\nhint: use up to 64"), "{errors}");
            assert!(!errors.contains('\u{1b}'));
        }
    }
}
