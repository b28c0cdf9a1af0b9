//! `countersign status`, for people and for programs.

use pam_countersign::credential::{Authenticator, Kind, SourceName};
use pam_countersign::otp::SharedSecret;
use pam_countersign::policy::throttle::{charge, welcome};
use serde_json::json;

use crate::command::{machine, run};
use crate::planting::{Planted, now};
use crate::said;
use crate::schema::reported;

fn source(text: &str) -> SourceName {
    SourceName::new(text.to_owned()).expect("a source")
}

/// Alice with two devices of which one is not confirmed, a token that counts, and sources that wait.
fn alice() -> Planted {
    let (mut alice, _) = Planted::new("alice", 1000);
    let phone = alice.credential.authenticators[0].clone();
    let other = |id: &str, secret: &[u8], kind, confirmed| Authenticator {
        id: id.to_owned(),
        secret: SharedSecret::from_bytes(secret).expect("a secret"),
        kind,
        confirmed,
        ..phone.clone()
    };
    alice.credential.authenticators.push(other("token", b"secret of a token", Kind::Hotp, phone.confirmed));
    alice.credential.authenticators.push(other("tablet", b"secret of a tablet", phone.kind, None));
    let token = alice.credential.authenticators[1].key_name();
    let record = pam_countersign::credential::KeyRecord { key: token, next: 41, drift: 0, lean: 0 };
    alice.state.put_key(record, &[]);
    alice.state.keys[0].next = 1_790_000_000 / 30 + 1 + 4;
    alice.state.keys[0].drift = 4;
    welcome(&mut alice.state, &source("addr:192.0.2.7"), now() - 3600);
    welcome(&mut alice.state, &source("uid:1000"), now() - 60);
    for _ in 0..120 {
        charge(&mut alice.state, &source("uid:1000"), now());
    }
    for _ in 0..3 {
        charge(&mut alice.state, &source("addr:203.0.113.5"), now());
    }
    alice.state.recovery.failures = 2;
    alice
}

#[test]
fn status_tells_devices_last_codes_drift_and_failures_by_source() {
    let sandbox = machine();
    alice().put_into(&sandbox.store());
    let (status, text, _) = said(&run(&sandbox, &["status", "alice"]));
    assert_eq!(status, 0);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "alice: enrolled");
    assert_eq!(
        lines[1..8],
        [
            "  authenticator   phone: totp SHA1, 6 digits, 30 s, confirmed 2026-09-21T14:13:20Z",
            lines[2],
            "  authenticator   token: hotp SHA1, 6 digits, confirmed 2026-09-21T14:13:20Z",
            "                  next counter 41",
            "  authenticator   tablet: totp SHA1, 6 digits, 30 s, not confirmed",
            "                  what was used is not known",
            "  recovery codes  3 of 3 left, 2 wrong since the last good one",
        ]
    );
    assert_eq!(
        lines[2],
        "                  last code of 2026-09-21T14:13:00Z, clock ahead by 4 periods (drift 4)"
    );
    assert!(lines[8].starts_with("  known source    addr:192.0.2.7, last login 20"), "{text}");
    assert!(lines[8].ends_with("failures since 0"), "{text}");
    assert!(
        lines[9].ends_with(
            "failures since 120, refused until `countersign unlock`, a recovery code or a new device"
        ),
        "{text}"
    );
    assert_eq!(lines[10], "  failures        3 from other sources");
    assert_eq!(lines.len(), 11, "{text}");
}

#[test]
fn status_says_how_long_a_source_still_waits() {
    let sandbox = machine();
    let (mut alice, _) = Planted::new("alice", 1000);
    welcome(&mut alice.state, &source("addr:192.0.2.7"), now());
    for _ in 0..20 {
        charge(&mut alice.state, &source("addr:192.0.2.7"), now());
        charge(&mut alice.state, &source("addr:203.0.113.5"), now());
    }
    alice.put_into(&sandbox.store());
    let (_, text, _) = said(&run(&sandbox, &["status", "alice"]));
    assert!(
        text.contains("failures since 20, refused for 8") || text.contains("refused for 900 s more"),
        "{text}"
    );
    assert!(text.contains("20 from other sources, some of which are refused for "), "{text}");
    let (status, json) = reported(&sandbox, &["status", "--json", "alice"], "");
    assert_eq!(status, 0);
    let records = &json["records"];
    for wait in [&records["known_sources"][0]["wait"], &records["other_wait"]] {
        assert!((800..=900).contains(&wait.as_u64().expect("a wait")), "{json}");
    }
}

#[test]
fn the_json_of_a_status_is_as_its_schema_has_it_and_holds_no_secret() {
    let sandbox = machine();
    let mut planted = alice();
    planted.put_into(&sandbox.store());
    let (status, json) = reported(&sandbox, &["status", "alice", "--json"], "");
    assert_eq!(status, 0);
    let text = json.to_string();
    for device in &planted.credential.authenticators {
        assert!(!text.contains(device.secret.to_base32().as_str()), "{text}");
    }
    assert_eq!((&json["format"], &json["report"]), (&json!(1), &json!("status")));
    assert_eq!((&json["user"], &json["state"]), (&json!("alice"), &json!("enrolled")));
    assert_eq!(json["authenticators"][1]["next_counter"], json!(41));
    assert_eq!(json["records"]["known_sources"][1]["capped"], json!(true));
    assert_eq!(json["records"]["recovery_failures"], json!(2));

    planted.credential.disabled = true;
    planted.put_into(&sandbox.store());
    std::fs::remove_file(planted.directory(&sandbox.store()).join("state")).expect("a state");
    let (_, json) = reported(&sandbox, &["status", "alice", "--json"], "");
    assert_eq!((&json["state"], &json["needs_repair"]), (&json!("disabled"), &json!(true)));
    assert_eq!(json["records"], json!(null));
    assert!(said(&run(&sandbox, &["status", "alice"])).1.ends_with("  state           missing\n"));
}

#[test]
fn where_there_is_nothing_to_report_no_json_is_written() {
    let sandbox = machine();
    let (status, text, errors) = said(&run(&sandbox, &["status", "bob", "--json"]));
    assert_eq!((status, text.as_str()), (4, ""), "{errors}");
    assert!(errors.starts_with("countersign: bob is not enrolled\nhint: "), "{errors}");
}

#[test]
fn who_has_confirmed_no_device_is_pending() {
    let sandbox = machine();
    let (mut alice, _) = Planted::new("alice", 1000);
    alice.credential.authenticators[0].confirmed = None;
    alice.put_into(&sandbox.store());
    let (_, text, _) = said(&run(&sandbox, &["status", "alice"]));
    assert!(
        text.starts_with("alice: pending, no device is confirmed and none but recovery codes are taken\n"),
        "{text}"
    );
    assert_eq!(reported(&sandbox, &["status", "alice", "--json"], "").1["state"], json!("pending"));
}
