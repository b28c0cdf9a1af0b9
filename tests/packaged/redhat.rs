//! The RPM, by Debian's rpm in a booted Debian: where its files go, and what its scripts do. Logins by it are not
//! shown here, since Debian looks for modules elsewhere.

use super::files::{must_unattended, unattended};
use super::guesses::PACKAGES;
use super::installed::{Guarded, password_of};
use super::made::{must, rpm};
use std::path::{Path, PathBuf};
use std::process::Command;

const MODULE: &str = "/usr/lib64/security/pam_countersign.so";
/// Debian's database knows nothing of what dpkg has installed.
const RPM: [&str; 2] = ["rpm", "--nodeps"];

/// The same files as an RPM of a lower version.
fn older_rpm(folder: &Path) -> PathBuf {
    let repository = env!("CARGO_MANIFEST_DIR");
    let source = folder.join("source");
    let needed =
        ["Makefile", "Cargo.toml", "packaging", "docs", "pam.d", "README.md", "CHANGELOG.md", "LICENSE-MIT"];
    std::fs::create_dir(&source).expect("a directory");
    let mut copy = Command::new("cp");
    must(copy.current_dir(repository).arg("-R").args(needed).arg("LICENSE-APACHE").arg(&source));
    must(
        Command::new("sed")
            .args(["-i", "0,/^version = /s/^version = .*/version = \"0.0.9\"/"])
            .arg(source.join("Cargo.toml")),
    );
    let built = |variable: &str, name: &str| {
        let path =
            std::env::var_os(variable).map_or_else(|| PathBuf::from(format!("target/{name}")), PathBuf::from);
        Path::new(repository).join(path)
    };
    let (module, command) = (
        built("COUNTERSIGN_MODULE", "module/libpam_countersign.so"),
        built("COUNTERSIGN_COMMAND", "release/countersign"),
    );
    let made = folder.join("made");
    let mut script = Command::new(source.join("packaging/rpm"));
    script.arg(&made).arg(module).arg(&command).arg(&command);
    // There is no repository: its last commit cannot say when it was made.
    must(script.env("SOURCE_DATE_EPOCH", "1790000000").env_remove("MAKEFLAGS").env_remove("MFLAGS"));
    std::fs::read_dir(made).expect("a directory").flatten().next().expect("a package").path()
}

fn rpm_does(guarded: &Guarded, words: &[&str]) -> String {
    must_unattended(guarded, &[&RPM[..], words].concat())
}

fn is_there(guarded: &Guarded, path: &str) -> bool {
    guarded.run(&["test", "-e", path]).status == 0
}

