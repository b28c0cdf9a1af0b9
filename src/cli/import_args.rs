//! What can be typed after `countersign import` and `countersign export`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// `countersign import`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign import google-authenticator --all            what would become of everybody
  countersign import google-authenticator --all --apply --recovery-dir /root/pages
  countersign import oath /etc/users.oath --apply
  ssh old countersign export alice --uri --force | countersign import uri - alice --apply

Without --apply nothing is changed. What is read is never changed.

Exit status: 0 everybody is taken over or enrolled already, 1 something failed, 3 somebody was refused")]
pub(super) struct Import {
    /// From where.
    #[command(subcommand)]
    pub(super) source: Source,
}

/// From where.
#[derive(Debug, Subcommand)]
pub(super) enum Source {
    /// From ~/.google_authenticator, which is read with the rights of its owner
    GoogleAuthenticator(Homes),
    /// From the users file of pam_oath
    Oath(OathFile),
    /// From otpauth URIs on standard input, one a line
    Uri(Uris),
}

/// What is the same wherever it comes from.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Do it; without this, only say what would be done
    #[arg(long)]
    pub(super) apply: bool,
    /// Make recovery codes, and save a page of them for each user in this directory (0700, made if missing)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) recovery_dir: Option<PathBuf>,
}

/// `countersign import google-authenticator`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign import google-authenticator alice           what would become of alice
  countersign import google-authenticator --all --apply --recovery-dir /root/pages

Exit status: 0 done, 1 something failed, 3 somebody was refused")]
pub(super) struct Homes {
    /// The account; without it, the one that called sudo
    pub(super) user: Option<String>,
    /// All accounts that the name service lists
    #[arg(long, conflicts_with = "user")]
    pub(super) all: bool,
    /// How.
    #[command(flatten)]
    pub(super) how: How,
}

/// `countersign import oath`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign import oath /etc/users.oath                 what would become of everybody
  countersign import oath /etc/users.oath --apply

Exit status: 0 done, 1 something failed, 3 somebody was refused")]
pub(super) struct OathFile {
    /// The file, such as /etc/users.oath
    pub(super) file: PathBuf,
    /// How.
    #[command(flatten)]
    pub(super) how: How,
}

/// `countersign import uri`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ssh old countersign export alice --uri --force | countersign import uri - alice --apply

Exit status: 0 done, 1 failed, 3 refused")]
pub(super) struct Uris {
    /// Standard input: a secret is not for the command line, where others see it
    #[arg(value_parser = ["-"])]
    pub(super) input: String,
    /// The account
    pub(super) user: String,
    /// How.
    #[command(flatten)]
    pub(super) how: How,
}

/// `countersign export`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign export alice --uri
  countersign export alice --uri --force | ssh new countersign import uri - alice --apply

Exit status: 0 done, 1 failed, 2 wrong usage, 3 refused, or a device was left out, 4 not enrolled")]
pub(super) struct Export {
    /// The account
    pub(super) user: String,
    /// As otpauth URIs, one a line
    #[arg(long, required = true)]
    pub(super) uri: bool,
    /// Show them even where the output is not a terminal
    #[arg(long)]
    pub(super) force: bool,
}
