//! `pam-client`: plays a PAM application against a private service directory, for the tests.
//!
//! It answers prompts from its command line and prints one line for each message, call and result.
//! It must never sleep, and never reads the service directory of the machine.

mod conversation;
mod ffi;
mod load;
mod script;
mod status;
mod used;

use std::cell::Cell;
use std::ffi::{CString, OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser};

use ffi::{Item, Transaction};
use script::{Behaviour, Script, say};
use status::{SUCCESS, status_name};

/// Plays a PAM application against a private service directory.
#[derive(Parser)]
#[command(name = "pam-client")]
#[allow(clippy::struct_excessive_bools, reason = "one for each switch of the command line")]
struct Arguments {
    /// The directory with the service files
    #[arg(long, required_unless_present = "load_check")]
    confdir: Option<OsString>,
    /// The name of the service file
    #[arg(long, required_unless_present = "load_check")]
    service: Option<OsString>,
    /// `PAM_USER`; without it the module has to ask
    #[arg(long)]
    user: Option<OsString>,
    /// `PAM_USER` as hexadecimal digits
    #[arg(long, value_parser = bytes_from_hex, conflicts_with = "user")]
    user_bytes: Option<CString>,
    /// `PAM_RHOST`
    #[arg(long)]
    rhost: Option<OsString>,
    /// `PAM_RUSER`
    #[arg(long)]
    ruser: Option<OsString>,
    /// `PAM_TTY`
    #[arg(long)]
    tty: Option<OsString>,
    /// `NAME=value` in the PAM environment
    #[arg(long)]
    env: Vec<OsString>,
    /// Passes `PAM_SILENT` to every call
    #[arg(long)]
    silent: bool,
    /// `PAM_AUTHTOK`, set at the first message of the conversation
    #[arg(long)]
    authtok: Option<OsString>,
    /// A reply to the next prompt
    #[arg(long, allow_hyphen_values = true)]
    reply: Vec<OsString>,
    /// A reply to the next prompt as hexadecimal digits
    #[arg(long, value_parser = bytes_from_hex)]
    reply_hex: Vec<CString>,
    /// How the conversation behaves
    #[arg(long, value_enum, default_value = "normal")]
    conv: Behaviour,
    /// Sets `PAM_USER` to NAME when the N-th prompt was shown
    #[arg(long, num_args = 2, value_names = ["N", "NAME"])]
    change_user_after: Option<Vec<OsString>>,
    /// Prints `ready` before the first reply and waits for a byte or the end of the input
    #[arg(long)]
    hold: bool,
    /// The calls to make, in order
    #[arg(long, value_delimiter = ',', default_value = "authenticate")]
    #[arg(value_parser = ["authenticate", "setcred", "acct_mgmt", "open_session", "close_session", "chauthtok"])]
    calls: Vec<String>,
    /// How many transactions, one after another
    #[arg(long, default_value_t = 1)]
    repeat: u32,
    /// Prints `delay MICROSECONDS` after a call that asked for a delay
    #[arg(long)]
    delay_report: bool,
    /// Prints `took NANOSECONDS` after each call, and at the end what else was used
    #[arg(long)]
    timing: bool,
    /// The N-th transaction begins with the N-th reply
    #[arg(long)]
    reply_each: bool,
    /// Loads and unloads a module N times instead
    #[arg(long, num_args = 2, value_names = ["MODULE", "N"], exclusive = true)]
    load_check: Option<Vec<OsString>>,
}

fn main() -> ExitCode {
    let matches = Arguments::command().get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let done = match &arguments.load_check {
        Some(values) => check_loads(values),
        None => arguments.script(&matches).map(|script| run(&arguments, &script)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            complain(&message);
            ExitCode::from(2)
        }
    }
}

fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "pam-client: {message}");
}

/// Loads a module again and again; true if that worked.
fn check_loads(values: &[OsString]) -> Result<bool, String> {
    let [module, rounds] = values else {
        return Err("--load-check takes two values".to_owned());
    };
    let outcome = load::check(Path::new(module), number(rounds)?);
    if let Err(reason) = &outcome {
        complain(reason);
    }
    Ok(outcome.is_ok())
}

/// Runs every transaction; true if every call succeeded.
fn run(arguments: &Arguments, script: &Script) -> bool {
    let held = Cell::new(arguments.hold);
    let mut succeeded = true;
    let mut script = script.clone();
    for _ in 0..arguments.repeat {
        succeeded &= transact(arguments, &script, &held);
        if arguments.reply_each {
            script.replies.drain(..script.replies.len().min(1));
        }
    }
    if arguments.timing {
        say(&format!("peak_kb {}", used::peak_kilobytes()));
    }
    succeeded
}

