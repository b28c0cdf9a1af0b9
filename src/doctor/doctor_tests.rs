//! Faults planted one at a time into a machine where all is well.

use super::machine::{Account, Enrolment, Machine, Sshd, WrongFile};
use super::stack::PamFiles;
use super::*;
use crate::config::PolicyFile;
use crate::credential::State;
use crate::credential::record::tests::alice;
use crate::policy::rules::Person;
use crate::status::Status;
use crate::user::UserName;

const COMMON_AUTH: &str = "auth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth\trequisite\tpam_deny.so\n\
                           auth\trequired\tpam_permit.so\nauth\toptional\tpam_cap.so\n";
const OURS: &str = "auth required pam_countersign.so\n";
const KEY_AND_CODE: &str = "auth requisite pam_countersign.so first_factor=publickey\nauth required pam_countersign.so\n\
                            account required pam_nologin.so\n@include common-account\n";
const SSHD: &str = "usepam yes\nkbdinteractiveauthentication yes\npasswordauthentication no\npubkeyauthentication yes\n\
                    gssapiauthentication no\nhostbasedauthentication no\nlogingracetime 120\n\
                    authenticationmethods keyboard-interactive:pam\n";

fn files(texts: &[(&str, &str)]) -> PamFiles {
    let mut files = PamFiles::default();
    for (name, text) in texts {
        files.insert(name, &format!("/etc/pam.d/{name}"), (*text).to_owned());
    }
    files
}

/// The recommended set-up: every stack of a login asks for password and code, and everybody is enrolled.
fn well() -> Machine {
    let guarded =
        format!("@include common-auth\n{OURS}account required pam_nologin.so\n@include common-account\n");
    let console =
        format!("auth optional pam_faildelay.so delay=3000000\nauth requisite pam_nologin.so\n{guarded}");
    let su = format!("auth sufficient pam_rootok.so\n{guarded}");
    let pam = files(&[
        ("common-auth", COMMON_AUTH),
        (
            "common-account",
            "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\n",
        ),
        ("sshd", &guarded),
        ("login", &console),
        ("remote", &console),
        ("sudo", &guarded),
        ("sudo-i", &guarded),
        ("su", &su),
        ("su-l", "@include su\n"),
        ("cron", "@include common-auth\n"),
        ("countersign", "auth required pam_unix.so\naccount required pam_unix.so\n"),
    ]);
    let credential = alice();
    let mut state = State::new([1; 16], 1_800_000_000);
    crate::enrol::adopt(&credential, &mut state, 1_800_000_000);
    let mut status = Status::of(&credential, Some(&state), Some(1_800_000_000));
    (status.needs_repair, status.recovery_codes_left) = (false, 10);
    Machine {
        pam,
        module: Some("/usr/lib/x86_64-linux-gnu/security/pam_countersign.so".to_owned()),
        sshd: Some(Sshd { settings: Ok(SSHD.to_owned()), matches: Vec::new() }),
        is_policy_closed: false,
        is_synchronised: Some(true),
        now: Some(1_800_000_000),
        accounts: vec![Account { name: "alice".to_owned(), uid: 1000 }],
        enrolments: vec![Enrolment { user: "alice".to_owned(), status: Ok(status), has_account: true }],
        has_service: true,
        has_service_for_root: true,
        ..Machine::default()
    }
}

fn codes(machine: &Machine) -> Vec<&'static str> {
    examine(machine).into_iter().map(|finding| finding.code).collect()
}

/// What is found when this file of pam.d is this text.
fn with_stack(name: &str, text: &str) -> Vec<&'static str> {
    let mut machine = well();
    machine.pam.insert(name, &format!("/etc/pam.d/{name}"), text.to_owned());
    codes(&machine)
}

