//! What the arguments mean, with every default in one place.

use super::args::RawArguments;

/// How many prompts one transaction has.
const ATTEMPTS: u8 = 3;
/// What a person is asked.
const PROMPT: &str = "Verification code: ";

/// All that one call of the module goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What this line of the stack does.
    pub first_factor: FirstFactor,
    /// What becomes of a user who is positively not enrolled.
    pub unenrolled: Unenrolled,
    /// How many times a person is asked in one transaction, at least once.
    pub attempts: u8,
    /// What he is asked.
    pub prompt: String,
    /// For how many seconds a login is remembered; `None` where none is.
    pub remember: Option<u64>,
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

/// What becomes of a user who is positively not enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unenrolled {
    /// He is asked like everybody and let in like nobody.
    Deny,
    /// He is let through without being asked, if this machine knows the account (`nullok`).
    Allow,
}

/// Gives the arguments their meaning.
pub fn resolve(raw: RawArguments) -> Config {
    Config {
        first_factor: if raw.first_factor { FirstFactor::PublicKey } else { FirstFactor::Elsewhere },
        unenrolled: if raw.nullok { Unenrolled::Allow } else { Unenrolled::Deny },
        attempts: raw.attempts.unwrap_or(ATTEMPTS),
        prompt: raw.prompt.unwrap_or_else(|| PROMPT.to_owned()),
        remember: raw.remember,
        debug: raw.debug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_nothing_gets_the_strict_defaults() {
        let config = resolve(RawArguments::default());
        assert_eq!(config.unenrolled, Unenrolled::Deny);
        assert_eq!(config.first_factor, FirstFactor::Elsewhere);
        assert_eq!(config.attempts, 3);
        assert_eq!(config.prompt, "Verification code: ");
        assert!(!config.debug);
    }
}
