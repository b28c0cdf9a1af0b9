//! Networks in CIDR notation (RFC 4632, RFC 4291 §2.3).

use core::fmt;
use core::net::IpAddr;

/// A network of IPv4 or IPv6, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its first address; one that is mapped into IPv6 is one of IPv4.
    first: IpAddr,
    /// How many bits all its addresses have in common.
    length: u8,
}

/// Why a text names no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadNetwork {
    /// It is not numeric: names are never resolved.
    NotNumeric,
    /// The length is none.
    Length,
    /// Bits are set behind the length: what was meant is not clear.
    HostBits,
}

impl fmt::Display for BadNetwork {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotNumeric => "a network is numeric, such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7",
            Self::Length => "the length of a network is 0 to 32, or to 128 with IPv6",
            Self::HostBits => "bits are set behind the length of the network",
        })
    }
}

impl Network {
    /// Of a text such as `192.0.2.0/24`, `2001:db8::/32` or `192.0.2.7`.
    pub fn parse(text: &str) -> Result<Self, BadNetwork> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| BadNetwork::NotNumeric)?;
        let most = bits_of(written);
        let length = match length {
            None => most,
            Some(text) => number(text).filter(|length| *length <= most).ok_or(BadNetwork::Length)?,
        };
        let first = written.to_canonical();
        // ::ffff:192.0.2.0/120 is 192.0.2.0/24.
        let length = length.checked_sub(most - bits_of(first)).ok_or(BadNetwork::Length)?;
        let network = Self { first, length };
        if network.start_of(first) == value_of(first) { Ok(network) } else { Err(BadNetwork::HostBits) }
    }

    pub(super) fn first(&self) -> IpAddr {
        self.first
    }

    pub(super) fn length(&self) -> u8 {
        self.length
    }

    /// Whether an address belongs to it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_of_one_kind = bits_of(address) == bits_of(self.first);
        is_of_one_kind && self.start_of(address) == value_of(self.first)
    }

    /// Whether all addresses of the other belong to it.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.length <= other.length && self.contains(other.first)
    }

    /// The first address of the network of this length that an address is in.
    fn start_of(&self, address: IpAddr) -> u128 {
        let behind = u32::from(bits_of(address).saturating_sub(self.length));
        let value = value_of(address);
        value.checked_shr(behind).and_then(|kept| kept.checked_shl(behind)).unwrap_or(0)
    }
}

/// Digits only: a sign is none of a length.
fn number(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn bits_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn value_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u128::from(four.to_bits()),
        IpAddr::V6(six) => six.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_in_its_networks_and_in_no_other() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.9"),
            ("192.0.2.0/24", "::ffff:192.0.2.9", "::192.0.2.9"),
            ("128.0.0.0/1", "255.0.0.1", "127.0.0.1"),
        ] {
            assert!(contains(network, inside), "{inside} in {network}");
            assert!(!contains(network, outside), "{outside} not in {network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for (text, problem) in [
            ("", BadNetwork::NotNumeric),
            ("example.org", BadNetwork::NotNumeric),
            ("192.0.2", BadNetwork::NotNumeric),
            ("192.0.2.0/", BadNetwork::Length),
            ("192.0.2.0/33", BadNetwork::Length),
            ("192.0.2.0/-1", BadNetwork::Length),
            ("192.0.2.0/+8", BadNetwork::Length),
            ("2001:db8::/129", BadNetwork::Length),
            ("::ffff:192.0.2.0/24", BadNetwork::Length),
            ("192.0.2.1/24", BadNetwork::HostBits),
            ("2001:db8::1/64", BadNetwork::HostBits),
            ("fe80::1%eth0", BadNetwork::NotNumeric),
        ] {
            assert_eq!(Network::parse(text), Err(problem), "{text}");
        }
    }
}
