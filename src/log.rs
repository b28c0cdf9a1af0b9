//! The log: one line a decision, `key=value`, never a secret or a code.
//!
//! Fixed words come first, what the client can choose comes last, quoted and escaped, so that a
//! pattern anchored at the start can never be met by a name. Pure: who writes the line is `pam` or
//! `service`.
#![forbid(unsafe_code)]

use std::fmt::Write as _;

use crate::login::{Outcome, Proof, Report, StateHealth};

/// How much of a name is shown, in bytes: as long as a name can be.
const MOST_OF_A_NAME: usize = 255;

/// What to do about a policy file that cannot be used.
const MEND_POLICY: &str = "correct the file: countersign check-config tells more, see countersign.toml(5)";

/// How grave a line is (syslog(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Info,
    /// Of interest to whoever looks for attacks.
    Notice,
    /// Something is broken.
    Error,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How grave it is.
    pub level: Level,
    /// Without a newline.
    pub text: String,
}

/// The line for a decision about `typed_name`.
pub fn line(report: &Report, service: &str, typed_name: &[u8]) -> Line {
    let (level, event) = event_of(&report.outcome);
    let mut text = format!("event={event}");
    if let Some(reason) = reason_of(&report.outcome) {
        let _ = write!(text, " reason={reason}");
    }
    if let Outcome::Exempt { rule } = &report.outcome {
        let _ = write!(text, " rule={}", word(rule));
    }
    let _ = write!(text, " service={}", word(service));
    if let Some(source) = &report.source {
        let _ = write!(text, " source={source}");
    }
    if let Outcome::Accepted(accepted) = &report.outcome {
        let _ = match accepted.proof() {
            Proof::Code { authenticator, drift, .. } => {
                write!(text, " authenticator={} drift={drift}", word(authenticator))
            }
            Proof::Recovery { left, brought_back } => {
                let mended = if *brought_back { " records=brought_back" } else { "" };
                write!(text, " recovery_codes_left={left}{mended}")
            }
            Proof::Enrolled { authenticator } => write!(text, " authenticator={}", word(authenticator)),
            Proof::Remembered { since } => write!(text, " since={since}"),
        };
    }
    let _ = write!(text, " attempts={}", report.attempts);
    if report.health != StateHealth::Whole {
        let _ = write!(text, " state={}", report.health.word());
    }
    if report.clock_back > 0 {
        let _ = write!(text, " clock_back={}", report.clock_back);
    }
    if let Some((door, caller)) = &report.judged {
        let _ = write!(text, " door={} caller={caller}", door.word());
    }
    if let Some((cause, mend)) = cause_of(&report.outcome) {
        let _ = write!(text, " cause={} mend={}", quoted(cause.as_bytes()), quoted(mend.as_bytes()));
    }
    let shown = typed_name.get(..MOST_OF_A_NAME).unwrap_or(typed_name);
    let _ = write!(text, " user={}", quoted(shown));
    Line { level, text }
}

fn event_of(outcome: &Outcome) -> (Level, &'static str) {
    match outcome {
        Outcome::Accepted(accepted) => match accepted.proof() {
            Proof::Code { resynchronised: true, .. } => (Level::Notice, "resynchronised"),
            Proof::Code { .. } | Proof::Recovery { .. } => (Level::Info, "accepted"),
            Proof::Enrolled { .. } => (Level::Notice, "enrolled"),
            Proof::Remembered { .. } => (Level::Info, "remembered"),
        },
        Outcome::EnrolmentKept => (Level::Notice, "enrolment_kept"),
        Outcome::FirstFactorProven => (Level::Info, "first_factor"),
        Outcome::NotEnrolledAllowed | Outcome::Exempt { .. } => (Level::Notice, "ignored"),
        Outcome::Denied(_)
        | Outcome::FirstFactorMissing
        | Outcome::FirstPassMissing
        | Outcome::OtherUser
        | Outcome::CallerUnknown
        | Outcome::EnrolmentImpossible
        | Outcome::NeverConfirmed
        | Outcome::BadName(_)
        | Outcome::ConversationFailed => (Level::Notice, "denied"),
        Outcome::Unavailable(_)
        | Outcome::OwnService
        | Outcome::BadArguments(_)
        | Outcome::BadPolicy(_)
        | Outcome::AccountsUnreadable(_) => (Level::Error, "error"),
    }
}

