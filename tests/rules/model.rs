//! What rules mean, said as plainly as can be: every list is gone through item by item, every address is bits.
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
    pub method: Option<String>,
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

/// What the first rule says that matches.
pub fn say(rules: &[Rule], login: &Login) -> Said {
    for (number, rule) in rules.iter().enumerate() {
        let exempts = rule.then == Some("exempt");
        match matches(rule, login) {
            "yes" => {
                return Said {
                    rule: Some(number),
                    then: rule.then.unwrap_or("ask"),
                    remember: rule.remember.map(seconds),
                    of_caller: rule.whose == Some("caller"),
                };
            }
            "unknown" if !exempts => {
                return Said { rule: Some(number), then: "require", remember: Some(0), of_caller: false };
            }
            _ => {}
        }
    }
    Said { rule: None, then: "ask", remember: None, of_caller: false }
}

/// Whether some rule before the deciding one, or that one, cannot be told.
pub fn is_in_doubt(rules: &[Rule], login: &Login) -> bool {
    rules.iter().any(|rule| matches(rule, login) == "unknown")
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

fn matches(rule: &Rule, login: &Login) -> &'static str {
    let conditions = [
        list(&rule.users, |item| match item.strip_prefix('@') {
            Some(group) => login.is_member(group),
            None => Some(item == login.user),
        }),
        list(&rule.services, |item| Some(item == login.service)),
        if rule.from.is_empty() { "yes" } else { network(&rule.from, login) },
        if rule.ttys.is_empty() { "yes" } else { terminal(&rule.ttys, login) },
        list(&rule.first_factor, |item| {
            Some(login.service == "sshd" && login.method.as_deref() == Some(item))
        }),
        if rule.time.is_empty() { "yes" } else { time(&rule.time, login) },
    ];
    if conditions.contains(&"no") {
        "no"
    } else if conditions.contains(&"unknown") {
        "unknown"
    } else {
        "yes"
    }
}

fn list(items: &[String], is: impl Fn(&str) -> Option<bool>) -> &'static str {
    let exceptions: Vec<&str> = items.iter().filter_map(|item| item.strip_prefix('!')).collect();
    let listed: Vec<&str> = items.iter().map(String::as_str).filter(|item| !item.starts_with('!')).collect();
    if exceptions.iter().any(|item| is(item) == Some(true)) {
        return "no";
    }
    let hit = listed.is_empty() || listed.iter().any(|item| is(item) == Some(true));
    let maybe_hit = listed.iter().any(|item| is(item).is_none());
    let maybe_excepted = exceptions.iter().any(|item| is(item).is_none());
    match (hit, maybe_hit, maybe_excepted) {
        (true, _, false) => "yes",
        (true, _, true) | (false, true, _) => "unknown",
        (false, false, _) => "no",
    }
}

fn network(items: &[String], login: &Login) -> &'static str {
    let Some(host) = &login.host else { return "no" };
    let Some(address) = bits(host.split('%').next().expect("a text")) else { return "unknown" };
    list(items, |item| {
        let (network, length) = item.split_once('/').map_or((item, None), |(network, length)| {
            (network, Some(length.parse::<usize>().expect("a length")))
        });
        let network = bits(network).expect("a network");
        let is_mapped = item.starts_with("::ffff:");
        let length = length.map_or(network.len(), |length| if is_mapped { length - 96 } else { length });
        Some(network.len() == address.len() && network[..length] == address[..length])
    })
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

fn terminal(items: &[String], login: &Login) -> &'static str {
    let Some(tty) = login.tty.as_deref().filter(|tty| !tty.is_empty()) else { return "unknown" };
    let bare = |name: &str| name.replacen("/dev/", "", usize::from(name.starts_with("/dev/")));
    list(items, |item| {
        let item = bare(item);
        Some(match item.find('*') {
            Some(star) => bare(tty).chars().take(star).collect::<String>() == item[..star],
            None => bare(tty) == item,
        })
    })
}

/// The span is gone through minute by minute.
fn time(items: &[String], login: &Login) -> &'static str {
    let Some((weekday, minute)) = login.time else { return "unknown" };
    let now = usize::from(weekday) * 1440 + usize::from(minute);
    let covered = items.iter().any(|item| {
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
    });
    if covered { "yes" } else { "no" }
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
