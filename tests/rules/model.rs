//! What rules mean by countersign.toml(5), as plainly as possible: each unknown item holds in one world and fails in another,
//! all worlds are gone through, and every address is bits.
#![allow(missing_docs, unreachable_pub, reason = "a module of tests, not a crate")]

use std::fmt::Write as _;

/// A rule, as it is written.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    pub users: Vec<String>,
    pub services: Vec<String>,
    pub from: Vec<String>,
    pub ttys: Vec<String>,
    pub first_factor: Vec<String>,
    pub time: Vec<String>,
    pub then: Option<&'static str>,
    pub remember: Option<&'static str>,
    pub whose: Option<&'static str>,
}

/// A login.
#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    pub groups: Vec<&'static str>,
    pub service: String,
    pub host: Option<String>,
    pub tty: Option<String>,
    pub methods: Option<Vec<&'static str>>,
    pub time: Option<(u8, u16)>,
}

/// What the rules say.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub rule: Option<usize>,
    pub then: &'static str,
    pub remember: Option<u64>,
    pub of_caller: bool,
}

/// Groups that there are.
pub const GROUPS: [&str; 2] = ["staff", "admins"];

impl Login {
    pub fn is_member(&self, group: &str) -> Option<bool> {
        GROUPS.contains(&group).then(|| self.groups.contains(&group))
    }
}

/// The rules as text.
pub fn written(rules: &[Rule]) -> String {
    let mut text = String::new();
    for rule in rules {
        text.push_str("[[rule]]\n");
        for (key, items) in [
            ("users", &rule.users),
            ("services", &rule.services),
            ("from", &rule.from),
            ("ttys", &rule.ttys),
            ("first_factor", &rule.first_factor),
            ("time", &rule.time),
        ] {
            if !items.is_empty() {
                let _ = writeln!(text, "{key} = {items:?}");
            }
        }
        for (key, word) in [("then", rule.then), ("remember", rule.remember), ("whose", rule.whose)] {
            if let Some(word) = word {
                let _ = writeln!(text, "{key} = {word:?}");
            }
        }
    }
    text
}

/// What the first rule says that matches, or that may match and is not about an exemption.
pub fn say(rules: &[Rule], login: &Login) -> Said {
    for (number, rule) in rules.iter().enumerate() {
        let worlds = worlds(rule, login);
        if worlds == [true] {
            return Said {
                rule: Some(number),
                then: rule.then.unwrap_or("ask"),
                remember: rule.remember.map(seconds),
                of_caller: rule.whose == Some("caller"),
            };
        }
        if worlds.contains(&true) && rule.then != Some("exempt") {
            return Said { rule: Some(number), then: "require", remember: Some(0), of_caller: false };
        }
    }
    Said { rule: None, then: "ask", remember: None, of_caller: false }
}

/// Whether it is unknown of some rule whether it matches.
pub fn is_in_doubt(rules: &[Rule], login: &Login) -> bool {
    rules.iter().any(|rule| worlds(rule, login).len() > 1)
}

/// Whether the login lacks a fact that the rule asks about. Of a listed group nobody asks where the user is listed by
/// name, or by a group that is known.
pub fn lacks_a_fact(rule: &Rule, login: &Login) -> bool {
    let host_is_unknown = login.host.as_deref().is_some_and(|host| address(host).is_none());
    let is_listed = |item: &String| match item.strip_prefix('@') {
        Some(group) => login.is_member(group) == Some(true),
        None => *item == login.user,
    };
    let is_settled = rule.users.iter().any(is_listed);
    let group_is_unknown = |item: &String| {
        let group = item.trim_start_matches('!').strip_prefix('@');
        group.is_some_and(|group| login.is_member(group).is_none() && (item.starts_with('!') || !is_settled))
    };
    rule.users.iter().any(group_is_unknown)
        || (!rule.services.is_empty() && login.service.is_empty())
        || (!rule.from.is_empty() && host_is_unknown)
        || (!rule.ttys.is_empty() && terminal(login).is_none())
        || (!rule.first_factor.is_empty() && methods(login).is_none())
        || (!rule.time.is_empty() && login.time.is_none())
}

fn seconds(text: &str) -> u64 {
    match text {
        "never" => 0,
        "90s" => 90,
        "15m" => 900,
        "12h" => 43_200,
        "2d" => 172_800,
        other => panic!("{other}"),
    }
}

/// Whether the rule matches in each world that the known facts allow: one verdict where all worlds agree, else both.
fn worlds(rule: &Rule, login: &Login) -> Vec<bool> {
    let user = |item: &str| match item.strip_prefix('@') {
        Some(group) => login.is_member(group),
        None => Some(item == login.user),
    };
    let service = |item: &str| (!login.service.is_empty()).then(|| item == login.service);
    let from = |item: &str| login.host.as_deref().and_then(address).map(|bits| is_in(&bits, item));
    let tty = |item: &str| terminal(login).map(|name| is_called(&name, item));
    let method = |item: &str| methods(login).map(|methods| methods.iter().any(|method| method == item));
    let mut conditions = vec![
        list(&rule.users, user),
        list(&rule.services, service),
        list(&rule.from, from),
        list(&rule.ttys, tty),
        list(&rule.first_factor, method),
    ];
    if login.host.is_none() && !rule.from.is_empty() {
        conditions.push(vec![false]);
    }
    if !rule.time.is_empty() {
        conditions.push(match login.time {
            Some(time) => vec![covered(&rule.time, time)],
            None => vec![true, false],
        });
    }
    let may_hold = conditions.iter().all(|verdicts| verdicts.contains(&true));
    let may_fail = conditions.iter().any(|verdicts| verdicts.contains(&false));
    [true, false].into_iter().filter(|verdict| if *verdict { may_hold } else { may_fail }).collect()
}

