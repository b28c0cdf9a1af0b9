//! The Debian root images that machines are copied from. An image is never booted or changed itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A complete Debian root directory in the cache.
#[derive(Clone, Debug)]
pub struct Image {
    root: PathBuf,
}

impl Image {
    /// The image of a Debian suite: `bookworm` (12) or `trixie` (13).
    ///
    /// The first call on a computer builds it, which takes a minute or two and Debian's mirror;
    /// later calls find it in the cache. Tests that run at once wait for one another.
    pub fn debian(suite: &str) -> Image {
        Image::debian_with(suite, &[])
    }

    /// Like [`Image::debian`], with more of Debian's packages installed.
    ///
    /// A machine has no network, so what a test needs from Debian must be named here.
    pub fn debian_with(suite: &str, packages: &[&str]) -> Image {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/container/image");
        let output = Command::new(script)
            .arg(suite)
            .args(packages)
            .stderr(Stdio::inherit())
            .output()
            .unwrap_or_else(|error| panic!("{script} does not start: {error}"));
        let printed = String::from_utf8_lossy(&output.stdout);
        let root = PathBuf::from(printed.trim_end());
        assert!(
            output.status.success() && root.is_absolute(),
            "{script} {suite} made no image ({}); it needs root, debootstrap and a Debian mirror",
            output.status
        );
        Image { root }
    }

    /// The root directory of the image.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the machines go: beside the images, so that a copy may share their blocks.
    pub(super) fn machines(&self) -> PathBuf {
        self.root.ancestors().nth(2).expect("an image lies in CACHE/images").join("machines")
    }
}
