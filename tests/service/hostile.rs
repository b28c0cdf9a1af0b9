//! Peers who say nothing, half of it, too much or nonsense, who come in crowds or die: none of them hinders
//! anybody else, and none gets a verdict that has no trace.

use std::fs;
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::peer::Peer;
use crate::{Guarded, Place};

/// How long somebody else may have to wait for an answer meanwhile, on a busy machine.
const SOON: Duration = Duration::from_secs(5);

/// Carol, who means no harm, has an answer soon.
fn carol_is_not_hindered(guarded: &Guarded) {
    let carol = guarded.uid_of("carol");
    let start = Instant::now();
    assert_eq!(Peer::of(guarded, carol).verify("carol", "123456"), "not_enrolled");
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
#[ignore = "needs root: boots a container"]
fn what_is_no_question_gets_no_verdict() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let bob = guarded.uid_of("bob");
    let error_of = |answer: &Value| answer["error"].as_str().unwrap_or_default().to_owned();
    let invalid = "org.varlink.service.InvalidParameter";
    let questions = [
        ("io.countersign.Verify", json!({}), invalid),
        ("io.countersign.Verify", json!({ "user": "bob" }), invalid),
        ("io.countersign.Verify", json!({ "user": "bob", "passcode": 123_456 }), invalid),
        ("io.countersign.Verify", json!({ "user": ["bob"], "passcode": "123456" }), invalid),
        ("io.countersign.Verify", json!({ "user": "bob", "passcode": "1", "force": true }), invalid),
        ("io.countersign.Verify", json!({ "user": "bob", "uid": -1, "passcode": "1" }), invalid),
        ("io.countersign.Verify", json!({ "user": "bob", "uid": "0", "passcode": "1" }), invalid),
        ("io.countersign.Verify", json!({ "user": "", "passcode": "1" }), invalid),
        ("io.countersign.Verify", json!({ "user": "b\nob", "passcode": "1" }), invalid),
        ("io.countersign.Verify", json!({ "user": "b".repeat(300), "passcode": "1" }), invalid),
        ("io.countersign.Verify", json!(["bob", "123456"]), invalid),
        (
            "io.countersign.Verify",
            json!({ "user": "bob", "uid": 0, "passcode": "1" }),
            "io.countersign.Failed",
        ),
        ("io.countersign.Verify", json!({ "user": "alice", "passcode": "1" }), "io.countersign.NotPermitted"),
        ("io.countersign.Verify", json!({ "user": "root", "passcode": "1" }), "io.countersign.NotPermitted"),
        (
            "io.countersign.Verify",
            json!({ "user": "no-such", "passcode": "1" }),
            "io.countersign.NotPermitted",
        ),
        ("io.countersign.GetEnrolment", json!({ "user": "alice" }), "io.countersign.NotPermitted"),
        ("io.countersign.GetStatus", json!({ "user": "alice" }), "io.countersign.NotPermitted"),
        // What is remembered is for root to ask, also about oneself.
        (
            "io.countersign.Recall",
            json!({ "user": "bob", "source": "uid:1001", "place": "00".repeat(32), "seconds": 3600 }),
            "io.countersign.NotPermitted",
        ),
        (
            "io.countersign.Recall",
            json!({ "user": "alice", "source": "uid:1001", "place": "00".repeat(32), "seconds": 3600 }),
            "io.countersign.NotPermitted",
        ),
        ("io.countersign.ForgetLogins", json!({ "user": "alice" }), "io.countersign.NotPermitted"),
        ("io.countersign.ForgetLogins", json!({ "user": "bob" }), "io.countersign.Refused"),
        ("io.countersign.Grant", json!({ "user": "bob" }), "org.varlink.service.MethodNotFound"),
        ("io.countersign.", json!({ "user": "bob" }), "org.varlink.service.MethodNotFound"),
        ("io.other.Verify", json!({ "user": "bob" }), "org.varlink.service.InterfaceNotFound"),
        ("Verify", json!({ "user": "bob" }), "org.varlink.service.InterfaceNotFound"),
    ];
    for (method, parameters, error) in questions {
        let mut answer = Value::Null;
        // Who was refused keeps his seat for a while, and has eight.
        wait_until(|| {
            answer = Peer::of(guarded, bob).ask(method, &parameters);
            error_of(&answer) != "io.countersign.Busy"
        });
        assert_eq!(error_of(&answer), error, "{method} {parameters}: {answer}");
    }
    // Root gets no answer to a question that names no place.
    let parameters = json!({ "user": "alice", "source": "uid:1001", "place": "0g", "seconds": 3600 });
    assert_eq!(error_of(&Peer::of(guarded, 0).ask("io.countersign.Recall", &parameters)), invalid);
    // What a caller says of his source is not believed.
    let before = guarded.cursor();
    let told = json!({ "user": "bob", "passcode": "123456", "source": "addr:192.0.2.7" });
    Peer::of(guarded, bob).ask("io.countersign.Verify", &told);
    guarded
        .wait_for_journal(&before, &format!("reason=not_enrolled service=io.countersign source=uid:{bob} "));

    let nonsense: [&[u8]; 9] = [
        b"\0",
        b"{}\0",
        b"[]\0",
        b"null\0",
        b"{\"method\":7}\0",
        b"{\"method\":\"io.countersign.Verify\",\"parameters\":{\"user\":\"bob\"\0",
        b"\xff\xfe\0",
        b"GET / HTTP/1.1\r\n\r\n\0",
        b"{\"method\":\"io.countersign.Verify\",\"upgrade\":true}\0",
    ];
    for bytes in nonsense {
        let mut peer = Peer::of(guarded, bob);
        peer.send(bytes).expect("it is sent");
        let answer = peer.receive().expect("an end");
        let is_refused = answer.as_ref().is_none_or(|answer| answer["error"].is_string());
        assert!(is_refused, "{}: {answer:?}", bytes.escape_ascii());
    }
    let deep = [b"{\"method\":".as_slice(), &b"[".repeat(60_000), b"\0"].concat();
    let mut peer = Peer::of(guarded, bob);
    peer.send(&deep).expect("it is sent");
    assert!(peer.receive().expect("an end").is_none());
    carol_is_not_hindered(guarded);
}

