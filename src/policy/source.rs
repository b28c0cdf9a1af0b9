//! Where an attempt comes from, as far as PAM can say: an address, a user of this machine, a
//! terminal, or nowhere that could be named.
//!
//! Names are never resolved: a look-up would ask whoever runs the reverse zone of the attacker.

use core::net::{IpAddr, Ipv6Addr};

use crate::credential::SourceName;

/// What PAM tells about the origin of an attempt.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// PAM_SERVICE.
    pub service: String,
    /// PAM_RHOST, if it is set at all.
    pub rhost: Option<String>,
    /// PAM_TTY.
    pub tty: Option<String>,
    /// `SSH_CONNECTION` in the PAM environment.
    pub ssh_connection: Option<String>,
    /// `SSH_AUTH_INFO_0` in the PAM environment: the methods that sshd has seen completed, one a line.
    pub ssh_auth_info: Option<String>,
    /// The real uid of the calling process.
    pub real_uid: u32,
    /// The uid of PAM_RUSER, where that is an account.
    pub ruser_uid: Option<u32>,
    /// The audit session of the calling process, if it has one (sessionid in proc(5)).
    pub audit_session: Option<u32>,
}

/// The source of an attempt: the first of address, user, terminal that is to be had.
pub fn source_of(facts: &Facts) -> SourceName {
    let text = match (address_of_ssh(facts), &facts.rhost) {
        (Some(text), _) => Some(text),
        // A remote host that is not numeric could be anywhere; it is not the local user.
        (None, Some(host)) => address(host),
        (None, None) => user(facts).or_else(|| facts.tty.as_deref().and_then(terminal)),
    };
    text.and_then(SourceName::new).unwrap_or_else(SourceName::nowhere)
}

/// The source that a person names: an address, or a source in the words of the log.
pub fn source_named(text: &str) -> Option<SourceName> {
    let named = match text.split_once(':') {
        Some(("addr", network)) => address(network.strip_suffix("/64").unwrap_or(network)),
        Some(("uid", number)) => number.parse::<u32>().ok().map(|uid| format!("uid:{uid}")),
        Some(("tty", name)) => terminal(name),
        Some(("none", "")) => return Some(SourceName::nowhere()),
        _ => address(text),
    };
    named.and_then(SourceName::new)
}

/// The methods that sshd has seen completed, one a line, where it tells any. No other service is believed.
pub fn methods_told(facts: &Facts) -> Option<&str> {
    let told = facts.ssh_auth_info.as_deref().filter(|_| facts.service == "sshd");
    told.filter(|told| !told.trim().is_empty())
}

/// Whether sshd has seen a public key proven.
pub fn has_publickey(facts: &Facts) -> bool {
    methods_told(facts).is_some_and(|told| told.lines().any(|line| line.starts_with("publickey ")))
}

/// The terminal, where PAM_TTY names one. Services without a terminal write a placeholder there, such as `ssh`, `cron`
/// or `/dev/ftpd4711`, so only names of known kinds are believed.
pub(super) fn terminal_told(facts: &Facts) -> Option<&str> {
    facts.tty.as_deref().filter(|tty| {
        let name = tty.strip_prefix("/dev/").unwrap_or(tty);
        name == "console" || is_device(name) || is_display(name)
    })
}

/// How the names of terminals begin: consoles, serial lines, pseudo-terminals, and the consoles of hypervisors.
const DEVICES: [&str; 6] = ["tty", "pts/", "vc/", "hvc", "xvc", "sclp_line"];

/// A device of a terminal, such as `tty1`, `ttyUSB0` or `pts/3`.
fn is_device(name: &str) -> bool {
    let rest = DEVICES.into_iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or_default();
    let number = rest.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
    let has_letters = number.len() < rest.len();
    (!has_letters || name.starts_with("tty")) && is_number(number)
}

