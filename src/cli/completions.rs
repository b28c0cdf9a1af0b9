//! `countersign completions`: what a shell needs to complete the words of this command, of the same definitions.

use clap::{Command, CommandFactory as _};

use super::args::{Arguments, Completions, Shell};
use super::error::{Error, ExitCode};
use super::terminal::{Terminal, unless_nobody_reads};

/// Writes it.
pub(super) fn run(options: &Completions, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    unless_nobody_reads(terminal.report(script(options.shell).trim_end()))?;
    Ok(ExitCode::Success)
}

fn script(shell: Shell) -> String {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut command = without_hidden_verbs(&Arguments::command());
    let name = command.get_name().to_owned();
    // Into memory: clap_complete panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// What clap_complete hides itself are options alone.
fn without_hidden_verbs(command: &Command) -> Command {
    let visible = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned();
    Command::new(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .disable_help_subcommand(true)
        .subcommands(visible)
}