/// What is found when a setting of sshd is this one.
fn with_sshd(stack: Option<&str>, settings: &[(&str, &str)]) -> Vec<&'static str> {
    let mut machine = well();
    if let Some(stack) = stack {
        machine.pam.insert("sshd", "/etc/pam.d/sshd", stack.to_owned());
    }
    let kept = SSHD.lines().filter(|line| !settings.iter().any(|(name, _)| line.starts_with(name)));
    let changed = settings.iter().map(|(name, value)| format!("{name} {value}"));
    let text: String = kept.map(str::to_owned).chain(changed).map(|line| line + "\n").collect();
    machine.sshd = Some(Sshd { settings: Ok(text), matches: Vec::new() });
    codes(&machine)
}

fn with(change: impl Fn(&mut Machine)) -> Vec<&'static str> {
    let mut machine = well();
    change(&mut machine);
    codes(&machine)
}

#[test]
fn nothing_is_found_where_all_is_well() {
    assert_eq!(examine(&well()), []);
    assert_eq!(
        with_sshd(Some(KEY_AND_CODE), &[("authenticationmethods", "publickey,keyboard-interactive:pam")]),
        [""; 0]
    );
    let hiding = format!("auth required pam_unix.so\n{OURS}");
    assert_eq!(with_stack("sshd", &hiding), [""; 0]);
    assert_eq!(codes(&Machine::default()), ["no_clock"], "a machine without anything");
}

#[test]
fn stacks_that_let_in_without_a_code_are_found() {
    for text in [
        "auth sufficient pam_unix.so\nauth required pam_countersign.so\n",
        "@include common-auth\nauth optional pam_countersign.so\n",
        "auth sufficient pam_fprintd.so\n@include common-auth\nauth required pam_countersign.so\n",
        "auth [success=2 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_countersign.so\nauth required pam_permit.so\n",
        "auth [success=done default=die] pam_unix.so\nauth required pam_countersign.so\n",
        "@include common-auth\nauth [success=ok default=ignore] pam_countersign.so\n",
        "auth required pam_unix.so\nauth sufficient pam_oath.so\nauth required pam_countersign.so\n",
    ] {
        let found = with_stack("sshd", text);
        assert!(found.contains(&"without_code"), "{text}: {found:?}");
    }
    let key_alone = "auth requisite pam_countersign.so first_factor=publickey\nauth required pam_permit.so\n";
    let methods = [("authenticationmethods", "publickey,keyboard-interactive:pam")];
    assert_eq!(with_sshd(Some(key_alone), &methods), ["without_code"]);
}

#[test]
fn stacks_that_let_a_code_alone_in_are_found() {
    for text in [
        "auth required pam_countersign.so\n",
        "auth sufficient pam_countersign.so\n@include common-auth\n",
        "auth [success=done default=die] pam_countersign.so\nauth required pam_unix.so\n",
        "auth required pam_countersign.so\nauth optional pam_unix.so\n",
    ] {
        let found = with_stack("sshd", text);
        assert!(found.contains(&"code_alone"), "{text}: {found:?}");
    }
    assert_eq!(with_stack("sshd", &format!("{OURS}@include common-auth\n")), ["code_first"]);
}

#[test]
fn stacks_that_let_nobody_in_are_found() {
    for (text, code) in [
        ("@include common-auth\nauth requird pam_countersign.so\n", "unreadable_stack"),
        ("@include common-oath\nauth required pam_countersign.so\n", "unreadable_stack"),
        ("@include common-auth\nauth required pam_countersign.so nulok\n", "bad_argument"),
        ("@include common-auth\nauth required pam_countersign.so attempts=0\n", "bad_argument"),
        (
            "auth required pam_unix.so\nauth required pam_deny.so\nauth required pam_countersign.so\n",
            "nobody_gets_in",
        ),
        (
            "@include common-auth\nauth required pam_countersign.so\nauth required pam_countersign.so\n",
            "asked_twice",
        ),
    ] {
        assert_eq!(with_stack("sshd", text), [code], "{text}");
    }
    assert_eq!(with(|machine| machine.module = None)[0], "module_missing");
    let found = with_stack("sudo", KEY_AND_CODE);
    assert!(found.contains(&"key_elsewhere") && found.contains(&"nobody_gets_in"), "{found:?}");
    assert_eq!(with_stack("swaylock", &format!("@include common-auth\n{OURS}")), [""; 0]);
    let locker = with(|machine| {
        machine.pam.insert("swaylock", "/etc/pam.d/swaylock", format!("@include common-auth\n{OURS}"));
        machine.has_service = false;
    });
    assert_eq!(locker, ["service_needed"]);
    assert_eq!(with(|machine| machine.has_service_for_root = false), ["root_socket_missing"]);
}