#[test]
#[ignore = "needs root: boots a container"]
fn who_says_nothing_half_or_too_much_hinders_nobody() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let bob = guarded.uid_of("bob");
    let _silent = Peer::of(guarded, bob);
    let mut half = Peer::of(guarded, bob);
    half.send(b"{\"method\":\"io.countersign.Ver").expect("it is sent");
    carol_is_not_hindered(guarded);

    // A gigabyte without an end: cut off long before, and not kept.
    let mut endless = Peer::of(guarded, bob);
    let piece = vec![b'x'; 1 << 20];
    let sent = (0..1024).take_while(|_| endless.send(&piece).is_ok()).count();
    assert!(sent < 8, "{sent} MiB were taken");
    carol_is_not_hindered(guarded);

    // Questions without an end, whose answers nobody reads.
    let mut deaf = Peer::of(guarded, bob);
    let question = b"{\"method\":\"org.varlink.service.GetInfo\"}\0".repeat(10_000);
    deaf.0.set_nonblocking(true).expect("a socket");
    while deaf.send(&question).is_ok() {}
    carol_is_not_hindered(guarded);
    let pid = guarded.must(&["systemctl", "show", "--property=MainPID", "--value", "countersign.service"]);
    let status = guarded.read(&format!("/proc/{}/status", pid.trim()));
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let resident: u64 = resident.trim_end_matches("kB").trim().parse().expect("kilobytes");
    assert!(resident < 32 << 10, "{resident} kB");

    // Half a message is waited for 10 s, and no longer.
    let start = Instant::now();
    assert!(half.receive().expect("an end").is_none());
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_thousand_connections_of_one_user_are_his_own_trouble() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let (alice, bob) = (guarded.uid_of("alice"), guarded.uid_of("bob"));
    let mut crowd: Vec<Peer> = (0..1000).map(|_| Peer::of(guarded, bob)).collect();
    carol_is_not_hindered(guarded);
    assert_eq!(Peer::of(guarded, alice).verify("alice", &place.code()), "accepted");
    assert_eq!(Peer::of(guarded, 0).verify("alice", &place.code()), "accepted");
    let told = crowd.iter_mut().rev().take(100).map(|peer| peer.receive().expect("an answer"));
    let busy =
        told.filter(|answer| answer.as_ref().is_some_and(|answer| answer["error"] == "io.countersign.Busy"));
    assert_eq!(busy.count(), 100);
    drop(crowd);
    let deadline = Instant::now() + SOON;
    while Peer::of(guarded, bob).verify("bob", "123456") == "io.countersign.Busy" {
        assert!(Instant::now() < deadline, "bob's seats never become free");
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn uids_that_are_lent_to_a_user_take_no_more_seats_than_he() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    guarded.write("/etc/subuid", 0o644, "bob:100000:65536\n");
    let crowd: Vec<Peer> = (0..300).map(|place| Peer::of(guarded, 100_000 + place)).collect();
    let alice = guarded.uid_of("alice");
    assert_eq!(Peer::of(guarded, alice).verify("alice", &place.code()), "accepted");
    // As many as he has himself are served.
    let mut crowd = crowd.into_iter();
    let mut first = crowd.next().expect("a crowd");
    let mut last = crowd.next_back().expect("a crowd");
    assert!(first.is_answered());
    let told = last.receive().expect("an answer").expect("an answer");
    assert_eq!(told["error"], "io.countersign.Busy");
}

