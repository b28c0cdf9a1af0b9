//! What has to be done with one file to take a change back.

use super::diff::block;

/// What was, and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct Versions<'a> {
    /// What the file was; nothing where it was not there.
    pub before: Option<&'a [u8]>,
    /// What it became.
    pub after: &'a [u8],
}

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it is as it was, or there is nothing of ours in it any more.
    Nothing,
    /// Put back what was.
    PutBack,
    /// Somebody has changed it: it becomes this, which is his but for our lines.
    Write(String),
    /// Somebody has changed it, and our lines in it too: who did that must take them out.
    Refuse,
}

/// What has to be done with a file that is now so.
pub fn step(versions: Versions<'_>, now: Option<&[u8]>) -> Step {
    if now == versions.before {
        return Step::Nothing;
    }
    let Some(now) = now else {
        // It was there, and now nothing is: who removed it has removed our lines too.
        return Step::Nothing;
    };
    if now == versions.after {
        return Step::PutBack;
    }
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let Some(now) = text(now) else { return Step::Refuse };
    let (Some(before), Some(after)) = (versions.before.and_then(text), text(versions.after)) else {
        return Step::Refuse;
    };
    match without_ours(before, after, now) {
        Some(text) => Step::Write(text),
        None if calls_us(now) => Step::Refuse,
        None => Step::Nothing,
    }
}

/// What has to be done with a file that is now so, where it must be as it was whoever has changed it: never
/// [`Step::Write`], and [`Step::Refuse`] where what is in it now is to be kept elsewhere before.
pub fn step_at_any_rate(versions: Versions<'_>, now: Option<&[u8]>) -> Step {
    match now {
        _ if now == versions.before => Step::Nothing,
        Some(now) if now != versions.after => Step::Refuse,
        _ => Step::PutBack,
    }
}

/// The text with the lines that came into it taken out and those that went put back, if they are in it once.
fn without_ours(before: &str, after: &str, now: &str) -> Option<String> {
    let block = block(before, after);
    let lines: Vec<&str> = now.split_inclusive('\n').collect();
    let mut places = lines.windows(block.added.len().max(1)).enumerate();
    let mut found = places.by_ref().filter(|(_, window)| *window == block.added.as_slice());
    let (start, _) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let mut text: String = lines.iter().take(start).chain(&block.removed).copied().collect();
    let behind = lines.get(start + block.added.len()..).unwrap_or_default();
    // It was the last line of the file, and may have had no end.
    if !text.is_empty() && !text.ends_with('\n') && !behind.is_empty() {
        text.push('\n');
    }
    text.extend(behind.iter().copied());
    // A line of ours elsewhere was put there by somebody else.
    (!calls_us(&text) || calls_us(before)).then_some(text)
}

/// Whether a stack calls the module.
fn calls_us(text: &str) -> bool {
    text.lines().any(|line| line.split('#').next().is_some_and(|line| line.contains("pam_countersign")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# sshd\n@include common-auth\naccount x\n";
    const AFTER: &str = "# sshd\n# ours\nauth requisite pam_countersign.so first_factor=publickey\n\
                         auth required pam_countersign.so\naccount x\n";

    fn of(now: Option<&str>) -> Step {
        let versions = Versions { before: Some(BEFORE.as_bytes()), after: AFTER.as_bytes() };
        step(versions, now.map(str::as_bytes))
    }

    #[test]
    fn what_is_still_as_it_was_written_is_put_back() {
        assert_eq!(of(Some(AFTER)), Step::PutBack);
        assert_eq!(of(Some(BEFORE)), Step::Nothing);
        assert_eq!(of(None), Step::Nothing);
        let new = Versions { before: None, after: b"x" };
        assert_eq!(step(new, Some(b"x")), Step::PutBack);
        assert_eq!(step(new, None), Step::Nothing);
    }

    #[test]
    fn of_a_file_that_somebody_changed_only_our_lines_are_taken_out() {
        let changed = AFTER.replace("account x\n", "account x\naccount y\n");
        assert_eq!(of(Some(&changed)), Step::Write(BEFORE.replace("account x\n", "account x\naccount y\n")));
        // He has taken them out himself.
        assert_eq!(of(Some("# sshd\n@include common-auth\n# mine\n")), Step::Nothing);
    }

    #[test]
    fn a_last_line_without_an_end_gets_one_where_something_stands_behind_it() {
        let before = "account x\n@include common-auth";
        let after = "account x\n@include common-auth\n# ours\nauth required pam_countersign.so\n";
        let versions = Versions { before: Some(before.as_bytes()), after: after.as_bytes() };
        let changed = format!("{after}session x\n");
        let expected = Step::Write("account x\n@include common-auth\nsession x\n".to_owned());
        assert_eq!(step(versions, Some(changed.as_bytes())), expected);
        let changed = format!("session x\n{after}");
        assert_eq!(step(versions, Some(changed.as_bytes())), Step::Write(format!("session x\n{before}")));
    }

    #[test]
    fn at_any_rate_all_is_put_back_that_is_not_as_it_was() {
        let of = |now: Option<&str>| {
            let versions = Versions { before: Some(BEFORE.as_bytes()), after: AFTER.as_bytes() };
            step_at_any_rate(versions, now.map(str::as_bytes))
        };
        assert_eq!(of(Some(BEFORE)), Step::Nothing);
        assert_eq!(of(Some(AFTER)), Step::PutBack);
        // Without its file a service is refused to everybody.
        assert_eq!(of(None), Step::PutBack);
        assert_eq!(of(Some("# mine\n")), Step::Refuse);
        assert_eq!(step_at_any_rate(Versions { before: None, after: b"x" }, None), Step::Nothing);
    }

    #[test]
    fn what_is_not_plain_is_left_alone() {
        for now in [
            AFTER.replace("auth required", "auth sufficient"),
            format!("{AFTER}{AFTER}"),
            format!("{AFTER}auth required pam_countersign.so\n"),
        ] {
            assert_eq!(of(Some(&now)), Step::Refuse, "{now}");
        }
        let versions = Versions { before: Some(b"a\n"), after: b"b\n" };
        assert_eq!(step(versions, Some(b"\xff")), Step::Refuse);
        assert_eq!(step(Versions { before: None, after: b"x\n" }, Some(b"x\ny\n")), Step::Refuse);
    }
}
