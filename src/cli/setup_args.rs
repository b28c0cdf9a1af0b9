//! What can be typed after `countersign setup`.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// `countersign setup`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that is typed or not")]
#[command(after_help = "\
Examples:
  sudo countersign setup                  asks, shows, tries, changes, and waits for a second login
  sudo countersign setup --dry-run        shows the change and touches nothing
  sudo countersign setup --confirm        in a second login: the change stays
  sudo countersign setup --undo           takes it back, now or in a year
  sudo countersign setup --yes --service sshd --ssh key --service sudo --unenrolled allow

Whoever reads nothing and presses Enter guards ssh alone, and locks out nobody who is not enrolled.
Unless somebody confirms from a second login in time, all is put back, also after a restart.

Exit status: 0 it stays, or nothing to do, 1 failed, 2 wrong usage, 3 refused, given up or put back")]
pub(super) struct Setup {
    /// Say from a second login that the change works: it stays
    #[arg(long, conflicts_with_all = ["undo", "dry_run", "services", "ssh", "unenrolled", "wait", "user"])]
    pub(super) confirm: bool,
    /// Put back all that setup has changed
    #[arg(long, conflicts_with_all = ["dry_run", "services", "ssh", "unenrolled", "wait", "user"])]
    pub(super) undo: bool,
    /// Show what would be changed, and touch nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Who enrols and tries a login; without it, the one that called sudo
    #[arg(long, value_name = "USER")]
    pub(super) user: Option<String>,
    /// Guard this; may be given more than once
    #[arg(long = "service", value_enum, value_name = "SERVICE")]
    pub(super) services: Vec<Guarded>,
    /// What ssh asks for before the code
    #[arg(long, value_enum, value_name = "FACTOR")]
    pub(super) ssh: Option<First>,
    /// What becomes of people who are not enrolled
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(super) unenrolled: Option<Unenrolled>,
    /// How long to wait for the second login: 10s to 1h
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = waiting_time)]
    pub(super) wait: Duration,
    /// Do not ask whether to do it; what is not said by other options is as for who presses Enter
    #[arg(long, short)]
    pub(super) yes: bool,
}

/// What can be guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Guarded {
    /// Logins over ssh
    Sshd,
    /// Logins on the console
    Login,
    /// sudo
    Sudo,
    /// su
    Su,
}

/// What comes before the code over ssh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum First {
    /// The password
    Password,
    /// The key
    Key,
}

/// What becomes of people who are not enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Unenrolled {
    /// They get in without a code (nullok)
    Allow,
    /// They are kept out
    Refuse,
}

/// `countersign roll-back`
#[derive(Debug, Args)]
pub(super) struct RollBack {
    /// Only what another start of the machine has left
    #[arg(long)]
    pub(super) at_boot: bool,
}

/// The shortest and the longest time to wait for a second login, in seconds.
const WAITS: std::ops::RangeInclusive<u64> = 10..=3600;

fn waiting_time(text: &str) -> Result<Duration, &'static str> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        _ => 0,
    };
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    let seconds = seconds.filter(|seconds| WAITS.contains(seconds));
    seconds.map(Duration::from_secs).ok_or("a time from 10s to 1h, such as 90s or 5m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_wait_has_bounds() {
        let seconds = |text| waiting_time(text).ok().map(|wait| wait.as_secs());
        for (text, number) in [("10s", 10), ("90", 90), ("5m", 300), ("1h", 3600)] {
            assert_eq!(seconds(text), Some(number), "{text}");
        }
        for text in ["", "9s", "61m", "2h", "1d", "m", "-5m", "5 m", "99999999999999999999h"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