/// Lines of the log that cost nothing are few, so that nobody drowns or pushes out what others leave there.
#[test]
#[ignore = "needs root: boots a container"]
fn a_user_cannot_fill_the_log_through_the_service() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let (bob, before) = (guarded.uid_of("bob"), guarded.cursor());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while start.elapsed() < Duration::from_secs(4) {
                    // About himself, and about somebody whom he may not ask about.
                    Peer::of(guarded, bob).verify("bob", "no code");
                    Peer::of(guarded, bob).verify("alice", "no code");
                    Peer::of(guarded, bob).ask("io.countersign.ForgetLogins", &json!({ "user": "bob" }));
                }
            });
        }
    });
    let seconds = usize::try_from(start.elapsed().as_secs()).expect("a short time") + 2;
    let journal = guarded.journal_since(&before);
    let lines = journal.lines().filter(|line| line.contains(&format!("caller={bob}"))).count();
    assert!((4..=8 * seconds).contains(&lines), "{lines} lines in {seconds} s");
}

/// A su is root to the service, but whoever has called it may freeze it at its connection.
#[test]
#[ignore = "needs root: boots a container"]
fn hundreds_of_su_that_are_frozen_at_their_connection_keep_no_login_out() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let su = || Peer::at(guarded, 0, "root/io.countersign").expect("a connection");
    let mut frozen: Vec<Peer> = (0..600).map(|_| su()).collect();
    assert_eq!(su().verify("alice", &place.code()), "accepted");
    let locker = ["pamtester", "locker", "alice", "authenticate"];
    assert_eq!(guarded.run_with_input(&locker, format!("{}\n", place.code()).as_bytes()).status, 0);
    assert!(frozen[0].receive().expect("an end").is_none(), "whoever came first has made room");
    // Who has not had to make room is answered when he thaws.
    assert_eq!(frozen[599].verify("alice", "123456"), "wrong_code");
}

#[test]
#[ignore = "needs root: boots a container"]
fn who_dies_after_he_has_asked_has_asked() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let alice = guarded.uid_of("alice");
    let question = |code: &str| {
        let parameters = json!({ "user": "alice", "passcode": code });
        format!("{}\0", json!({ "method": "io.countersign.Verify", "parameters": parameters }))
    };
    // Cut off before the end of the question: nothing was asked.
    let code = place.code();
    let whole = question(&code);
    for length in 0..whole.len() {
        let mut peer = Peer::of(guarded, alice);
        peer.send(&whole.as_bytes()[..length]).expect("it is sent");
    }
    carol_is_not_hindered(guarded);
    let next = place.next();
    assert_eq!(place.device.code(next), code, "nothing was spent");
    // Gone before the answer: it counts.
    for round in 0..5 {
        let mut peer = Peer::of(guarded, alice);
        peer.send(question(&place.device.code(next + round)).as_bytes()).expect("it is sent");
        drop(peer);
        wait_until(|| place.next() == next + round + 1);
    }
    assert_eq!(Peer::of(guarded, alice).verify("alice", &place.device.code(next + 4)), "spent_code");
}

