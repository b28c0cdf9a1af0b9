//! The three modules, each set up as its documentation recommends.

/// A module that is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Countersign,
    GoogleAuthenticator,
    Oath,
}

impl Subject {
    pub(crate) const ALL: [Self; 3] = [Self::Countersign, Self::GoogleAuthenticator, Self::Oath];

    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Countersign => "countersign",
            Self::GoogleAuthenticator => "google-authenticator",
            Self::Oath => "oath",
        }
    }

    /// The PAM service that asks it; `countersign` is one that the module refuses.
    pub(crate) fn service(self) -> String {
        format!("door-{}", self.name())
    }

    /// Debian's package that it comes from, if it does.
    pub(crate) fn package(self) -> Option<&'static str> {
        match self {
            Self::Countersign => None,
            Self::GoogleAuthenticator => Some("libpam-google-authenticator"),
            Self::Oath => Some("libpam-oath"),
        }
    }

    /// The line of its service file. The incumbents ask once in a login, and so countersign does too.
    pub(crate) fn line(self) -> &'static str {
        match self {
            Self::Countersign => "auth required pam_countersign.so attempts=1",
            Self::GoogleAuthenticator => "auth required pam_google_authenticator.so",
            Self::Oath => "auth required pam_oath.so usersfile=/etc/oath/users.oath window=1 digits=6",
        }
    }

    /// The directory that holds all of it, and can be a disk of its own.
    pub(crate) fn directory(self) -> &'static str {
        match self {
            Self::Countersign => "/var/lib/countersign",
            Self::GoogleAuthenticator => "/home/alice",
            Self::Oath => "/etc/oath",
        }
    }

    /// The file with alice's secret.
    pub(crate) fn secret_file(self) -> &'static str {
        match self {
            Self::Countersign => "/var/lib/countersign/users/alice/credential.toml",
            Self::GoogleAuthenticator => "/home/alice/.google_authenticator",
            Self::Oath => "/etc/oath/users.oath",
        }
    }

    /// The files that a login of alice reads or writes: the secret first, and the state where it is apart.
    pub(crate) fn files(self) -> Vec<&'static str> {
        let mut files = vec![self.secret_file()];
        if self == Self::Countersign {
            files.push("/var/lib/countersign/users/alice/state");
        }
        files
    }
}
