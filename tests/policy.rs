//! The policy file, through the real module and the command.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

#[path = "planting/mod.rs"]
mod planting;
#[path = "sandbox/mod.rs"]
mod sandbox;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Output;

use planting::{Phone, Planted, RECOVERY_CODES};
use sandbox::{Conversation, Sandbox, module};

/// Alice is enrolled, bob is not; the services door and sshd end with the module's own code.
struct Door {
    sandbox: Sandbox,
    phone: Phone,
}

const OFFICE: &str = "192.0.2.7";
const ELSEWHERE: &str = "198.51.100.4";

impl Door {
    fn new(arguments: &str) -> Self {
        let sandbox = Sandbox::new();
        let (alice, phone) = Planted::new("alice", 1000);
        alice.put_into(&sandbox.store());
        let module = module();
        for service in ["door", "sshd"] {
            sandbox.service(
                service,
                &format!(
                    "auth [success=done ignore=1 default=die] {} {arguments}\n\
                     auth requisite pam_deny.so\n\
                     auth [default=die] pam_debug.so auth=cred_unavail\n",
                    module.display()
                ),
            );
        }
        Self { sandbox, phone }
    }

    fn log_in(&self, service: &str, user: &str, host: Option<&str>, replies: &[&str]) -> Conversation {
        let mut command = self.sandbox.client();
        command.args(["--service", service, "--user", user, "--delay-report"]);
        command.args(host.map(|host| format!("--rhost={host}")));
        command.args(replies.iter().map(|reply| format!("--reply={reply}")));
        Conversation::of(command)
    }

    fn result(&self, user: &str, host: Option<&str>, replies: &[&str]) -> String {
        self.log_in("door", user, host, replies).authenticate().to_owned()
    }

    fn command(&self, words: &[&str]) -> Output {
        let mut command = self.sandbox.command(env!("CARGO_BIN_EXE_countersign"));
        command.args(words).output().expect("the command runs")
    }

