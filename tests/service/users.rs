//! Users and their programs: each verifies his own codes and nobody else's.

use serde_json::json;

use crate::container::Finished;
use crate::peer::Peer;
use crate::{Guarded, Place};

/// What polkit 127 runs its helper with, as far as it matters here.
const LIKE_POLKIT: [&str; 13] = [
    "systemd-run",
    "--quiet",
    "--wait",
    "--pipe",
    "--property=NoNewPrivileges=yes",
    "--property=CapabilityBoundingSet=",
    "--property=ProtectSystem=strict",
    "--property=ProtectHome=yes",
    "--property=PrivateNetwork=yes",
    "--property=PrivateDevices=yes",
    "--property=RestrictAddressFamilies=AF_UNIX",
    "--property=SystemCallFilter=@system-service",
    "--property=InaccessiblePaths=/var/lib/countersign",
];
const AS_ROOT: &[&str] = &[];

/// Authenticates as `target` by a program like a screen locker, and types one line.
pub(crate) fn locker(guarded: &Guarded, before: &[&str], target: &str, code: &str) -> Finished {
    let command = [before, &["pamtester", "locker", target, "authenticate"]].concat();
    guarded.run_with_input(&command, format!("{code}\n").as_bytes())
}

pub(crate) fn by(user: &str) -> [&str; 4] {
    ["runuser", "-u", user, "--"]
}

#[test]
#[ignore = "needs root: boots a container"]
fn without_root_a_user_verifies_his_own_codes_and_nobody_elses() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let alice = guarded.uid_of("alice");
    let bob = guarded.uid_of("bob");
    let ways = [
        by("alice").to_vec(),
        [&by("alice")[..], &["setpriv", "--no-new-privs", "--"]].concat(),
        [&LIKE_POLKIT[..], &["--uid=alice"]].concat(),
    ];
    for way in &ways {
        let before = guarded.cursor();
        let code = place.code();
        let end = locker(guarded, way, "alice", &code);
        assert_eq!(end.status, 0, "{way:?} {end:?}");
        let line = format!(
            "countersign[PID]: event=accepted service=io.countersign source=uid:{alice} \
             authenticator=phone drift=0 attempts=1 door=socket caller={alice} user=\"alice\""
        );
        let (_, words) = line.split_once("[PID]").expect("a place for the pid");
        guarded.wait_for_journal(&before, words);
        assert_ne!(locker(guarded, way, "alice", &code).status, 0, "{way:?}");
        guarded.wait_for_journal(&before, "event=denied reason=spent_code service=io.countersign");
        assert_ne!(locker(guarded, way, "alice", &place.wrong_code()).status, 0);
    }
    let charges = place.charges();
    assert_eq!(charges, 1, "one since the last success");

    let before = guarded.cursor();
    let next = place.next();
    assert_ne!(locker(guarded, &by("bob"), "alice", &place.code()).status, 0);
    let refused = format!(
        "event=error reason=not_permitted service=io.countersign attempts=0 door=socket caller={bob}"
    );
    guarded.wait_for_journal(&before, &refused);
    assert_eq!((place.next(), place.charges()), (next, charges), "bob spends and charges nothing");
    let status = guarded.run(&[&by("bob")[..], &["countersign", "status", "alice"]].concat());
    assert_eq!((status.status, status.stdout.as_str()), (3, ""), "{status:?}");
    let status = guarded.must(&[&by("alice")[..], &["countersign", "status"]].concat());
    assert!(status.starts_with("alice: enrolled\n"), "{status}");
    assert_eq!(locker(guarded, &by("bob"), "bob", "123456").status, 1, "bob is not enrolled");
}

