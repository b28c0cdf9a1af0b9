//! Every row of the outcome table, through real libpam, and what the log says of each.
//!
//! The service lets the module's own code through: `die` ends the stack with it. libpam never tells
//! an application PAM_IGNORE, so that one is sent on to a module whose code nothing else gives.
#![allow(missing_docs, reason = "the names of the tests say it")]

#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::path::Path;
use std::process::Command;

use planting::{Phone, Planted, RECOVERY_CODES, now};
use sandbox::{Conversation, Sandbox, module};

const SERVICE: &str = "door";

/// A machine with alice enrolled and a service that asks for a code.
fn door(arguments: &str) -> (Sandbox, Planted, Phone) {
    let sandbox = Sandbox::new();
    let (alice, phone) = Planted::new("alice", 1000);
    alice.put_into(&sandbox.store());
    serve(&sandbox, SERVICE, arguments);
    (sandbox, alice, phone)
}

fn serve(sandbox: &Sandbox, service: &str, arguments: &str) {
    sandbox.service(service, &stack("auth", &module(), arguments));
}

/// What an application sees when the module answers PAM_IGNORE.
const IGNORED: &str = "PAM_CRED_UNAVAIL";

/// A stack that ends with the module's own code.
fn stack(kind: &str, module: &Path, arguments: &str) -> String {
    let ignored = ["auth", "cred", "acct", "open_session", "close_session", "prechauthtok"]
        .map(|call| format!("{call}=cred_unavail"))
        .join(" ");
    format!(
        "{kind} [success=done ignore=1 default=die] {} {arguments}\n\
         {kind} requisite pam_deny.so\n\
         {kind} [default=die] pam_debug.so {ignored}\n",
        module.display()
    )
}

fn log_in(sandbox: &Sandbox, user: &str, replies: &[&str]) -> Conversation {
    sandbox.login(SERVICE, user, replies)
}

/// The one line that the module logged, from its first word on.
fn the_log_line(sandbox: &Sandbox) -> String {
    let lines: Vec<String> = sandbox.log_lines();
    let ours: Vec<&str> =
        lines.iter().filter_map(|line| line.split_once("door:auth): ")).map(|(_, text)| text).collect();
    assert_eq!(ours.len(), 1, "one log line a decision: {lines:?}");
    ours[0].to_owned()
}

#[test]
fn the_right_code_is_pam_success() {
    let (sandbox, _, phone) = door("");
    let login = log_in(&sandbox, "alice", &[&phone.code(0)]);
    assert_eq!(login.authenticate(), "PAM_SUCCESS", "{}", login.raw);
    assert_eq!(login.messages, ["prompt_off Verification code: "]);
    assert_eq!(login.delay, None);
    let line = the_log_line(&sandbox);
    assert_eq!(
        line,
        "event=accepted service=door source=none: authenticator=phone drift=0 attempts=1 door=files caller=0 user=\"alice\""
    );
}

#[test]
fn a_code_is_refused_the_second_time() {
    let (sandbox, _, phone) = door("attempts=1");
    let code = phone.code(0);
    assert_eq!(log_in(&sandbox, "alice", &[&code]).authenticate(), "PAM_SUCCESS");
    sandbox.log_lines();
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let again = log_in(&sandbox, "alice", &[&spaced]);
    assert_eq!(again.authenticate(), "PAM_AUTH_ERR", "{}", again.raw);
    assert_eq!(again.messages[1], "error This code was already used; wait for the next one.");
    assert!(the_log_line(&sandbox).starts_with("event=denied reason=spent_code service=door "));
}

#[test]
fn a_recovery_code_is_pam_success_once() {
    let (sandbox, _, _) = door("attempts=1");
    let first = log_in(&sandbox, "alice", &[RECOVERY_CODES[0]]);
    assert_eq!(first.authenticate(), "PAM_SUCCESS", "{}", first.raw);
    assert_eq!(first.messages[1], "info Recovery code accepted; 2 are left: get new ones soon.");
    assert!(the_log_line(&sandbox).contains(" recovery_codes_left=2 "));
    let again = log_in(&sandbox, "alice", &[&RECOVERY_CODES[0].to_lowercase()]);
    assert_eq!(again.authenticate(), "PAM_AUTH_ERR");
    assert!(the_log_line(&sandbox).contains("reason=spent_recovery_code"));
}

