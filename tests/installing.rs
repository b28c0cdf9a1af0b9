//! Installing enables nothing and removing takes everything away, but never what a stack still calls.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// The one stack that is installed.
const OWN_STACK: &str = "etc/pam.d/countersign";

/// Runs make for an empty machine; there must be something built.
fn make(target: &str, machine: &Path) -> Output {
    make_with(target, machine, &[])
}

fn make_with(target: &str, machine: &Path, variables: &[&str]) -> Output {
    let mut make = Command::new("make");
    make.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("MAKEFLAGS").args(["--silent", target]);
    make.arg(format!("DESTDIR={}", machine.display())).arg("PAM_DIR=/usr/lib/security");
    if let Some(module) = std::env::var_os("COUNTERSIGN_MODULE") {
        make.arg(format!("MODULE={}", module.display()));
    }
    if let Some(command) = std::env::var_os("COUNTERSIGN_COMMAND") {
        make.arg(format!("COMMAND={}", command.display()));
    }
    make.args(variables).output().expect("make")
}

fn must(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Everything below a directory.
fn listing(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a directory").flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(name);
            }
        }
    }
    found.sort_unstable();
    found
}

#[test]
fn installing_enables_nothing() {
    let machine = tempfile::tempdir().expect("a directory");
    must(&make("install", machine.path()));
    let files = listing(machine.path());
    assert!(files.iter().any(|file| file == "usr/lib/security/pam_countersign.so"), "{files:?}");
    assert!(files.iter().any(|file| file == "usr/bin/countersign"), "{files:?}");
    // A stack is in /etc, and nothing else makes anybody be asked. The one of our own asks no code.
    let in_etc: Vec<&String> = files.iter().filter(|file| file.starts_with("etc/")).collect();
    assert_eq!(in_etc, [OWN_STACK]);
    let own = fs::read_to_string(machine.path().join(OWN_STACK)).expect("the stack");
    let lines: Vec<&str> = own.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(lines, ["auth     required  pam_unix.so", "account  required  pam_unix.so"]);
    assert!(!files.iter().any(|file| file.ends_with("share/doc/countersign/pam.d/countersign")), "{files:?}");
    // A policy is the administrator's: only its sample is there.
    let policies: Vec<&String> = files.iter().filter(|file| file.ends_with("/countersign.toml")).collect();
    assert_eq!(policies, ["usr/share/doc/countersign/countersign.toml"]);
}

/// A machine as a distribution leaves it: directories, stacks, and what others have installed beside.
fn distribution() -> tempfile::TempDir {
    let machine = tempfile::tempdir().expect("a directory");
    for folder in [
        "etc/apparmor.d/abstractions",
        "etc/fail2ban/filter.d",
        "etc/fail2ban/jail.d",
        "etc/pam.d",
        "etc/security",
        "etc/ssh/sshd_config.d",
        "usr/bin",
        "usr/lib/pam.d",
        "usr/lib/security",
        "usr/lib/systemd/system",
        "usr/lib/tmpfiles.d",
        "usr/share/bash-completion/completions",
        "usr/share/doc",
        "usr/share/fish/vendor_completions.d",
        "usr/share/man/man1",
        "usr/share/man/man5",
        "usr/share/man/man8",
        "usr/share/zsh/site-functions",
        "usr/share/zsh/vendor-completions",
        "var/lib",
    ] {
        fs::create_dir_all(machine.path().join(folder)).expect("a directory");
    }
    for (file, text) in [
        (
            "etc/pam.d/common-auth",
            "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n",
        ),
        ("etc/pam.d/login", "@include common-auth\n"),
        ("etc/pam.d/sshd", "@include common-auth\n"),
        ("etc/pam.d/sudo", "@include common-auth # not pam_countersign.so\n"),
        ("etc/security/limits.conf", "# none\n"),
        ("etc/ssh/sshd_config", "UsePAM yes\n"),
        ("usr/lib/pam.d/other", "auth required pam_deny.so\n"),
        ("usr/lib/security/pam_unix.so", "a module\n"),
        ("usr/lib/tmpfiles.d/var.conf", "d /var 0755 - - -\n"),
        ("usr/share/man/man1/count.1", "another page\n"),
    ] {
        fs::write(machine.path().join(file), text).expect("a file");
    }
    machine
}

/// Everything below a directory, also empty directories: name, mode and bytes.
fn everything(root: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a directory").flatten().map(|entry| entry.path()) {
            let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            let mode = fs::metadata(&path).expect("a file").permissions().mode();
            if path.is_dir() {
                found.push((name, mode, Vec::new()));
                folders.push(path);
            } else {
                found.push((name, mode, fs::read(&path).expect("a file")));
            }
        }
    }
    found.sort_unstable();
    found
}

#[test]
fn installing_changes_nothing_that_was_there() {
    let machine = distribution();
    let before = everything(machine.path());
    must(&make("install", machine.path()));
    must(&make("install-configuration", machine.path()));
    let after = everything(machine.path());
    assert!(after.len() > before.len() + 40);
    for file in before {
        assert!(after.contains(&file), "{} has changed", file.0);
    }
}