#[test]
fn lines_that_do_something_else_than_was_meant_are_found() {
    let both = format!("@include common-auth\n{OURS}");
    assert_eq!(
        with_stack("sshd", &format!("{both}account required pam_countersign.so\n")),
        ["wrong_facility"]
    );
    assert_eq!(with_stack("sudo-i", "@include common-auth\n"), ["open_sibling"]);
    assert_eq!(with_stack("su-l", "@include common-auth\n"), ["open_sibling"]);
    assert_eq!(
        with_stack("sshd", "@include common-auth\nauth required pam_countersign.so nullok\n"),
        ["nullok"]
    );
    let shared = with_stack("common-auth", &format!("{COMMON_AUTH}{OURS}"));
    assert!(shared.contains(&"in_shared_file") && shared.contains(&"asked_twice"), "{shared:?}");
}

#[test]
fn the_profile_names_who_is_asked_and_which_daemons_are_not_root() {
    let everywhere = |policy: &str| {
        let mut machine = well();
        let plain = "@include common-auth\n@include common-account\n";
        machine.pam =
            files(&[("common-auth", COMMON_AUTH), ("common-account", "account required pam_unix.so\n")]);
        for service in ["cups", "login", "nginx", "radiusd", "sshd", "countersign"] {
            let text = if service == "countersign" { "auth required pam_unix.so\n" } else { plain };
            machine.pam.insert(service, &format!("/etc/pam.d/{service}"), text.to_owned());
        }
        machine.daemons.push(Daemon { service: "radiusd".to_owned(), user: "radius".to_owned() });
        machine.policy = Policy(Ok(PolicyFile::parse(policy).unwrap()));
        assert!(!codes(&machine).contains(&"in_shared_file"), "before it is enabled");
        machine.pam.ask_everywhere();
        let once = examine(&machine);
        machine.pam.ask_everywhere();
        assert_eq!(examine(&machine), once, "it is put there once");
        once
    };
    let found = everywhere("");
    let of = |code: &str| -> Vec<&str> {
        found.iter().filter(|finding| finding.code == code).map(|finding| finding.what.as_str()).collect()
    };
    assert!(of("in_shared_file")[0].ends_with(": cups, login, nginx, radiusd, sshd"), "{found:#?}");
    let daemons = of("daemon_not_root");
    assert_eq!(daemons.len(), 2, "{daemons:?}");
    assert!(daemons[0].starts_with("nginx is usually run by www-data"), "{daemons:?}");
    assert!(daemons[1].starts_with("radiusd is run by radius"), "{daemons:?}");
    // Who is not enrolled gets in as before, and nobody without what he needed before.
    assert!(found.iter().any(|finding| finding.code == "nullok"));
    for code in ["without_code", "code_alone", "nobody_gets_in", "asked_twice"] {
        assert_eq!(of(code), [""; 0], "{code}");
    }
    let spared = "[service]\nverifiers = [\"radius\"]\n[[rule]]\nservices = [\"nginx\"]\nthen = \"exempt\"\n";
    assert!(everywhere(spared).iter().all(|finding| finding.code != "daemon_not_root"));
}

#[test]
fn a_line_in_the_session_of_all_asks_for_nothing() {
    let session = "session required pam_unix.so\nsession optional pam_countersign.so\n";
    assert_eq!(with_stack("common-session", session), [""; 0]);
}

