//! Logins through the real sshd with the host's real ssh client.

use super::{Machine, Terminal};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// A login that is about to start.
///
/// The client reads no configuration and has no agent and no known hosts; a key is offered only when
/// [`SshCommand::key`] names it.
#[derive(Debug)]
#[must_use = "nothing happens before start()"]
pub struct SshCommand<'machine> {
    machine: &'machine Machine,
    user: String,
    from: IpAddr,
    options: Vec<String>,
    command: Option<String>,
}

impl<'machine> SshCommand<'machine> {
    pub(super) fn new(machine: &'machine Machine, user: &str) -> SshCommand<'machine> {
        let options = [
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "GlobalKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "NumberOfPasswordPrompts=3",
            "ConnectTimeout=10",
            // An sshd that reads its configuration again does not listen for a moment.
            "ConnectionAttempts=5",
            "IdentityAgent=none",
            "IdentitiesOnly=yes",
        ];
        SshCommand {
            machine,
            user: user.to_owned(),
            from: IpAddr::V4(Ipv4Addr::LOCALHOST),
            options: options.map(str::to_owned).to_vec(),
            command: None,
        }
    }

    /// Offers this private key.
    pub fn key(self, private_key: &Path) -> Self {
        self.option(&format!("IdentityFile={}", private_key.display()))
    }

    /// Sets an option of `ssh_config(5)`, such as `PreferredAuthentications=password`. Where the
    /// harness has set the same option, the test's comes first and counts.
    pub fn option(mut self, option: &str) -> Self {
        self.options.insert(0, option.to_owned());
        self
    }

    /// Comes from this address; sshd hands it to PAM as `PAM_RHOST`.
    ///
    /// Every address in 127.0.0.0/8 works. `::1` works; another IPv6 address must be given to the
    /// machine first: `machine.must(&["ip", "address", "add", "2001:db8::7/128", "dev", "lo"])`.
    pub fn from(mut self, address: IpAddr) -> Self {
        self.from = address;
        self
    }

    /// Runs this command line in place of an interactive shell. It has no terminal inside, unless
    /// the option `RequestTTY=force` asks for one; the prompts of the login are on the terminal.
    pub fn command(mut self, command: &str) -> Self {
        self.command = Some(command.to_owned());
        self
    }

    /// Starts the client on a terminal.
    pub fn start(self) -> Terminal {
        let leader = self.machine.leader().to_string();
        let from = self.from.to_string();
        let server = match self.from {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.to_string(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.to_string(),
        };
        // Only the network is the machine's: the program, its files and its user are the host's.
        let mut words = vec!["nsenter", "--target", &leader, "--net", "--", "ssh", "-F", "none"];
        words.extend(["-b", &from, "-l", &self.user]);
        words.extend(self.options.iter().flat_map(|option| ["-o", option]));
        if !self.options.iter().any(|option| option.starts_with("IdentityFile=")) {
            words.extend(["-o", "IdentityFile=none"]);
        }
        words.extend(["--", &server]);
        words.extend(self.command.as_deref());
        Terminal::start(&words)
    }
}
