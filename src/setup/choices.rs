//! What an administrator chooses.

/// A service that setup can guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Logins over ssh.
    Sshd,
    /// Logins on the console.
    Login,
    /// sudo, with one's own password.
    Sudo,
    /// su, with the password of the account that one changes to.
    Su,
}

impl Service {
    /// All of them, the one that matters most first.
    pub const ALL: [Self; 4] = [Self::Sshd, Self::Login, Self::Sudo, Self::Su];

    /// The name of the service for PAM.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sshd => "sshd",
            Self::Login => "login",
            Self::Sudo => "sudo",
            Self::Su => "su",
        }
    }

    /// The stacks that lead to the same place: who guards one means all.
    pub fn stacks(self) -> &'static [&'static str] {
        match self {
            Self::Sshd => &["sshd"],
            Self::Login => &["login", "remote"],
            Self::Sudo => &["sudo", "sudo-i"],
            Self::Su => &["su", "su-l"],
        }
    }

    /// Whether its programs run with the real uid of their caller.
    pub fn has_a_caller(self) -> bool {
        matches!(self, Self::Sudo | Self::Su)
    }
}

/// What is asked for over ssh before the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstFactor {
    /// The password.
    Password,
    /// The key.
    Key,
}

/// What is to become of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// What is to be guarded.
    pub services: Vec<Service>,
    /// What sshd asks for before the code.
    pub ssh: FirstFactor,
    /// Whether who is not enrolled gets in without a code.
    pub lets_unenrolled_in: bool,
}
