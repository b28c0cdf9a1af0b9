//! A user who floods the public socket, and root's own, which no user can enter.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use serde_json::json;

use crate::peer::{Peer, reason};
use crate::users::{by, locker};
use crate::{Guarded, Place};

/// How long a login of root may take while a user floods, on a busy machine.
const QUICKLY: Duration = Duration::from_secs(3);
/// Lines of subuid(5), as a large directory of users has them.
const LINES: u32 = 40_000;

/// Connects, without waiting where the queue is full, and closes.
fn comes_and_goes(path: &str) -> bool {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let end = socket(AddressFamily::Unix, SockType::Stream, flags, None).expect("a socket");
    connect(end.as_raw_fd(), &UnixAddr::new(path).expect("an address")).is_ok()
}

/// Ends a flood when it is dropped, also by a panic: the threads are waited for.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has bob connect and close in a loop by so many threads while `action` runs; how often that succeeded.
fn while_bob_floods<T>(guarded: &Guarded, action: impl FnOnce() -> T) -> (T, u64) {
    let uid = guarded.uid_of("bob");
    let directory =
        File::open(format!("/proc/{}/root/run/countersign", guarded.leader())).expect("a directory");
    let path = format!("/proc/self/fd/{}/io.countersign", directory.as_raw_fd());
    let (is_over, connected) = (AtomicBool::new(false), AtomicU64::new(0));
    let flood = || {
        // SAFETY: plain numbers go in; the uid is one of the thread's, by the system call itself.
        let become_bob = unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) };
        assert_eq!(become_bob, 0, "setresuid");
        while !is_over.load(Ordering::Relaxed) {
            let came = comes_and_goes(&path);
            connected.fetch_add(u64::from(came), Ordering::Relaxed);
        }
    };
    let done = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(flood);
        }
        let ends = Ends(&is_over);
        let deadline = Instant::now() + Duration::from_secs(20);
        while connected.load(Ordering::Relaxed) < 1000 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let done = action();
        drop(ends);
        done
    });
    (done, connected.into_inner())
}

fn lend_many_uids(guarded: &Guarded) {
    let line = |user: u32| format!("user{user}:{}:65536\n", 200_000 + 65_536 * user);
    guarded.write("/etc/subuid", 0o644, (0..LINES).map(line).collect::<String>());
}

#[test]
#[ignore = "needs root: boots a container"]
fn while_a_user_floods_the_service_roots_logins_get_their_verdict_quickly() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    lend_many_uids(guarded);
    let before = guarded.cursor();
    let ((), connected) = while_bob_floods(guarded, || {
        for _ in 0..5 {
            let start = Instant::now();
            let end = locker(guarded, &[], "alice", &place.code());
            let took = start.elapsed();
            assert!(end.status == 0 && took < QUICKLY, "after {took:?}: {end:?}");
        }
    });
    assert!(connected > 1000, "{connected} connections are not a flood");
    guarded.wait_for_journal(&before, "attempts=1 door=socket caller=0 user=\"alice\"");
}

#[test]
#[ignore = "needs root: boots a container"]
fn while_a_user_floods_the_service_other_users_are_answered() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    lend_many_uids(guarded);
    let carol = guarded.uid_of("carol");
    let ((), connected) = while_bob_floods(guarded, || {
        for _ in 0..5 {
            let start = Instant::now();
            let end = locker(guarded, &by("alice"), "alice", &place.code());
            let took = start.elapsed();
            assert!(end.status == 0 && took < QUICKLY, "after {took:?}: {end:?}");
            assert!(Peer::of(guarded, carol).is_answered());
        }
    });
    assert!(connected > 1000, "{connected} connections are not a flood");
}

#[test]
#[ignore = "needs root: boots a container"]
fn no_user_and_no_password_process_reaches_roots_socket() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let modes = ["/run/countersign", "/run/countersign/root", "/run/countersign/root/io.countersign"]
        .map(|path| guarded.must(&["stat", "--format=%a %U", path]));
    assert_eq!(modes, ["755 root\n", "700 root\n", "600 root\n"]);
    let kind = |uid| Peer::at(guarded, uid, "root/io.countersign").map(drop).map_err(|error| error.kind());
    assert_eq!(kind(guarded.uid_of("bob")), Err(io::ErrorKind::PermissionDenied));
    assert_eq!(kind(0), Ok(()));
    let mut root = Peer::at(guarded, 0, "root/io.countersign").expect("a connection");
    assert_eq!(root.verify("alice", &place.code()), "accepted");
    // The public one answers root too.
    assert_eq!(Peer::of(guarded, 0).verify("alice", &place.code()), "accepted");

    // It is root without the rights of root, and may read where root may.
    let looks = "test -d /run/countersign/root && ! test -e /run/countersign/root/io.countersign";
    let look = format!("[Service]\nExecStart=\nExecStart=/bin/sh -c '{looks}'\nStandardInput=null\n");
    guarded.write("/run/systemd/system/countersign-password@.service.d/look.conf", 0o644, look);
    guarded.write(
        "/run/systemd/system/countersign-password@.service.d/wait.conf",
        0o644,
        "[Service]\nType=oneshot\n",
    );
    guarded.must(&["systemctl", "daemon-reload"]);
    guarded.must(&["systemctl", "start", "countersign-password@test.service"]);
}

#[test]
#[ignore = "needs root: boots a container"]
fn both_sockets_are_started_and_stopped_together() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let both = ["countersign.socket", "countersign-root.socket"];
    let state =
        || both.map(|unit| guarded.run(&["systemctl", "is-active", unit]).stdout.trim_end().to_owned());
    assert_eq!(state(), ["active", "active"]);
    guarded.must(&["systemctl", "restart", "countersign.socket"]);
    assert_eq!(state(), ["active", "active"]);
    guarded.must(&["systemctl", "stop", "countersign.socket", "countersign.service"]);
    assert_eq!(state(), ["inactive", "inactive"]);
    guarded.must(&["test", "!", "-e", "/run/countersign/root/io.countersign"]);
    guarded.must(&["systemctl", "start", "countersign-root.socket"]);
    assert_eq!(state(), ["active", "active"]);
    assert_eq!(guarded.must(&["stat", "--format=%a", "/run/countersign"]), "755\n");
    // The service answers at both, whichever of them has started it.
    let mut root = Peer::at(guarded, 0, "root/io.countersign").expect("a connection");
    assert!(root.is_answered() && Peer::of(guarded, guarded.uid_of("bob")).is_answered());
}

#[test]
#[ignore = "needs root: boots a container"]
fn proofs_that_are_begun_and_never_answered_are_few_and_then_refused() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let bob = guarded.uid_of("bob");
    let begin = || {
        let mut peer = Peer::of(guarded, bob);
        let asked = peer.ask("io.countersign.ProvePassword", &json!({ "user": "bob" }));
        if asked["parameters"]["ask"].is_string() { "asked".to_owned() } else { reason(&asked) }
    };
    let start = Instant::now();
    let mut told = Vec::new();
    while told.iter().filter(|word| *word == "asked").count() < 5 && start.elapsed() < Duration::from_secs(60)
    {
        told.push(begin());
    }
    assert!(start.elapsed() >= Duration::from_secs(3), "more than one start a second: {:?}", start.elapsed());
    let after = (0..20).map(|_| begin()).find(|word| word != "proof_running");
    assert_eq!(after.as_deref(), Some("wait"), "{told:?}");
}
