//! The packages that were made of the build, and older ones made of those.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// The one Debian package.
pub(super) fn deb() -> PathBuf {
    package("libpam-countersign_", ".deb")
}

/// The one RPM.
pub(super) fn rpm() -> PathBuf {
    package("countersign-", ".rpm")
}

fn package(start: &str, end: &str) -> PathBuf {
    let folder =
        std::env::var_os("COUNTERSIGN_PACKAGES").map_or_else(|| PathBuf::from("dist"), PathBuf::from);
    let folder = Path::new(REPOSITORY).join(folder);
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_one = |path: &PathBuf| {
        path.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.starts_with(start) && name.ends_with(end)
        })
    };
    let found: Vec<PathBuf> = entries.filter(is_one).collect();
    assert_eq!(found.len(), 1, "{found:?} in {}: run `make build deb rpm`", folder.display());
    found[0].clone()
}

/// The same files as a Debian package of a lower version.
pub(super) fn older_deb(folder: &Path) -> PathBuf {
    let tree = folder.join("tree");
    let (from, to) = (deb().display().to_string(), tree.display().to_string());
    must(Command::new("dpkg-deb").args(["--raw-extract", &from, &to]));
    must(
        Command::new("sed").args(["-i", "s/^Version: .*/Version: 0.0.9-1/"]).arg(tree.join("DEBIAN/control")),
    );
    let older = folder.join("libpam-countersign_0.0.9-1_amd64.deb");
    must(Command::new("dpkg-deb").args(["--root-owner-group", "-Znone", "--build"]).args([&tree, &older]));
    older
}

/// A program of this machine that must succeed.
pub(super) fn must(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    output
}

/// `make` in the repository, with these words, for what is built.
pub(super) fn make(words: &[&str]) -> Output {
    let mut make = Command::new("make");
    make.args(["--silent", "--directory", REPOSITORY]).args(words);
    for (variable, environment) in [("MODULE", "COUNTERSIGN_MODULE"), ("COMMAND", "COUNTERSIGN_COMMAND")] {
        if let Some(path) = std::env::var_os(environment) {
            make.arg(format!("{variable}={}", Path::new(REPOSITORY).join(path).display()));
        }
    }
    // A make that runs these tests hands its own variables down.
    must(make.env_remove("MAKEFLAGS").env_remove("MFLAGS"))
}