#[test]
fn not_enrolled_where_that_is_allowed_is_pam_ignore() {
    let (sandbox, _, _) = door("nullok");
    let login = log_in(&sandbox, "bob", &[]);
    assert_eq!(login.authenticate(), IGNORED, "{}", login.raw);
    assert!(the_log_line(&sandbox).starts_with("event=ignored reason=not_enrolled service=door "));
}

#[test]
fn wrong_disabled_unknown_and_unenrolled_are_pam_auth_err() {
    let (sandbox, mut alice, phone) = door("attempts=1");
    let (wrong, code) = (phone.wrong_code(), phone.code(0));
    let denied = |user: &str, reply: &str, reason: &str| {
        let login = log_in(&sandbox, user, &[reply]);
        assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "{user} {reason}: {}", login.raw);
        assert_eq!(login.messages, ["prompt_off Verification code: ", "error Wrong code."], "{user}");
        assert!(login.delay.is_some_and(|delay| delay > 1_000_000), "{:?}", login.delay);
        let line = the_log_line(&sandbox);
        assert!(line.starts_with(&format!("event=denied reason={reason} service=door ")), "{line}");
    };
    denied("alice", &wrong, "wrong_code");
    denied("alice", "correct horse", "malformed");
    denied("alice", "ZZZZ-ZZZZ-ZZZZ-ZZZZ", "wrong_recovery_code");
    denied("bob", &code, "not_enrolled");
    denied("nobody-here", &code, "unknown_user");
    denied("../alice", &code, "unknown_user");
    alice.credential.disabled = true;
    alice.put_into(&sandbox.store());
    denied("alice", &code, "disabled");
}

#[test]
fn attempts_used_up_is_pam_auth_err() {
    let (sandbox, alice, phone) = door("");
    let wrong = phone.wrong_code();
    let login = log_in(&sandbox, "alice", &[&wrong, &wrong, &wrong]);
    assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "{}", login.raw);
    assert_eq!(login.prompts(), 3);
    let lines = sandbox.log_lines();
    assert_eq!(lines.len(), 3, "one line a verdict: {lines:?}");
    for (line, attempts) in lines.iter().zip(1..) {
        assert!(
            line.contains(&format!("reason=wrong_code service=door source=none: attempts={attempts} ")),
            "{line}"
        );
    }
    let charged: u32 =
        alice.state_in_store(&sandbox.store()).counters.iter().map(|counter| counter.count).sum();
    assert_eq!(charged, 3);
}

#[test]
fn backed_off_and_capped_are_pam_auth_err() {
    let (sandbox, mut alice, phone) = door("");
    for (count, words) in
        [(5, "Too many wrong codes; try again in 30 s"), (100, "Too many wrong codes; use a recovery")]
    {
        for counter in &mut alice.state.counters {
            counter.count = count;
            counter.last = now() + 60;
        }
        if count == 5 {
            // Five in the counter that is asked, too few in all of them to cap.
            alice.state.counters.iter_mut().for_each(|counter| counter.count = 5);
        }
        alice.put_into(&sandbox.store());
        let login = log_in(&sandbox, "alice", &[&phone.code(0)]);
        assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "{}", login.raw);
        assert!(login.messages[1].contains(words), "{:?}", login.messages);
        sandbox.log_lines();
    }
}

#[test]
fn with_tell_never_every_user_is_asked_as_often_and_told_the_same() {
    let (sandbox, _, phone) = door("");
    sandbox.configuration("tell = \"never\"\n");
    let wrong = phone.wrong_code();
    // The third login of alice is past the five failures that are free.
    for user in ["alice", "alice", "alice", "bob", "nobody-here"] {
        let login = log_in(&sandbox, user, &[&wrong, &wrong, &wrong]);
        assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "{user}: {}", login.raw);
        assert_eq!(
            login.messages,
            ["prompt_off Verification code: ", "error Wrong code."].repeat(3),
            "{user}"
        );
    }
    assert!(sandbox.log_lines().iter().any(|line| line.contains("reason=backed_off")));
}

