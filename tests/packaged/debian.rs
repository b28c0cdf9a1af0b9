//! The life of the Debian package on a machine: each step, and a login by ssh, console and sudo after it.

use super::files::{choices, must_unattended, named, stacks};
use super::installed::{Guarded, Seen};
use super::made::{deb, older_deb};
use super::planting::{CountingDevice, Planted, now};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// A key opens nothing by itself, and is what a remembered login is bound to.
const SSHD: &str = "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
                    AuthenticationMethods publickey,keyboard-interactive:pam keyboard-interactive:pam\n";
const POLICY: &str = "# of this machine\nremember = \"12h\"\n";
const PASSWORD_ALONE: [&str; 1] = ["password"];
const BOTH: [&str; 2] = ["password", "code"];

/// A device, and how many of its codes are used.
pub(super) struct Owner {
    device: CountingDevice,
    used: Cell<u64>,
}

impl Owner {
    pub(super) fn enrolled(guarded: &Guarded, user: &str) -> Owner {
        Owner { device: guarded.plant_counting(user).1, used: Cell::new(0) }
    }

    /// One that was never used.
    pub(super) fn code(&self) -> String {
        let next = self.used.get();
        self.used.set(next + 1);
        self.device.code(next)
    }

    fn wrong_code(&self) -> String {
        self.device.wrong_code(self.used.get())
    }
}

/// A machine with alice, bob and olga, into which a package is put. None of them is enrolled.
pub(super) fn machine(suite: &str) -> Guarded {
    let guarded = Guarded::boot_without(suite, &[]);
    for name in ["alice", "bob", "olga"] {
        guarded.add_person(name);
        guarded.must(&["usermod", "--append", "--groups=sudo", name]);
    }
    // The sshd of Debian 13 lets nobody in for a while from where somebody has erred, as these tests do.
    let patience = if suite == "bookworm" { "" } else { "PerSourcePenalties no\n" };
    guarded.sshd_config(&format!("{SSHD}{patience}"));
    guarded
}

/// Puts a package of this machine's host into it, as an administrator does by hand. Returns what dpkg says.
pub(super) fn install(guarded: &Guarded, package: &Path) -> String {
    guarded.copy_in(package, "/root/package.deb", 0o644);
    must_unattended(guarded, &["dpkg", "--install", "/root/package.deb"])
}

pub(super) fn enable(guarded: &Guarded) {
    must_unattended(guarded, &["pam-auth-update", "--enable", "countersign"]);
}

/// Every way in: ssh, the console, sudo.
fn ways_in(guarded: &mut Guarded, user: &str, code: &dyn Fn() -> String) -> [Seen; 3] {
    let (ssh, sudo) = (code(), code());
    [
        guarded.by_ssh(user).code(&ssh).seen(),
        guarded.by_sudo(user).code(&sudo).seen(),
        guarded.by_console(user, &code()),
    ]
}

/// Somebody gets in everywhere by his password, as without the package, or as one who is not enrolled.
pub(super) fn gets_in_by_password_alone(guarded: &mut Guarded, user: &str, logged: Option<&str>) {
    for seen in ways_in(guarded, user, &String::new) {
        assert!(seen.in_as.is_some() && seen.prompts == PASSWORD_ALONE, "{seen:#?}");
        match logged {
            None => assert_eq!(seen.log, [""; 0], "{seen:#?}"),
            Some(text) => drop(seen.must_have_logged(text)),
        }
    }
    let wrong = guarded.by_ssh(user).password("wrong").seen();
    wrong.must_not_have_been_asked_for_a_code();
}

/// Somebody gets in everywhere by password and code, and by nothing less.
pub(super) fn gets_in_by_both(guarded: &mut Guarded, user: &str, owner: &Owner) {
    for seen in ways_in(guarded, user, &|| owner.code()) {
        assert_eq!(seen.prompts, BOTH, "{seen:#?}");
        seen.must_be_in();
    }
    guarded.by_ssh(user).code(&owner.wrong_code()).must_be_refused("wrong_code");
    guarded.by_ssh(user).password("wrong").code(&owner.code()).seen().must_not_have_been_asked_for_a_code();
    guarded.by_ssh(user).code(&owner.code()).must_get_in();
}

