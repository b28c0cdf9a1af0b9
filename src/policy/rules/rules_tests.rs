use super::*;

fn name(text: &str) -> UserName {
    UserName::new(text.as_bytes()).unwrap()
}

/// Knows the groups staff, of alice, and admins, of nobody; all others cannot be told.
struct Known;

impl Surroundings for Known {
    fn is_member(&self, user: &User, group: &UserName) -> Option<bool> {
        match group.as_str() {
            "staff" => Some(user.name == name("alice")),
            "admins" => Some(false),
            _ => None,
        }
    }

    fn local_time(&self) -> Option<LocalTime> {
        None
    }
}

fn person(text: &str) -> Person {
    text.strip_prefix('@').map_or_else(|| Person::User(name(text)), |group| Person::Group(name(group)))
}

fn listed<T>(items: &[&str], make: impl Fn(&str) -> T) -> Listed<T> {
    let mut list = Listed::default();
    for item in items {
        match item.strip_prefix('!') {
            Some(item) => list.none_of.push(make(item)),
            None => list.any_of.push(make(item)),
        }
    }
    list
}

fn users(items: &[&str]) -> Rule {
    Rule { users: listed(items, person), ..Rule::default() }
}

fn from(items: &[&str]) -> Rule {
    Rule { from: listed(items, |text| Network::parse(text).unwrap()), ..Rule::default() }
}

fn ttys(items: &[&str]) -> Rule {
    Rule { ttys: listed(items, |text| Terminal::new(text).unwrap()), ..Rule::default() }
}

fn services(items: &[&str]) -> Rule {
    Rule { services: listed(items, str::to_owned), ..Rule::default() }
}

fn facts(host: Option<&str>) -> Facts {
    Facts {
        service: "sshd".to_owned(),
        rhost: host.map(str::to_owned),
        tty: Some("ssh".to_owned()),
        ..Facts::default()
    }
}

