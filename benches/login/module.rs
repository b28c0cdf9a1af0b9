//! The modules that are measured.

/// A module of a stack that has nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Module {
    /// Asks nothing: what libpam and the program that logs in cost.
    Permit,
    Countersign,
    GoogleAuthenticator,
    Oath,
}

impl Module {
    pub(crate) const ALL: [Self; 4] =
        [Self::Permit, Self::Countersign, Self::GoogleAuthenticator, Self::Oath];
    /// Those that ask for a code.
    pub(crate) const ASKING: [Self; 3] = [Self::Countersign, Self::GoogleAuthenticator, Self::Oath];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Countersign => "countersign",
            Self::GoogleAuthenticator => "google_authenticator",
            Self::Oath => "oath",
        }
    }

    /// The service; `countersign` is one that the module refuses.
    pub(crate) fn service(self) -> String {
        format!("measured-{}", self.name())
    }

    /// The line of the service. All ask once, and look ten counter values ahead.
    pub(crate) fn line(self) -> &'static str {
        match self {
            Self::Permit => "auth required pam_permit.so",
            Self::Countersign => "auth required pam_countersign.so attempts=1",
            Self::GoogleAuthenticator => "auth required pam_google_authenticator.so",
            Self::Oath => "auth required pam_oath.so usersfile=/etc/oath/users.oath window=10 digits=6",
        }
    }

    /// Below which directory a login writes.
    pub(crate) fn directory(self) -> &'static str {
        match self {
            Self::Permit => "/nowhere",
            Self::Countersign => "/var/lib/countersign",
            Self::GoogleAuthenticator => "/home",
            Self::Oath => "/etc/oath",
        }
    }

    /// The files that are loaded, as patterns of a shell.
    pub(crate) fn files(self) -> &'static [&'static str] {
        match self {
            Self::Permit => &["/usr/lib/*/security/pam_permit.so"],
            Self::Countersign => &["/usr/lib/*/security/pam_countersign.so"],
            Self::GoogleAuthenticator => &["/usr/lib/*/security/pam_google_authenticator.so"],
            Self::Oath => &["/usr/lib/*/security/pam_oath.so", "/usr/lib/*/liboath.so.0"],
        }
    }

    /// Debian's package.
    pub(crate) fn package(self) -> Option<&'static str> {
        match self {
            Self::Permit => Some("libpam-modules"),
            Self::Countersign => None,
            Self::GoogleAuthenticator => Some("libpam-google-authenticator"),
            Self::Oath => Some("libpam-oath"),
        }
    }
}