#[test]
fn wrong_recovery_codes_wait_and_a_right_one_passes_where_codes_wait() {
    let (sandbox, alice, phone) = door("attempts=1");
    let reason = |reply: &str| {
        log_in(&sandbox, "alice", &[reply]);
        let line = the_log_line(&sandbox);
        line.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    for _ in 0..5 {
        assert_eq!(reason("ZZZZ-ZZZZ-ZZZZ-ZZZZ"), "reason=wrong_recovery_code");
    }
    assert_eq!(reason("ZZZZ-ZZZZ-ZZZZ-ZZZZ"), "reason=backed_off");
    assert_eq!(reason(&phone.code(0)), "reason=backed_off");
    alice.put_into(&sandbox.store());
    for _ in 0..5 {
        assert_eq!(reason(&phone.wrong_code()), "reason=wrong_code");
    }
    assert_eq!(reason(&phone.code(0)), "reason=backed_off");
    assert_eq!(log_in(&sandbox, "alice", &[RECOVERY_CODES[0]]).authenticate(), "PAM_SUCCESS");
}

#[test]
fn an_unreadable_state_is_pam_authinfo_unavail() {
    let (sandbox, alice, phone) = door("");
    planting::write(&alice.directory(&sandbox.store()).join("state"), &vec![b'x'; 65_536 + 4096]);
    let login = log_in(&sandbox, "alice", &[&phone.code(0)]);
    assert_eq!(login.authenticate(), "PAM_AUTHINFO_UNAVAIL", "{}", login.raw);
    let line = the_log_line(&sandbox);
    assert!(line.starts_with("event=error reason=state_damaged service=door "), "{line}");
    assert!(line.contains(" cause=\"neither slot of the state is whole\" mend=\""), "{line}");
}

/// Behind a first factor that is `required`, the code of the whole stack is the first failure's. One
/// that only the module gives would tell that the password was right.
#[test]
fn the_result_does_not_tell_whether_the_password_was_right() {
    let (sandbox, mut alice, phone) = door("");
    sandbox.service(SERVICE, &format!("auth required pam_unix.so\nauth required {}\n", module().display()));
    let wrong = phone.wrong_code();
    let results = |replies: &[&str]| {
        let login = log_in(&sandbox, "alice", replies);
        (login.authenticate().to_owned(), login.messages)
    };
    for count in [0, 5, 100] {
        alice
            .state
            .counters
            .iter_mut()
            .for_each(|counter| (counter.count, counter.last) = (count, now() + 60));
        alice.put_into(&sandbox.store());
        let right_password = results(&["password-of-alice", &wrong, &wrong, &wrong]);
        alice.put_into(&sandbox.store());
        let wrong_password = results(&["password-of-bob", &wrong, &wrong, &wrong]);
        assert_eq!(right_password, wrong_password, "after {count} failures");
    }
}

/// As a caller of su may: his limits are the module's.
#[test]
fn limits_of_the_caller_deny_and_do_not_kill() {
    let (sandbox, alice, phone) = door("");
    let before = alice.state_in_store(&sandbox.store());
    let code = phone.code(0);
    let limited = |limit: &str| {
        let mut client = sandbox.command("prlimit");
        client.arg(limit).arg(sandbox::example("pam-client"));
        client.args(["--confdir", "/etc/pam.d", "--service", SERVICE, "--user", "alice", "--reply", &code]);
        Conversation::of(client)
    };
    // With the fewest, libpam cannot even load the module; with a few more, files are missing.
    for descriptors in 4..=9 {
        let login = limited(&format!("--nofile={descriptors}"));
        let spent = alice.state_in_store(&sandbox.store()) != before;
        assert_eq!(login.authenticate() == "PAM_SUCCESS", spent, "{descriptors} descriptors: {}", login.raw);
        alice.put_state_into(&sandbox.store());
    }
    sandbox.log_lines();
    // Nothing may be written, or the second slot in part.
    for limit in ["--fsize=0", "--fsize=67584"] {
        let login = limited(limit);
        assert_eq!(login.authenticate(), "PAM_AUTHINFO_UNAVAIL", "{limit}: {} {}", login.raw, login.stderr);
        assert_eq!(alice.state_in_store(&sandbox.store()), before, "{limit}");
    }
    let lines = sandbox.log_lines().join("\n");
    assert!(
        lines.contains("reason=store_failed") && lines.contains("cause=\"cannot write the state: "),
        "{lines}"
    );
    assert_eq!(log_in(&sandbox, "alice", &[&code]).authenticate(), "PAM_SUCCESS");
}

#[test]
fn a_failed_conversation_is_pam_conv_err() {
    let (sandbox, alice, _) = door("");
    let before = alice.state_in_store(&sandbox.store());
    for mode in ["fail", "null-array", "null-reply", "no-function"] {
        let mut client = sandbox.client();
        client.args(["--service", SERVICE, "--user", "alice", "--reply", "123456", "--conv", mode]);
        let login = Conversation::of(client);
        assert_eq!(login.authenticate(), "PAM_CONV_ERR", "{mode}: {}", login.raw);
        assert!(the_log_line(&sandbox).starts_with("event=denied reason=conversation_failed "), "{mode}");
    }
    assert_eq!(alice.state_in_store(&sandbox.store()), before);
}

#[test]
fn a_wrong_argument_or_our_own_service_is_pam_service_err() {
    let (sandbox, _, phone) = door("nulok");
    let login = log_in(&sandbox, "alice", &[&phone.code(0)]);
    assert_eq!(login.authenticate(), "PAM_SERVICE_ERR", "{}", login.raw);
    assert_eq!(login.prompts(), 0);
    let line = the_log_line(&sandbox);
    assert!(line.contains("reason=bad_argument"), "{line}");
    assert!(line.contains("cause=\"unknown argument nulok, did you mean nullok\" mend=\""), "{line}");
    serve(&sandbox, "countersign", "nullok");
    let login = sandbox.login("countersign", "bob", &[]);
    assert_eq!(login.authenticate(), "PAM_SERVICE_ERR", "{}", login.raw);
}

/// Built with the feature that lets it be asked to panic, which no release has.
#[test]
fn a_panic_is_pam_abort_and_writes_nothing_to_the_host() {
    let (sandbox, _, _) = door("");
    let target = concat!(env!("CARGO_TARGET_TMPDIR"), "/panicking");
    let built = Command::new(env!("CARGO"))
        .args([
            "rustc",
            "--quiet",
            "--locked",
            "--lib",
            "--crate-type",
            "cdylib",
            "--features",
            "deliberate-panic",
        ])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "--target-dir", target])
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the panicking module builds");
    let panicking = Path::new(target).join("debug/libpam_countersign.so");
    sandbox.service(SERVICE, &stack("auth", &panicking, "panic"));
    let mut client = sandbox.client();
    client.env("RUST_BACKTRACE", "1").args(["--service", SERVICE, "--user", "alice"]);
    let login = Conversation::of(client);
    assert_eq!(login.authenticate(), "PAM_ABORT", "{}", login.raw);
    assert_eq!(login.stderr, "");
    assert!(the_log_line(&sandbox).starts_with("event=error reason=panic "));
}