/// The closed list of reasons (`docs/log.md`).
fn reason_of(outcome: &Outcome) -> Option<&str> {
    Some(match outcome {
        Outcome::Accepted(_) | Outcome::EnrolmentKept | Outcome::FirstFactorProven => return None,
        Outcome::NotEnrolledAllowed => "not_enrolled",
        Outcome::Exempt { .. } => "exempt",
        Outcome::FirstPassMissing => "first_pass_missing",
        Outcome::CallerUnknown => "caller_unknown",
        Outcome::EnrolmentImpossible => "enrolment_impossible",
        Outcome::NeverConfirmed => "never_confirmed",
        Outcome::BadPolicy(_) => "bad_policy",
        Outcome::FirstFactorMissing => "first_factor_missing",
        Outcome::Denied(denial) => denial.reason(),
        Outcome::OtherUser => "user_changed",
        Outcome::ConversationFailed => "conversation_failed",
        Outcome::Unavailable(error) => error.reason(),
        Outcome::OwnService => "own_service",
        Outcome::BadArguments(_) => "bad_argument",
        Outcome::BadName(_) => "bad_user_name",
        Outcome::AccountsUnreadable(_) => "accounts_unreadable",
    })
}

/// What is behind an error, and what an administrator can do about it.
fn cause_of(outcome: &Outcome) -> Option<(String, &str)> {
    match outcome {
        Outcome::Unavailable(error) => Some((error.to_string(), error.mend())),
        Outcome::BadArguments(error) => {
            Some((error.to_string(), "correct the module's line in /etc/pam.d, see pam_countersign(8)"))
        }
        Outcome::EnrolmentImpossible => Some((
            "the login cannot show a QR code, or its caller is not root".to_owned(),
            "have the user run countersign enroll, or log in where texts are shown",
        )),
        Outcome::BadPolicy(problem) => Some((problem.clone(), MEND_POLICY)),
        Outcome::FirstPassMissing => Some((
            "use_first_pass, and nothing was typed for a module before".to_owned(),
            "put a module in front that asks for the password, or write try_first_pass",
        )),
        Outcome::BadName(error) => Some((error.to_string(), "log in with the name of an account")),
        Outcome::AccountsUnreadable(error) => {
            Some((error.to_string(), "look at the name service, see nsswitch.conf(5)"))
        }
        Outcome::OwnService => Some((
            "the service countersign proves passwords for the command".to_owned(),
            "remove the module from /etc/pam.d/countersign",
        )),
        Outcome::ConversationFailed => Some((
            "the application did not answer the prompt".to_owned(),
            "use a client that can show a second prompt, such as keyboard-interactive of ssh",
        )),
        Outcome::Accepted(_)
        | Outcome::FirstFactorProven
        | Outcome::FirstFactorMissing
        | Outcome::NotEnrolledAllowed
        | Outcome::Exempt { .. }
        | Outcome::Denied(_)
        | Outcome::CallerUnknown
        | Outcome::EnrolmentKept
        | Outcome::NeverConfirmed
        | Outcome::OtherUser => None,
    }
}

/// The line for a policy file that cannot be used, about nobody in particular.
pub fn bad_policy(cause: &str) -> Line {
    let (cause, mend) = (quoted(cause.as_bytes()), quoted(MEND_POLICY.as_bytes()));
    Line { level: Level::Error, text: format!("event=error reason=bad_policy cause={cause} mend={mend}") }
}

/// A value of letters, digits and a few marks as it is, anything else quoted.
fn word(value: &str) -> String {
    let plain = !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:/@+-".contains(&byte));
    if plain { value.to_owned() } else { quoted(value.as_bytes()) }
}

/// A value in quotes, with everything escaped that is not printable ASCII.
fn quoted(value: &[u8]) -> String {
    format!("\"{}\"", value.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::Denial;

    fn text(outcome: Outcome, name: &[u8]) -> String {
        line(&Report::early(outcome), "sshd", name).text
    }

    #[test]
    fn what_the_client_chose_comes_last_and_escaped() {
        assert_eq!(
            text(Outcome::Denied(Denial::WrongCode), b"al\"ice\nevent=accepted \xff"),
            "event=denied reason=wrong_code service=sshd attempts=0 user=\"al\\\"ice\\nevent=accepted \\xff\""
        );
    }

    #[test]
    fn an_error_names_its_cause_and_the_mend() {
        let outcome = Outcome::BadName(crate::user::BadName::NotUtf8);
        assert_eq!(
            text(outcome, b"x"),
            "event=denied reason=bad_user_name service=sshd attempts=0 \
             cause=\"the user name is not UTF-8\" mend=\"log in with the name of an account\" user=\"x\""
        );
    }

    #[test]
    fn an_odd_service_is_quoted() {
        let line = line(&Report::early(Outcome::NotEnrolledAllowed), "my service", b"bob");
        assert!(line.text.starts_with("event=ignored reason=not_enrolled service=\"my service\" "));
    }
}