/// The sockets are there, and nobody has started what they start.
fn is_harmless(guarded: &Guarded) {
    for socket in ["countersign.socket", "countersign-password.socket"] {
        assert_eq!(guarded.must(&["systemctl", "is-enabled", socket]), "enabled\n");
        assert_eq!(guarded.must(&["systemctl", "is-active", socket]), "active\n");
    }
    assert_eq!(state_of(guarded, "countersign-root.socket"), "active");
    assert_eq!(state_of(guarded, "countersign.service"), "inactive");
}

fn state_of(guarded: &Guarded, unit: &str) -> String {
    guarded.run(&["systemctl", "is-active", unit]).stdout.trim_end().to_owned()
}

fn property(guarded: &Guarded, unit: &str, name: &str) -> String {
    guarded.must(&["systemctl", "show", "--property", name, "--value", unit]).trim_end().to_owned()
}

/// Olga's state as the version before this one wrote it, of which a code is used.
fn write_former_state(guarded: &Guarded, planted: &Planted) {
    let name = planted.credential.user.as_str();
    let path = format!("/var/lib/countersign/users/{name}/state");
    let bytes = std::fs::read(guarded.store().join("users").join(name).join("state")).expect("a state");
    let slot = String::from_utf8(bytes[..4096].to_vec()).expect("text");
    let (header, body) = slot.split_once('\n').expect("a header");
    let sequence = header.split(' ').nth(2).expect("a sequence");
    let (former, _) = body.split_once("booted = ").expect("keys of format 2");
    let length = 4096 - header.len() - 1;
    let rest = format!("{former}{}", "\n".repeat(length - former.len()));
    let digest = Sha256::digest(format!("{name}\0{}\0{sequence}\0{rest}", 1));
    let digest = HEXLOWER.encode(&digest[..16]);
    let mut file = format!("countersign-state 1 {sequence} {digest}\n{rest}").into_bytes();
    file.resize(65_536 + 4096, b'\n');
    guarded.write(&path, 0o600, file);
}

fn format_of_state(guarded: &Guarded, user: &str) -> String {
    let state = format!("/var/lib/countersign/users/{user}/state");
    guarded.must(&[
        "sh",
        "-c",
        &format!("grep -a '^countersign-state' {state} | sort -k3n | tail -n1 | cut -d' ' -f2"),
    ])
}

/// Alice is enrolled, has a remembered login by her key, and the policy is the administrator's.
fn alice_is_remembered(guarded: &Guarded, alice: &Owner) -> PathBuf {
    guarded.write("/etc/security/countersign.toml", 0o644, POLICY);
    let key = guarded.authorize_key("alice");
    guarded.by_key("alice", &key).code(&alice.code()).must_get_in();
    must_be_remembered(guarded, &key);
    key
}

fn must_be_remembered(guarded: &Guarded, key: &Path) {
    let seen = guarded.by_key("alice", key).seen();
    assert!(seen.in_as.is_some() && seen.prompts == PASSWORD_ALONE, "{seen:#?}");
    seen.must_have_logged("event=remembered service=sshd ");
}

fn installing_asks_nobody(guarded: &mut Guarded, older: &Path) {
    let before = stacks(guarded);
    let told = install(guarded, older);
    assert!(told.contains("asks nobody for a code yet") && told.contains("README.Debian"), "{told}");
    let new: Vec<String> =
        stacks(guarded).lines().filter(|line| !before.contains(line)).map(str::to_owned).collect();
    assert!(new.len() == 1 && new[0].starts_with("./countersign f root:root 644 "), "{new:?}");
    assert_eq!(guarded.must(&["stat", "-c", "%a %U", "/var/lib/countersign"]), "700 root\n");
    guarded.must(&["countersign", "check-config"]);
    gets_in_by_password_alone(guarded, "alice", None);
    is_harmless(guarded);
    // Whoever asks is told that he is not enrolled, and nothing of others.
    let asked =
        |user: &str| guarded.run(&["runuser", "-u", "bob", "--", "countersign", "status", user]).status;
    assert_eq!((asked("bob"), asked("alice")), (4, 3));
}

