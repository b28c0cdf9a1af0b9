//! What can be typed after the verbs by which an administrator looks after many.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::explain::time_of_week;
use crate::credential::SourceName;
use crate::policy::rules::LocalTime;
use crate::policy::source_named;

/// `countersign list`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that is typed or not")]
#[command(after_help = "\
Examples:
  countersign list                        everybody, by name
  countersign list --disabled --pending   who is disabled, and who has not proven a device
  countersign list --locked --names       whom too many failures keep out from somewhere
  countersign list --sort login           who has not logged in for the longest time, first
  countersign list --json                 for programs, see docs/json.md

Exit status: 0 done, 1 where something could not be read, 3 not root")]
pub(super) struct List {
    /// Only users whose codes are taken
    #[arg(long, help_heading = "States, any of those given")]
    pub(super) enrolled: bool,
    /// Only users without a confirmed device
    #[arg(long, help_heading = "States, any of those given")]
    pub(super) pending: bool,
    /// Only users who are disabled
    #[arg(long, help_heading = "States, any of those given")]
    pub(super) disabled: bool,
    /// Only users whose files cannot be read, which keeps them out
    #[arg(long, help_heading = "States, any of those given")]
    pub(super) damaged: bool,
    /// Only users of whom something needs `countersign repair`
    #[arg(long, help_heading = "Conditions, all of those given")]
    pub(super) needs_repair: bool,
    /// Only users whose codes are refused from somewhere, after too many failures
    #[arg(long, help_heading = "Conditions, all of those given")]
    pub(super) locked: bool,
    /// Only users with at most so many recovery codes left
    #[arg(long, value_name = "NUMBER", help_heading = "Conditions, all of those given")]
    pub(super) codes: Option<usize>,
    /// In which order
    #[arg(long, value_enum, value_name = "ORDER", default_value_t = Order::Name)]
    pub(super) sort: Order,
    /// The other way round
    #[arg(long, short)]
    pub(super) reverse: bool,
    /// Names alone, one a line
    #[arg(long, conflicts_with = "json")]
    pub(super) names: bool,
    /// Write JSON, as docs/json.md describes it
    #[arg(long)]
    pub(super) json: bool,
}

/// In which order users are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Order {
    /// By name
    Name,
    /// The longest time without a login first
    Login,
    /// The most failures first
    Failures,
    /// The fewest recovery codes first
    Codes,
    /// As the directory has them: nothing is kept in memory
    None,
}

/// `countersign status`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign status                      what is kept of you
  sudo countersign status alice
  sudo countersign status --json alice    for programs, see docs/json.md

Exit status: 0 done, 1 failed, 3 not permitted, 4 not enrolled")]
pub(super) struct Status {
    /// The account; without it, the one that called sudo
    pub(super) user: Option<String>,
    /// Write JSON, as docs/json.md describes it
    #[arg(long)]
    pub(super) json: bool,
}

/// `countersign disable` and `countersign enable`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign disable alice    refuse alice while her phone is being looked for
  countersign enable alice     she has found it

A disabled user is refused wherever the module is asked, also where it stands with nullok.
Logins that never ask the module, such as a bare SSH key, go on.

Exit status: 0 done, 1 failed, 3 not root, 4 not enrolled")]
pub(super) struct Disable {
    /// The account
    pub(super) user: String,
}

/// `countersign test`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign test alice                     would this code of hers be taken?
  countersign test alice --from 192.0.2.7    from there?
  echo 123456 | countersign test alice --json

The code is not spent, and a wrong one is not counted: let nobody run this who is not root.

Exit status: 0 it would be accepted, 1 failed, 3 it would be refused, 4 not enrolled")]
pub(super) struct Test {
    /// The account
    pub(super) user: String,
    /// Where it would be typed: an address, or a source as the log has it, such as uid:1000
    #[arg(long, value_name = "SOURCE", value_parser = source)]
    pub(super) from: Option<SourceName>,
    /// Write JSON, as docs/json.md describes it
    #[arg(long)]
    pub(super) json: bool,
}

fn source(text: &str) -> Result<SourceName, &'static str> {
    source_named(text).ok_or("neither an address nor a source of the log, such as uid:1000 or tty:/dev/tty1")
}

/// `countersign doctor`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign doctor                      before a stack is changed, and after
  countersign doctor --everywhere         before every service is to ask for a code
  countersign doctor --json               for monitoring, see docs/json.md

Exit status: 0 nothing worse than a note, 5 warnings, 6 errors, 3 not root")]
pub(super) struct Doctor {
    /// Look at the machine as if every service asked those for a code who are enrolled
    #[arg(long)]
    pub(super) everywhere: bool,
    /// Write JSON, as docs/json.md describes it
    #[arg(long)]
    pub(super) json: bool,
}

/// `countersign check-config`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign check-config                the policy file of this machine
  countersign check-config new.toml       another one, before it takes its place
  countersign check-config --json         for programs, see docs/json.md

Exit status: 0 nothing worse than a note, 5 warnings, 6 it cannot be used")]
pub(super) struct CheckConfig {
    /// The file; without it, /etc/security/countersign.toml
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Write JSON, as docs/json.md describes it
    #[arg(long)]
    pub(super) json: bool,
}

/// `countersign explain`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign explain alice --service sshd --from 192.0.2.7
  countersign explain alice --service sshd --first-factor publickey --at 'Sun 03:00'
  countersign explain root --service su --caller alice --tty /dev/pts/0

What a line of /etc/pam.d says besides, such as nullok, is not looked at.

Exit status: 0 done, 1 failed, such as where the policy file cannot be used")]
pub(super) struct Explain {
    /// Who would log in
    pub(super) user: String,
    /// Through which PAM service
    #[arg(long, value_name = "NAME", default_value = "sshd")]
    pub(super) service: String,
    /// From which host, as PAM would be told: an address, or a name
    #[arg(long, value_name = "HOST")]
    pub(super) from: Option<String>,
    /// On which terminal
    #[arg(long, value_name = "TTY")]
    pub(super) tty: Option<String>,
    /// Which method sshd would have seen completed, such as publickey
    #[arg(long, value_name = "METHOD")]
    pub(super) first_factor: Option<String>,
    /// For su and sudo: who calls; without it, the user
    #[arg(long, value_name = "USER")]
    pub(super) caller: Option<String>,
    /// At which time of the week, such as 'Mon 08:30'; without it, now
    #[arg(long, value_name = "TIME", value_parser = time_of_week)]
    pub(super) at: Option<LocalTime>,
    /// Go by this policy file instead
    #[arg(long, value_name = "FILE")]
    pub(super) conf: Option<PathBuf>,
    /// Write JSON, as docs/json.md describes it
    #[arg(long)]
    pub(super) json: bool,
}

/// `countersign serve`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  systemctl enable --now countersign.socket   systemd starts it when it is needed
  countersign serve --listen /run/countersign/io.countersign

The Debian package turns it on. After make install, and with the RPM, it is off.

Exit status: 0 ended when idle, 1 failed, 3 not root")]
pub(super) struct Serve {
    /// Make a socket here instead, and never end, as under OpenRC, runit, s6 or in a container
    #[arg(long, value_name = "PATH")]
    pub(super) listen: Option<PathBuf>,
}

/// `countersign adopt`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign adopt alice                 after her credential.toml was put in place

Exit status: 0 done, 1 failed, 3 not root, 4 not enrolled")]
pub(super) struct Adopt {
    /// The account
    pub(super) user: String,
}
