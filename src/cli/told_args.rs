//! What can be typed after the verbs that tell others what can be typed: shells and man(1).

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `countersign completions`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign completions bash >~/.local/share/bash-completion/completions/countersign
  countersign completions zsh >~/.zfunc/_countersign
  countersign completions fish >~/.config/fish/completions/countersign.fish

`make install` puts them where each shell looks for them.

Exit status: 0 written, 1 failed, 2 no such shell")]
pub(super) struct Completions {
    /// For which shell
    #[arg(value_enum)]
    pub(super) shell: Shell,
}

/// A shell that completes words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    /// GNU Bash, with the package bash-completion
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

/// `countersign man-pages`
#[derive(Debug, Args)]
pub(super) struct ManPages {
    /// The directory, such as /usr/share/man/man1
    pub(super) directory: PathBuf,
}
