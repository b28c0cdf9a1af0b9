//! What can be typed after `countersign`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(super) use super::admin_args::{Adopt, CheckConfig, Disable, Doctor, Explain, List, Serve, Status, Test};
pub(super) use super::bulk_args::Bulk;
use super::callers::Callers;
use super::device_args::{Making, Showing};
pub(super) use super::import_args::{Export, Import};
pub(super) use super::setup_args::{RollBack, Setup};
pub(super) use super::told_args::{Completions, ManPages, Shell};

/// One-time codes behind the password or SSH key of a login.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  sudo countersign setup       guard the logins of this machine, with a way back
  countersign enroll           enrol yourself: asks for your password, shows a QR code
  countersign add tablet       add a second device of yours
  sudo countersign enroll alice
                               enrol alice
  countersign status alice     what is kept of alice, never a secret
  countersign remove alice     forget alice's authenticators and recovery codes
  countersign list --locked    whom too many failures keep out
  countersign test alice       would this code of hers be accepted?

Exit status: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 not enrolled")]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Guard logins of this machine: asks, shows, tries, changes, and puts all back unless it is confirmed
    Setup(Setup),
    /// Enrol a user: show a QR code, ask for a first code, then activate
    #[command(visible_alias = "enrol")]
    Enroll(Enroll),
    /// List all users of whom something is kept
    List(List),
    /// Show what is kept of a user, never a secret
    Status(Status),
    /// Add a device beside the present ones
    #[command(after_help = ADD_EXAMPLES)]
    Add(Device),
    /// Put a new device in place of one of the same name, which stays in force until it is confirmed
    #[command(after_help = REPLACE_EXAMPLES)]
    Replace(Device),
    /// Finish an enrolment that was made without a first code
    Confirm(Confirm),
    /// Make new recovery codes in place of the former ones
    Recovery(Recovery),
    /// Remove a device, or all that is kept of a user
    Remove(Remove),
    /// Say whether a code of a user would be accepted, and why not, without spending it
    Test(Test),
    /// Look for what would keep people out or let them in
    Doctor(Doctor),
    /// Say which rule of the policy decides about a login, and why the others do not
    Explain(Explain),
    /// Look whether the policy file can be used
    CheckConfig(CheckConfig),
    /// Refuse a user whatever he types, and keep all that is kept of him
    Disable(Disable),
    /// Take codes of a disabled user again
    Enable(Disable),
    /// Forget a user's failures: codes are taken again
    Unlock(Unlock),
    /// Forget remembered logins: a code is asked for again
    Forget(Forget),
    /// Make codes good again that a lost state or a wrong clock keeps refused
    Repair(Repair),
    /// Make the state for a credential that configuration management has placed
    Adopt(Adopt),
    /// Take over what google-authenticator, pam_oath or another host keeps; says first what would become of it
    Import(Import),
    /// Show the secrets of a user as otpauth URIs, for moving to another host
    Export(Export),
    /// Judge codes for callers that are not root, on the socket that systemd hands over
    Serve(Serve),
    /// Write what a shell needs to complete the words of this command
    Completions(Completions),
    /// Write a manual page for each verb into a directory; `make install` does
    #[command(hide = true)]
    ManPages(ManPages),
    /// Take back a setup that nobody has confirmed in time; setup starts it
    #[command(hide = true)]
    RollBack(RollBack),
    /// Prove a password to the service at standard input; units and the service start it
    #[command(hide = true)]
    ProvePassword,
    /// List the lines of PAM that call the module; packages ask before they take it away
    #[command(hide = true)]
    Callers(Callers),
}

const ADD_EXAMPLES: &str = "\
Examples:
  countersign add tablet                  a second device of yours
  sudo countersign add token --user alice --hotp --secret-stdin=hex <token.txt
                                          a hardware token of alice

Exit status: 0 done, 1 failed, 2 wrong usage, 3 refused or given up, 4 not enrolled";
const REPLACE_EXAMPLES: &str = "\
Examples:
  countersign replace phone               you have a new phone
  sudo countersign replace phone --user alice
                                          alice has

Exit status: 0 done, 1 failed, 2 wrong usage, 3 refused or given up, 4 not enrolled";

/// `countersign enroll`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign enroll                      enrol yourself: asks for your password
  sudo countersign enroll alice           enrol alice, who scans and types a code
  sudo countersign enroll --replace --recovery-file /root/alice.txt alice
  sudo countersign enroll --from staff.csv --into /root/pages
                                          many at once, each with a page to be handed out