/// A user could claim any place; so nothing of his is remembered, and nothing he says makes three guesses of one.
#[test]
#[ignore = "needs root: boots a container"]
fn a_user_has_nothing_remembered_and_guesses_once_a_question() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let alice = guarded.uid_of("alice");
    let ask = |uid: u32, method: &str, parameters: serde_json::Value| {
        Peer::of(guarded, uid).ask(&format!("io.countersign.{method}"), &parameters)
    };
    let somewhere = "5a".repeat(32);
    let mine =
        json!({ "user": "alice", "passcode": place.code(), "place": somewhere, "source": "addr:192.0.2.7" });
    assert!(ask(alice, "Verify", mine)["parameters"]["accepted"].is_object());
    let remembered = |source: &str| {
        let about = json!({ "user": "alice", "source": source, "place": somewhere, "seconds": 3600 });
        ask(0, "Recall", about)["parameters"]["remembered_since"].is_u64()
    };
    assert!(!remembered("addr:192.0.2.7") && !remembered(&format!("uid:{alice}")));
    // Root's word counts.
    let by_root =
        json!({ "user": "alice", "passcode": place.code(), "place": somewhere, "source": "addr:192.0.2.7" });
    assert!(ask(0, "Verify", by_root)["parameters"]["accepted"].is_object());
    assert!(remembered("addr:192.0.2.7") && !remembered("addr:192.0.2.8"));
    assert_eq!(ask(alice, "ForgetLogins", json!({ "user": "alice" }))["error"], json!(null));
    assert!(!remembered("addr:192.0.2.7"));

    let before = place.charges();
    let wrong = place.wrong_code();
    for (endings, charged) in
        [(json!(["1234567", "12345678"]), 1), (json!([wrong, wrong]), 0), (json!(["654321"]), 0)]
    {
        let guess = json!({ "user": "alice", "passcode": wrong, "endings": endings });
        let answer = ask(alice, "Verify", guess);
        let denied = if charged == 1 { "wrong_code" } else { "malformed" };
        assert_eq!(answer["parameters"]["denied"], denied, "{answer}");
    }
    assert_eq!(place.charges(), before + 1);
}

#[test]
#[ignore = "needs root: boots a container"]
fn root_asks_the_service_and_where_nobody_listens_reads_the_files() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let judged_by = |door: &str| {
        let before = guarded.cursor();
        let code = place.code();
        assert_eq!(locker(guarded, AS_ROOT, "alice", &code).status, 0, "{door}");
        guarded.wait_for_journal(&before, &format!("attempts=1 door={door} caller=0 user=\"alice\""));
        code
    };
    let code = judged_by("socket");
    guarded.must(&["systemctl", "stop", "countersign.socket", "countersign.service"]);
    assert_ne!(locker(guarded, AS_ROOT, "alice", &code).status, 0, "spent through the other door");
    judged_by("files");

    let before = guarded.cursor();
    assert_ne!(locker(guarded, &by("alice"), "alice", &place.code()).status, 0);
    guarded.wait_for_journal(&before, "event=error reason=service_missing");
    guarded.wait_for_journal(&before, "systemctl enable --now countersign.socket");

    // A file in the place of the socket is nobody.
    guarded.write("/run/countersign/io.countersign", 0o666, "x");
    judged_by("files");
    assert_ne!(locker(guarded, &by("alice"), "alice", &place.code()).status, 0);

    guarded.must(&["systemctl", "start", "countersign.socket"]);
    judged_by("socket");
}