/// The verdicts on a list in all worlds: an item of which it is unknown whether it holds does so in one half of them.
fn list(items: &[String], holds: impl Fn(&str) -> Option<bool>) -> Vec<bool> {
    let known: Vec<Option<bool>> = items.iter().map(|item| holds(item.trim_start_matches('!'))).collect();
    let mut verdicts = Vec::new();
    for world in 0..1_u32 << items.len() {
        let in_world = |place: usize| known[place].unwrap_or(world >> place & 1 == 1);
        let (mut has_items, mut is_listed, mut is_excepted) = (false, false, false);
        for (place, item) in items.iter().enumerate() {
            if item.starts_with('!') {
                is_excepted |= in_world(place);
            } else {
                has_items = true;
                is_listed |= in_world(place);
            }
        }
        let verdict = (is_listed || !has_items) && !is_excepted;
        if !verdicts.contains(&verdict) {
            verdicts.push(verdict);
        }
    }
    verdicts
}

/// The bits of the address of a host: a zone may stand behind a link-local address alone.
fn address(host: &str) -> Option<String> {
    match host.split_once('%') {
        Some((address, zone)) => bits(address)
            .filter(|bits| bits.len() == 128 && bits.starts_with("1111111010") && !zone.contains("example")),
        None => bits(host),
    }
}

fn is_in(address: &str, item: &str) -> bool {
    let (network, length) = item.split_once('/').map_or((item, None), |(network, length)| {
        (network, Some(length.parse::<usize>().expect("a length")))
    });
    let network = bits(network).expect("a network");
    let is_mapped = item.starts_with("::ffff:");
    let length = length.map_or(network.len(), |length| if is_mapped { length - 96 } else { length });
    network.len() == address.len() && network[..length] == address[..length]
}

/// The terminal, where PAM_TTY names one.
fn terminal(login: &Login) -> Option<String> {
    let name = login.tty.as_deref()?.trim_start_matches("/dev/").to_owned();
    let number = |start: &str| name.strip_prefix(start).is_some_and(|rest| rest.parse::<u32>().is_ok());
    (name == "console" || ["tty", "ttyS", "pts/", ":"].into_iter().any(number)).then_some(name)
}

fn is_called(terminal: &str, item: &str) -> bool {
    let item = item.trim_start_matches("/dev/");
    match item.find('*') {
        Some(star) => terminal.chars().take(star).collect::<String>() == item[..star],
        None => terminal == item,
    }
}

/// The methods that sshd has seen completed, where it says so.
fn methods(login: &Login) -> Option<Vec<String>> {
    let told = login.methods.as_ref().filter(|told| login.service == "sshd" && !told.is_empty())?;
    Some(told.iter().map(|method| (*method).to_owned()).collect())
}

/// An address as ones and zeros; one of IPv4 that is mapped into IPv6 as one of IPv4.
fn bits(text: &str) -> Option<String> {
    let of_byte =
        |byte: &u8| (0..8).rev().map(|bit| if byte >> bit & 1 == 1 { '1' } else { '0' }).collect::<Vec<_>>();
    let of_bytes = |bytes: &[u8]| bytes.iter().flat_map(of_byte).collect::<String>();
    if let Ok(four) = text.parse::<std::net::Ipv4Addr>() {
        return Some(of_bytes(&four.octets()));
    }
    let bytes = text.parse::<std::net::Ipv6Addr>().ok()?.octets();
    let mapped = bytes[..10].iter().all(|byte| *byte == 0) && bytes[10..12] == [255, 255];
    Some(of_bytes(if mapped { &bytes[12..] } else { &bytes }))
}

/// The span is gone through minute by minute.
fn covered(items: &[String], (weekday, minute): (u8, u16)) -> bool {
    let now = usize::from(weekday) * 1440 + usize::from(minute);
    items.iter().any(|item| {
        let mut week = [false; 7 * 1440];
        let (days, times) = match (item.contains(':'), item.split_once(' ')) {
            (_, Some((days, times))) => (days, times),
            (true, None) => ("Mon-Sun", item.as_str()),
            (false, None) => (item.as_str(), "00:00-24:00"),
        };
        let (from, to) = times.split_once('-').expect("a time");
        let minutes = |text: &str| {
            text[..2].parse::<usize>().expect("hours") * 60 + text[3..].parse::<usize>().expect("minutes")
        };
        let length = (minutes(to) + 1440 - minutes(from) - 1) % 1440 + 1;
        for day in days_of(days) {
            for place in 0..length {
                week[(day * 1440 + minutes(from) + place) % (7 * 1440)] = true;
            }
        }
        week[now]
    })
}

fn days_of(text: &str) -> Vec<usize> {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let number = |day: &str| DAYS.iter().position(|name| *name == day).expect("a day");
    let of_part = |part: &str| match part.split_once('-') {
        Some((first, last)) => {
            let (first, last) = (number(first), number(last));
            (first..=if last < first { last + 7 } else { last }).map(|day| day % 7).collect()
        }
        None => vec![number(part)],
    };
    text.split(',').flat_map(of_part).collect()
}
