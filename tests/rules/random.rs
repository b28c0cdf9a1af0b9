//! Random rules and logins, of few words, so that they often meet.
#![allow(missing_docs, unreachable_pub, reason = "a module of tests, not a crate")]

use crate::model::{Login, Rule};

/// Numbers that come in the same order each time (splitmix64).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).expect("a bound")).expect("a number")
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn sometimes<'a>(&mut self, of: &[&'a str]) -> Option<&'a str> {
        (self.below(3) == 0).then(|| self.one(of))
    }

    /// Nothing most of the time, otherwise up to three items, some of them exceptions.
    fn list(&mut self, of: &[&str]) -> Vec<String> {
        if self.below(5) < 3 {
            return Vec::new();
        }
        let count = 1 + self.below(3);
        (0..count)
            .map(|_| {
                let item = self.one(of);
                if self.below(4) == 0 { format!("!{item}") } else { item.to_owned() }
            })
            .collect()
    }

    pub fn rules(&mut self) -> Vec<Rule> {
        let count = self.below(5);
        (0..count).map(|_| self.rule()).collect()
    }

    fn rule(&mut self) -> Rule {
        let then = [None, Some("ask"), Some("require"), Some("exempt"), Some("exempt"), Some("enroll")]
            [self.below(6)];
        let times = [
            "Mon-Fri 08:00-18:00",
            "Sat,Sun",
            "22:00-06:00",
            "Fri-Mon 23:30-00:30",
            "Wed",
            "00:00-24:00",
            "Sun 20:00-24:00",
        ];
        Rule {
            users: self.list(&["alice", "bob", "@staff", "@admins", "@gone"]),
            services: self.list(&["sshd", "su", "sudo", "login"]),
            from: self.list(&[
                "192.0.2.0/24",
                "192.0.0.0/16",
                "192.0.2.7",
                "0.0.0.0/0",
                "2001:db8::/32",
                "2001:db8::1",
                "::/0",
                "::ffff:192.0.2.0/120",
                "128.0.0.0/1",
            ]),
            ttys: self.list(&["tty1", "/dev/tty*", "pts/*", "console", "ssh", "*"]),
            first_factor: self.list(&["publickey", "password"]),
            time: self.list(&times).into_iter().map(|item| item.replace('!', "")).collect(),
            then,
            remember: if then == Some("exempt") {
                None
            } else {
                self.sometimes(&["never", "90s", "15m", "12h", "2d"]).map(constant)
            },
            whose: self.sometimes(&["caller", "target"]).map(constant),
        }
    }

    pub fn login(&mut self) -> Login {
        let hosts = [
            "192.0.2.7",
            "192.0.3.1",
            "::ffff:192.0.2.9",
            "2001:db8::1",
            "2001:db9::1",
            "fe80::1%eth0",
            "2001:db8::1%eth0",
            "192.0.2.7%x.example",
            "fe80::1%x.example",
            "203.0.113.9",
            "host.example.org",
            "",
        ];
        let groups: [&[&'static str]; 4] = [&[], &["staff"], &["admins"], &["staff", "admins"]];
        let methods: [&[&'static str]; 5] =
            [&[], &["publickey"], &["password"], &["hostbased"], &["publickey", "password"]];
        let service = self.one(&["sshd", "sshd", "su", "sudo", "login", "login", ""]);
        let ttys: &[&str] = match service {
            "sshd" => &["ssh", ""],
            _ => &["/dev/tty1", "tty11", "/dev/pts/3", ":0", "console", "/dev/tty", "/dev/ftpd4711", ""],
        };
        Login {
            user: self.one(&["alice", "bob", "carol"]).to_owned(),
            groups: groups[self.below(4)].to_vec(),
            service: service.to_owned(),
            host: (self.below(4) > 0).then(|| self.one(&hosts).to_owned()),
            tty: (self.below(4) > 0).then(|| self.one(ttys).to_owned()),
            methods: (self.below(3) > 0).then(|| methods[self.below(methods.len())].to_vec()),
            time: (self.below(8) > 0).then(|| {
                let weekday = u8::try_from(self.below(7)).expect("a day");
                (weekday, u16::try_from(self.below(1440)).expect("a minute"))
            }),
        }
    }
}

/// The words of the model live for ever.
fn constant(word: &str) -> &'static str {
    ["never", "90s", "15m", "12h", "2d", "caller", "target"]
        .into_iter()
        .find(|known| *known == word)
        .expect("a word")
}
