use super::*;

fn read(arguments: &[&str]) -> Result<RawArguments, String> {
    RawArguments::parse(arguments.iter().map(|argument| argument.as_bytes()))
        .map_err(|error| error.to_string())
}

#[test]
fn all_arguments_are_read() {
    let read = read(&["nullok", "debug", "attempts=1", "prompt=Code = ", "first_factor=publickey"]).unwrap();
    assert!(read.nullok && read.debug && read.first_factor);
    assert_eq!(read.attempts, Some(1));
    assert_eq!(read.prompt.as_deref(), Some("Code = "));
    assert_eq!(self::read(&[]), Ok(RawArguments::default()));
}

#[test]
fn an_unknown_argument_is_refused_and_told_what_was_meant() {
    let refused = |argument: &str| read(&[argument]).unwrap_err();
    assert_eq!(refused("nulok"), "unknown argument nulok, did you mean nullok");
    assert_eq!(refused("attempt=3"), "unknown argument attempt=3, did you mean attempts=");
    assert_eq!(refused("Nullok"), "unknown argument Nullok, did you mean nullok");
    assert_eq!(refused("nullok=yes"), "unknown argument nullok=yes, did you mean nullok");
    assert!(refused(&"x".repeat(500)).len() < 100);
}

#[test]
fn a_value_that_cannot_be_is_refused() {
    for argument in ["attempts=0", "attempts=11", "attempts=-1", "attempts=", "attempts=3x"] {
        assert_eq!(read(&[argument]), Err(format!("{argument}: expected a number from 1 to 10")));
    }
    assert!(read(&["prompt="]).is_err());
    assert!(read(&["prompt=a\nb"]).is_err());
    assert!(read(&["first_factor=password"]).is_err());
    assert!(RawArguments::parse([&b"prompt=\xff"[..]]).is_err());
    assert_eq!(read(&["nullok", "nullok"]), Err("nullok is given twice".to_owned()));
    assert_eq!(read(&["attempts=1", "attempts=2"]), Err("attempts is given twice".to_owned()));
}

#[test]
fn what_other_modules_call_the_same_is_the_same() {
    let ours = read(&["prompt=Code: ", "echo", "remember=1h", "try_first_pass", "forward_pass"]).unwrap();
    let theirs = [
        "authtok_prompt=Code: ",
        "echo_verification_code",
        "grace_period=3600",
        "try_first_pass",
        "forward_pass",
    ];
    assert_eq!(read(&theirs).unwrap(), ours);
    assert_eq!(ours.first_pass, Some(FirstPass::Try));
    let needless = ["noskewadj", "no_increment_hotp", "window=20", "digits=6"];
    assert_eq!(read(&needless), Ok(RawArguments::default()));
    assert!(read(&["digits=six"]).is_err());
    assert_eq!(read(&["echo", "echo-verification-code"]), Err("echo is given twice".to_owned()));
    assert!(read(&["remember=1h", "grace_period=3600"]).is_err());
    assert!(read(&["try_first_pass", "use_first_pass"]).is_err());
}

#[test]
fn what_would_weaken_something_is_refused_with_what_to_do_instead() {
    for argument in [
        "secret=/home/x",
        "user=root",
        "usersfile=/etc/users.oath",
        "allow_readonly",
        "alwaysok",
        "no_strict_owner",
        "allowed_perm=0640",
    ] {
        let refused = read(&["nullok", argument]).unwrap_err();
        let name = argument.split('=').next().unwrap();
        assert!(refused.starts_with(&format!("{name} is not taken here: ")), "{refused}");
    }
}

#[test]
fn a_memory_and_a_path_have_their_bounds() {
    assert_eq!(read(&["remember=30d"]).unwrap().remember, Some(2_592_000));
    for argument in
        ["remember=", "remember=0", "remember=31d", "remember=soon", "conf=", "conf=relative.toml"]
    {
        assert!(read(&[argument]).is_err(), "{argument}");
    }
}
