//! The whole service but for its sockets, on a store of its own: a user who is not root says anything, and
//! what he is answered is JSON, is about himself, and grants nothing that a code of his did not.
//!
//! It runs in namespaces of its own, so that it meets no store, log or policy of the machine.
#![no_main]

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;

use libfuzzer_sys::fuzz_target;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use pam_countersign::backend;
use pam_countersign::credential::{
    Authenticator, Credential, CredentialStore as _, EnrolmentStore as _, Kind, State,
};
use pam_countersign::otp::{Algorithm, Digits, SharedSecret};
use pam_countersign::service::answers_to;
use pam_countersign::user::{User, UserName};
use serde_json::Value;

/// An account that every machine has, and who asks.
const CALLER: (&str, u32) = ("daemon", 1);
/// Another one, who is enrolled too.
const OTHER: (&str, u32) = ("bin", 2);

fn user((name, uid): (&str, u32)) -> User {
    User { name: UserName::new(name.as_bytes()).expect("a name"), uid: Some(uid) }
}

fuzz_target!(init: make_place(), |questions: &[u8]| {
    let before = next_of(OTHER);
    let answers = answers_to(CALLER.1, questions).expect("a pair of sockets");
    let spent = next_of(CALLER);
    for answer in answers.split(|&byte| byte == 0).filter(|answer| !answer.is_empty()) {
        let answer: Value = serde_json::from_slice(answer).expect("JSON is answered");
        let parameters = &answer["parameters"];
        let is_accepted = parameters["accepted"].is_object() || parameters["key"].is_string();
        assert!(!is_accepted || spent.is_none_or(|spent| spent > 0), "granted without a code: {answer}");
        assert_ne!(parameters["status"]["user"], OTHER.0, "somebody else's status");
    }
    assert_eq!(next_of(OTHER), before, "somebody else's state was changed");
    if spent != Some(0) {
        enrol(CALLER);
    }
});

/// The counter that is next, or nothing where the user is not enrolled.
fn next_of(who: (&str, u32)) -> Option<u64> {
    let state = backend::store().read_state(&user(who)).expect("a state");
    state.map(|state| state.keys.first().map_or(0, |key| key.next))
}

/// Root of namespaces in which the store is in memory and nothing else can be reached.
fn make_place() {
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS).expect("namespaces");
    fs::write("/proc/self/setgroups", "deny").expect("no groups");
    fs::write("/proc/self/uid_map", format!("0 {uid} 1")).expect("a root");
    fs::write("/proc/self/gid_map", format!("0 {gid} 1")).expect("a group");
    let nothing = None::<&str>;
    mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing).expect("mounts of our own");
    for place in ["/var/lib", "/run"] {
        mount(Some("none"), place, Some("tmpfs"), MsFlags::empty(), Some("mode=755")).expect("a tmpfs");
    }
    for file in ["/dev/log", "/etc/security/countersign.toml"] {
        if Path::new(file).exists() {
            mount(Some("/dev/null"), file, nothing, MsFlags::MS_BIND, nothing).expect("nothing there");
        }
    }
    // What proves passwords hangs up at once; else the service would start a process for each proof.
    fs::create_dir("/run/countersign").expect("a directory");
    let listener = UnixListener::bind("/run/countersign/password.socket").expect("a socket");
    let hang_up = move || listener.incoming().for_each(drop);
    thread::Builder::new().spawn(hang_up).expect("a thread");
    for who in [CALLER, OTHER] {
        enrol(who);
    }
}

/// Enrols somebody anew, with a counter at its beginning.
fn enrol(who: (&str, u32)) {
    let store = backend::store();
    let _ = store.remove(&user(who));
    let device = Authenticator {
        id: "token".to_owned(),
        secret: SharedSecret::from_bytes(&[0x5a; 20]).expect("a secret"),
        kind: Kind::Hotp,
        algorithm: Algorithm::Sha1,
        digits: Digits::Six,
        confirmed: Some(1_700_000_000),
    };
    let name = user(who).name;
    let credential = Credential {
        user: name,
        uid: Some(who.1),
        disabled: false,
        authenticators: vec![device],
        recovery: None,
    };
    let mut state = State::new([7; 16], 1_700_000_000);
    pam_countersign::enrol::adopt(&credential, &mut state, 1_700_000_000);
    store.create(&user(who), &credential, &state).expect("an enrolment");
    assert!(store.read(&user(who)).is_ok_and(|found| found.is_some()));
}