/// An X display, such as `:0` or `localhost:10.0` (X(7)).
fn is_display(name: &str) -> bool {
    let Some((host, display)) = name.rsplit_once(':') else { return false };
    !host.contains('/') && display.split('.').all(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The address that an attempt comes from, where one is told.
pub(super) fn address_told(facts: &Facts) -> Option<IpAddr> {
    of_ssh(facts).and_then(numeric).or_else(|| facts.rhost.as_deref().and_then(numeric))
}

fn address_of_ssh(facts: &Facts) -> Option<String> {
    of_ssh(facts).and_then(address)
}

/// sshd puts the client's address into the PAM environment even where `UseDNS` puts a name into
/// PAM_RHOST.
fn of_ssh(facts: &Facts) -> Option<&str> {
    let connection = facts.ssh_connection.as_deref().filter(|_| facts.service == "sshd")?;
    connection.split(' ').next()
}

/// A numeric address: IPv4, IPv4 mapped into IPv6, or the /64 of an IPv6 address.
fn address(host: &str) -> Option<String> {
    Some(match numeric(host)? {
        IpAddr::V4(four) => format!("addr:{four}"),
        IpAddr::V6(six) => format!("addr:{}/64", network_of(six)),
    })
}

/// A numeric address; one that is mapped into IPv6 is one of IPv4. A zone (RFC 4007 §11) is left out behind a
/// link-local address, the only one that sshd writes a zone behind; any other host with a `%` is a name.
fn numeric(host: &str) -> Option<IpAddr> {
    match host.split_once('%') {
        None => host.parse::<IpAddr>().ok().map(|address| address.to_canonical()),
        Some((address, zone)) => {
            let address = address.parse::<Ipv6Addr>().ok()?;
            (address.is_unicast_link_local() && is_zone(zone)).then_some(IpAddr::V6(address))
        }
    }
}

/// The longest name of a network interface, in bytes (IFNAMSIZ in netdevice(7), without its NUL).
const LONGEST_ZONE: usize = 15;

/// Whether a text can be the name of a network interface, or its number. Behind a dot an interface has the number of a
/// VLAN: any other word there may be a domain, in the name of a host.
fn is_zone(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let has_domain = text.split('.').skip(1).any(|part| !is_number(part));
    (1..=LONGEST_ZONE).contains(&text.len()) && text.bytes().all(is_plain) && !has_domain
}

fn network_of(address: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)
}

/// The user who called: su and sudo run with his real uid; programs that drop it name him.
fn user(facts: &Facts) -> Option<String> {
    let uid = if facts.real_uid == 0 { facts.ruser_uid? } else { facts.real_uid };
    Some(format!("uid:{uid}"))
}

/// A console or a serial line. Pseudo-terminals say nothing about where someone sits.
fn terminal(tty: &str) -> Option<String> {
    let name = tty.strip_prefix("/dev/").unwrap_or(tty);
    let number = name.strip_prefix("ttyS").or_else(|| name.strip_prefix("tty"))?;
    let is_number = (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("tty:/dev/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(change: impl Fn(&mut Facts)) -> String {
        let mut facts = Facts { service: "sshd".to_owned(), ..Facts::default() };
        change(&mut facts);
        source_of(&facts).to_string()
    }

    fn from_host(host: &str) -> String {
        from(|facts| facts.rhost = Some(host.to_owned()))
    }

    #[test]
    fn addresses_are_numeric_and_of_one_form() {
        assert_eq!(from_host("192.0.2.7"), "addr:192.0.2.7");
        assert_eq!(from_host("::ffff:192.0.2.7"), "addr:192.0.2.7");
        assert_eq!(from_host("2001:db8:1:2:3:4:5:6"), "addr:2001:db8:1:2::/64");
        assert_eq!(from_host("fe80::1%eth0"), "addr:fe80::/64");
    }

    #[test]
    fn a_source_is_named_by_its_address_or_as_in_the_log() {
        let named = |text: &str| source_named(text).map(|source| source.to_string());
        for (text, source) in [
            ("192.0.2.7", "addr:192.0.2.7"),
            ("::ffff:192.0.2.7", "addr:192.0.2.7"),
            ("2001:db8::1", "addr:2001:db8::/64"),
            ("addr:2001:db8::/64", "addr:2001:db8::/64"),
            ("addr:192.0.2.7", "addr:192.0.2.7"),
            ("uid:1000", "uid:1000"),
            ("tty:/dev/tty1", "tty:/dev/tty1"),
            ("none:", "none:"),
        ] {
            assert_eq!(named(text).as_deref(), Some(source), "{text}");
        }
        for text in ["", "example.org", "uid:alice", "uid:-1", "tty:/dev/pts/1", "none:x", "addr:", "addr:x"]
        {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn a_zone_is_left_out_behind_a_link_local_address_alone() {
        assert_eq!(from_host("fe80::1%2"), "addr:fe80::/64");
        assert_eq!(from_host("febf::1%wlp0s20f3.7"), "addr:febf::/64");
        for host in [
            "192.0.2.7%x.example",
            "192.0.2.7%",
            "2001:db8::1%eth0",
            "::1%lo",
            "::ffff:192.0.2.7%eth0",
            "::ffff:169.254.0.1%eth0",
            "fec0::1%eth0",
            "fe80::1%",
            "fe80::1%eth0%eth1",
            "fe80::1%eth0 192.0.2.7",
            "fe80::1%sixteen-letters-",
            "fe80::1%x.example",
            "fe80::1%eth0.7.example",
            "fe80::1%eth0.",
        ] {
            assert_eq!(from_host(host), "none:", "{host:?}");
            let facts = Facts { rhost: Some(host.to_owned()), ..Facts::default() };
            assert_eq!(address_told(&facts), None, "{host:?}");
        }
    }

    #[test]
    fn a_host_name_is_nowhere() {
        for host in ["localhost", "", "192.0.2.7.example.org", "192.0.2", "0x7f.1", "a b"] {
            assert_eq!(from_host(host), "none:", "{host:?}");
        }
    }

    #[test]
    fn sshd_tells_the_address_even_when_it_resolves_names() {
        let told = |service: &str| {
            from(|facts| {
                facts.service = service.to_owned();
                facts.rhost = Some("client.example.org".to_owned());
                facts.ssh_connection = Some("192.0.2.7 51000 192.0.2.1 22".to_owned());
            })
        };
        assert_eq!(told("sshd"), "addr:192.0.2.7");
        assert_eq!(told("su"), "none:");
    }

    #[test]
    fn local_callers_are_named_by_their_uid() {
        assert_eq!(from(|facts| facts.real_uid = 1000), "uid:1000");
        assert_eq!(from(|facts| facts.ruser_uid = Some(1001)), "uid:1001");
        assert_eq!(
            from(|facts| {
                facts.real_uid = 1000;
                facts.ruser_uid = Some(0);
            }),
            "uid:1000"
        );
    }

    #[test]
    fn only_consoles_and_serial_lines_are_terminals() {
        let tty = |name: &str| from(|facts| facts.tty = Some(name.to_owned()));
        assert_eq!(tty("/dev/tty1"), "tty:/dev/tty1");
        assert_eq!(tty("ttyS0"), "tty:/dev/ttyS0");
        for name in ["/dev/pts/3", "ssh", "/dev/tty", "/dev/tty1x", ":0", "/dev/ttyUSB0", "/dev/console"] {
            assert_eq!(tty(name), "none:", "{name}");
        }
    }
}
