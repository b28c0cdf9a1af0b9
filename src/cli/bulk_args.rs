//! What can be typed after `countersign enroll` for many at once.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// What is about one user, one device or one screen, and so cannot go with a list of users.
const OF_ONE: [&str; 13] = [
    "user",
    "replace",
    "recovery_file",
    "label",
    "hotp",
    "counter",
    "secret_stdin",
    "no_confirm",
    "ascii",
    "png",
    "svg",
    "private",
    "force",
];

/// Many users at once, each with a page to be handed out.
#[derive(Debug, Args)]
pub(super) struct Bulk {
    /// Enrol all users of this list instead, one a line or CSV of user and e-mail address; - for standard input
    #[arg(long, value_name = "FILE", requires = "into", conflicts_with_all = OF_ONE, help_heading = "Many users at once")]
    pub(super) from: Option<PathBuf>,
    /// Where each gets a page to be printed, which is a secret (DIR 0700, made if missing)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, requires = "from", help_heading = "Many users at once")]
    pub(super) into: Option<PathBuf>,
    /// Only say who cannot be enrolled, and how many can
    #[arg(long, requires = "from", help_heading = "Many users at once")]
    pub(super) dry_run: bool,
}