#[test]
fn setcred_succeeds_and_the_rest_is_ignored() {
    let sandbox = Sandbox::new();
    let stacks = ["auth", "account", "session", "password"].map(|kind| stack(kind, &module(), ""));
    sandbox.service(SERVICE, &stacks.concat());
    let mut client = sandbox.client();
    client.args(["--service", SERVICE, "--user", "alice", "--calls"]);
    client.arg("setcred,acct_mgmt,open_session,close_session,chauthtok");
    let calls = Conversation::of(client);
    assert_eq!(calls.result("setcred"), "PAM_SUCCESS", "{}", calls.raw);
    for call in ["acct_mgmt", "open_session", "close_session", "chauthtok"] {
        assert_eq!(calls.result(call), IGNORED, "{call}: {}", calls.raw);
    }
}

#[test]
fn a_public_key_proven_to_sshd_is_pam_success_without_a_prompt() {
    let (sandbox, _, _) = door("");
    serve(&sandbox, "sshd", "first_factor=publickey");
    let ask = |service: &str, environment: &[&str]| {
        let mut client = sandbox.client();
        client.args(["--service", service, "--user", "alice"]);
        for variable in environment {
            client.args(["--env", variable]);
        }
        let login = Conversation::of(client);
        assert_eq!(login.prompts(), 0);
        login.authenticate().to_owned()
    };
    let proven = "SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA";
    assert_eq!(ask("sshd", &[proven]), "PAM_SUCCESS");
    assert_eq!(ask("sshd", &[]), "PAM_AUTH_ERR");
    assert_eq!(ask("sshd", &["SSH_AUTH_INFO_0=password"]), "PAM_AUTH_ERR");
    serve(&sandbox, SERVICE, "first_factor=publickey");
    assert_eq!(ask(SERVICE, &[proven]), "PAM_AUTH_ERR");
}

