//! What is in the packages: the files of `make install`, byte by byte, and few others.

use super::made::{deb, make, must, rpm};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// What each package has beside `make install install-configuration`.
const OF_DEBIAN: [&str; 7] = [
    "usr/share/doc/libpam-countersign/README.Debian.gz",
    "usr/share/doc/libpam-countersign/README.md.gz",
    "usr/share/doc/libpam-countersign/changelog.Debian.gz",
    "usr/share/doc/libpam-countersign/changelog.gz",
    "usr/share/doc/libpam-countersign/copyright",
    "usr/share/lintian/overrides/libpam-countersign",
    "usr/share/pam-configs/countersign",
];
const OF_REDHAT: [&str; 6] = [
    "usr/share/doc/countersign/CHANGELOG.md",
    "usr/share/doc/countersign/LICENSE-APACHE",
    "usr/share/doc/countersign/LICENSE-MIT",
    "usr/share/doc/countersign/README.md",
    "usr/share/doc/countersign/redhat.md",
    "usr/share/selinux/packages/countersign.pp",
];

/// Each file below a directory, with its mode and its bytes; directories have none. What was compressed is plain again.
fn tree(root: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a directory").flatten().map(|entry| entry.path()) {
            let metadata = fs::symlink_metadata(&path).expect("a file");
            assert!(!metadata.is_symlink(), "{}", path.display());
            let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            let is_page =
                name.starts_with("usr/share/man/") && path.extension().is_some_and(|end| end == "gz");
            let bytes = match () {
                () if metadata.is_dir() => Vec::new(),
                () if is_page => must(Command::new("gzip").arg("-dc").arg(&path)).stdout,
                () => fs::read(&path).expect("a file"),
            };
            let name = if is_page { name.trim_end_matches(".gz").to_owned() } else { name };
            if metadata.is_dir() {
                folders.push(path);
                if !name.starts_with("var/lib/countersign") {
                    continue;
                }
            }
            found.insert(name, (metadata.permissions().mode() & 0o7777, bytes));
        }
    }
    found
}

fn made_by_make(variables: &[&str]) -> BTreeMap<String, (u32, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a directory");
    let destination = format!("DESTDIR={}", folder.path().display());
    make(&[&["install", "install-configuration", &destination], variables].concat());
    tree(folder.path())
}

/// The package has all of it and, beside it, just these.
fn must_have_all_and(
    package: &BTreeMap<String, (u32, Vec<u8>)>,
    installed: &BTreeMap<String, (u32, Vec<u8>)>,
    others: &[&str],
) {
    for (name, (mode, bytes)) in installed {
        let (mode_there, bytes_there) = package.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(mode_there, mode, "{name}");
        assert!(bytes_there == bytes, "{name} differs: run `make deb rpm` after `make build`");
    }
    let more: Vec<&str> =
        package.keys().filter(|name| !installed.contains_key(*name)).map(String::as_str).collect();
    assert_eq!(more, others);
}

#[test]
fn the_debian_package_is_what_make_install_installs() {
    let folder = tempfile::tempdir().expect("a directory");
    must(Command::new("dpkg-deb").arg("--extract").arg(deb()).arg(folder.path()));
    let architecture = must(Command::new("dpkg-architecture").arg("-qDEB_HOST_MULTIARCH")).stdout;
    let architecture = String::from_utf8(architecture).expect("text");
    let modules = format!("PAM_DIR=/usr/lib/{}/security", architecture.trim_end());
    let installed = made_by_make(&[&modules, "ZSH_DIR=/usr/share/zsh/vendor-completions"]);
    assert!(installed.len() > 40, "{:?}", installed.keys());
    must_have_all_and(&tree(folder.path()), &installed, &OF_DEBIAN);
}

#[test]
fn the_rpm_is_what_make_install_installs() {
    let folder = tempfile::tempdir().expect("a directory");
    let unpack = "rpm2cpio \"$1\" | (cd \"$2\" && cpio --extract --make-directories --quiet)";
    must(Command::new("sh").args(["-ec", unpack, "sh"]).arg(rpm()).arg(folder.path()));
    let places = ["PAM_DIR=/usr/lib64/security", "ZSH_DIR=/usr/share/zsh/site-functions"];
    let mut installed = made_by_make(&places);
    installed.retain(|name, _| !name.starts_with("etc/apparmor.d/"));
    must_have_all_and(&tree(folder.path()), &installed, &OF_REDHAT);
}

