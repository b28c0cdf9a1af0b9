//! What a guide shows as typed behind a prompt.

/// What is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The code of alice's device at that moment.
    Code,
    /// A code that her device does not show.
    WrongCode,
    /// A password, which nobody sees.
    Password,
    /// Password and code, typed in one.
    Both,
    /// The next of her recovery codes.
    RecoveryCode,
    /// These words.
    Words(String),
}

/// The prompt of a line and what is answered, where it ends in an answer.
pub fn in_line(line: &str) -> Option<(String, Answer)> {
    let (before, last) = line.rsplit_once(' ')?;
    let is_prompt = before.ends_with([':', '?', ']', '>']);
    let answer = answer(last).filter(|_| is_prompt)?;
    Some((format!("{before} "), answer))
}

fn answer(word: &str) -> Option<Answer> {
    let groups: Vec<&str> = word.split('-').collect();
    let is_group = |group: &&str| {
        group.len() == 4 && group.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    match word {
        "000000" => Some(Answer::WrongCode),
        "********" => Some(Answer::Password),
        "********+492039" => Some(Answer::Both),
        "y" | "yes" | "n" | "no" => Some(Answer::Words(word.to_owned())),
        _ if word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit()) => Some(Answer::Code),
        _ if groups.len() == 4 && groups.iter().all(is_group) => Some(Answer::RecoveryCode),
        _ => None,
    }
}

#[test]
fn an_answer_is_told_from_what_is_shown() {
    let prompt = |text: &str| text.to_owned();
    assert_eq!(in_line("Verification code: 492039"), Some((prompt("Verification code: "), Answer::Code)));
    assert_eq!(
        in_line("(alice@web1) Password: ********"),
        Some((prompt("(alice@web1) Password: "), Answer::Password))
    );
    assert_eq!(in_line("go on? [y/N] y"), Some((prompt("go on? [y/N] "), Answer::Words(prompt("y")))));
    assert_eq!(in_line("a code: TEWK-GU9X-KFPB-XDSM").map(|(_, answer)| answer), Some(Answer::RecoveryCode));
    for shown in
        ["alice is enrolled.", "event=accepted drift=0", "12 of 492039", "key for typing in: AEBA GBAF"]
    {
        assert_eq!(in_line(shown), None, "{shown}");
    }
}