#[test]
#[ignore = "needs root: boots a container"]
fn the_rpm_is_installed_upgraded_and_erased_and_never_while_a_stack_calls_its_module() {
    let guarded = Guarded::boot_without("bookworm", &PACKAGES);
    guarded.add_person("alice");
    let before = super::files::stacks(&guarded);
    let folder = tempfile::tempdir().expect("a directory");
    guarded.copy_in(&older_rpm(folder.path()), "/root/older.rpm", 0o644);
    guarded.copy_in(&rpm(), "/root/newer.rpm", 0o644);

    // As Fedora's presets end, which the package goes by.
    guarded.must(&["mkdir", "-p", "/etc/systemd/system-preset"]);
    guarded.write("/etc/systemd/system-preset/99-default-disable.preset", 0o644, "disable *\n");
    let told = rpm_does(&guarded, &["--install", "/root/older.rpm"]);
    for socket in ["countersign.socket", "countersign-password.socket"] {
        assert_eq!(guarded.run(&["systemctl", "is-enabled", socket]).stdout, "disabled\n", "{socket}");
        assert_eq!(guarded.run(&["systemctl", "is-active", socket]).stdout, "inactive\n", "{socket}");
    }
    assert!(told.contains("asks nobody for a code yet"), "{told}");
    for (path, mode) in [
        (MODULE, "644"),
        ("/usr/bin/countersign", "755"),
        ("/usr/share/man/man8/pam_countersign.8.gz", "644"),
        ("/usr/lib/systemd/system/countersign.socket", "644"),
        ("/usr/lib/systemd/system/countersign-root.socket", "644"),
        ("/usr/share/selinux/packages/countersign.pp", "644"),
        ("/etc/security/countersign.toml", "644"),
        ("/var/lib/countersign", "700"),
        ("/run/countersign-seen", "700"),
    ] {
        assert_eq!(guarded.must(&["stat", "-c", "%a %U", path]), format!("{mode} root\n"), "{path}");
    }
    guarded.must(&["rpm", "--verify", "--nodeps", "countersign"]);
    // As at the start of a machine whose /var is empty.
    guarded.must(&["rm", "-r", "/var/lib/countersign"]);
    guarded.must(&["systemd-tmpfiles", "--create"]);
    super::empty_var::must_have_a_store(&guarded);
    guarded.must(&["countersign", "check-config"]);
    // Nothing but the stack of our own is new among those of PAM.
    guarded.must(&["systemctl", "start", "countersign.socket"]);
    guarded.plant("alice");
    let status = guarded.must(&["runuser", "-u", "alice", "--", "countersign", "status", "alice"]);
    assert!(status.contains("phone"), "{status}");
    let pid = || guarded.must(&["systemctl", "show", "--property=MainPID", "--value", "countersign.service"]);
    let old_service = pid();
    assert_ne!(old_service, "0\n");
    let policy = "remember = \"12h\"\n";
    guarded.write("/etc/security/countersign.toml", 0o644, policy);

    rpm_does(&guarded, &["--upgrade", "/root/newer.rpm"]);
    assert_eq!(guarded.read("/etc/security/countersign.toml"), policy);
    assert!(pid() != old_service && pid() != "0\n", "the service is the new one");
    assert!(guarded.store().join("users/alice/credential.toml").exists());

    // libpam would deny every login by this service once the module is gone.
    for (script, line) in [
        ("echo 'auth required pam_countersign.so' >/etc/pam.d/of-the-admin", "/etc/pam.d/of-the-admin:1"),
        (
            "echo 'auth required pam_countersign.so' >/etc/ours; echo 'auth substack /etc/ours' >/etc/pam.d/of-the-admin",
            "/etc/ours:1",
        ),
        (
            "mkdir -p /usr/lib/pam.d; echo 'auth required pam_countersign.so' >/usr/lib/pam.d/of-a-vendor",
            "/usr/lib/pam.d/of-a-vendor:1",
        ),
    ] {
        guarded.must(&["sh", "-ec", script]);
        let stacks = super::files::stacks(&guarded);
        let refused = unattended(&guarded, &[&RPM[..], &["--erase", "countersign"]].concat());
        assert_ne!(refused.status, 0, "{refused:#?}");
        let told = refused.stdout + &refused.stderr;
        assert!(told.contains(&format!("  {line}\n")) && told.contains("hint: "), "{told}");
        assert!(is_there(&guarded, MODULE) && is_there(&guarded, "/usr/bin/countersign"));
        assert_eq!(guarded.must(&["systemctl", "is-active", "countersign.socket"]), "active\n");
        assert_eq!(super::files::stacks(&guarded), stacks);
        guarded.must(&["rm", "-f", "/etc/ours", "/etc/pam.d/of-the-admin", "/usr/lib/pam.d/of-a-vendor"]);
    }

    let told = rpm_does(&guarded, &["--erase", "countersign"]);
    assert!(told.contains("hint: rm -r /var/lib/countersign"), "{told}");
    assert!(!is_there(&guarded, MODULE) && !is_there(&guarded, "/usr/bin/countersign"));
    assert_eq!(super::files::stacks(&guarded), before);
    // What an administrator has changed is kept beside, and the secrets are.
    assert_eq!(guarded.read("/etc/security/countersign.toml.rpmsave"), policy);
    assert!(guarded.store().join("users/alice/credential.toml").exists());
    assert_eq!(guarded.run(&["systemctl", "is-active", "countersign.socket"]).stdout, "inactive\n");
}

/// The lines of the first block of code in `docs/redhat.md` behind these words.
fn block_of_the_guide(words: &str) -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/redhat.md");
    let guide = std::fs::read_to_string(guide).expect("the guide");
    let (_, rest) = guide.split_once(words).unwrap_or_else(|| panic!("no {words:?}"));
    rest.split("```").nth(1).expect("a block").trim_start().to_owned()
}

/// The file of authselect's profile sssd, as far as Debian has its modules.
const SYSTEM_AUTH: &str = "auth required pam_env.so\nauth required pam_faildelay.so delay=0\n\
                           auth sufficient pam_unix.so nullok\nauth required pam_deny.so\n\
                           account required pam_unix.so\n";

