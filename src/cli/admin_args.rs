//! What can be typed after the verbs by which an administrator looks after many.

use clap::Args;

/// `countersign status`
#[derive(Debug, Args)]
pub(super) struct Status {
    /// The account; without it, the one that called sudo
    pub(super) user: Option<String>,
}

/// `countersign disable` and `countersign enable`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign disable alice    refuse alice while her phone is being looked for
  countersign enable alice     she has found it

A disabled user is refused wherever the module is asked, also where it stands with nullok.
Logins that never ask the module, such as a bare SSH key, go on.")]
pub(super) struct Disable {
    /// The account
    pub(super) user: String,
}
