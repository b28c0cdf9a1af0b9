//! What a user does for himself at a terminal, without root: enrols, adds a device, moves to a new phone,
//! makes new recovery codes, removes. Each change asks for the proof that it must ask for.

use crate::container::{Machine, Terminal};
use crate::installed::{Guarded, password_of};
use crate::peer::{Peer, reason};
use crate::planting::Phone;
use crate::users::{by, locker};
use crate::{LOCKER, Place};
use serde_json::json;
use std::fs::File;

const PRESENT_CODE: &str = "code of a present device, or a recovery code: ";

fn machine(suite: &str) -> Guarded {
    let guarded = Guarded::boot_with(suite, &["pamtester"]);
    for name in ["alice", "bob"] {
        guarded.add_person(name);
    }
    guarded.write("/etc/pam.d/locker", 0o644, LOCKER);
    guarded.must(&["systemctl", "enable", "--now", "countersign.socket"]);
    guarded
}

/// Alice's command at a terminal of her own.
fn alice(machine: &Machine, words: &[&str]) -> Terminal {
    machine.terminal(&[&by("alice")[..], &["countersign"], words].concat())
}

/// The phone that a key is typed into.
fn phone_of(terminal: &mut Terminal) -> Phone {
    terminal.expect("key for typing in: ");
    terminal.expect("code that the app shows: ");
    let shown = terminal.transcript();
    let key = shown.lines().find_map(|line| line.trim().strip_prefix("key for typing in: ")).expect("a key");
    Phone::new(&key.replace(' ', ""))
}

/// The recovery codes on the screen.
fn recovery_codes(terminal: &Terminal) -> Vec<String> {
    let shown = terminal.transcript();
    let is_code = |line: &&str| line.len() == 19 && line.split('-').count() == 4;
    let codes: Vec<String> = shown.lines().map(str::trim).filter(is_code).map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{shown}");
    codes
}

fn gets_in(guarded: &Guarded, code: &str) -> bool {
    locker(guarded, &by("alice"), "alice", code).status == 0
}

/// Enrols alice with her password alone; her phone and recovery codes.
fn enrol(guarded: &Guarded) -> (Phone, Vec<String>) {
    let mut terminal = alice(guarded, &["enroll"]);
    terminal.expect("Password: ");
    terminal.send_line("wrong");
    terminal.expect("that is not the password");
    terminal.expect("Password: ");
    terminal.send_line(&password_of("alice"));
    let phone = phone_of(&mut terminal);
    terminal.send_line(&phone.wrong_code());
    terminal.expect("that is not the code");
    terminal.expect("code that the app shows: ");
    terminal.send_line(&phone.code(0));
    terminal.expect("alice is enrolled.");
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    let shown = terminal.transcript();
    assert!(!shown.contains(&password_of("alice")), "the password was echoed:\n{shown}");
    let codes = recovery_codes(&terminal);
    (phone, codes)
}

/// Ctrl-C at the password ends the command by its signal, and the terminal shows what is typed again.
fn gives_up_at_the_password(guarded: &Guarded) {
    let script = "trap : INT; countersign enroll; echo ended $?; stty -a; echo whole";
    let mut terminal = guarded.terminal(&[&by("alice")[..], &["bash", "-c", script]].concat());
    terminal.expect("Password: ");
    terminal.send_control('c');
    terminal.expect("ended 130");
    let settings = terminal.expect("whole");
    for setting in ["isig", "icanon", "echo"] {
        assert!(settings.split_whitespace().any(|word| word == setting), "{setting}: {settings}");
    }
    assert_eq!(terminal.wait(), 0);
}

