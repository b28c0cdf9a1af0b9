//! What arguments and policy file mean together, with every default in one place.
//!
//! Defaults, then the file, then the arguments: what comes later has the last word. Texts have their defaults in
//! [`texts`](super::texts).

use super::args::{FirstPass, RawArguments};
use super::file::{PolicyFile, Tell, Unenrolled};
use super::texts::Texts;
use crate::policy::rules::{Memory, Rule};

/// How many prompts one transaction has.
pub const ATTEMPTS: u8 = 3;
/// What becomes of users who are not enrolled.
pub const UNENROLLED: Unenrolled = Unenrolled::Deny;
/// For how long a login is remembered.
pub const REMEMBER: Memory = Memory::Never;
/// How much a person is told.
pub const TELL: Tell = Tell::Always;
/// Whether something is told after a login.
pub const NOTICES: bool = true;
/// Whether a code can be seen while it is typed.
pub const ECHO: bool = false;

/// All that one call of the module goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that is written or not")]
pub struct Config {
    /// What this line of the stack does.
    pub first_factor: FirstFactor,
    /// What becomes of a user who is positively not enrolled.
    pub unenrolled: Unenrolled,
    /// From when on such a user is denied whom `unenrolled` allows, in seconds since 1970.
    pub required_from: Option<u64>,
    /// How many times a person is asked in one transaction, at least once.
    pub attempts: u8,
    /// Whether a code can be seen while it is typed.
    pub echo: bool,
    /// What is made of a password that was typed before.
    pub first_pass: Option<FirstPass>,
    /// Password and code are typed in one, and the password is for the next module.
    pub forward_pass: bool,
    /// For how long a login is remembered.
    pub remember: Memory,
    /// How much a person is told about a refusal.
    pub tell: Tell,
    /// Whether something is told after a login.
    pub notices: bool,
    /// What a person reads.
    pub texts: Texts,
    /// Who is asked, when and how.
    pub rules: Vec<Rule>,
    /// Whether to log what happens on the way.
    pub debug: bool,
}

/// What this line of the stack does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstFactor {
    /// It asks for a code; the first factor is another module's business.
    Elsewhere,
    /// It asks nothing and grants only where sshd has seen a public key proven.
    PublicKey,
}

/// Gives arguments and file their meaning.
pub fn resolve(raw: RawArguments, file: PolicyFile) -> Config {
    let mut texts = file.texts;
    if let Some(prompt) = raw.prompt {
        texts.prompt.clone_from(&prompt);
        texts.prompt_for_both = prompt;
    }
    let nullok = raw.nullok.then_some(Unenrolled::Allow);
    Config {
        first_factor: if raw.first_factor { FirstFactor::PublicKey } else { FirstFactor::Elsewhere },
        unenrolled: nullok.or(file.unenrolled).unwrap_or(UNENROLLED),
        required_from: file.required_from,
        attempts: raw.attempts.or(file.attempts).unwrap_or(ATTEMPTS),
        echo: raw.echo || file.echo.unwrap_or(ECHO),
        first_pass: raw.first_pass,
        forward_pass: raw.forward_pass,
        remember: raw.remember.map(Memory::For).or(file.remember).unwrap_or(REMEMBER),
        tell: file.tell.unwrap_or(TELL),
        notices: file.notices.unwrap_or(NOTICES),
        texts,
        rules: file.rules,
        debug: raw.debug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_nothing_gets_the_strict_defaults() {
        let config = resolve(RawArguments::default(), PolicyFile::default());
        assert_eq!((config.unenrolled, config.required_from), (Unenrolled::Deny, None));
        assert_eq!(config.first_factor, FirstFactor::Elsewhere);
        assert_eq!((config.attempts, config.echo, config.remember), (3, false, Memory::Never));
        assert_eq!(config.texts.prompt, "Verification code: ");
        assert!(config.rules.is_empty() && !config.debug && !config.forward_pass);
    }

    #[test]
    fn the_file_goes_before_the_defaults_and_the_line_before_the_file() {
        let file = "unenrolled = \"enroll\"\nattempts = 5\nremember = \"1h\"\necho = true\n[texts]\nprompt = \"File: \"\n";
        let line = |arguments: &[&[u8]]| {
            let raw = RawArguments::parse(arguments.iter().copied()).unwrap();
            resolve(raw, PolicyFile::parse(file).unwrap())
        };
        let config = line(&[]);
        assert_eq!((config.unenrolled, config.attempts, config.echo), (Unenrolled::Enroll, 5, true));
        assert_eq!((config.remember, config.texts.prompt.as_str()), (Memory::For(3600), "File: "));
        let config = line(&[b"nullok", b"attempts=1", b"remember=2h", b"prompt=Line: "]);
        assert_eq!((config.unenrolled, config.attempts), (Unenrolled::Allow, 1));
        assert_eq!((config.remember, config.texts.prompt.as_str()), (Memory::For(7200), "Line: "));
        assert_eq!(config.texts.prompt_for_both, "Line: ");
    }
}
