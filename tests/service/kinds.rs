//! Devices of every kind that a user enrols for himself, without root: what he may ask for, what he sees of
//! it, and what the service does not take from him.

use serde_json::json;

use crate::Place;
use crate::peer::{Peer, reason};
use crate::screen;
use crate::users::{by, locker};

const PRESENT_CODE: &str = "code of a present device, or a recovery code: ";

/// The code of now of a device of eight digits of SHA-256 and of 60 s, by `oathtool`.
fn code(key: &str, periods_ahead: u64) -> String {
    let time = crate::planting::now() + 60 * periods_ahead;
    let made = std::process::Command::new("oathtool")
        .args(["--totp=SHA256", "--digits=8", "--time-step-size=60s", "--base32"])
        .args([&format!("--now=@{time}"), key])
        .output();
    let made = made.expect("oathtool is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8_lossy(&made.stdout).trim().to_owned()
}

#[test]
#[ignore = "needs root: boots a container"]
fn a_user_enrols_a_device_of_his_own_kind_and_sees_it_in_private() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    let words = [
        &by("alice")[..],
        &["countersign", "add", "tablet", "--issuer", "Müller", "--label", "zoë 1"],
        &["--algorithm", "sha256", "--digits", "8", "--period", "60"],
        &["--private", "--svg", "/home/alice/code.svg"],
    ];
    let mut terminal = guarded.terminal(&words.concat());
    terminal.expect("warning: many apps ignore --algorithm");
    terminal.expect(PRESENT_CODE);
    terminal.send_line(&place.code());
    terminal.expect("\u{1b}[?1049h");
    terminal.expect("key for typing in: ");
    let key: String = terminal.expect("code that the app shows: ").split_whitespace().collect();
    let uri = format!(
        "otpauth://totp/M%C3%BCller:zo%C3%AB%201?secret={key}&issuer=M%C3%BCller&algorithm=SHA256&digits=8&period=60"
    );
    assert_eq!(screen::read_qr_code(&terminal.transcript()), uri);
    // It is his, and nobody else reads it.
    let file = guarded.must(&["stat", "-c", "%U %a", "/home/alice/code.svg"]);
    assert_eq!(file.trim(), "alice 600");
    let svg = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(svg.path(), guarded.must(&["cat", "/home/alice/code.svg"])).expect("the picture");
    assert_eq!(screen::read_svg(svg.path()), uri);
    terminal.send_line(&code(&key, 0));
    terminal.expect("\u{1b}[?1049l");
    terminal.expect("tablet of alice is in force");
    assert_eq!(terminal.wait(), 0, "{}", terminal.transcript());
    let seen = locker(guarded, &by("alice"), "alice", &code(&key, 1));
    assert_eq!(seen.status, 0, "{seen:?}");
}

#[test]
#[ignore = "needs root: boots a container"]
fn what_is_for_root_no_user_gets_and_what_cannot_be_costs_no_code() {
    let place = Place::new("bookworm");
    let guarded = &place.guarded;
    for words in [
        &["add", "token", "--force", "--secret-stdin"][..],
        &["add", "token", "--force", "--hotp", "--counter", "7"],
        &["add", "token", "--force", "--no-confirm"],
        &["confirm", "alice"],
    ] {
        let refused = guarded.run(&[&by("alice")[..], &["countersign"], words].concat());
        assert_eq!(refused.status, 3, "{words:?}: {refused:?}");
        assert!(refused.stderr.contains("countersign: only root may do this"), "{refused:?}");
    }
    let (next, code) = (place.next(), place.code());
    let mut peer = Peer::of(guarded, guarded.uid_of("alice"));
    let begin = |extra: serde_json::Value| {
        let mut question = json!({ "user": "alice", "purpose": "beside", "device": "tablet", "issuer": "x", "passcode": code });
        for (name, value) in extra.as_object().expect("an object") {
            question[name] = value.clone();
        }
        question
    };
    for extra in [json!({ "issuer": "a:b" }), json!({ "label": "" }), json!({ "label": "x".repeat(65) })] {
        let told = peer.ask("io.countersign.BeginDevice", &begin(extra.clone()));
        assert_eq!(reason(&told), "bad_label", "{extra}");
    }
    for parameters in [
        json!({ "algorithm": "MD5" }),
        json!({ "digits": 9 }),
        json!({ "period": 5 }),
        json!({ "type": "hotp", "period": 30 }),
        json!({ "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" }),
    ] {
        let told = peer.ask("io.countersign.BeginDevice", &begin(json!({ "parameters": parameters })));
        assert_eq!(told["error"], "org.varlink.service.InvalidParameter", "{parameters}: {told}");
    }
    let told = peer.ask("io.countersign.BeginDevice", &begin(json!({ "secret": "GEZDGNBVGY3TQOJQ" })));
    assert_eq!(told["error"], "org.varlink.service.InvalidParameter", "{told}");
    assert_eq!((place.next(), place.charges()), (next, 0));
    let told = peer.ask("io.countersign.BeginDevice", &begin(json!({ "parameters": { "type": "hotp" } })));
    assert!(told["parameters"]["uri"].as_str().is_some_and(|uri| uri.ends_with("&counter=0")), "{told}");
}