fn enabling_names_who_is_asked_and_locks_nobody_out(guarded: &mut Guarded) {
    let told = guarded.run(&["countersign", "doctor", "--everywhere"]).stdout;
    let line =
        told.lines().find(|line| line.contains("every service that includes this file")).expect("a line");
    for service in ["chfn", "chsh", "login", "other", "sshd", "su", "sudo"] {
        assert!(line.contains(&format!(" {service}")), "{service}: {line}");
    }
    assert!(!told.contains("error "), "{told}");
    // A daemon that is not root is named before it lets nobody in.
    guarded.write("/etc/pam.d/radiusd", 0o644, "@include common-auth\n@include common-account\n");
    guarded.write("/etc/systemd/system/radiusd.service", 0o644, "[Service]\nUser=bob\nExecStart=/bin/true\n");
    guarded.must(&["systemctl", "daemon-reload"]);
    let told = guarded.run(&["countersign", "doctor", "--everywhere"]);
    assert_eq!(told.status, 6, "{told:#?}");
    assert!(
        told.stdout.contains("error daemon_not_root: ") && told.stdout.contains("radiusd is run by bob"),
        "{told:#?}"
    );
    guarded.must(&["rm", "/etc/pam.d/radiusd", "/etc/systemd/system/radiusd.service"]);

    enable(guarded);
    for user in ["alice", "bob"] {
        gets_in_by_password_alone(guarded, user, Some("event=ignored reason=not_enrolled"));
    }
    let su = guarded.by_su("bob", "alice").seen();
    assert!(su.in_as.is_some() && su.prompts == PASSWORD_ALONE, "{su:#?}");
}

/// A caller that is not root, such as a screen locker, about himself. It has no file of its own: that is `other`.
fn a_locker_lets_its_user_in(guarded: &Guarded, user: &str, replies: &[&str], verdict: &str) {
    guarded.copy_in(&example("pam-client"), "/usr/local/bin/pam-client", 0o755);
    let typed: Vec<String> = replies.iter().map(|reply| format!("--reply={reply}")).collect();
    let user_option = format!("--user={user}");
    let mut words = vec!["runuser", "-u", user, "--", "pam-client", "--confdir", "/etc/pam.d"];
    words.extend(["--service=some-locker", &user_option]);
    words.extend(typed.iter().map(String::as_str));
    let before = guarded.cursor();
    let done = guarded.run(&words);
    let is_so = done.stdout.contains(&format!("authenticate {verdict}"));
    assert!(is_so, "{done:#?}\n{}", guarded.journal_since(&before));
}

fn upgrading_keeps_everything(guarded: &mut Guarded, alice: &Owner) {
    let key = alice_is_remembered(guarded, alice);
    let (olga, olgas_phone) = guarded.plant("olga");
    let mut used = olga;
    used.state.keys[0].next = now() / 30 + 1;
    guarded.renew(&used);
    write_former_state(guarded, &used);
    assert_eq!(format_of_state(guarded, "olga"), "1\n");
    let listed = guarded.must(&["countersign", "list"]);
    let socket_since = property(guarded, "countersign.socket", "ActiveEnterTimestampMonotonic");
    let service = property(guarded, "countersign.service", "MainPID");
    assert_ne!(service, "0", "the service has judged, and waits for more");

    let told = install(guarded, &deb());
    assert!(!told.contains("asks nobody"), "{told}");
    assert_eq!(guarded.read("/etc/security/countersign.toml"), POLICY);
    assert_eq!(guarded.must(&["countersign", "list"]), listed);
    assert_eq!(property(guarded, "countersign.socket", "ActiveEnterTimestampMonotonic"), socket_since);
    let new = property(guarded, "countersign.service", "MainPID");
    assert!(new != service && new != "0", "{service} is {new}");
    assert_eq!(guarded.must(&["readlink", &format!("/proc/{new}/exe")]), "/usr/bin/countersign\n");

    must_be_remembered(guarded, &key);
    gets_in_by_both(guarded, "alice", alice);
    // A version without root's socket has left the service running, of which systemd starts no socket.
    guarded.must(&["systemctl", "stop", "countersign-root.socket"]);
    assert_eq!(state_of(guarded, "countersign.service"), "active");
    install(guarded, &deb());
    assert_eq!(state_of(guarded, "countersign-root.socket"), "active");
    gets_in_by_password_alone(guarded, "bob", Some("event=ignored reason=not_enrolled"));
    // What olga had used stays used, and her state goes on in the new format.
    let used_code = olgas_phone.code_at((used.state.keys[0].next - 1) * 30);
    guarded.by_ssh("olga").code(&used_code).must_be_refused("spent_code");
    guarded.by_ssh("olga").code(&olgas_phone.code(1)).must_get_in();
    assert_eq!(format_of_state(guarded, "olga"), "2\n");
}