/// Nothing of the hour or the directory gets into them; `make reproducible` shows the same of the build.
#[test]
fn the_same_build_gives_the_same_packages() {
    let folder = tempfile::tempdir().expect("a directory");
    let made = ["one", "another"].map(|name| folder.path().join(name));
    for target in &made {
        make(&["deb", "rpm", &format!("DIST={}", target.display())]);
    }
    for package in [deb(), rpm()] {
        let name = package.file_name().expect("a name");
        let [one, another] = made.each_ref().map(|target| fs::read(target.join(name)).expect("a package"));
        assert!(one == another, "{}", name.display());
    }
}

/// What an administrator may change is kept by dpkg and rpm, and all of it is.
#[test]
fn what_is_in_etc_is_the_administrators() {
    let conffiles = must(Command::new("dpkg-deb").arg("--info").arg(deb()).arg("conffiles")).stdout;
    let conffiles = String::from_utf8(conffiles).expect("text");
    let listed = must(Command::new("dpkg-deb").arg("--fsys-tarfile").arg(deb())).stdout;
    let folder = tempfile::tempdir().expect("a directory");
    fs::write(folder.path().join("tar"), listed).expect("a file");
    let listed = must(Command::new("tar").arg("-tf").arg(folder.path().join("tar"))).stdout;
    let listed = String::from_utf8(listed).expect("text");
    let mut in_etc: Vec<&str> = listed
        .lines()
        .filter_map(|name| name.strip_prefix('.'))
        .filter(|name| name.starts_with("/etc/") && !name.ends_with('/'))
        .collect();
    in_etc.sort_unstable();
    let mut kept: Vec<&str> = conffiles.lines().collect();
    kept.sort_unstable();
    assert_eq!(kept, in_etc);

    let of_rpm = |option: &str| {
        let told = must(Command::new("rpm").args(["--query", option, "--package"]).arg(rpm())).stdout;
        String::from_utf8(told).expect("text")
    };
    let in_etc: Vec<String> =
        of_rpm("--list").lines().filter(|name| name.starts_with("/etc/")).map(str::to_owned).collect();
    assert_eq!(of_rpm("--configfiles").lines().collect::<Vec<_>>(), in_etc);
}

#[test]
fn lintian_and_rpmlint_find_no_error_and_no_warning() {
    must(Command::new("lintian").args(["--allow-root", "--fail-on", "error,warning"]).arg(deb()));
    let filters = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/rpmlint.toml");
    let told = must(Command::new("rpmlint").arg("--config").arg(filters).arg(rpm())).stdout;
    let told = String::from_utf8(told).expect("text");
    assert!(told.contains(" 0 errors, 0 warnings,"), "{told}");
}

/// Each thing that lintian is told to overlook says why, in the line before it or before its neighbours.
#[test]
fn each_override_of_lintian_is_explained() {
    let path = "packaging/debian/libpam-countersign.lintian-overrides";
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the overrides");
    let mut reasons = 0;
    for line in text.lines() {
        assert!(line.starts_with("# ") || reasons > 0, "{line}");
        reasons += usize::from(line.starts_with("# "));
    }
    assert_eq!(reasons, 3, "a reason for the store, one for the bug, and one for root's socket");
}

#[test]
fn the_policy_that_is_installed_says_nothing_and_is_valid() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/countersign.toml");
    let text = fs::read_to_string(sample).expect("the sample");
    let policy = pam_countersign::config::PolicyFile::parse(&text).expect("a policy");
    assert_eq!(policy, pam_countersign::config::PolicyFile::default());
}

#[test]
fn the_profile_is_off_until_enabled_and_lets_in_who_is_not_enrolled() {
    let profile = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/debian/pam-profile");
    let profile = fs::read_to_string(profile).expect("the profile");
    let lines: Vec<&str> = profile.lines().collect();
    assert!(lines.contains(&"Default: no") && lines.contains(&"Auth-Type: Additional"), "{profile}");
    let auth = lines.iter().position(|line| *line == "Auth:").expect("auth") + 1;
    // The same that `countersign doctor --everywhere` looks at.
    assert_eq!(
        lines[auth].split_whitespace().collect::<Vec<_>>(),
        ["requisite", "pam_countersign.so", "nullok"]
    );
}
