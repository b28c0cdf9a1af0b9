use super::*;
use crate::credential::record::tests::alice;
use crate::policy::throttle::{charge, welcome};
use crate::policy::{Proof, throttle};

const NOW: u64 = 1_800_000_000;
const HOUR: u64 = 3600;
const MOMENT: Moment = Moment { now: NOW, booted: NOW - 90_000 };

fn ssh() -> Facts {
    Facts {
        service: "sshd".to_owned(),
        rhost: Some("192.0.2.7".to_owned()),
        tty: Some("ssh".to_owned()),
        ssh_auth_info: Some("publickey ssh-ed25519 AAAA".to_owned()),
        ..Facts::default()
    }
}

fn sudo() -> Facts {
    Facts {
        service: "sudo".to_owned(),
        tty: Some("/dev/pts/3".to_owned()),
        real_uid: 1000,
        ruser_uid: Some(1000),
        audit_session: Some(7),
        ..Facts::default()
    }
}

fn name() -> UserName {
    UserName::new(b"alice").unwrap()
}

fn origin(facts: &Facts) -> Origin {
    Origin { source: source_of(facts), place: place_of(facts, &name()) }
}

/// A state in which this login has been let in by a code.
fn after(facts: &Facts) -> State {
    let mut state = State::new([5; 16], NOW);
    let origin = origin(facts);
    welcome(&mut state, &origin.source, NOW);
    remember(&mut state, &origin, MOMENT);
    state
}

fn later(seconds: u64) -> Moment {
    Moment { now: NOW + seconds, ..MOMENT }
}

fn is_recalled(state: &State, facts: &Facts, moment: Moment) -> bool {
    recall(&alice(), state, &origin(facts), moment, HOUR).is_some()
}

#[test]
fn the_same_place_is_not_asked_again_until_its_time_is_over() {
    for facts in [ssh(), sudo()] {
        let state = after(&facts);
        assert!(is_recalled(&state, &facts, later(0)));
        assert!(is_recalled(&state, &facts, later(HOUR - 1)));
        assert!(!is_recalled(&state, &facts, later(HOUR)));
        let accepted = recall(&alice(), &state, &origin(&facts), later(9), HOUR).unwrap();
        assert_eq!(*accepted.proof(), Proof::Remembered { since: NOW });
    }
}

#[test]
fn whatever_differs_makes_it_another_place() {
    let state = after(&ssh());
    let changes: [fn(&mut Facts); 5] = [
        |facts| facts.service = "sshd-internal".to_owned(),
        |facts| facts.rhost = Some("192.0.2.8".to_owned()),
        |facts| facts.ssh_connection = Some("192.0.2.8 1 192.0.2.1 22".to_owned()),
        |facts| facts.ssh_auth_info = Some("publickey ssh-ed25519 BBBB".to_owned()),
        |facts| facts.ssh_auth_info = None,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut facts = ssh();
        change(&mut facts);
        assert!(!is_recalled(&state, &facts, later(1)), "{number}");
    }
    let state = after(&sudo());
    let changes: [fn(&mut Facts); 6] = [
        |facts| facts.service = "su".to_owned(),
        |facts| facts.tty = Some("/dev/pts/4".to_owned()),
        |facts| facts.real_uid = 1001,
        |facts| facts.ruser_uid = Some(1001),
        |facts| facts.audit_session = Some(8),
        |facts| facts.audit_session = None,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut facts = sudo();
        change(&mut facts);
        assert!(!is_recalled(&state, &facts, later(1)), "{number}");
    }
}

#[test]
fn two_addresses_of_one_network_are_two_places() {
    let from = |host: &str| Facts { rhost: Some(host.to_owned()), ..ssh() };
    let state = after(&from("2001:db8::1"));
    assert!(is_recalled(&state, &from("2001:db8::1"), later(1)));
    assert_eq!(origin(&from("2001:db8::1")).source, origin(&from("2001:db8::2")).source);
    assert!(!is_recalled(&state, &from("2001:db8::2"), later(1)));
}

#[test]
fn nowhere_and_a_terminal_without_a_session_are_no_places() {
    let nowhere = Facts { rhost: Some("client.example.org".to_owned()), ..ssh() };
    for facts in [
        nowhere,
        Facts { audit_session: None, ..sudo() },
        Facts { tty: None, ..sudo() },
        Facts { tty: Some(String::new()), ..sudo() },
        Facts { tty: Some("cron".to_owned()), ..sudo() },
        Facts { real_uid: 0, ruser_uid: None, tty: Some("/dev/pts/1".to_owned()), ..sudo() },
    ] {
        assert_eq!(place_of(&facts, &name()), None, "{facts:?}");
        assert_eq!(remembered(&after(&facts)).count(), 0);
        assert!(!is_recalled(&after(&facts), &facts, later(0)));
    }
    let console = Facts { real_uid: 0, ruser_uid: None, tty: Some("/dev/tty1".to_owned()), ..sudo() };
    assert!(is_recalled(&after(&console), &console, later(1)));
}