fn a_life_with_devices(suite: &str) {
    let guarded = machine(suite);
    gives_up_at_the_password(&guarded);
    let before = guarded.cursor();
    let (phone, codes) = enrol(&guarded);
    let uid = guarded.uid_of("alice");
    guarded.wait_for_journal(
        &before,
        &format!("event=enrolled by=uid:{uid} authenticator=phone user=\"alice\""),
    );
    assert!(!gets_in(&guarded, &phone.same_code()), "the first code is spent");
    assert!(gets_in(&guarded, &phone.code(1)));
    let mut codes = codes.into_iter();
    let mut code = || codes.next().expect("a recovery code");

    // Twice is no first enrolment, password or not.
    let mut terminal = alice(&guarded, &["enroll"]);
    terminal.expect("you are enrolled already");
    assert_eq!(terminal.wait(), 3);

    // A second phone: not without a code of the first.
    let mut terminal = alice(&guarded, &["add", "tablet"]);
    terminal.expect(PRESENT_CODE);
    terminal.send_line(&phone.wrong_code());
    terminal.expect("that is not a code of yours");
    assert_eq!(terminal.wait(), 3, "{}", terminal.transcript());
    assert!(!terminal.transcript().contains("key for typing in"));
    let mut terminal = alice(&guarded, &["add", "tablet"]);
    terminal.expect(PRESENT_CODE);
    terminal.send_line(&code());
    let tablet = phone_of(&mut terminal);
    terminal.send_line(&tablet.code(0));
    terminal.expect("tablet of alice is in force");
    assert_eq!(terminal.wait(), 0);
    assert!(gets_in(&guarded, &tablet.code(1)));

    // A new phone in place of the first, which is good until the new one is confirmed.
    let mut terminal = alice(&guarded, &["replace", "phone"]);
    terminal.expect(PRESENT_CODE);
    terminal.send_line(&code());
    let new_phone = phone_of(&mut terminal);
    let state = guarded.must(&[&by("alice")[..], &["countersign", "status"]].concat());
    assert!(state.contains("phone: totp") && state.contains("tablet: totp"), "{state}");
    terminal.send_line(&new_phone.code(0));
    terminal.expect("phone of alice is in force");
    assert_eq!(terminal.wait(), 0);
    let old_code = phone.code_at(crate::planting::now() + 60);
    assert!(!gets_in(&guarded, &old_code), "the former phone is good no longer");
    assert!(gets_in(&guarded, &new_phone.code(1)));

    // New recovery codes; the former ones are good no longer.
    let mut terminal = alice(&guarded, &["recovery"]);
    terminal.expect(PRESENT_CODE);
    terminal.send_line(&code());
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    let new_codes = recovery_codes(&terminal);
    assert!(!gets_in(&guarded, &code()));
    assert!(gets_in(&guarded, &new_codes[0]));

    // One device goes for a code, the last one for the password too.
    let mut terminal = alice(&guarded, &["remove", "--device", "tablet", "--yes"]);
    terminal.expect(PRESENT_CODE);
    terminal.send_line(&new_codes[1]);
    terminal.expect("tablet is removed");
    assert_eq!(terminal.wait(), 0);
    let mut terminal = alice(&guarded, &["remove"]);
    terminal.expect("remove phone, and be no longer enrolled? [y/N] ");
    terminal.send_line("y");
    terminal.expect(PRESENT_CODE);
    terminal.send_line(&new_codes[2]);
    terminal.expect("Password: ");
    terminal.send_line(&password_of("alice"));
    terminal.expect("alice is no longer enrolled");
    assert_eq!(terminal.wait(), 0);
    guarded.wait_for_journal(&before, &format!("event=removed by=uid:{uid} user=\"alice\""));
    let state = guarded.run(&[&by("alice")[..], &["countersign", "status"]].concat());
    assert_eq!(state.status, 4, "{state:?}");
    assert!(!guarded.store().join("users/alice").exists());
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_user_lives_with_devices_without_root_on_debian_12() {
    a_life_with_devices("bookworm");
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_user_lives_with_devices_without_root_on_debian_13() {
    a_life_with_devices("trixie");
}

/// The umask is that of the person who calls su.
#[test]
#[ignore = "needs root: boots a container"]
fn what_a_login_under_any_umask_has_enrolled_the_service_reads_and_removes() {
    let guarded = machine("bookworm");
    guarded.write("/etc/security/countersign.toml", 0o644, "unenrolled = \"enroll\"\n");
    let stack =
        "auth required pam_unix.so\nauth required pam_countersign.so\naccount required pam_permit.so\n";
    guarded.write("/etc/pam.d/door", 0o644, stack);
    let script = "umask 0777; exec pamtester door alice authenticate";
    let mut login = guarded.terminal(&["sh", "-c", script]);
    login.expect("Password: ");
    login.send_line(&password_of("alice"));
    login.expect("Or type this key into it: ");
    let phone = Phone::new(&login.expect("\r\n").replace(' ', ""));
    login.expect("Code that the app shows: ");
    login.send_line(&phone.code(0));
    login.expect("each lets you in once:");
    let shown = login.expect("Press Enter once you have kept them: ");
    login.send_line("");
    assert_eq!(login.wait(), 0, "{}", login.transcript());
    let codes: Vec<&str> = shown.lines().map(str::trim).filter(|line| line.len() == 19).collect();
    assert!(gets_in(&guarded, &phone.code(1)), "the service cannot read it");

    // Bob's entry is as the same would have left it before.
    guarded.write("/var/lib/countersign/by-uid/4242", 0o000, "nobody\n");
    let before = guarded.cursor();
    let mut terminal = alice(&guarded, &["remove", "--yes"]);
    terminal.expect(PRESENT_CODE);
    terminal.send_line(codes[0]);
    terminal.expect("Password: ");
    terminal.send_line(&password_of("alice"));
    terminal.expect("alice is no longer enrolled");
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    guarded.wait_for_journal(&before, "unreadable=by-uid/4242 user=\"alice\"");
    assert!(!guarded.store().join(format!("by-uid/{}", guarded.uid_of("alice"))).exists());
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_session_left_open_binds_nobody_elses_phone() {
    let guarded = machine("bookworm");
    let uid = guarded.uid_of("alice");
    let first = json!({ "user": "alice", "purpose": "first", "device": "phone", "issuer": "x" });
    let mut peer = Peer::of(&guarded, uid);
    assert_eq!(reason(&peer.ask("io.countersign.BeginDevice", &first)), "password_needed");
    assert_eq!(
        reason(&peer.ask("io.countersign.ConfirmDevice", &json!({ "user": "alice", "code": "1" }))),
        "nothing_begun"
    );
    // A proof is the connection's: another one has none.
    let asked = peer.ask("io.countersign.ProvePassword", &json!({ "user": "alice" }));
    assert_eq!(asked["parameters"]["ask"], "Password: ", "{asked}");
    let second = Peer::of(&guarded, uid).ask("io.countersign.ProvePassword", &json!({ "user": "alice" }));
    assert_eq!(reason(&second), "proof_running", "one proof at a time");
    let answer = json!({ "user": "alice", "answer": password_of("alice") });
    let proven = peer.ask("io.countersign.ProvePassword", &answer);
    assert_eq!(proven["parameters"]["proven"], true, "{proven}");
    let mut other = Peer::of(&guarded, uid);
    assert_eq!(reason(&other.ask("io.countersign.BeginDevice", &first)), "password_needed");
    assert!(peer.ask("io.countersign.BeginDevice", &first)["parameters"]["uri"].is_string());
    drop(peer);
    assert!(!guarded.store().join("users/alice").exists(), "nothing is kept before the first code");
    // Her password proves nothing about bob, and hers is not asked for by him.
    let bob = guarded.uid_of("bob");
    let asked = Peer::of(&guarded, bob).ask("io.countersign.ProvePassword", &json!({ "user": "alice" }));
    assert_eq!(asked["error"], "io.countersign.NotPermitted");

    // Five wrong passwords, then a wait that another connection does not escape.
    let guess = || {
        let mut peer = Peer::of(&guarded, uid);
        let asked = peer.ask("io.countersign.ProvePassword", &json!({ "user": "alice" }));
        if asked["parameters"]["ask"].is_null() {
            return reason(&asked);
        }
        let told = peer.ask("io.countersign.ProvePassword", &json!({ "user": "alice", "answer": "wrong" }));
        assert_eq!(told["parameters"]["proven"], false, "{told}");
        "refused".to_owned()
    };
    let told: Vec<String> = (0..6).map(|_| guess()).collect();
    assert_eq!(told, ["refused", "refused", "refused", "refused", "refused", "wait"]);
}

#[test]
#[ignore = "needs root: boots a container"]
fn changes_of_an_enrolment_cost_a_code_and_are_kept_whole() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let uid = guarded.uid_of("alice");
    let mut peer = Peer::of(guarded, uid);
    let begin = |purpose: &str, device: &str, passcode: Option<&str>| json!({ "user": "alice", "purpose": purpose, "device": device, "issuer": "x", "passcode": passcode });
    let next = place.next();
    let code = place.code();
    for (question, word) in [
        (begin("beside", "tablet", None), "passcode_needed"),
        (begin("beside", "phone", Some(&code)), "name_taken"),
        (begin("in_place", "tablet", Some(&code)), "unknown_device"),
        (begin("beside", "a name", Some(&code)), "bad_device_name"),
        (begin("first", "tablet", Some(&code)), "already_enrolled"),
    ] {
        assert_eq!(reason(&peer.ask("io.countersign.BeginDevice", &question)), word);
    }
    for method in ["RemoveDevice", "NewRecoveryCodes"] {
        let device = (method == "RemoveDevice").then_some("phone");
        let question = json!({ "user": "alice", "device": device });
        let told = reason(&peer.ask(&format!("io.countersign.{method}"), &question));
        assert!(["passcode_needed", "password_needed"].contains(&told.as_str()), "{method}: {told}");
    }
    assert_eq!((place.next(), place.charges()), (next, 0), "what is refused in any case costs no code");
    // Removing the last device needs the password before a code is spent.
    let remove = json!({ "user": "alice", "device": "phone", "passcode": code });
    assert_eq!(reason(&peer.ask("io.countersign.RemoveDevice", &remove)), "password_needed");
    assert_eq!(place.next(), next);

    // Begun and not confirmed: the code is spent, and nothing else has changed.
    let answer = peer.ask("io.countersign.BeginDevice", &begin("beside", "tablet", Some(&code)));
    assert!(answer["parameters"]["key"].is_string(), "{answer}");
    peer.ask("io.countersign.CancelDevice", &json!({ "user": "alice" }));
    let confirm = json!({ "user": "alice", "code": "123456" });
    assert_eq!(reason(&peer.ask("io.countersign.ConfirmDevice", &confirm)), "nothing_begun");
    assert_eq!(place.next(), next + 1);
    let again = peer.ask("io.countersign.BeginDevice", &begin("beside", "tablet", Some(&code)));
    assert_eq!(reason(&again), "spent_code");

    // Begun before root has changed something: it may not undo that afterwards.
    let mut root = Peer::of(guarded, 0);
    let key = peer.ask("io.countersign.BeginDevice", &begin("in_place", "phone", Some(&place.code())));
    let key = key["parameters"]["key"].as_str().expect("a key").replace(' ', "");
    let made = root.ask("io.countersign.NewRecoveryCodes", &json!({ "user": "alice" }));
    assert_eq!(made["parameters"]["recovery_codes"].as_array().map(Vec::len), Some(10), "{made}");
    let right = json!({ "user": "alice", "code": Phone::new(&key).code(0) });
    assert_eq!(reason(&peer.ask("io.countersign.ConfirmDevice", &right)), "changed_meanwhile");

    // Five wrong codes of the new device, and it is gone.
    let fresh = place.code();
    peer.ask("io.countersign.BeginDevice", &begin("beside", "tablet", Some(&fresh)));
    let told: Vec<String> =
        (0..5).map(|_| reason(&peer.ask("io.countersign.ConfirmDevice", &confirm))).collect();
    assert_eq!(told, ["none", "none", "none", "none", "too_many_tries"]);
    assert_eq!(peer.verify("alice", &place.code()), "accepted");
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_removal_takes_nothing_that_has_changed_while_it_was_proven() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let kept = guarded.store().join("users/alice");
    let mut peer = Peer::of(guarded, guarded.uid_of("alice"));
    peer.ask("io.countersign.ProvePassword", &json!({ "user": "alice" }));
    let answer = json!({ "user": "alice", "answer": password_of("alice") });
    let proven = peer.ask("io.countersign.ProvePassword", &answer);
    assert_eq!(proven["parameters"]["proven"], true, "{proven}");
    let remove = |device: &str, code: &str| json!({ "user": "alice", "device": device, "passcode": code });

    // The service has read what there is, and waits for the lock when somebody else changes it.
    let state = File::open(kept.join("state")).expect("the state");
    state.lock().expect("the lock");
    let first = remove("phone", &place.code());
    let asking = std::thread::spawn(move || {
        let told = reason(&peer.ask("io.countersign.RemoveDevice", &first));
        (peer, told)
    });
    std::thread::sleep(std::time::Duration::from_secs(1));
    let credential = kept.join("credential.toml");
    let text = std::fs::read_to_string(&credential).expect("the credential");
    let changed = text.replace("\"phone\"", "\"other\"");
    assert_ne!(changed, text);
    std::fs::write(&credential, changed).expect("the change");
    state.unlock().expect("the lock is given back");
    let (mut peer, told) = asking.join().expect("an answer");
    assert_eq!(told, "changed_meanwhile");
    assert!(credential.exists());

    let removed = peer.ask("io.countersign.RemoveDevice", &remove("other", &place.code()));
    assert_eq!(removed["parameters"]["enrolled"], false, "{removed}");
    assert!(!kept.exists());
}