    fn log(&self) -> String {
        self.sandbox.log_lines().join("\n")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What an application sees of PAM_IGNORE here.
const IGNORED: &str = "PAM_CRED_UNAVAIL";

#[test]
fn a_rule_exempts_by_network_and_the_log_names_it() {
    let door = Door::new("");
    door.sandbox.configuration(
        "[[rule]]\nname = \"office\"\nusers = [\"alice\"]\nfrom = [\"192.0.2.0/24\"]\nthen = \"exempt\"\n",
    );
    assert_eq!(door.result("alice", Some(OFFICE), &[]), IGNORED);
    let log = door.log();
    assert!(
        log.contains("event=ignored reason=exempt rule=office service=door source=addr:192.0.2.7"),
        "{log}"
    );
    assert_eq!(door.result("alice", Some("::ffff:192.0.2.7"), &[]), IGNORED);
    for host in [Some(ELSEWHERE), Some("office.example.org"), Some(""), None] {
        assert_eq!(door.result("alice", host, &["1", "2", "3"]), "PAM_AUTH_ERR", "{host:?}");
    }
    assert_eq!(door.result("bob", Some(OFFICE), &["1", "2", "3"]), "PAM_AUTH_ERR");
}

#[test]
fn a_zone_behind_an_address_of_ipv4_makes_it_a_name() {
    let door = Door::new("");
    door.sandbox.configuration("[[rule]]\nfrom = [\"192.0.2.0/24\"]\nthen = \"exempt\"\n");
    assert_eq!(door.result("alice", Some("192.0.2.7%x.example"), &["1", "2", "3"]), "PAM_AUTH_ERR");
    let log = door.log();
    assert!(log.contains("source=none:") && !log.contains("addr:192.0.2.7"), "{log}");
}

#[test]
fn a_first_factor_and_a_terminal_that_no_program_has_told_exempt_nobody() {
    let door = Door::new("");
    for condition in ["first_factor = [\"!password\"]", "ttys = [\"!pts/*\"]"] {
        door.sandbox.configuration(&format!("[[rule]]\n{condition}\nthen = \"exempt\"\n"));
        for service in ["door", "sshd"] {
            let asked = door.log_in(service, "alice", None, &["1", "2", "3"]);
            assert_eq!(asked.authenticate(), "PAM_AUTH_ERR", "{service}: {condition}");
        }
    }
}

#[test]
fn groups_are_those_of_the_name_service_and_one_that_is_gone_exempts_nobody() {
    let door = Door::new("nullok");
    let group = door.sandbox.path().join("group");
    let groups = fs::read_to_string(&group).expect("groups");
    fs::write(&group, format!("{groups}staff:x:2000:alice\n")).expect("groups");
    let exempt = |name: &str| format!("[[rule]]\nusers = [\"{name}\"]\nthen = \"exempt\"\n");
    door.sandbox.configuration(&exempt("@staff"));
    assert_eq!(door.result("alice", None, &[]), IGNORED);
    door.sandbox.configuration(&exempt("@alice"));
    assert_eq!(door.result("alice", None, &[]), IGNORED, "the primary group");
    door.sandbox.configuration(&exempt("@bob"));
    assert_eq!(door.result("alice", None, &["1", "2", "3"]), "PAM_AUTH_ERR");
    door.sandbox.configuration(&exempt("!@gone"));
    assert_eq!(door.result("alice", None, &["1", "2", "3"]), "PAM_AUTH_ERR");
    // A rule that requires a code goes before nullok, also where its group is not to be found.
    door.sandbox.configuration("[[rule]]\nusers = [\"@gone\"]\nthen = \"require\"\n");
    assert_eq!(door.result("bob", None, &["1", "2", "3"]), "PAM_AUTH_ERR");
    door.sandbox.configuration("[[rule]]\nusers = [\"@staff\"]\nthen = \"require\"\n");
    assert_eq!(door.result("bob", None, &[]), IGNORED, "nullok holds for others");
}

#[test]
fn ten_thousand_groups_are_no_trouble() {
    let door = Door::new("");
    let group = door.sandbox.path().join("group");
    let mut groups = fs::read_to_string(&group).expect("groups");
    for number in 0..10_000 {
        let _ = writeln!(groups, "group{number}:x:{}:alice", 3000 + number);
    }
    fs::write(&group, groups).expect("groups");
    door.sandbox.configuration("[[rule]]\nusers = [\"@group9999\"]\nthen = \"exempt\"\n");
    assert_eq!(door.result("alice", None, &[]), IGNORED);
}

#[test]
fn a_policy_that_cannot_be_used_lets_nobody_in_and_says_where_it_is_wrong() {
    let door = Door::new("nullok");
    let code = || door.phone.code(0);
    let path = door.sandbox.configuration_path();
    let denied = |why: &str| {
        let login = door.log_in("door", "alice", None, &[]);
        assert_eq!(login.authenticate(), "PAM_SERVICE_ERR", "{why}: {}", login.raw);
        let log = door.log();
        assert!(log.contains("event=error reason=bad_policy") && log.contains(why), "{why}: {log}");
        let checked = door.command(&["check-config"]);
        assert_eq!(checked.status.code(), Some(6), "{why}");
        assert!(text(&checked.stdout).contains(why), "{}", text(&checked.stdout));
    };
    door.sandbox.configuration("attempts = 3\nattempt = 4\n");
    denied("line 2, column 1: unknown key `attempt`, did you mean `attempts`");
    door.sandbox.configuration("attempts = 3\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("a mode");
    denied("others than root may write to it");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
    assert_eq!(door.result("alice", None, &[&code()]), "PAM_SUCCESS");
    fs::remove_file(&path).expect("no file");
    symlink("/etc/passwd", &path).expect("a link");
    denied("it is no ordinary file");
    fs::remove_file(&path).expect("no link");
    fs::create_dir(&path).expect("a directory");
    denied("it is no ordinary file");
    fs::remove_dir(&path).expect("no directory");
    fs::write(&path, vec![b'#'; (1 << 20) + 1]).expect("a large file");
    denied("it is too large");
    fs::write(&path, b"\xff\xfe").expect("a file");
    denied("stream did not contain valid UTF-8");
}

/// The sample as packages install it.
fn sample() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/countersign.toml");
    fs::read_to_string(path).expect("the sample")
}

#[test]
fn a_key_that_is_appended_to_the_sample_is_in_force() {
    let door = Door::new("");
    for line in ["remember = \"15m\"", "attempts = 1", "unenrolled = \"deny\"", "notices = false"] {
        door.sandbox.configuration(&format!("{}{line}\n", sample()));
        let checked = door.command(&["check-config"]);
        assert_eq!(checked.status.code(), Some(0), "{line}: {}", text(&checked.stdout));
        let login = door.log_in("door", "alice", None, &["000000", "000000", "000000"]);
        assert_eq!(login.authenticate(), "PAM_AUTH_ERR", "{line}: {}", login.raw);
        let asked = if line == "attempts = 1" { 1 } else { 3 };
        assert_eq!(login.messages.iter().filter(|text| text.starts_with("prompt")).count(), asked, "{line}");
        door.command(&["unlock", "alice", "--yes"]);
    }
}

#[test]
fn a_key_under_the_wrong_table_is_told_alike_by_the_log_and_check_config() {
    let door = Door::new("");
    door.sandbox.configuration("[service]\nverifiers = []\nremember = \"15m\"\n");
    let why = "line 3, column 1: unknown key `remember` under [service]: it belongs to the top, before the first line in \
        brackets, or under [[rule]]";
    assert_eq!(door.log_in("door", "alice", None, &[]).authenticate(), "PAM_SERVICE_ERR");
    let log = door.log();
    assert!(log.contains("event=error reason=bad_policy") && log.contains(why), "{log}");
    let checked = text(&door.command(&["check-config"]).stdout);
    assert!(checked.contains(why), "{checked}");
}

#[test]
fn another_file_is_named_on_the_line_and_must_be_there() {
    let door = Door::new("conf=/etc/security/other.toml");
    door.sandbox.configuration("no such key");
    let login = door.log_in("door", "alice", None, &[]);
    assert_eq!(login.authenticate(), "PAM_SERVICE_ERR", "{}", login.raw);
    assert!(door.log().contains("/etc/security/other.toml: it is not there"));
    fs::write(door.sandbox.path().join("security/other.toml"), "[texts]\nprompt = \"Zahl: \"\n")
        .expect("a file");
    let login = door.log_in("door", "alice", None, &[&door.phone.code(0)]);
    assert_eq!(login.authenticate(), "PAM_SUCCESS", "{}", login.raw);
    assert_eq!(login.messages, ["prompt_off Zahl: "]);
}

#[test]
fn a_login_is_remembered_from_the_same_address_and_forgotten_on_command() {
    let door = Door::new("remember=12h");
    let from = |host: &str, replies: &[&str]| door.log_in("sshd", "alice", Some(host), replies);
    assert_eq!(from(OFFICE, &[&door.phone.code(0)]).authenticate(), "PAM_SUCCESS");
    door.log();
    let again = from(OFFICE, &[]);
    assert_eq!(again.authenticate(), "PAM_SUCCESS", "{}", again.raw);
    let log = door.log();
    assert!(log.contains("event=remembered service=sshd source=addr:192.0.2.7 since="), "{log}");
    assert_eq!(from(ELSEWHERE, &["1", "2", "3"]).authenticate(), "PAM_AUTH_ERR");
    assert_eq!(door.log_in("door", "alice", Some(OFFICE), &["1", "2", "3"]).authenticate(), "PAM_AUTH_ERR");
    let status = text(&door.command(&["status", "alice"]).stdout);
    assert!(status.contains("                  remembered since 20"), "{status}");
    let forgotten = door.command(&["forget", "alice"]);
    assert_eq!((forgotten.status.code(), text(&forgotten.stdout).as_str()), (Some(0), ""));
    assert_eq!(text(&forgotten.stderr), "alice is asked for a code wherever the next login comes from\n");
    assert!(door.log().contains("event=logins_forgotten by=uid:0 user=\"alice\""));
    assert_eq!(from(OFFICE, &["1", "2", "3"]).authenticate(), "PAM_AUTH_ERR");
    assert!(!text(&door.command(&["status", "alice"]).stdout).contains("remembered"));
}

#[test]
fn forget_all_and_a_change_of_devices_end_what_is_remembered() {
    for end in [&["forget", "--all"][..], &["disable", "alice"], &["recovery", "alice", "--force"]] {
        let door = Door::new("remember=12h");
        let from_office = |replies: &[&str]| door.log_in("sshd", "alice", Some(OFFICE), replies);
        assert_eq!(from_office(&[&door.phone.code(0)]).authenticate(), "PAM_SUCCESS");
        assert_eq!(from_office(&[]).authenticate(), "PAM_SUCCESS");
        let done = door.command(end);
        assert_eq!(done.status.code(), Some(0), "{end:?} {}", text(&done.stderr));
        if end[0] == "disable" {
            assert_eq!(door.command(&["enable", "alice"]).status.code(), Some(0));
        }
        assert_eq!(from_office(&["1", "2", "3"]).authenticate(), "PAM_AUTH_ERR", "{end:?}");
    }
    let door = Door::new("");
    let none = door.command(&["forget", "bob"]);
    assert_eq!(none.status.code(), Some(4), "{}", text(&none.stderr));
    let two = door.command(&["forget", "alice", "--all"]);
    assert_eq!(two.status.code(), Some(2));
}

#[test]
fn a_recovery_code_and_a_host_without_an_address_are_not_remembered() {
    let door = Door::new("remember=12h");
    let from = |host: &str, replies: &[&str]| {
        door.log_in("sshd", "alice", Some(host), replies).authenticate().to_owned()
    };
    assert_eq!(from(OFFICE, &[RECOVERY_CODES[0]]), "PAM_SUCCESS");
    assert_eq!(from(OFFICE, &["1", "2", "3"]), "PAM_AUTH_ERR");
    assert_eq!(from("client.example.org", &[&door.phone.code(0)]), "PAM_SUCCESS");
    assert_eq!(from("client.example.org", &["1", "2", "3"]), "PAM_AUTH_ERR");
}

/// The stack of a program with one prompt: the password behind the code goes to pam_unix.
fn both(door: &Door, arguments: &str) {
    door.sandbox.service(
        "both",
        &format!(
            "auth required {} forward_pass {arguments}\nauth required pam_unix.so use_first_pass\n",
            module().display()
        ),
    );
}

#[test]
fn a_password_and_a_code_in_one_line_reach_both_modules() {
    let door = Door::new("");
    both(&door, "");
    let login = |line: &str| {
        let login = door.log_in("both", "alice", Some(OFFICE), &[line]);
        assert_eq!(login.messages[0], "prompt_off Password & verification code: ");
        login.authenticate().to_owned()
    };
    let code = door.phone.code(0);
    assert_eq!(login(&format!("password-of-alice{code}")), "PAM_SUCCESS");
    assert_ne!(login(&format!("password-of-alice{code}")), "PAM_SUCCESS", "the code is spent");
    assert_eq!(login(&format!("password-of-alice{}", RECOVERY_CODES[0])), "PAM_SUCCESS");
    assert_ne!(login(&format!("password-of-bob{}", door.phone.code(1))), "PAM_SUCCESS");
    door.sandbox.configuration("[[rule]]\nthen = \"exempt\"\n");
    let exempt = door.log_in("both", "alice", None, &["password-of-alice"]);
    assert_eq!(exempt.authenticate(), "PAM_SUCCESS", "{}", exempt.raw);
    assert_eq!(exempt.messages, ["prompt_off Password: "]);
    let wrong = door.log_in("both", "alice", None, &["password-of-bob"]);
    assert_ne!(wrong.authenticate(), "PAM_SUCCESS");
}

#[test]
fn on_a_remembered_login_the_password_alone_is_asked_for_and_forwarded() {
    let door = Door::new("");
    both(&door, "remember=1h");
    let login = |line: &str| door.log_in("both", "alice", Some(OFFICE), &[line]);
    assert_eq!(login(&format!("password-of-alice{}", door.phone.code(0))).authenticate(), "PAM_SUCCESS");
    let again = login("password-of-alice");
    assert_eq!(again.authenticate(), "PAM_SUCCESS", "{}", again.raw);
    assert_eq!(again.messages, ["prompt_off Password: "]);
    assert_ne!(login("password-of-bob").authenticate(), "PAM_SUCCESS");
}

#[test]
fn check_config_warns_of_what_is_hardly_meant() {
    let door = Door::new("");
    let check = |policy: &str| {
        door.sandbox.configuration(policy);
        let checked = door.command(&["check-config"]);
        (checked.status.code().expect("an end"), text(&checked.stdout))
    };
    let well = "nothing was found that would keep people out or let them in\n";
    assert_eq!(check("[[rule]]\nusers = [\"bob\"]\nthen = \"exempt\"\n"), (0, well.to_owned()));
    let (status, told) =
        check("[[rule]]\nname = \"all\"\n[[rule]]\nservices = [\"su\"]\nthen = \"exempt\"\n");
    assert_eq!(status, 5);
    assert!(told.contains("rule 2 can never match: rule 1 (all) matches whenever it would"), "{told}");
    let (status, told) = check("[[rule]]\nusers = [\"@gone\", \"!dave\"]\nthen = \"require\"\n");
    assert_eq!(status, 5);
    assert!(told.contains("there is no group gone") && told.contains("there is no user dave"), "{told}");
    let json = door.command(&["check-config", "--json"]);
    assert!(text(&json.stdout).starts_with("{\"format\":1,\"report\":\"check-config\",\"findings\":["));
    let missing = door.command(&["check-config", "/etc/security/no-such.toml"]);
    assert_eq!(missing.status.code(), Some(6), "{}", text(&missing.stdout));
}

#[test]
fn a_list_names_the_rules_that_exempt_somebody() {
    let door = Door::new("");
    door.sandbox.configuration(
        "[[rule]]\nname = \"robots\"\nusers = [\"@robots\"]\nfrom = [\"192.0.2.0/24\"]\nthen = \"exempt\"\n[[rule]]\n",
    );
    let listed = door.command(&["list"]);
    let told = "no code is asked for by rule robots: users @robots; from 192.0.2.0/24\n";
    assert_eq!((listed.status.code(), text(&listed.stderr).as_str()), (Some(0), told));
    let json = text(&door.command(&["list", "--json"]).stdout);
    assert!(json.contains("\"exempt\":[\"robots: users @robots; from 192.0.2.0/24\"]"), "{json}");
}

#[test]
fn explain_names_the_deciding_rule_and_why_the_others_do_not_match() {
    let door = Door::new("");
    door.sandbox.configuration(
        "remember = \"12h\"\n\
         [[rule]]\nname = \"lan\"\nfrom = [\"192.0.2.0/24\"]\nthen = \"exempt\"\n\
         [[rule]]\nusers = [\"@gone\"]\nthen = \"exempt\"\n\
         [[rule]]\nname = \"night\"\ntime = [\"22:00-06:00\"]\nthen = \"require\"\nremember = \"never\"\n\
         [[rule]]\nservices = [\"su\"]\nwhose = \"caller\"\n",
    );
    let explain = |words: &[&str]| text(&door.command(&[&["explain", "alice"], words].concat()).stdout);
    assert_eq!(
        explain(&["--from", "192.0.2.9", "--at", "Mon 12:00"]),
        "alice: no code is asked for\n  rule 1 (lan): decides\n  rule 2: comes too late\n  \
         rule 3 (night): comes too late\n  rule 4: comes too late\n"
    );
    assert_eq!(
        explain(&["--from", "198.51.100.4", "--at", "Mon 23:00"]),
        "alice: a code is asked for; who is not enrolled is denied\n  rule 1 (lan): does not match: from\n  \
         rule 2: passed over: users is unknown, and that never exempts\n  rule 3 (night): decides\n  rule 4: comes too late\n"
    );
    let su = explain(&["--service", "su", "--caller", "bob", "--at", "Mon 12:00"]);
    assert!(
        su.starts_with("alice: the caller's code is asked for; a login is remembered for 43200 s; "),
        "{su}"
    );
    let json = explain(&["--service", "su", "--at", "Mon 12:00", "--json"]);
    assert!(json.contains("\"decision\":\"ask\"") && json.contains("\"rule\":4"), "{json}");
    door.sandbox.configuration("broken");
    let broken = door.command(&["explain", "alice"]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(text(&broken.stderr).contains("line 1, column"), "{}", text(&broken.stderr));
}

#[test]
fn incumbents_arguments_that_would_weaken_something_deny_and_say_what_to_do() {
    for argument in ["secret=/home/x", "user=root", "usersfile=/etc/users.oath", "allow_readonly", "alwaysok"]
    {
        let door = Door::new(argument);
        assert_eq!(door.result("alice", None, &[]), "PAM_SERVICE_ERR", "{argument}");
        let log = door.log();
        assert!(log.contains("reason=bad_argument") && log.contains("is not taken here: "), "{log}");
    }
    let door = Door::new("[authtok_prompt=Your code: ] echo_verification_code noskewadj window=20 digits=6");
    let login = door.log_in("door", "alice", None, &[&door.phone.code(0)]);
    assert_eq!(login.authenticate(), "PAM_SUCCESS", "{}", login.raw);
    assert_eq!(login.messages, ["prompt_on Your code: "]);
}