#[test]
#[ignore = "needs root: boots a container"]
fn verifiers_of_the_policy_judge_for_others_and_see_nothing_else() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let policy = |text: &str| guarded.write("/etc/security/countersign.toml", 0o644, text);
    let lets_in = |user: &str| locker(guarded, &by(user), "alice", &place.code()).status == 0;
    assert!(!lets_in("bob") && !lets_in("carol"));
    policy("[service]\nverifiers = [\"bob\", \"@vpn\", \"nobody-at-all\", \"@no-such-group\"]\n");
    assert!(lets_in("bob") && !lets_in("carol"));
    guarded.must(&["groupadd", "vpn"]);
    guarded.must(&["usermod", "--append", "--groups=vpn", "carol"]);
    assert!(lets_in("carol"));
    for user in ["bob", "carol"] {
        let status = guarded.run(&[&by(user)[..], &["countersign", "status", "alice"]].concat());
        assert_eq!(status.status, 3, "{status:?}");
    }
    // A file that cannot be used names nobody to the service, and lets nobody in by the module, which reads it too.
    let bob = guarded.uid_of("bob");
    let as_bob = |code: &str| Peer::of(guarded, bob).verify("alice", code);
    let before = guarded.cursor();
    policy("[service]\nverifyers = [\"bob\"]\n");
    assert_eq!(as_bob(&place.code()), "io.countersign.NotPermitted");
    let cause = "cause=\"/etc/security/countersign.toml: line 2, column 1";
    guarded.wait_for_journal(&before, &format!("event=error reason=bad_policy {cause}"));
    assert!(!lets_in("bob"));
    guarded.wait_for_journal(&before, &format!("reason=bad_policy service=locker attempts=0 {cause}"));
    policy("[service]\nverifiers = [\"bob\"]\n");
    assert_eq!(as_bob(&place.code()), "accepted");
    assert!(lets_in("bob"));
    guarded.must(&["chmod", "go+w", "/etc/security/countersign.toml"]);
    assert_eq!(as_bob(&place.code()), "io.countersign.NotPermitted");
    assert!(!lets_in("bob") && !lets_in("alice"), "who may have written it nobody knows");
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_service_ends_when_idle_and_comes_back() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let is_active = || guarded.run(&["systemctl", "is-active", "--quiet", "countersign.service"]).status == 0;
    assert!(!is_active(), "nobody has asked yet");
    assert_eq!(Peer::of(guarded, 0).verify("alice", &place.code()), "accepted");
    assert!(is_active());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(100);
    while is_active() {
        assert!(std::time::Instant::now() < deadline, "it never ends");
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    assert_eq!(Peer::of(guarded, 0).verify("alice", &place.code()), "accepted");
    assert!(is_active());
}

#[test]
#[ignore = "needs root: boots a container"]
fn without_systemd_it_listens_at_a_path_of_its_own() {
    let place = Place::new("trixie");
    let guarded = &place.guarded;
    let introspected =
        guarded.must(&["varlinkctl", "introspect", "/run/countersign/io.countersign", "io.countersign"]);
    assert!(introspected.contains("method Verify("), "{introspected}");
    let called = guarded.must(&[
        "varlinkctl",
        "call",
        "/run/countersign/io.countersign",
        "io.countersign.GetEnrolment",
        "{\"user\":\"alice\"}",
    ]);
    assert!(called.contains("true"), "{called}");
    guarded.must(&["systemctl", "disable", "--now", "countersign.socket"]);
    guarded.must(&["systemctl", "stop", "countersign.service"]);
    guarded.must(&["rm", "-rf", "/run/countersign"]);
    let serve = ["countersign", "serve", "--listen", "/run/countersign/io.countersign"];
    for _ in 0..2 {
        let mut service = guarded.start(&serve);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while Peer::try_of(guarded, 0).is_err() {
            assert!(std::time::Instant::now() < deadline, "it does not listen");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert_eq!(locker(guarded, &by("alice"), "alice", &place.code()).status, 0);
        let second = guarded.run(&serve);
        assert_eq!(second.status, 1, "{second:?}");
        // Killed, it leaves its socket behind, and the next one takes its place.
        guarded.must(&["pkill", "--signal=KILL", "--full", "^countersign serve"]);
        service.wait().expect("its end");
    }
    let nothing = guarded.run(&["countersign", "serve"]);
    assert_eq!(nothing.status, 1);
    assert!(nothing.stderr.contains("no socket was handed over"), "{nothing:?}");
    assert_eq!(guarded.run(&[&by("bob")[..], &["countersign", "serve"]].concat()).status, 3);
}