Exit status: 0 done, 1 failed, 2 wrong usage, 3 refused or given up; of many the worst")]
pub(super) struct Enroll {
    /// The account; without it, the one that called sudo
    pub(super) user: Option<String>,
    /// Put a new device in place of the present ones, which stay in force until it is confirmed
    #[arg(long)]
    pub(super) replace: bool,
    /// Save the recovery codes to this file too (mode 0600, never overwriting)
    #[arg(long, value_name = "PATH")]
    pub(super) recovery_file: Option<PathBuf>,
    /// Many at once.
    #[command(flatten)]
    pub(super) bulk: Bulk,
    /// How its codes are made.
    #[command(flatten)]
    pub(super) making: Making,
    /// How it is shown.
    #[command(flatten)]
    pub(super) showing: Showing,
    /// Show the secret even where the output is not a terminal
    #[arg(long)]
    pub(super) force: bool,
}

/// `countersign add` and `countersign replace`
#[derive(Debug, Args)]
pub(super) struct Device {
    /// What people call the device, such as phone: letters, digits, dots, dashes, underscores
    pub(super) name: String,
    /// The account; without it, one's own, or the one that called sudo
    #[arg(long)]
    pub(super) user: Option<String>,
    /// How its codes are made.
    #[command(flatten)]
    pub(super) making: Making,
    /// How it is shown.
    #[command(flatten)]
    pub(super) showing: Showing,
    /// Show the secret even where the output is not a terminal
    #[arg(long)]
    pub(super) force: bool,
}

/// `countersign confirm`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign confirm alice               her device was enrolled with --no-confirm
  countersign confirm --device token alice

Exit status: 0 in force, 1 failed, 3 no code was right, or nothing waits for one, 4 not enrolled")]
pub(super) struct Confirm {
    /// The account
    pub(super) user: String,
    /// The device, where several wait for their first code
    #[arg(long, value_name = "NAME")]
    pub(super) device: Option<String>,
}

/// `countersign recovery`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign recovery                    new ones of yours, for a code of your phone
  sudo countersign recovery --file /root/alice.txt alice

Exit status: 0 done, 1 failed, 3 refused or given up, 4 not enrolled")]
pub(super) struct Recovery {
    /// The account; without it, one's own, or the one that called sudo
    pub(super) user: Option<String>,
    /// Save them to this file too (mode 0600, never overwriting)
    #[arg(long, value_name = "PATH")]
    pub(super) file: Option<PathBuf>,
    /// Show them on a screen of its own, which leaves nothing to scroll back to
    #[arg(long)]
    pub(super) private: bool,
    /// Show them even where the output is not a terminal
    #[arg(long)]
    pub(super) force: bool,
}

/// `countersign remove`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign remove --device tablet      a device of yours that is gone
  sudo countersign remove alice           all that is kept of alice
  sudo countersign remove --yes alice     without a question, for scripts

Exit status: 0 removed, 1 failed, 2 which device?, 3 refused or given up, 4 not enrolled")]
pub(super) struct Remove {
    /// The account, which may be gone already; without it, one's own
    pub(super) user: Option<String>,
    /// Remove this device alone
    #[arg(long, value_name = "NAME")]
    pub(super) device: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    pub(super) yes: bool,
}

/// `countersign unlock`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign unlock alice                forget her wrong codes
  countersign unlock --yes alice          without a question, for scripts

Exit status: 0 done, 1 failed, 3 refused or given up, 4 not enrolled")]
pub(super) struct Unlock {
    /// The account
    pub(super) user: String,
    /// Do not ask
    #[arg(long, short)]
    pub(super) yes: bool,
}

/// `countersign forget`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign forget           your own, as after a computer was lost
  countersign forget alice     those of alice
  countersign forget --all     those of everybody

Exit status: 0 done, 1 failed, 3 not permitted, 4 not enrolled")]
pub(super) struct Forget {
    /// The account; without it, one's own, or the one that called sudo
    pub(super) user: Option<String>,
    /// Everybody, by root
    #[arg(long, conflicts_with = "user")]
    pub(super) all: bool,
}

/// `countersign repair`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  countersign repair alice                says what is refused, asks, and mends it
  countersign repair --yes --recovery-file /root/alice.txt --force alice

Exit status: 0 nothing is refused, 1 failed, 3 something still is, or given up, 4 not enrolled")]
pub(super) struct Repair {
    /// The account
    pub(super) user: String,
    /// Do not ask; counters and what is ahead of the clock stay refused
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Save new recovery codes to this file too (mode 0600, never overwriting)
    #[arg(long, value_name = "PATH")]
    pub(super) recovery_file: Option<PathBuf>,
    /// Show new recovery codes even where the output is not a terminal
    #[arg(long)]
    pub(super) force: bool,
}