/// What real libpam says to a service of Fedora.
fn verdict(guarded: &Guarded, user: &str, replies: &[&str]) -> String {
    let user = format!("--user={user}");
    let replies: Vec<String> = replies.iter().map(|reply| format!("--reply={reply}")).collect();
    let mut words = vec!["pam-client", "--confdir", "/etc/pam.d", "--service=fedora", &user];
    words.extend(replies.iter().map(String::as_str));
    let told = guarded.run(&words).stdout;
    let verdict = told.lines().find_map(|line| line.strip_prefix("authenticate "));
    verdict.and_then(|rest| rest.split(' ').next()).unwrap_or_else(|| panic!("{told}")).to_owned()
}

/// Password and code, and nothing less, by these lines of a service.
fn must_ask_for_both(guarded: &Guarded, lines: &str, alice: &super::debian::Owner, lenient: bool) {
    guarded.write("/etc/pam.d/fedora", 0o644, format!("{lines}account required pam_permit.so\n"));
    let (password, of_bob) = (password_of("alice"), password_of("bob"));
    assert_eq!(verdict(guarded, "alice", &[&password, &alice.code()]), "PAM_SUCCESS", "{lines}");
    // The code is asked for all the same, so nobody learns that it was the password.
    assert_eq!(verdict(guarded, "alice", &["wrong", &alice.code()]), "PAM_AUTH_ERR", "{lines}");
    assert_eq!(verdict(guarded, "alice", &[&password, "", "", ""]), "PAM_AUTH_ERR", "{lines}");
    assert_eq!(verdict(guarded, "alice", &["wrong", "", "", ""]), "PAM_AUTH_ERR", "{lines}");
    let bobs: &[&str] = if lenient { &[&of_bob] } else { &[&of_bob, "", "", ""] };
    let expected = if lenient { "PAM_SUCCESS" } else { "PAM_AUTH_ERR" };
    assert_eq!(verdict(guarded, "bob", bobs), expected, "{lines}");
    assert_eq!(verdict(guarded, "bob", &["wrong", "", "", ""]), "PAM_AUTH_ERR", "{lines}");
}

/// The lines of the guide, by real libpam; the files are those of Fedora as far as Debian has them.
#[test]
#[ignore = "needs root: boots a container"]
fn the_stacks_of_the_guide_for_fedora_ask_for_both() {
    let guarded = super::debian::machine("bookworm");
    super::debian::install(&guarded, &super::made::deb());
    guarded.copy_in(&super::debian::example("pam-client"), "/usr/local/bin/pam-client", 0o755);
    for name in ["system-auth", "password-auth"] {
        guarded.write(&format!("/etc/pam.d/{name}"), 0o644, SYSTEM_AUTH);
    }
    let feature = block_of_the_guide("## All logins, by authselect");
    let line = feature.split_once("1i ").expect("a line for postlogin").1;
    let (line, condition) = line.split_once(" {").expect("a condition");
    assert!(condition.starts_with("include if \"with-countersign\"}' postlogin\n"), "{feature}");
    let umask = "session optional pam_umask.so silent\n";
    let alice = super::debian::Owner::enrolled(&guarded, "alice");

    guarded.write("/etc/pam.d/postlogin", 0o644, umask);
    must_ask_for_both(&guarded, &block_of_the_guide("In `/etc/pam.d/sshd`:"), &alice, false);
    must_ask_for_both(&guarded, &block_of_the_guide("which include, write `substack`"), &alice, false);
    guarded.write("/etc/pam.d/postlogin", 0o644, format!("{line}\n{umask}"));
    let unchanged = "auth substack password-auth\nauth include postlogin\n";
    must_ask_for_both(&guarded, unchanged, &alice, true);
}

#[test]
fn the_rpm_is_whole_and_holds_the_labels_of_selinux() {
    must(Command::new("rpm").args(["--checksig", "--nosignature"]).arg(rpm()));
    let folder = tempfile::tempdir().expect("a directory");
    let unpack = "cd \"$2\" && rpm2cpio \"$1\" | cpio --extract --make-directories --quiet && \
                  semodule_unpackage usr/share/selinux/packages/countersign.pp module contexts && cat contexts";
    let contexts = must(Command::new("sh").args(["-ec", unpack, "sh"]).arg(rpm()).arg(folder.path())).stdout;
    let contexts = String::from_utf8(contexts).expect("text");
    for place in ["/var/lib/countersign(/.*)?", "/run/countersign-seen(/.*)?"] {
        let label = |line: &str| line.split_whitespace().eq([place, "system_u:object_r:var_auth_t:s0"]);
        assert!(contexts.lines().any(label), "{place}: {contexts}");
    }
}