#[test]
fn pam_silent_silences_messages_and_not_prompts() {
    let (sandbox, _, phone) = door("attempts=2");
    let mut client = sandbox.client();
    let (wrong, code) = (phone.wrong_code(), phone.code(0));
    client.args(["--service", SERVICE, "--user", "alice", "--silent", "--reply", &wrong, "--reply", &code]);
    let login = Conversation::of(client);
    assert_eq!(login.authenticate(), "PAM_SUCCESS", "{}", login.raw);
    assert_eq!(login.messages, ["prompt_off Verification code: "; 2]);
}

#[test]
fn another_user_after_the_prompt_is_denied_and_spends_nothing() {
    let (sandbox, alice, phone) = door("");
    let before = alice.state_in_store(&sandbox.store());
    let mut client = sandbox.client();
    client.args(["--service", SERVICE, "--user", "alice", "--reply", &phone.code(0)]);
    client.args(["--change-user-after", "1", "bob"]);
    let login = Conversation::of(client);
    assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "{}", login.raw);
    assert!(the_log_line(&sandbox).starts_with("event=denied reason=user_changed "));
    assert_eq!(alice.state_in_store(&sandbox.store()), before);
}

#[test]
fn a_missing_state_is_made_with_the_present_window_burned() {
    let (sandbox, alice, phone) = door("attempts=1");
    std::fs::remove_file(alice.directory(&sandbox.store()).join("state")).expect("remove the state");
    let login = log_in(&sandbox, "alice", &[&phone.code(0)]);
    assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "{}", login.raw);
    let line = the_log_line(&sandbox);
    assert!(line.contains("reason=spent_code") && line.contains(" state=created "), "{line}");
    let login = log_in(&sandbox, "alice", &[RECOVERY_CODES[0]]);
    assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "no set of recovery codes is vouched for");
    assert!(the_log_line(&sandbox).contains("reason=unvouched_recovery_codes"));
}

#[test]
fn a_torn_slot_costs_nothing_and_the_log_says_so() {
    let (sandbox, alice, phone) = door("attempts=1");
    assert_eq!(log_in(&sandbox, "alice", &[RECOVERY_CODES[0]]).authenticate(), "PAM_SUCCESS");
    let path = alice.directory(&sandbox.store()).join("state");
    let mut bytes = std::fs::read(&path).expect("the state");
    // The login wrote the second slot; the next one writes the first. Tear that.
    bytes[100] ^= 1;
    planting::write(&path, &bytes);
    sandbox.log_lines();
    assert_eq!(log_in(&sandbox, "alice", &[RECOVERY_CODES[0]]).authenticate(), "PAM_AUTH_ERR");
    assert!(the_log_line(&sandbox).contains(" state=fell_back "));
    assert_eq!(log_in(&sandbox, "alice", &[&phone.code(0)]).authenticate(), "PAM_SUCCESS");
}

#[test]
fn a_renamed_and_a_recreated_account_are_not_taken_for_unenrolled() {
    let (sandbox, mut alice, _) = door("nullok");
    // The account with uid 1001 is called bob now, and its credential is kept as robert.
    planting::write(&sandbox.store().join("by-uid/1001"), b"robert\n");
    let login = log_in(&sandbox, "bob", &[]);
    assert_eq!(login.authenticate(), "PAM_AUTHINFO_UNAVAIL", "{}", login.raw);
    let line = the_log_line(&sandbox);
    assert!(line.contains("reason=renamed_account") && line.contains("under the name robert"), "{line}");
    // The credential of alice was made for another account of that name.
    alice.credential.uid = Some(4242);
    alice.put_into(&sandbox.store());
    let login = log_in(&sandbox, "alice", &[]);
    assert_eq!(login.authenticate(), "PAM_AUTHINFO_UNAVAIL", "{}", login.raw);
    assert!(the_log_line(&sandbox).contains("reason=other_account"));
}