#[test]
fn a_clock_that_was_set_or_a_restart_ends_it() {
    let state = after(&ssh());
    for jump in [10, HOUR / 2, 86_400] {
        let ahead = Moment { now: NOW + jump, booted: MOMENT.booted + jump };
        assert!(!is_recalled(&state, &ssh(), ahead), "{jump} s ahead");
        let back = Moment { now: NOW + 1800 - jump, booted: MOMENT.booted - jump };
        assert!(!is_recalled(&state, &ssh(), back), "{jump} s back");
    }
    let restarted = Moment { now: NOW + 60, booted: NOW + 30 };
    assert!(!is_recalled(&state, &ssh(), restarted));
    let mut state = state;
    remember(&mut state, &Origin { place: place_of(&sudo(), &name()), ..origin(&ssh()) }, restarted);
    assert_eq!(remembered(&state).count(), 1, "what was remembered before is gone");
    assert!(!is_recalled(&after(&ssh()), &ssh(), Moment { now: NOW - 1, ..MOMENT }), "before it was made");
}

#[test]
fn who_is_disabled_or_fails_is_asked() {
    let mut state = after(&ssh());
    let disabled = Credential { disabled: true, ..alice() };
    assert!(recall(&disabled, &state, &origin(&ssh()), later(1), HOUR).is_none());
    for _ in 0..throttle::FREE_FAILURES {
        charge(&mut state, &origin(&ssh()).source, NOW);
    }
    assert!(!is_recalled(&state, &ssh(), later(1)));
    assert!(is_recalled(&state, &ssh(), later(60)), "the wait is over");
}

#[test]
fn what_is_forgotten_is_asked_for() {
    for forget in [State::forget_logins, State::vouch_for_nothing] {
        let mut state = after(&ssh());
        forget(&mut state);
        assert!(!is_recalled(&state, &ssh(), later(1)));
        assert_eq!(remembered(&state).count(), 0);
    }
}

#[test]
fn eight_are_remembered_and_the_oldest_makes_room() {
    let mut state = State::new([5; 16], NOW);
    let at = |session: u32| Facts { audit_session: Some(session), ..sudo() };
    for session in 1..=9 {
        let origin = origin(&at(session));
        welcome(&mut state, &origin.source, NOW);
        remember(&mut state, &origin, later(u64::from(session)));
    }
    assert_eq!(remembered(&state).count(), MOST_REMEMBERED);
    assert!(!is_recalled(&state, &at(1), later(20)));
    assert!((2..=9).all(|session| is_recalled(&state, &at(session), later(20))));
    remember(&mut state, &origin(&at(2)), later(15));
    assert_eq!(remembered(&state).count(), MOST_REMEMBERED, "one place is remembered once");
}

#[test]
fn a_source_that_makes_room_takes_its_logins_along() {
    let mut state = after(&ssh());
    for number in 10..18 {
        let source = SourceName::new(format!("addr:192.0.2.{number}")).unwrap();
        welcome(&mut state, &source, NOW + number);
    }
    assert!(!is_recalled(&state, &ssh(), later(30)));
}

#[test]
fn an_address_that_a_relay_has_is_a_place_only_with_a_key() {
    for host in ["127.0.0.1", "::1", "0.0.0.0", "169.254.7.7", "fe80::1%eth0"] {
        let relayed = Facts { rhost: Some(host.to_owned()), ..ssh() };
        assert!(place_of(&relayed, &name()).is_some(), "{host}");
        for keys in [None, Some("password\n".to_owned())] {
            let without_key = Facts { ssh_auth_info: keys, ..relayed.clone() };
            assert_eq!(place_of(&without_key, &name()), None, "{host}");
        }
        let elsewhere = Facts { service: "imap".to_owned(), ..relayed };
        assert_eq!(place_of(&elsewhere, &name()), None, "only sshd is believed");
    }
}

/// With the caller's code for su: what was typed to become bob says nothing about root.
#[test]
fn a_login_to_one_account_is_not_remembered_for_another() {
    let facts = Facts { service: "su".to_owned(), ..sudo() };
    let other = UserName::new(b"root").unwrap();
    assert_ne!(place_of(&facts, &name()), place_of(&facts, &other));
}
