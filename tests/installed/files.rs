//! `make install`, carried into a machine.

use crate::container::Machine;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// The files of a build.
pub(super) struct Built {
    module: PathBuf,
    command: PathBuf,
}

/// What was built last; panics when nothing was.
pub(super) fn built() -> Built {
    Built {
        module: find("COUNTERSIGN_MODULE", "module/libpam_countersign.so"),
        command: find("COUNTERSIGN_COMMAND", "release/countersign"),
    }
}

/// Installs the module, the command and what goes with them.
pub(super) fn install(built: &Built, machine: &Machine) {
    let beside = machine.must(&["sh", "-c", "ls -1 /usr/lib/*/security/pam_unix.so"]);
    let modules = Path::new(beside.trim_end()).parent().expect("pam_unix.so has a directory");

    let tree = tempfile::tempdir().expect("a directory for the installed files");
    let mut make = Command::new("make");
    make.args(["--silent", "--directory", REPOSITORY, "install"])
        .arg(variable("DESTDIR", tree.path()))
        .arg(variable("PAM_DIR", modules))
        .arg(variable("MODULE", &built.module))
        .arg(variable("COMMAND", &built.command))
        // A make that runs these tests hands its own variables down.
        .env_remove("MAKEFLAGS")
        .env_remove("MFLAGS");
    succeed(&mut make);

    let mut pack = Command::new("tar");
    pack.args(["--create", "--owner=0", "--group=0", "--directory"]).arg(tree.path()).arg(".");
    let packed = succeed(&mut pack).stdout;
    // Directories that are there stay as they are, and links such as /lib stay links.
    let unpack = ["tar", "--extract", "--preserve-permissions", "--no-overwrite-dir"];
    let unpack = [&unpack[..], &["--keep-directory-symlink", "--directory=/"]].concat();
    machine.must_with_input(&unpack, &packed);
}

/// A built file: where the variable says, or where `make build` puts it.
fn find(variable: &str, name: &str) -> PathBuf {
    let path = std::env::var_os(variable).map_or_else(|| target().join(name), PathBuf::from);
    let path = Path::new(REPOSITORY).join(path);
    assert!(path.is_file(), "{} is missing: run `make build`, or set {variable}", path.display());
    path
}

fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| OsString::from("target"));
    Path::new(REPOSITORY).join(target)
}

fn variable(name: &str, value: &Path) -> String {
    format!("{name}={}", value.display())
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
