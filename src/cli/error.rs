//! What can go wrong in the command: first what it is, then what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::{new_device, refused};
use crate::credential::StoreError;
use crate::enrol::DeviceProblem;
use crate::otp::secret::BadSecret;
use crate::user::BadName;
use crate::verifier::ServiceError;

/// How the command ended, the same table as in `countersign(1)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// What was asked for is done.
    Success,
    /// Something failed.
    Failure,
    /// What was typed cannot be understood.
    Usage,
    /// It could be done but was not: enrolled already, not confirmed, not permitted, not wholly repaired.
    Refused,
    /// The user is not enrolled.
    NotEnrolled,
    /// The doctor found something that may surprise.
    Warnings,
    /// The doctor found something that keeps people out or lets them in.
    Errors,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(match code {
            ExitCode::Success => 0,
            ExitCode::Failure => 1,
            ExitCode::Usage => 2,
            ExitCode::Refused => 3,
            ExitCode::NotEnrolled => 4,
            ExitCode::Warnings => 5,
            ExitCode::Errors => 6,
        })
    }
}

/// Why a verb did not do what it was asked.
#[derive(Debug)]
pub enum Error {
    /// Only root may.
    NotRoot,
    /// There is no such account.
    NoAccount(String),
    /// The name cannot be one.
    BadName(BadName),
    /// The name service failed.
    Accounts(io::Error),
    /// The user is not enrolled.
    NotEnrolled(String),
    /// The user is enrolled already.
    AlreadyEnrolled(String),
    /// The name cannot be one of a device.
    BadDeviceName,
    /// The text cannot be an issuer or a label.
    BadLabel(String),
    /// The secret that the device is said to have cannot be one.
    BadSecret(BadSecret),
    /// There would be no device in force: the former one gone, the new one not proven.
    ReplaceUnproven,
    /// The names and the secret make a text that no QR code holds.
    LongUri,
    /// There is no terminal for a screen of its own.
    NoPrivateScreen,
    /// Several devices could be meant.
    WhichDevice,
    /// Root has not said whom he means.
    WhichUser,
    /// The password was wrong, again and again.
    WrongPassword,
    /// What devices a user has does not allow it.
    Device(DeviceProblem),
    /// The store.
    Store(StoreError),
    /// The service gave no answer.
    Service(ServiceError),
    /// The output is not a terminal.
    NotATerminal,
    /// The input ended, or the person said no.
    GivenUp,
    /// Too many wrong codes.
    NeverConfirmed,
    /// The file for the recovery codes is there already.
    FileExists(PathBuf),
    /// The file for the recovery codes cannot be written.
    File(PathBuf, io::Error),
    /// The list of users cannot be read on.
    Unreadable(PathBuf, io::Error),
    /// What another program keeps cannot be read.
    Source(PathBuf, String),
    /// The policy file cannot be used.
    Policy(String),
    /// It could not be logged that secrets are shown.
    NotLogged(String),
    /// A repair could not mend everything.
    StillRefused(String),
    /// The clock is not set.
    Clock,
    /// Nobody has handed over a socket to serve on.
    NoSocket,
    /// A socket could not be made.
    Listen(PathBuf, io::Error),
    /// Setup went no further.
    Setup(Box<super::setup::Stop>),
    /// New recovery codes are in force, but could not be shown.
    NotShown(Box<Error>),
    /// Reading or writing the terminal, or getting random bytes.
    System(io::Error),
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::NotRoot => "run it with sudo",
            Self::NoAccount(_) | Self::BadName(_) => "name an account, as in: countersign enroll alice",
            Self::Accounts(_) => "look at the name service, see nsswitch.conf(5)",
            Self::NotEnrolled(_) => "enrol with: countersign enroll USER",
            Self::AlreadyEnrolled(_) => "to move to a new device: countersign enroll --replace USER",
            Self::BadDeviceName => refused::hint("bad_device_name"),
            Self::BadLabel(_) => refused::hint("bad_label"),
            Self::BadSecret(problem) => new_device::secret_hint(*problem),
            Self::ReplaceUnproven => {
                "add it beside the former one: countersign add NAME --no-confirm --force; then confirm, then remove"
            }
            Self::LongUri => "use a shorter --issuer or --label; nothing was changed",
            Self::NoPrivateScreen => "run it in a terminal, or without --private; nothing was changed",
            Self::WhichDevice => {
                "`countersign status` lists them by name; countersign replace NAME, countersign remove --device NAME"
            }
            Self::WhichUser => "name the user, as in: countersign remove alice",
            Self::Service(ServiceError::Refused { reason, .. }) => refused::hint(reason),
            Self::Device(DeviceProblem::Last) => "to be no longer enrolled: countersign remove",
            Self::Device(DeviceProblem::SpentCode) => {
                "nothing was changed; begin again with the next code of the device"
            }
            Self::Device(DeviceProblem::SameSecret) => {
                "nothing was changed; each device has a secret of its own"
            }
            Self::Device(DeviceProblem::WhichPending) => "name it: countersign confirm --device NAME USER",
            Self::Device(DeviceProblem::TooMany) => "remove one first: countersign remove --device NAME",
            Self::Device(_) => "`countersign status` lists the devices by their names",
            Self::Store(error) => error.mend(),
            Self::Service(error) => error.mend(),
            Self::NotATerminal => "run it in a terminal, or use --force to show the secret all the same",
            Self::NeverConfirmed => {
                "nothing was changed; is the clock of the phone right, and of this machine?"
            }
            Self::FileExists(_) => "name a file that is not there yet",
            Self::File(..) => "name a file in a directory that you can write to; nothing was changed",
            Self::Unreadable(..) => {
                "name a file that can be read; who is enrolled stays so, and a second run goes on"
            }
            Self::Source(..) => "name a file that root owns and only root can read; nothing was changed",
            Self::Policy(_) => "correct the file, see countersign.toml(5)",
            Self::NotLogged(_) => "start the system's logger; nothing was shown",
            Self::StillRefused(_) => {
                "with what it takes at hand: countersign repair USER, without -y; \
                 for a device that is gone: countersign enroll --replace USER"
            }
            Self::Clock => "set the clock, codes depend on it",
            Self::NoSocket => {
                "systemctl enable --now countersign.socket; without systemd: \
                 countersign serve --listen /run/countersign/io.countersign"
            }
            Self::Listen(..) => "is another one serving there? see countersign-serve(8)",
            Self::NotShown(_) => {
                "they are in force all the same; for others: countersign enroll --replace USER"
            }
            Self::Setup(stop) => stop.hint(),
            Self::WrongPassword | Self::GivenUp | Self::System(_) => "nothing was changed",
        }
    }

    /// How the command ends with this error.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Setup(stop) if !stop.is_refusal() => ExitCode::Failure,
            Self::NotRoot
            | Self::Setup(_)
            | Self::AlreadyEnrolled(_)
            | Self::NotATerminal
            | Self::NoPrivateScreen
            | Self::ReplaceUnproven
            | Self::Device(_)
            | Self::WrongPassword
            | Self::Service(ServiceError::Refused { .. } | ServiceError::NotPermitted)
            | Self::GivenUp
            | Self::NeverConfirmed
            | Self::FileExists(_)
            | Self::StillRefused(_)
            | Self::Store(StoreError::AlreadyEnrolled) => ExitCode::Refused,
            Self::NotEnrolled(_) => ExitCode::NotEnrolled,
            Self::BadDeviceName
            | Self::BadLabel(_)
            | Self::BadSecret(_)
            | Self::LongUri
            | Self::WhichDevice
            | Self::WhichUser => ExitCode::Usage,
            Self::NoAccount(_)
            | Self::BadName(_)
            | Self::Accounts(_)
            | Self::Store(_)
            | Self::Service(_)
            | Self::File(..)
            | Self::Unreadable(..)
            | Self::Source(..)
            | Self::Policy(_)
            | Self::NotLogged(_)
            | Self::Clock
            | Self::NoSocket
            | Self::Listen(..)
            | Self::NotShown(_)
            | Self::System(_) => ExitCode::Failure,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRoot => out.write_str("only root may do this"),
            Self::NoAccount(name) => write!(out, "there is no account {}", name.escape_debug()),
            Self::BadName(problem) => problem.fmt(out),
            Self::Accounts(error) => write!(out, "cannot look up the account: {error}"),
            Self::NotEnrolled(name) => write!(out, "{name} is not enrolled"),
            Self::AlreadyEnrolled(name) => write!(out, "{name} is enrolled already"),
            Self::BadDeviceName => out.write_str(&refused::words("bad_device_name", None)),
            Self::BadLabel(text) => {
                write!(out, "'{}' cannot be an issuer or a label", text.escape_debug())
            }
            Self::BadSecret(problem) => problem.fmt(out),
            Self::ReplaceUnproven => {
                out.write_str("no device would be in force until the new one is confirmed")
            }
            Self::LongUri => out.write_str("this is too long for a QR code"),
            Self::NoPrivateScreen => out.write_str("a private screen needs a terminal for input and output"),
            Self::WhichDevice => out.write_str("which device?"),
            Self::WhichUser => out.write_str("whose?"),
            Self::WrongPassword => out.write_str("the password was not right"),
            Self::Service(ServiceError::Refused { reason, seconds }) => {
                out.write_str(&refused::words(reason, *seconds))
            }
            Self::Device(problem) => out.write_str(match problem {
                DeviceProblem::NameTaken => "there is a device of that name already",
                DeviceProblem::Unknown => "there is no device of that name",
                DeviceProblem::TooMany => "there are as many devices as there can be",
                DeviceProblem::SameSecret => "there is a device of that secret already",
                DeviceProblem::NonePending => "no such device waits for its first code",
                DeviceProblem::WhichPending => "several devices wait for their first code",
                DeviceProblem::WrongCode => "that is not the code",
                DeviceProblem::SpentCode => "this code was already used",
                DeviceProblem::Last => "that is the last device",
                DeviceProblem::ChangedMeanwhile => "somebody else has changed this enrolment meanwhile",
            }),
            Self::Store(error) => error.fmt(out),
            Self::Service(error) => error.fmt(out),
            Self::NotATerminal => out.write_str("this would show a secret, and the output is not a terminal"),
            Self::GivenUp => out.write_str("given up"),
            Self::NeverConfirmed => out.write_str("no code was right"),
            Self::FileExists(path) => write!(out, "{} is there already", path.display()),
            Self::File(path, error) => write!(out, "cannot write {}: {error}", path.display()),
            Self::Unreadable(path, error) => write!(out, "cannot read {}: {error}", path.display()),
            Self::Source(path, problem) => write!(out, "cannot use {}: {problem}", path.display()),
            Self::Policy(problem) => out.write_str(problem),
            Self::NotLogged(problem) => write!(out, "this could not be logged: {problem}"),
            Self::StillRefused(name) => write!(out, "something of {name} is still refused"),
            Self::Clock => out.write_str("the clock of this machine is not set"),
            Self::NoSocket => out.write_str("no socket was handed over"),
            Self::Listen(path, error) => write!(out, "cannot listen at {}: {error}", path.display()),
            Self::NotShown(error) => write!(out, "the recovery codes could not be shown: {error}"),
            Self::Setup(stop) => stop.fmt(out),
            Self::System(error) => error.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_name_cannot_write_to_the_terminal() {
        let error = Error::NoAccount("al\u{1b}[2Jice".to_owned());
        assert_eq!(error.to_string(), "there is no account al\\u{1b}[2Jice");
    }
}
