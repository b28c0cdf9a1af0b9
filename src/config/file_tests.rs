use super::*;
use crate::policy::rules::{Then, Whose};

#[test]
fn users_and_groups_are_told_apart() {
    let name = |text: &str| UserName::new(text.as_bytes()).unwrap();
    let file = PolicyFile::parse("[service]\nverifiers = [\"radiusd\", \"@vpn\"]\n").unwrap();
    assert_eq!(file.service.verifiers, [Person::User(name("radiusd")), Person::Group(name("vpn"))]);
    for empty in ["", "# nothing\n", "[service]\n", "[service]\nverifiers = []\n", "[texts]\n"] {
        assert_eq!(PolicyFile::parse(empty).unwrap(), PolicyFile::default());
    }
}

#[test]
fn an_error_names_its_place_and_what_was_meant() {
    let place = |text: &str| PolicyFile::parse(text).unwrap_err().to_string();
    assert_eq!(
        place("[service]\nverifyers = []\n"),
        "line 2, column 1: unknown key `verifyers` under [service], did you mean `verifiers`"
    );
    assert_eq!(place("attempt = 3\n"), "line 1, column 1: unknown key `attempt`, did you mean `attempts`");
    assert_eq!(place("[rules]\n"), "line 1, column 2: unknown key `rules`, did you mean `rule`");
    assert!(place("[zzzzzzzzz]\n").starts_with("line 1, column 2: unknown key `zzzzzzzzz`, known are "));
    assert!(place("[service]\nverifiers = \"radiusd\"\n").starts_with("line 2, column 13: "));
    assert!(place("[service]\nverifiers = [\"\"]\n").contains("the user name is empty"));
    assert!(place("[service]\nverifiers = [\"@\"]\n").contains("the user name is empty"));
    assert!(place("[service").starts_with("line 1, column 9: "));
    assert!(place("attempts = 3\nattempts = 3\n").starts_with("line 2, column 1: "));
}

#[test]
fn an_unknown_key_is_told_under_which_table_it_stands_and_where_it_belongs() {
    const TOP: &str = "the top, before the first line in brackets";
    for (text, told) in [
        (
            "[service]\nremember = \"15m\"",
            format!("`remember` under [service]: it belongs to {TOP}, or under [[rule]]"),
        ),
        ("[texts]\nattempts = 3", format!("`attempts` under [texts]: it belongs to {TOP}")),
        ("[[rule]]\nattempts = 3", format!("`attempts` under [[rule]]: it belongs to {TOP}")),
        ("[service]\nwrong = \"No.\"", "`wrong` under [service]: it belongs under [texts]".to_owned()),
        ("[texts]\nverifiers = []", "`verifiers` under [texts]: it belongs under [service]".to_owned()),
        ("prompt = \"Code: \"", format!("`prompt` at {TOP}: it belongs under [texts]")),
        ("then = \"exempt\"", format!("`then` at {TOP}: it belongs under [[rule]]")),
        ("[service.texts]", format!("`texts` under [service]: it belongs to {TOP}")),
        // A slip, and under another table than the key that was meant.
        (
            "[service]\nattemps = 3",
            format!("`attemps` under [service], did you mean `attempts`: it belongs to {TOP}"),
        ),
        (
            "[texts]\nuser = [\"bob\"]",
            "`user` under [texts], did you mean `users`: it belongs under [[rule]]".to_owned(),
        ),
    ] {
        let refused = PolicyFile::parse(text).expect_err(text).to_string();
        let (_, reason) = refused.split_once(": unknown key ").unwrap_or_else(|| panic!("{text}: {refused}"));
        assert_eq!(reason, told, "{text}");
    }
}

#[test]
fn everything_that_can_be_written_is_read() {
    let file = PolicyFile::parse(
        r#"
        unenrolled = "enroll"
        required_from = 2027-01-15
        attempts = 5
        echo = true
        remember = "12h"
        tell = "never"
        notices = false

        [texts]
        wrong = "Falsch."
        wait = "Noch {seconds} Sekunden."

        [[rule]]
        name = "office"
        users = ["@staff", "!bob"]
        services = ["sshd"]
        from = ["192.0.2.0/24", "2001:db8::/32"]
        first_factor = ["publickey"]
        time = ["Mon-Fri 08:00-18:00"]
        then = "exempt"

        [[rule]]
        ttys = ["tty*"]
        then = "require"
        remember = "never"

        [[rule]]
        services = ["su"]
        whose = "caller"
        "#,
    )
    .unwrap();
    assert_eq!((file.unenrolled, file.attempts), (Some(Unenrolled::Enroll), Some(5)));
    assert_eq!(file.required_from, Some(1_799_971_200));
    assert_eq!((file.echo, file.tell, file.notices), (Some(true), Some(Tell::Never), Some(false)));
    assert_eq!(file.remember, Some(Memory::For(43_200)));
    assert_eq!((file.texts.wrong.as_str(), file.texts.spent.is_empty()), ("Falsch.", false));
    let [office, console, su] = &file.rules[..] else { panic!("{:?}", file.rules) };
    assert_eq!((office.name.as_deref(), office.then), (Some("office"), Then::Exempt));
    assert_eq!((office.users.any_of.len(), office.users.none_of.len(), office.from.any_of.len()), (1, 1, 2));
    assert_eq!((console.then, console.remember), (Then::Require, Some(Memory::Never)));
    assert_eq!((su.then, su.whose, su.remember), (Then::Ask, Whose::Caller, None));
}

