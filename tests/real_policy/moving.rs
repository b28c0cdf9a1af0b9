//! From other modules to this one: import, change the module's name in the line, and logins go on.

use super::policy;
use crate::installed::{Guarded, password_of};
use crate::planting::Phone;

/// The same as of the comparison, so that there is one image.
const PACKAGES: [&str; 4] = ["libpam-google-authenticator", "libpam-oath", "libfaketime", "strace"];
/// Lines of the documentation of google-authenticator-libpam, with what is typed at each prompt: a password, a code,
/// or both in one.
const LINES: [(&str, &[&str]); 6] = [
    ("auth required pam_google_authenticator.so\n", &["code"]),
    ("auth required pam_google_authenticator.so nullok\n", &["code"]),
    ("auth required pam_google_authenticator.so no_increment_hotp\n", &["code"]),
    ("auth required pam_google_authenticator.so noskewadj debug\n", &["code"]),
    (
        "auth requisite pam_google_authenticator.so forward_pass\nauth required pam_unix.so use_first_pass\n",
        &["both"],
    ),
    ("auth required pam_unix.so\nauth required pam_google_authenticator.so\n", &["password", "code"]),
];

fn in_the_past(guarded: &Guarded) -> [String; 3] {
    let library = guarded.must(&["sh", "-c", "ls /usr/lib/*/faketime/libfaketime.so.1"]);
    ["env".to_owned(), format!("LD_PRELOAD={}", library.trim_end()), "FAKETIME=-660s".to_owned()]
}

/// Whether alice gets in at the service door who types these lines.
fn gets_in(guarded: &Guarded, lines: &[String]) -> bool {
    guarded.copy_in(&example("pam-client"), "/usr/local/bin/pam-client", 0o755);
    let replies: Vec<String> = lines.iter().map(|line| format!("--reply={line}")).collect();
    let mut words = vec!["pam-client", "--confdir", "/etc/pam.d", "--service=door", "--user=alice"];
    words.extend(replies.iter().map(String::as_str));
    let finished = guarded.run(&words);
    (finished.stdout + &finished.stderr).contains("authenticate PAM_SUCCESS")
}

fn typed(kinds: &[&str], code: &str) -> Vec<String> {
    let password = password_of("alice");
    let line = |kind: &&str| match *kind {
        "code" => code.to_owned(),
        "password" => password.clone(),
        _ => format!("{password}{code}"),
    };
    kinds.iter().map(line).collect()
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_lines_of_google_authenticator_go_on_with_another_name() {
    let guarded = Guarded::boot_with("bookworm", &PACKAGES);
    guarded.add_person("alice");
    let setup = ["runuser", "-u", "alice", "--", "google-authenticator", "-t", "-D", "-f", "-w", "17", "-u"];
    guarded.must_with_input(&setup, b"-1\n");
    let text = guarded.read("/home/alice/.google_authenticator");
    let phone = Phone::new(text.lines().next().expect("a secret"));
    let stack = |line: &str| {
        guarded.write("/etc/pam.d/door", 0o644, format!("{line}account required pam_permit.so\n"));
    };
    for (line, kinds) in LINES {
        stack(line);
        assert!(gets_in(&guarded, &typed(kinds, &phone.code(0))), "{line} before");
    }
    let words = ["countersign", "import", "google-authenticator", "alice", "--apply"];
    for (line, kinds) in LINES {
        // Eleven minutes ago, so that no code of now counts as used.
        let past = in_the_past(&guarded);
        guarded.must(&past.iter().map(String::as_str).chain(words).collect::<Vec<_>>());
        stack(&line.replace("pam_google_authenticator.so", "pam_countersign.so"));
        let code = phone.code(0);
        assert!(!gets_in(&guarded, &typed(kinds, &phone.wrong_code())), "{line} with a wrong code");
        assert!(gets_in(&guarded, &typed(kinds, &code)), "{line} after");
        assert!(!gets_in(&guarded, &typed(kinds, &code)), "{line} with a used code");
        guarded.must(&["countersign", "remove", "--yes", "alice"]);
    }
    // grace_period is a remembered login.
    let past = in_the_past(&guarded);
    guarded.must(&past.iter().map(String::as_str).chain(words).collect::<Vec<_>>());
    guarded.guard_ssh("sshd-key-and-code");
    guarded.add_argument("sshd", "grace_period=3600");
    let key = guarded.authorize_key("alice");
    guarded.by_key("alice", &key).code(&phone.code(0)).must_get_in();
    let seen = guarded.by_key("alice", &key).seen();
    assert_eq!((seen.in_as.is_some(), &seen.prompts[..]), (true, &[][..]), "{seen:#?}");
    // What would weaken something denies and says what to do instead.
    for argument in
        ["secret=/var/${USER}", "user=root", "allow_readonly", "no_strict_owner", "allowed_perm=0640"]
    {
        stack(&format!("auth required pam_countersign.so {argument}\n"));
        let before = guarded.cursor();
        assert!(!gets_in(&guarded, &[phone.code(1)]), "{argument}");
        let name = argument.split('=').next().expect("a name");
        guarded.wait_for_journal(
            &before,
            &format!("reason=bad_argument service=door attempts=0 cause=\"{name} is not taken here: "),
        );
    }
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_line_of_pam_oath_goes_on_with_another_name_once_its_file_is_imported() {
    let guarded = Guarded::boot_with("bookworm", &PACKAGES);
    guarded.add_person("alice");
    let users = b"HOTP/T30 alice - 3132333435363738393031323334353637383930\n";
    guarded.must_with_input(&["sh", "-c", "umask 077; cat >/etc/users.oath"], users);
    let phone = Phone::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    let line = "auth requisite pam_oath.so debug usersfile=/etc/users.oath window=20 digits=6\n";
    let stack = |line: &str| {
        guarded.write("/etc/pam.d/door", 0o644, format!("{line}account required pam_permit.so\n"));
    };
    stack(line);
    assert!(gets_in(&guarded, &[phone.code(0)]));
    let past = in_the_past(&guarded);
    let words = ["countersign", "import", "oath", "/etc/users.oath", "--apply"];
    let done = guarded.run(&past.iter().map(String::as_str).chain(words).collect::<Vec<_>>());
    assert_eq!(done.status, 0, "{done:#?}");
    let renamed = line.replace("pam_oath.so", "pam_countersign.so");
    stack(&renamed);
    let before = guarded.cursor();
    assert!(!gets_in(&guarded, &[phone.code(1)]));
    guarded.wait_for_journal(
        &before,
        "usersfile is not taken here: take the users over with `countersign import oath`",
    );
    stack(&renamed.replace("usersfile=/etc/users.oath ", ""));
    let code = phone.code(1);
    assert!(gets_in(&guarded, std::slice::from_ref(&code)));
    assert!(!gets_in(&guarded, &[code]));
    policy(&guarded, "attempts = 1\n");
}

/// An example of this package.
fn example(name: &str) -> std::path::PathBuf {
    let own = std::env::current_exe().expect("the path of this test");
    own.parent().and_then(std::path::Path::parent).expect("a directory").join("examples").join(name)
}
