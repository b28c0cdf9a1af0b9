//! Bad input: each denies at once, with one log line that names the cause and the mend, and changes
//! nothing on disk.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]

#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use planting::Planted;
use sandbox::{Conversation, Sandbox, module};

struct Door {
    sandbox: Sandbox,
    alice: Planted,
    code: String,
}

impl Door {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let (alice, phone) = Planted::new("alice", 1000);
        alice.put_into(&sandbox.store());
        // nullok: what cannot be read must not be taken for "not enrolled".
        sandbox.service("door", &format!("auth required {} nullok attempts=1\n", module().display()));
        let code = phone.code(0);
        Self { sandbox, alice, code }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.alice.directory(&self.sandbox.store()).join(name)
    }

    /// Logs in with the right code and checks that it is denied, logged and leaves the disk alone.
    fn must_deny(&self, what: &str, reason: &str) {
        let before = listing(&self.sandbox.store());
        let login = self.sandbox.login("door", "alice", &[&self.code]);
        assert_eq!(login.authenticate(), "PAM_AUTHINFO_UNAVAIL", "{what}: {}", login.raw);
        self.must_have_logged(what, reason);
        assert_eq!(listing(&self.sandbox.store()), before, "{what}");
    }

    fn must_have_logged(&self, what: &str, reason: &str) {
        let lines = self.sandbox.log_lines();
        let [line] = &lines[..] else { panic!("{what}: one log line a decision: {lines:?}") };
        assert!(line.contains(&format!(" reason={reason} ")), "{what}: {line}");
        assert!(line.contains(" cause=\"") && line.contains(" mend=\""), "{what}: {line}");
    }
}

/// Every name below a directory with its type, mode, size and, where it is small, its content.
fn listing(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let metadata = fs::symlink_metadata(&path).expect("an entry");
            let small = metadata.is_file() && metadata.len() < 1_000_000;
            let content = if small { fs::read(&path).unwrap_or_default() } else { Vec::new() };
            let kind = metadata.file_type();
            found.push(format!(
                "{} {kind:?} {:o} {} {content:?}",
                path.display(),
                metadata.mode_bits(),
                metadata.len()
            ));
            if metadata.is_dir() {
                left.push(path);
            }
        }
    }
    found.sort();
    found
}

trait ModeBits {
    fn mode_bits(&self) -> u32;
}

impl ModeBits for fs::Metadata {
    fn mode_bits(&self) -> u32 {
        self.permissions().mode()
    }
}

type Change = fn(&Path);

/// What may stand in place of a file, the reason that is logged for it, and how it gets there.
const IN_PLACE_OF_A_FILE: [(&str, Change); 6] = [
    ("a FIFO", |path| {
        let made = Command::new("mkfifo").args(["-m", "600"]).arg(path).status();
        assert!(made.is_ok_and(|status| status.success()));
    }),
    ("a symbolic link", |path| symlink("/etc/passwd", path).expect("a link")),
    ("a dangling symbolic link", |path| symlink("/nowhere", path).expect("a link")),
    ("a directory", |path| fs::create_dir(path).expect("a directory")),
    ("a file open to all", |path| {
        fs::write(path, "x").expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("a mode");
    }),
    ("a file of 1 GiB", |path| {
        planting::write(path, b"");
        fs::File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_len(1 << 30))
            .expect("a large file");
    }),
];

#[test]
fn anything_but_a_file_in_place_of_credential_or_state_denies() {
    for name in ["credential.toml", "state"] {
        for (what, put) in IN_PLACE_OF_A_FILE {
            let door = Door::new();
            fs::remove_file(door.file(name)).expect("the file was there");
            put(&door.file(name));
            // A state of another size is one that was damaged, and can be repaired.
            let is_damage = name == "state" && what.contains("1 GiB");
            let reason = if is_damage { "state_damaged" } else { "store_distrusted" };
            door.must_deny(&format!("{what} in place of {name}"), reason);
        }
    }
}

#[test]
fn empty_files_deny() {
    let door = Door::new();
    planting::write(&door.file("credential.toml"), b"");
    door.must_deny("an empty credential", "credential_damaged");
    let door = Door::new();
    planting::write(&door.file("state"), b"");
    door.must_deny("an empty state", "state_damaged");
}

#[test]
fn a_state_with_both_slots_torn_denies() {
    let door = Door::new();
    let mut bytes = fs::read(door.file("state")).expect("the state");
    bytes[200] ^= 1;
    bytes[65_536 + 200] = b'x';
    planting::write(&door.file("state"), &bytes);
    door.must_deny("both slots torn", "state_damaged");
}