#[test]
fn removing_leaves_the_machine_as_it_was() {
    for both in [&["install"][..], &["install", "install-configuration"]] {
        let machine = distribution();
        let before = everything(machine.path());
        for target in both {
            must(&make(target, machine.path()));
        }
        must(&make("uninstall", machine.path()));
        assert_eq!(everything(machine.path()), before);
    }
}

#[test]
fn what_packages_bring_besides_is_in_force_nowhere_and_kept_once_it_is_changed() {
    let machine = distribution();
    must(&make("install", machine.path()));
    let installed = listing(machine.path());
    must(&make("install-configuration", machine.path()));
    let more: Vec<String> =
        listing(machine.path()).into_iter().filter(|file| !installed.contains(file)).collect();
    let expected = [
        "etc/apparmor.d/abstractions/countersign",
        "etc/apparmor.d/abstractions/countersign-store",
        "etc/fail2ban/filter.d/countersign.conf",
        "etc/fail2ban/jail.d/countersign.conf",
        "etc/security/countersign.toml",
    ];
    assert_eq!(more, expected);
    let read = |file: &str| fs::read_to_string(machine.path().join(file)).expect("a file");
    assert!(read("etc/fail2ban/jail.d/countersign.conf").contains("\nenabled  = false\n"));

    let policy = machine.path().join("etc/security/countersign.toml");
    fs::write(&policy, "attempts = 1\n").expect("a file");
    must(&make("install-configuration", machine.path()));
    must(&make("uninstall", machine.path()));
    assert_eq!(fs::read_to_string(&policy).expect("the policy"), "attempts = 1\n");
    let ours = listing(machine.path()).into_iter().filter(|file| file.contains("countersign"));
    assert_eq!(ours.collect::<Vec<_>>(), ["etc/security/countersign.toml"]);
}

#[test]
fn the_module_goes_where_this_machine_has_those_of_pam() {
    let machine = tempfile::tempdir().expect("a directory");
    let mut found = Command::new("make");
    found.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("MAKEFLAGS").args(["--silent", "install"]);
    found.arg(format!("DESTDIR={}", machine.path().display()));
    for (variable, environment) in [("MODULE", "COUNTERSIGN_MODULE"), ("COMMAND", "COUNTERSIGN_COMMAND")] {
        if let Some(path) = std::env::var_os(environment) {
            found.arg(format!("{variable}={}", Path::new(&path).display()));
        }
    }
    must(&found.output().expect("make"));
    let modules: Vec<String> = listing(machine.path());
    let modules: Vec<&String> = modules.iter().filter(|name| name.ends_with("/pam_countersign.so")).collect();
    assert_eq!(modules.len(), 1, "{modules:?}");
    let beside = Path::new("/").join(modules[0]).with_file_name("pam_unix.so");
    assert!(beside.exists(), "{}", beside.display());
    // Where there is none, nobody guesses.
    let nowhere = make_with("install", machine.path(), &["PAM_DIR="]);
    assert!(!nowhere.status.success());
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("name its directory with PAM_DIR="));
}

/// A command for another kind of machine cannot write its pages here.
#[test]
fn after_a_cross_build_another_command_writes_the_pages() {
    let folder = tempfile::tempdir().expect("a directory");
    let foreign = folder.path().join("countersign");
    fs::write(&foreign, "for another kind of machine").expect("a file");
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o755)).expect("its mode");
    let here = std::env::var_os("COUNTERSIGN_COMMAND").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/countersign"),
        std::path::PathBuf::from,
    );
    let (native, cross) = (folder.path().join("native"), folder.path().join("cross"));
    must(&make("install", &native));
    let command = format!("COMMAND={}", foreign.display());
    assert!(!make_with("install", &cross, &[&command]).status.success(), "it cannot be run here");
    must(&make_with("install", &cross, &[&command, &format!("COMMAND_HERE={}", here.display())]));
    let mut expected = everything(&native);
    for file in &mut expected {
        if file.0 == "usr/bin/countersign" {
            file.2 = b"for another kind of machine".to_vec();
        }
    }
    assert!(everything(&cross) == expected);
}

#[test]
fn every_manual_page_is_where_man_looks_for_it() {
    let machine = tempfile::tempdir().expect("a directory");
    must(&make("install", machine.path()));
    for page in [
        "man1/countersign.1",
        "man1/countersign-enroll.1",
        "man1/countersign-import-uri.1",
        "man5/countersign.toml.5",
        "man8/countersign-serve.8",
        "man8/pam_countersign.8",
    ] {
        let page = machine.path().join("usr/share/man").join(page);
        assert_eq!(mode_of(&page), 0o644, "{}", page.display());
    }
}

/// The mode of a file, which has something in it.
fn mode_of(path: &Path) -> u32 {
    let metadata = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(metadata.len() > 0, "{}", path.display());
    metadata.permissions().mode() & 0o777
}