fn with<T>(user: &str, facts: &Facts, ask: impl FnOnce(&Circumstances<'_>) -> T) -> T {
    let user = User { name: name(user), uid: Some(1000) };
    ask(&Circumstances { user: &user, facts, surroundings: &Known })
}

fn fit(rule: &Rule, user: &str, facts: &Facts) -> Fit {
    with(user, facts, |circumstances| rule.fit(circumstances))
}

#[test]
fn users_match_by_name_or_group_less_the_exceptions() {
    let here = facts(None);
    for (list, user, fits) in [
        (&["alice"][..], "alice", Fit::Yes),
        (&["alice"], "bob", Fit::No("users")),
        (&["@staff"], "alice", Fit::Yes),
        (&["@staff"], "bob", Fit::No("users")),
        (&["@staff", "!alice"], "alice", Fit::No("users")),
        (&["@staff", "!@admins"], "alice", Fit::Yes),
        (&["!bob"], "alice", Fit::Yes),
        (&["!bob"], "bob", Fit::No("users")),
        (&["@gone"], "alice", Fit::Unknown("users")),
        (&["@gone", "alice"], "alice", Fit::Yes),
        (&["alice", "!@gone"], "alice", Fit::Unknown("users")),
        (&["alice", "!@gone"], "bob", Fit::No("users")),
        (&[], "anybody", Fit::Yes),
    ] {
        assert_eq!(fit(&users(list), user, &here), fits, "{list:?} {user}");
    }
}

#[test]
fn a_network_is_told_by_a_numeric_address_alone() {
    let lan = from(&["192.0.2.0/24", "!192.0.2.66"]);
    let not_lan = from(&["!192.0.2.0/24"]);
    for (host, in_lan, outside) in [
        (Some("192.0.2.7"), Fit::Yes, Fit::No("from")),
        (Some("::ffff:192.0.2.7"), Fit::Yes, Fit::No("from")),
        (Some("192.0.2.66"), Fit::No("from"), Fit::No("from")),
        (Some("198.51.100.4"), Fit::No("from"), Fit::Yes),
        (Some("fe80::1%eth0"), Fit::No("from"), Fit::Yes),
        (Some("host.example.org"), Fit::Unknown("from"), Fit::Unknown("from")),
        (Some(""), Fit::Unknown("from"), Fit::Unknown("from")),
        (Some("192.0.2.7%x.example"), Fit::Unknown("from"), Fit::Unknown("from")),
        (None, Fit::No("from"), Fit::No("from")),
    ] {
        assert_eq!(fit(&lan, "alice", &facts(host)), in_lan, "{host:?}");
        assert_eq!(fit(&not_lan, "alice", &facts(host)), outside, "{host:?}");
    }
}

#[test]
fn terminals_and_services_match_by_name() {
    let at = |tty: &str| Facts { tty: Some(tty.to_owned()), ..facts(None) };
    assert_eq!(fit(&ttys(&["/dev/tty*"]), "alice", &at("tty1")), Fit::Yes);
    assert_eq!(fit(&ttys(&["tty1"]), "alice", &at("/dev/tty1")), Fit::Yes);
    assert_eq!(fit(&ttys(&["tty1"]), "alice", &at("/dev/tty11")), Fit::No("ttys"));
    assert_eq!(fit(&ttys(&["!pts/*"]), "alice", &at("/dev/pts/3")), Fit::No("ttys"));
    for terminal in ["console", "/dev/console", "ttyS0", "ttyUSB0", "/dev/hvc0", ":0", "localhost:10.0"] {
        assert_eq!(fit(&ttys(&["!pts/*"]), "alice", &at(terminal)), Fit::Yes, "{terminal}");
    }
    assert_eq!(fit(&services(&["sudo", "su"]), "alice", &facts(None)), Fit::No("services"));
}

#[test]
fn a_placeholder_for_a_terminal_matches_neither_an_item_nor_an_exception() {
    let placeholders =
        ["ssh", "ftp", "cron", "/dev/ftpd4711", "ssh2", "pts/", "pts/x1", "/dev/tty", "a/b:0", ":x", ""];
    let placeholders = placeholders.map(|tty| Some(tty.to_owned()));
    for tty in placeholders.into_iter().chain([None]) {
        let login = Facts { tty: tty.clone(), ..facts(None) };
        for list in [&["pts/*"][..], &["!pts/*"], &["ssh"], &["!ssh"], &["*"]] {
            assert_eq!(fit(&ttys(list), "alice", &login), Fit::Unknown("ttys"), "{tty:?} {list:?}");
        }
        assert_eq!(ruling(&[exempt(ttys(&["!pts/*"]))], "alice", &login), Ruling::WITHOUT_A_RULE, "{tty:?}");
    }
}

fn first_factor(items: &[&str]) -> Rule {
    Rule { first_factor: listed(items, str::to_owned), ..Rule::default() }
}

#[test]
fn methods_match_as_sshd_lists_them() {
    let proven = |info: &str| Facts { ssh_auth_info: Some(info.to_owned()), ..facts(None) };
    let key = first_factor(&["publickey"]);
    assert_eq!(fit(&key, "alice", &proven("publickey ssh-ed25519 AAAA\n")), Fit::Yes);
    assert_eq!(fit(&key, "alice", &proven("password\npublickey ssh-ed25519 AAAA\n")), Fit::Yes);
    assert_eq!(fit(&key, "alice", &proven("password\n")), Fit::No("first_factor"));
    let no_password = first_factor(&["!password"]);
    assert_eq!(fit(&no_password, "alice", &proven("publickey ssh-ed25519 AAAA\n")), Fit::Yes);
    assert_eq!(fit(&no_password, "alice", &proven("password\n")), Fit::No("first_factor"));
}

#[test]
fn a_first_factor_that_sshd_has_not_told_matches_neither_an_item_nor_an_exception() {
    let su = Facts { service: "su".to_owned(), ..facts(None) };
    let lying_su = Facts { ssh_auth_info: Some("publickey ssh-ed25519 AAAA\n".to_owned()), ..su.clone() };
    let keyboard_interactive = facts(None);
    let nothing_told = Facts { ssh_auth_info: Some("\n".to_owned()), ..facts(None) };
    for login in [su, lying_su, keyboard_interactive, nothing_told] {
        for list in [&["password"][..], &["!password"], &["publickey", "!password"]] {
            let rule = first_factor(list);
            assert_eq!(fit(&rule, "alice", &login), Fit::Unknown("first_factor"), "{login:?} {list:?}");
            assert_eq!(
                ruling(&[exempt(rule)], "alice", &login),
                Ruling::WITHOUT_A_RULE,
                "{login:?} {list:?}"
            );
        }
    }
}

#[test]
fn a_login_without_a_service_name_is_of_an_unknown_service() {
    let login = Facts { service: String::new(), ..facts(None) };
    for list in [&["su"][..], &["!su"]] {
        assert_eq!(fit(&services(list), "alice", &login), Fit::Unknown("services"), "{list:?}");
    }
}

fn exempt(rule: Rule) -> Rule {
    Rule { then: Then::Exempt, ..rule }
}

fn ruling(rules: &[Rule], user: &str, facts: &Facts) -> Ruling {
    with(user, facts, |circumstances| rule_on(rules, circumstances))
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = [
        Rule { then: Then::Require, ..users(&["@staff"]) },
        Rule { then: Then::Exempt, ..from(&["192.0.2.0/24"]) },
        Rule { remember: Some(Memory::For(60)), whose: Whose::Caller, ..Rule::default() },
    ];
    let lan = facts(Some("192.0.2.7"));
    let by_which = |user: &str, facts: &Facts| {
        let Ruling { rule, then, .. } = ruling(&rules, user, facts);
        (rule, then)
    };
    assert_eq!(by_which("alice", &lan), (Some(0), Then::Require));
    assert_eq!(by_which("bob", &lan), (Some(1), Then::Exempt));
    assert_eq!(by_which("bob", &facts(None)), (Some(2), Then::Ask));
    assert_eq!(ruling(&[], "bob", &lan), Ruling::WITHOUT_A_RULE);
    assert_eq!(ruling(&rules, "bob", &facts(None)).remember, Some(Memory::For(60)));
}

#[test]
fn an_unknown_fact_never_exempts_and_is_taken_at_its_strictest() {
    let all_exempt = exempt(Rule::default());
    let lan = facts(Some("192.0.2.7"));
    for doubtful in [users(&["@gone"]), users(&["!@gone"])] {
        assert_eq!(ruling(&[exempt(doubtful.clone())], "bob", &lan), Ruling::WITHOUT_A_RULE);
        for then in [Then::Ask, Then::Require, Then::Enroll] {
            let remember = Some(Memory::For(60));
            let strict = Rule { then, remember, whose: Whose::Caller, ..doubtful.clone() };
            let ruled = ruling(&[strict, all_exempt.clone()], "bob", &lan);
            assert_eq!(ruled, Ruling::in_doubt(0));
            assert_eq!((ruled.then, ruled.remember), (Then::Require, Some(Memory::Never)));
        }
    }
    let named = facts(Some("host.example.org"));
    assert_eq!(ruling(&[exempt(from(&["!198.51.100.0/24"]))], "bob", &named), Ruling::WITHOUT_A_RULE);
    let by_day = Rule { time: vec![Span::parse("Mon-Fri").unwrap()], ..all_exempt };
    assert_eq!(ruling(&[by_day], "bob", &lan), Ruling::WITHOUT_A_RULE, "nobody knows what time it is");
}

#[test]
fn a_rule_that_can_never_match_is_found() {
    let first_factor = listed(&["publickey"], str::to_owned);
    let hopeless = |rules: &[Rule]| never_matches(rules, rules.len() - 1);
    for (rules, expected) in [
        (vec![Rule::default(), users(&["alice"])], Some(Hopeless::Behind(0))),
        (vec![from(&["192.0.0.0/16"]), from(&["192.0.2.0/24"])], Some(Hopeless::Behind(0))),
        (vec![from(&["192.0.2.0/24"]), from(&["192.0.0.0/16"])], None),
        (vec![users(&["alice", "bob"]), users(&["bob"])], Some(Hopeless::Behind(0))),
        (vec![users(&["!bob"]), users(&["bob"])], None),
        (vec![users(&["!bob"]), users(&["!bob", "!carol"])], Some(Hopeless::Behind(0))),
        (vec![ttys(&["tty*"]), ttys(&["ttyS0"])], Some(Hopeless::Behind(0))),
        (vec![ttys(&["ttyS0"]), ttys(&["tty*"])], None),
        (vec![users(&["alice"]), services(&["sudo"])], None),
        (vec![users(&["alice", "!alice"])], Some(Hopeless::Excepted("users"))),
        (vec![from(&["192.0.2.0/24", "!192.0.0.0/16"])], Some(Hopeless::Excepted("from"))),
        (vec![from(&["192.0.0.0/16", "!192.0.2.0/24"])], None),
        (
            vec![Rule { first_factor: first_factor.clone(), ..services(&["sudo"]) }],
            Some(Hopeless::FirstFactorWithoutSshd),
        ),
        (vec![Rule { first_factor, ..services(&["sudo", "sshd"]) }], None),
    ] {
        assert_eq!(hopeless(&rules), expected, "{rules:?}");
    }
}