#[test]
fn a_value_that_cannot_be_is_refused_where_it_stands() {
    for (text, place) in [
        ("unenrolled = \"alow\"", "line 1, column 14: unknown word `alow`, did you mean `allow`"),
        ("unenrolled = true", "line 1, column 14: "),
        ("required_from = \"2027-01-15\"", "line 1, column 17: "),
        ("required_from = 2027-01-15T10:00:00Z", "line 1, column 17: a day, such as 2027-01-15"),
        ("required_from = 1960-01-15", "line 1, column 17: a day, such as 2027-01-15"),
        ("attempts = 0", "line 1, column 12: a number from 1 to 10"),
        ("attempts = 11", "line 1, column 12: a number from 1 to 10"),
        ("attempts = \"3\"", "line 1, column 12: "),
        ("echo = \"yes\"", "line 1, column 8: "),
        ("remember = \"soon\"", "line 1, column 12: \"never\", or a time up to \"30d\""),
        ("remember = \"31d\"", "line 1, column 12: "),
        ("remember = 3600", "line 1, column 12: "),
        ("tell = \"sometimes\"", "line 1, column 8: "),
        ("notices = 1", "line 1, column 11: "),
        ("[texts]\nwrong = \"\"", "line 2, column 9: a text has 1 to 1024 bytes"),
        ("[texts]\nwrong = \"{seconds}\"", "line 2, column 9: nothing is filled in here"),
        ("[texts]\nwait = \"{minutes}\"", "line 2, column 8: {minutes} is not filled in here, but {seconds}"),
        ("[texts]\nprompt = \"a\\nb\"", "line 2, column 10: a prompt is one line"),
        (
            "[texts]\nwrnog = \"x\"",
            "line 2, column 1: unknown key `wrnog` under [texts], did you mean `wrong`",
        ),
        (
            "[[rule]]\nuser = [\"bob\"]",
            "line 2, column 1: unknown key `user` under [[rule]], did you mean `users`",
        ),
        ("[[rule]]\nusers = []", "line 2, column 9: a list without anything in it"),
        ("[[rule]]\nusers = [\"!\"]", "line 2, column 10: the user name is empty"),
        ("[[rule]]\nusers = \"bob\"", "line 2, column 9: "),
        ("[[rule]]\nfrom = [\"example.org\"]", "line 2, column 9: a network is numeric"),
        ("[[rule]]\nfrom = [\"192.0.2.1/24\"]", "line 2, column 9: bits are set behind"),
        ("[[rule]]\nttys = [\"*tty\"]", "line 2, column 9: a terminal is such as"),
        ("[[rule]]\nservices = [\"/etc/pam.d/su\"]", "line 2, column 13: a service is named"),
        ("[[rule]]\nfirst_factor = [\"key\"]", "line 2, column 17: a method of sshd"),
        ("[[rule]]\ntime = [\"always\"]", "line 2, column 9: a time is such as"),
        ("[[rule]]\ntime = []", "line 2, column 8: a list without"),
        ("[[rule]]\nthen = \"exept\"", "line 2, column 8: unknown word `exept`, did you mean `exempt`"),
        ("[[rule]]\nwhose = \"me\"", "line 2, column 9: "),
        ("[[rule]]\nname = \"a b\"", "line 2, column 8: a name has"),
        ("[[rule]]\nthen = \"exempt\"\nremember = \"1h\"", "line 1, column 1: who is exempt has no code"),
        ("[rule]\nthen = \"exempt\"", "line 1, column 1: "),
    ] {
        let refused = PolicyFile::parse(text).expect_err(text).to_string();
        assert!(refused.starts_with(place), "{text}: {refused}");
    }
}

#[test]
fn there_are_not_too_many_rules() {
    assert!(PolicyFile::parse(&"[[rule]]\n".repeat(MOST_RULES)).is_ok());
    assert!(PolicyFile::parse(&"[[rule]]\n".repeat(MOST_RULES + 1)).is_err());
}

#[test]
fn the_keys_are_those_that_are_known() {
    let unknown = PolicyFile::parse("zzzzzzzzzz = 1").unwrap_err().to_string();
    let mut listed: Vec<&str> = unknown.split('`').skip(3).step_by(2).collect();
    listed.retain(|key| !["texts", "rule", "service"].contains(key));
    assert_eq!(listed, KEYS);
    let unknown = PolicyFile::parse("[[rule]]\nzzzzzzzzzz = 1").unwrap_err().to_string();
    let listed: Vec<&str> = unknown.split('`').skip(3).step_by(2).collect();
    assert_eq!(listed, rule::KEYS);
}