#[test]
fn each_shell_finds_what_completes_the_command() {
    let machine = tempfile::tempdir().expect("a directory");
    must(&make("install", machine.path()));
    let share = machine.path().join("usr/share");
    for (path, line) in [
        ("bash-completion/completions/countersign", "complete -F _countersign"),
        ("fish/vendor_completions.d/countersign.fish", "complete -c countersign"),
    ] {
        assert_eq!(mode_of(&share.join(path)), 0o644);
        assert!(fs::read_to_string(share.join(path)).expect("the script").contains(line), "{path}");
    }
    let of_zsh = ["vendor-completions", "site-functions"]
        .map(|name| share.join("zsh").join(name).join("_countersign"));
    let of_zsh: Vec<_> = of_zsh.iter().filter(|path| path.exists()).collect();
    assert_eq!(of_zsh.len(), 1);
    assert_eq!(mode_of(of_zsh[0]), 0o644);
    // Where the zsh of this machine looks.
    let searched = Command::new("zsh").args(["-fc", "print -l $fpath"]).output().expect("zsh").stdout;
    let searched = String::from_utf8(searched).expect("text");
    let directory = Path::new("/").join(of_zsh[0].strip_prefix(machine.path()).expect("below"));
    let directory = directory.parent().expect("a directory").to_string_lossy().into_owned();
    assert!(searched.lines().any(|line| line == directory), "{directory}: {searched}");
}

#[test]
fn units_start_the_command_where_it_is() {
    let machine = tempfile::tempdir().expect("a directory");
    must(&make_with("install", machine.path(), &["PREFIX=/opt/local"]));
    let units = machine.path().join("opt/local/lib/systemd/system");
    let service = fs::read_to_string(units.join("countersign-password@.service")).expect("the unit");
    assert!(service.contains("\nExecStart=/opt/local/bin/countersign prove-password\n"), "{service}");
    assert!(machine.path().join("opt/local/bin/countersign").exists());
    assert!(units.join("countersign-password.socket").exists());
    must(&make_with("uninstall", machine.path(), &["PREFIX=/opt/local"]));
    assert_eq!(listing(machine.path()), Vec::<String>::new());
}

#[test]
#[ignore = "needs root: makes directories of root"]
fn the_store_is_made_at_the_start_of_a_machine_as_installing_makes_it() {
    let installed = tempfile::tempdir().expect("a directory");
    must(&make("install", installed.path()));
    let started = tempfile::tempdir().expect("a directory");
    let file = installed.path().join("usr/lib/tmpfiles.d/countersign.conf");
    assert_eq!(mode_of(&file), 0o644);
    // Nothing but the file itself is read, and nothing but that directory is written to.
    let mut tmpfiles = Command::new("systemd-tmpfiles");
    tmpfiles.args(["--create", "--prefix=/var/lib/countersign", "--root"]).arg(started.path()).arg(&file);
    must(&tmpfiles.output().expect("systemd-tmpfiles"));
    let store = |root: &Path| -> Vec<_> {
        let all = everything(&root.join("var/lib")).into_iter();
        all.filter(|(name, ..)| name.starts_with("countersign")).collect()
    };
    assert_eq!(store(started.path()), store(installed.path()));
    assert_eq!(store(started.path()).len(), 3);
}

#[test]
fn a_changed_stack_of_our_own_is_neither_overwritten_nor_removed() {
    let machine = tempfile::tempdir().expect("a directory");
    let stack = machine.path().join(OWN_STACK);
    fs::create_dir_all(stack.parent().expect("a parent")).expect("a directory");
    fs::write(&stack, "auth required pam_sss.so\n").expect("a file");
    must(&make("install", machine.path()));
    assert_eq!(fs::read_to_string(&stack).expect("the stack"), "auth required pam_sss.so\n");
    must(&make("uninstall", machine.path()));
    assert_eq!(listing(machine.path()), [OWN_STACK]);
}

#[test]
fn removing_leaves_the_store_and_nothing_else() {
    let machine = tempfile::tempdir().expect("a directory");
    must(&make("install", machine.path()));
    fs::write(machine.path().join("var/lib/countersign/users/kept"), "an enrolment").expect("a file");
    must(&make("uninstall", machine.path()));
    assert_eq!(listing(machine.path()), ["var/lib/countersign/users/kept"]);
}

#[test]
fn what_a_stack_still_calls_is_not_removed() {
    let machine = tempfile::tempdir().expect("a directory");
    must(&make("install", machine.path()));
    let before = everything(machine.path());
    for file in ["etc/pam.d/sshd", "etc/pam.d/ours/lines", "usr/lib/pam.d/of-a-vendor", "etc/pam.conf"] {
        let path = machine.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, "# ours\nauth required pam_countersign.so\n").expect("a file");
        let refused = make("uninstall", machine.path());
        assert!(!refused.status.success(), "{file}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("remove its lines first"), "{file}");
        let named = String::from_utf8_lossy(&refused.stdout).into_owned();
        assert_eq!(named, format!("{}:2\n", path.display()));
        fs::remove_file(&path).expect("away");
        for (name, ..) in &before {
            assert!(machine.path().join(name).exists(), "{file}: {name} is gone");
        }
    }
}