#[test]
fn a_credential_that_breaks_its_format_denies_and_the_log_says_where() {
    let good = fs::read_to_string(Door::new().file("credential.toml")).expect("the credential");
    let secret = good.lines().find(|line| line.starts_with("secret")).expect("a secret").to_owned();
    let two = good.replace("[recovery]", "[[authenticator]]\nid = \"phone\"\nsecret = \"KBSWY3DPEHPK3PXP\"\ntype = \"totp\"\nalgorithm = \"SHA1\"\ndigits = 6\n\n[recovery]");
    let broken = [
        ("an unknown key", good.replace("disabled", "admin = true\ndisabled")),
        ("another version", good.replace("format = 1", "format = 2")),
        ("bad base32", good.replace(&secret, "secret = \"0189 not base32 at all\"")),
        ("a duplicate id", two),
        ("not TOML", "=====".to_owned()),
    ];
    for (what, text) in broken {
        assert_ne!(text, good, "{what}");
        let door = Door::new();
        planting::write(&door.file("credential.toml"), text.as_bytes());
        door.must_deny(what, "credential_damaged");
    }
}

#[test]
fn a_missing_credential_or_store_is_not_taken_for_unenrolled() {
    let door = Door::new();
    fs::remove_file(door.file("credential.toml")).expect("the credential");
    door.must_deny("no credential", "credential_missing");
    let door = Door::new();
    fs::remove_dir_all(door.alice.directory(&door.sandbox.store())).expect("the directory");
    door.must_deny("no directory, but an entry in by-uid", "credential_missing");
    for part in ["users", "by-uid"] {
        let door = Door::new();
        fs::remove_dir_all(door.alice.directory(&door.sandbox.store())).expect("the directory");
        fs::remove_dir_all(door.sandbox.store().join(part)).expect("a part of the store");
        door.must_deny(&format!("no {part}"), "store_missing");
    }
}

#[test]
fn directories_that_others_may_enter_deny() {
    let door = Door::new();
    fs::set_permissions(door.sandbox.store().join("users"), fs::Permissions::from_mode(0o755))
        .expect("a mode");
    door.must_deny("users open to all", "store_distrusted");
}

#[test]
fn a_name_that_is_none_denies() {
    for (what, hex) in
        [("a newline", "616c0a696365"), ("not UTF-8", "616cff696365"), ("300 bytes", &"61".repeat(300))]
    {
        let door = Door::new();
        let before = listing(&door.sandbox.store());
        let mut client = door.sandbox.client();
        client.args(["--service", "door", "--user-bytes", hex, "--reply", &door.code]);
        let login = Conversation::of(client);
        assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "{what}: {}", login.raw);
        door.must_have_logged(what, "bad_user_name");
        assert_eq!(listing(&door.sandbox.store()), before);
    }
}

#[test]
fn a_name_that_leads_elsewhere_denies() {
    for name in ["..", "../users/alice", "alice/", "/", ".", "alice/../alice", "%61lice"] {
        let door = Door::new();
        let before = listing(&door.sandbox.store());
        let login = door.sandbox.login("door", name, &[&door.code]);
        assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "{name}: {}", login.raw);
        let lines = door.sandbox.log_lines();
        assert!(lines.len() == 1 && lines[0].contains(" reason=unknown_user "), "{lines:?}");
        assert_eq!(listing(&door.sandbox.store()), before);
    }
}

#[test]
fn odd_replies_deny_and_charge_nothing() {
    let long = "1".repeat(4096);
    for reply in ["", " ", &long, "\u{8}\n\r\u{7f}INCORRECT\u{8}\n"] {
        let door = Door::new();
        let before = listing(&door.sandbox.store());
        let login = door.sandbox.login("door", "alice", &[reply]);
        assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "{}", login.raw);
        let lines = door.sandbox.log_lines();
        assert!(lines.len() == 1 && lines[0].contains(" reason=malformed "), "{lines:?}");
        assert_eq!(listing(&door.sandbox.store()), before);
    }
}

#[test]
fn the_log_never_holds_a_secret_or_a_code() {
    let door = Door::new();
    let module = module();
    door.sandbox.service("door", &format!("auth required {} debug attempts=2\n", module.display()));
    let credential = fs::read_to_string(door.file("credential.toml")).expect("the credential");
    let secret = credential.lines().find_map(|line| line.strip_prefix("secret = \"")).expect("a secret");
    door.sandbox.login("door", "alice", &["password of alice", &door.code]);
    let log = door.sandbox.log_lines().join("\n");
    assert!(log.contains("event=accepted") && log.contains("debug: "), "{log}");
    for hidden in [door.code.as_str(), "password of alice", secret.trim_end_matches('"')] {
        assert!(!log.contains(hidden), "{log}");
    }
}