/// As `docs/redhat.md` says.
#[test]
fn behind_the_substack_of_fedora_nobody_gets_in_without_either() {
    let auth = "auth required pam_env.so\nauth sufficient pam_unix.so nullok\nauth sufficient pam_sss.so forward_pass\n\
                auth required pam_deny.so\n";
    let found = |postlogin: &str, sshd: &str| {
        let mut machine = well();
        let own = "auth required pam_unix.so\naccount required pam_unix.so\n";
        machine.pam =
            files(&[("password-auth", auth), ("postlogin", postlogin), ("sshd", sshd), ("countersign", own)]);
        codes(&machine)
    };
    let feature = "auth required pam_countersign.so nullok\nsession optional pam_umask.so silent\n";
    let stack = "auth substack password-auth\nauth include postlogin\naccount required pam_unix.so\n";
    assert_eq!(found(feature, stack), ["in_shared_file", "nullok"]);
    let in_between =
        "auth substack password-auth\nauth required pam_countersign.so\nauth include postlogin\n";
    assert_eq!(found("", in_between), [""; 0]);
    // Behind an include it would never be reached.
    assert_eq!(found("", &in_between.replace("substack", "include")), ["without_code"]);
}

#[test]
fn who_enrols_at_a_login_must_have_proven_his_password_before() {
    let found = |stack: &str, policy: &str| {
        with(|machine| {
            machine.pam.insert("sshd", "/etc/pam.d/sshd", stack.to_owned());
            machine.policy = Policy(Ok(PolicyFile::parse(policy).unwrap()));
        })
    };
    let required = format!("auth required pam_unix.so\n{OURS}");
    let requisite = format!("@include common-auth\n{OURS}");
    for policy in ["unenrolled = \"enroll\"\n", "[[rule]]\nthen = \"enroll\"\n"] {
        assert_eq!(found(&required, policy), ["early_enrolment"]);
        assert_eq!(found(&requisite, policy), [""; 0]);
    }
    assert_eq!(found(&required, ""), [""; 0]);
}

#[test]
fn a_line_for_both_belongs_before_that_of_the_password_and_notices_into_the_session() {
    let both = "auth required pam_countersign.so forward_pass\nauth required pam_unix.so use_first_pass\n";
    assert_eq!(with_stack("sshd", both), [""; 0]);
    let session = format!("@include common-auth\n{OURS}session optional pam_countersign.so\n");
    assert_eq!(with_stack("sshd", &session), [""; 0]);
}

#[test]
fn an_own_stack_that_proves_nothing_is_found() {
    for text in [
        "auth required pam_permit.so\n",
        "auth required pam_deny.so\n",
        "@include common-auth\nauth required pam_countersign.so\n",
        "auth required pam_unix\n auth nonsense pam_unix.so\n",
        "auth sufficient pam_unix.so\nauth required pam_permit.so\n",
    ] {
        assert_eq!(with_stack("countersign", text), ["own_stack"], "{text}");
    }
    let missing = with(|machine| machine.pam = files(&[("common-auth", COMMON_AUTH)]));
    assert_eq!(missing, ["own_stack_missing"]);
}

#[test]
fn ways_past_the_stack_of_sshd_are_found() {
    let key = Some(KEY_AND_CODE);
    let both = "publickey,keyboard-interactive:pam";
    for (stack, settings, code) in [
        (None, &[("usepam", "no")][..], "sshd_without_pam"),
        (None, &[("kbdinteractiveauthentication", "no")], "sshd_cannot_ask"),
        (None, &[("passwordauthentication", "yes")], "sshd_password_method"),
        (None, &[("logingracetime", "10")], "sshd_short_grace"),
        (None, &[("authenticationmethods", "any")], "sshd_key_alone"),
        (key, &[("authenticationmethods", "any")], "sshd_key_alone"),
        (None, &[("authenticationmethods", "publickey keyboard-interactive:pam")], "sshd_way_without_code"),
        (None, &[("authenticationmethods", "password")], "sshd_password_way"),
        (key, &[("authenticationmethods", "keyboard-interactive:pam")], "sshd_key_missing"),
        (
            None,
            &[
                ("authenticationmethods", "any"),
                ("pubkeyauthentication", "no"),
                ("gssapiauthentication", "yes"),
            ],
            "sshd_key_alone",
        ),
    ] {
        assert_eq!(with_sshd(stack, settings), [code], "{settings:?}");
    }
    assert_eq!(with_sshd(key, &[("authenticationmethods", both)]), [""; 0]);
    let keys_off = [("authenticationmethods", "any"), ("pubkeyauthentication", "no")];
    assert_eq!(with_sshd(None, &keys_off), [""; 0]);
    let broken = with(|machine| {
        machine.sshd = Some(Sshd { settings: Err("line 3: Bad option".to_owned()), matches: Vec::new() });
    });
    assert_eq!(broken, ["sshd_unreadable"]);
    let unseen = with(|machine| {
        let matches = vec!["Match User backup".to_owned()];
        machine.sshd = Some(Sshd { settings: Ok(SSHD.to_owned()), matches });
    });
    assert_eq!(unseen, ["sshd_match"]);
}