#[test]
#[ignore = "needs root: boots a container"]
fn guesses_through_the_service_are_counted_and_waited_for() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let alice = guarded.uid_of("alice");
    // In parallel and over one connection, from a user who has four seats and more.
    let wrong = place.wrong_code();
    let told: Vec<String> = std::thread::scope(|scope| {
        let guess = || Peer::of(guarded, alice).verify("alice", &wrong);
        let guesses: Vec<_> = (0..8).map(|_| scope.spawn(guess)).collect();
        guesses.into_iter().map(|guess| guess.join().expect("an answer")).collect()
    });
    let judged = told.iter().filter(|told| *told == "wrong_code").count();
    assert_eq!(u32::try_from(judged).expect("a small number"), place.charges(), "{told:?}");
    assert_eq!(judged, 5, "{told:?}");
    // Each refusal keeps its seat for a second.
    let mut peer = Peer::of(guarded, alice);
    assert_eq!(peer.verify("alice", "1"), "io.countersign.Busy");
    let enrolled =
        || Peer::of(guarded, alice).ask("io.countersign.GetEnrolment", &json!({ "user": "alice" }));
    wait_until(|| enrolled()["error"].is_null());
    let mut peer = Peer::of(guarded, alice);
    assert_eq!(peer.verify("alice", &place.code()), "backed_off");
    // Another place is not kept out: the wait is of a source.
    assert_eq!(Peer::of(guarded, 0).verify("alice", &place.code()), "accepted");
    assert_eq!(peer.verify("alice", "correct horse"), "malformed");
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_service_killed_in_a_decision_has_charged_or_not_asked() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    // Else systemd would give it up for dying so often.
    let units = "/etc/systemd/system/countersign";
    guarded.write(&format!("{units}.service.d/often.conf"), 0o644, "[Unit]\nStartLimitIntervalSec=0\n");
    guarded.write(&format!("{units}.socket.d/often.conf"), 0o644, "[Socket]\nTriggerLimitIntervalSec=0\n");
    guarded.must(&["systemctl", "daemon-reload"]);
    guarded.must(&["systemctl", "restart", "countersign.socket"]);
    let mut accepted = 0;
    let rounds = if std::env::var_os("COUNTERSIGN_SOAK").is_some() { 2000 } else { 40 };
    for round in 0..rounds {
        wait_until(|| Peer::try_of(guarded, 0).is_ok_and(|mut peer| peer.is_answered()));
        let next = place.next();
        let code = place.device.code(next);
        let mut peer = Peer::of(guarded, 0);
        let parameters = json!({ "user": "alice", "passcode": code });
        let question = json!({ "method": "io.countersign.Verify", "parameters": parameters });
        let service = service_of(guarded);
        peer.send(format!("{question}\0").as_bytes()).expect("it is sent");
        std::thread::sleep(Duration::from_micros(round % 40 * 50));
        nix::sys::signal::kill(service, nix::sys::signal::Signal::SIGKILL).expect("it was there");
        let answer = peer.receive().expect("an end in time");
        let was_accepted = answer.is_some_and(|answer| answer["parameters"]["accepted"].is_object());
        accepted += u64::from(was_accepted);
        assert!(!was_accepted || place.next() == next + 1, "an answer without its trace");
        if place.next() == next + 1 {
            // The one that was killed may still hold the socket for a moment.
            wait_until(|| Peer::try_of(guarded, 0).is_ok_and(|mut peer| peer.is_answered()));
            assert_eq!(Peer::of(guarded, 0).verify("alice", &code), "spent_code");
        }
    }
    println!("{accepted} of {rounds} were told");
    assert!(accepted < rounds, "none was killed in time");
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_service_that_hangs_denies_in_bounded_time() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    assert_eq!(Peer::of(guarded, 0).verify("alice", &place.code()), "accepted");
    guarded.must(&["systemctl", "kill", "--signal=STOP", "countersign.service"]);
    let before = guarded.cursor();
    let start = Instant::now();
    let locker = ["pamtester", "locker", "alice", "authenticate"];
    let end = guarded.run_with_input(&locker, format!("{}\n", place.code()).as_bytes());
    assert_ne!(end.status, 0, "{end:?}");
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
    guarded.wait_for_journal(&before, "event=error reason=service_failed service=locker");
    guarded.must(&["systemctl", "kill", "--signal=CONT", "countersign.service"]);
}

/// The process of the service, by its number outside of the machine.
fn service_of(guarded: &Guarded) -> Pid {
    let space = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let own = space(&guarded.leader().to_string());
    let is_it = |pid: &String| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        words.ends_with(b"countersign\0serve\0") && space(pid) == own
    };
    let entries = fs::read_dir("/proc").expect("processes").filter_map(Result::ok);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let found = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).find(is_it);
    Pid::from_raw(found.expect("the service").parse().expect("a number"))
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "it never comes");
        std::thread::sleep(Duration::from_millis(5));
    }
}