#[allow(clippy::disallowed_methods, reason = "that rule is for what runs inside su and sshd")]
fn transact(arguments: &Arguments, script: &Script, held: &Cell<bool>) -> bool {
    let (started, processor) = (Instant::now(), used::processor_time());
    let transaction = match Transaction::start(script, held) {
        Ok(transaction) => transaction,
        Err(status) => return report("start", status),
    };
    let loaded = used::processor_time().saturating_sub(processor);
    let mut succeeded = arguments.prepare(&transaction);
    let flags = if arguments.silent { ffi::SILENT } else { 0 };
    let mut last = SUCCESS;
    for name in &arguments.calls {
        let begun = Instant::now();
        if let Some(status) = transaction.call(name, flags) {
            let ended = Instant::now();
            last = status;
            succeeded &= report(name, status);
            if arguments.timing {
                say(&format!("took {}", (ended - begun).as_nanos()));
                if let Some(answered) = transaction.answered() {
                    say(&format!("verdict {}", (ended - answered).as_nanos()));
                }
            }
        }
        if let Some(delay) = transaction.take_delay()
            && arguments.delay_report
        {
            say(&format!("delay {delay}"));
        }
    }
    let status = transaction.end(last);
    let whole = started.elapsed();
    if arguments.timing {
        say(&format!("loaded {}", loaded.as_nanos()));
        say(&format!("whole {}", whole.as_nanos()));
    }
    report("end", status) && succeeded
}

fn report(call: &str, status: i32) -> bool {
    say(&format!("{call} {} {status}", status_name(status)));
    status == SUCCESS
}

impl Arguments {
    /// Sets the items and the environment; prints those that libpam refuses.
    fn prepare(&self, transaction: &Transaction<'_>) -> bool {
        let items = [
            ("item_rhost", Item::RemoteHost, &self.rhost),
            ("item_ruser", Item::RemoteUser, &self.ruser),
            ("item_tty", Item::Tty, &self.tty),
        ];
        let mut succeeded = true;
        for (label, item, value) in items {
            if let Some(value) = value.as_ref().and_then(|value| text(value).ok()) {
                let status = transaction.set(item, &value);
                succeeded &= status == SUCCESS || report(label, status);
            }
        }
        for assignment in self.env.iter().filter_map(|value| text(value).ok()) {
            let status = transaction.put_environment(&assignment);
            succeeded &= status == SUCCESS || report("putenv", status);
        }
        succeeded
    }

    fn script(&self, matches: &ArgMatches) -> Result<Script, String> {
        let required = |value: &Option<OsString>| text(value.as_deref().unwrap_or_default());
        let user = self.user.as_deref().map(text).transpose()?;
        let change_user = match self.change_user_after.as_deref() {
            Some([after, name]) => Some((number(after)?, text(name)?)),
            _ => None,
        };
        Ok(Script {
            service: required(&self.service)?,
            confdir: required(&self.confdir)?,
            user: user.or_else(|| self.user_bytes.clone()),
            authtok: self.authtok.as_deref().map(text).transpose()?,
            replies: self.replies(matches)?,
            behaviour: self.conv,
            change_user,
        })
    }

    /// The replies of both options, in the order of the command line.
    fn replies(&self, matches: &ArgMatches) -> Result<Vec<CString>, String> {
        let positions = |name| matches.indices_of(name).into_iter().flatten();
        let mut replies = Vec::new();
        for (position, reply) in positions("reply").zip(&self.reply) {
            replies.push((position, text(reply)?));
        }
        replies.extend(positions("reply_hex").zip(self.reply_hex.iter().cloned()));
        replies.sort_by_key(|(position, _)| *position);
        Ok(replies.into_iter().map(|(_, reply)| reply).collect())
    }
}

fn text(value: &OsStr) -> Result<CString, String> {
    CString::new(value.as_bytes()).map_err(|error| error.to_string())
}

fn number(value: &OsStr) -> Result<u32, String> {
    let shown = value.to_string_lossy();
    shown.parse().map_err(|error| format!("{shown}: {error}"))
}

/// Bytes from pairs of hexadecimal digits; a C string cannot hold a zero byte.
fn bytes_from_hex(digits: &str) -> Result<CString, String> {
    let values: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(16)).collect();
    let values =
        values.filter(|values| values.len() % 2 == 0).ok_or("pairs of hexadecimal digits are wanted")?;
    let bytes = values.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
    let bytes: Vec<u8> = bytes.filter_map(|byte| u8::try_from(byte).ok()).collect();
    CString::new(bytes).map_err(|error| error.to_string())
}