#[test]
fn what_is_wrong_with_people_is_found() {
    let of_alice = |change: fn(&mut Status)| {
        with(|machine| {
            if let Ok(status) = &mut machine.enrolments[0].status {
                change(status);
            }
        })
    };
    assert_eq!(of_alice(|status| status.disabled = true), ["disabled"]);
    assert_eq!(of_alice(|status| status.needs_repair = true), ["needs_repair"]);
    assert_eq!(of_alice(|status| status.recovery_codes_left = 2), ["few_recovery_codes"]);
    let unproven =
        |status: &mut Status| status.authenticators.iter_mut().for_each(|device| device.confirmed = None);
    assert_eq!(of_alice(unproven), ["unconfirmed"]);
    assert_eq!(with(|machine| machine.enrolments[0].has_account = false), ["stale_enrolment"]);
    let damaged = with(|machine| {
        machine.enrolments[0].status = Err(("line 3, column 1".to_owned(), "look at the file".to_owned()));
    });
    assert_eq!(damaged, ["unusable_enrolment"]);
    let bob = |machine: &mut Machine| machine.accounts.push(Account { name: "bob".to_owned(), uid: 1001 });
    assert_eq!(with(bob), ["not_enrolled"]);
}

#[test]
fn what_is_wrong_around_the_stacks_is_found() {
    let wrong = |machine: &mut Machine| {
        let (path, problem) = ("/etc/pam.d/sshd".to_owned(), "others than root may write to it".to_owned());
        machine.wrong_files.push(WrongFile { path, problem, mend: "chmod 644 /etc/pam.d/sshd".to_owned() });
    };
    assert_eq!(with(wrong), ["wrong_file"]);
    assert_eq!(with(|machine| machine.policy = Policy(Err("line 2, column 1".to_owned()))), ["bad_policy"]);
    let nobody = || Person::User(UserName::new(b"radiusd").unwrap());
    assert_eq!(with(|machine| machine.unknown_names.push(nobody())), ["unknown_name"]);
    assert_eq!(with(|machine| machine.is_policy_closed = true), ["policy_closed"]);
    assert_eq!(with(|machine| machine.is_synchronised = Some(false)), ["clock_not_synchronised"]);
    assert_eq!(with(|machine| machine.is_synchronised = None), [""; 0]);
    assert_eq!(with(|machine| machine.now = None), ["no_clock"]);
    assert_eq!(with(|machine| machine.odd_filesystem = Some("tmpfs".to_owned())), ["odd_filesystem"]);
    let unusable = ("it does not belong to root".to_owned(), "chown root".to_owned());
    assert_eq!(with(|machine| machine.store_problem = Some(unusable.clone())), ["unusable_store"]);
    let denied = |machine: &mut Machine| machine.denials.push("avc: denied { read }".to_owned());
    assert_eq!(with(denied), ["denied_by_policy"]);
}

#[test]
fn the_worst_comes_first() {
    let mut machine = well();
    machine.is_synchronised = Some(false);
    machine.enrolments[0].has_account = false;
    machine.policy = Policy(Err("unreadable".to_owned()));
    let severities: Vec<Severity> = examine(&machine).iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning, Severity::Warning]);
}