fn removing_puts_the_stacks_back(guarded: &mut Guarded, before: &str) {
    must_unattended(guarded, &["dpkg", "--remove", "libpam-countersign"]);
    let kept: Vec<String> =
        stacks(guarded).lines().filter(|line| !before.contains(line)).map(str::to_owned).collect();
    assert!(kept.len() == 1 && kept[0].starts_with("./countersign "), "{kept:?}");
    let missing: Vec<String> = {
        let now = stacks(guarded);
        before.lines().filter(|line| !now.contains(line)).map(str::to_owned).collect()
    };
    assert_eq!(missing, [""; 0]);
    for unit in [
        "countersign.socket",
        "countersign-root.socket",
        "countersign-password.socket",
        "countersign.service",
    ] {
        assert_eq!(state_of(guarded, unit), "inactive", "{unit}");
    }
    gets_in_by_password_alone(guarded, "alice", None);
}

fn installing_again_finds_who_is_enrolled(guarded: &mut Guarded, alice: &Owner) {
    install(guarded, &deb());
    gets_in_by_password_alone(guarded, "alice", None);
    enable(guarded);
    gets_in_by_both(guarded, "alice", alice);
}

fn purging_leaves_the_secrets_alone(guarded: &mut Guarded, before: &str, chosen: &str) {
    let told = must_unattended(guarded, &["dpkg", "--purge", "libpam-countersign"]);
    assert!(told.contains("hint: rm -r /var/lib/countersign"), "{told}");
    assert_eq!(stacks(guarded), before);
    assert_eq!(choices(guarded), chosen);
    assert_eq!(named(guarded), ["/var/lib/countersign"]);
    for user in ["alice", "bob", "olga"] {
        gets_in_by_password_alone(guarded, user, None);
    }
    assert!(guarded.store().join("users/alice/credential.toml").exists());
}

fn from_installing_to_purging(suite: &str) {
    let mut guarded = machine(suite);
    let folder = tempfile::tempdir().expect("a directory");
    let older = older_deb(folder.path());
    let (before, chosen) = (stacks(&guarded), choices(&guarded));
    gets_in_by_password_alone(&mut guarded, "alice", None);

    installing_asks_nobody(&mut guarded, &older);
    enabling_names_who_is_asked_and_locks_nobody_out(&mut guarded);
    let alice = Owner::enrolled(&guarded, "alice");
    gets_in_by_both(&mut guarded, "alice", &alice);
    gets_in_by_password_alone(&mut guarded, "bob", Some("event=ignored reason=not_enrolled"));
    lockers(&guarded, &alice);
    upgrading_keeps_everything(&mut guarded, &alice);
    removing_puts_the_stacks_back(&mut guarded, &before);
    installing_again_finds_who_is_enrolled(&mut guarded, &alice);
    purging_leaves_the_secrets_alone(&mut guarded, &before, &chosen);
}

fn lockers(guarded: &Guarded, alice: &Owner) {
    let password = super::installed::password_of("alice");
    a_locker_lets_its_user_in(guarded, "alice", &[&password, &alice.code()], "PAM_SUCCESS");
    a_locker_lets_its_user_in(guarded, "alice", &[&password, "", "", ""], "PAM_AUTH_ERR");
    let password = super::installed::password_of("bob");
    a_locker_lets_its_user_in(guarded, "bob", &[&password], "PAM_SUCCESS");
}

/// An example of this package.
pub(super) fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("the path of this test");
    own.parent().and_then(Path::parent).expect("a directory").join("examples").join(name)
}

#[test]
#[ignore = "needs root: boots a container"]
fn on_debian_12_everybody_gets_in_as_he_should_from_installing_to_purging() {
    from_installing_to_purging("bookworm");
}

#[test]
#[ignore = "needs root: boots a container"]
fn on_debian_13_everybody_gets_in_as_he_should_from_installing_to_purging() {
    from_installing_to_purging("trixie");
}
