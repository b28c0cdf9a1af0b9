//! What a person reads at a login: every text can be set in the policy file.
//!
//! A text is whole: nothing is put together from pieces, so that each can be said in any language. What stands in
//! braces is filled in.

use super::args::is_prompt;
use super::place::Place;
use crate::document::{Misfit, Value};

/// The longest text that may be set, in bytes.
const LONGEST: usize = 1024;

/// Declares the texts: what each is for, its key, what may be filled in, and its default.
macro_rules! texts {
    ($($(#[$doc:meta])* $key:ident [$($hole:literal),*] $default:literal)*) => {
        /// All texts of a login.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Texts {
            $($(#[$doc])* pub $key: String,)*
        }

        impl Default for Texts {
            fn default() -> Self {
                Self { $($key: $default.to_owned(),)* }
            }
        }

        impl Texts {
            fn set(&mut self, key: &str, text: &str) {
                match key {
                    $(stringify!($key) => text.clone_into(&mut self.$key),)*
                    _ => {}
                }
            }
        }

        /// The keys, with what may be filled in and the defaults.
        pub const ALL: &[(&str, &[&str], &str)] = &[$((stringify!($key), &[$($hole),*], $default),)*];
    };
}

texts! {
    /// What is asked.
    prompt [] "Verification code: "
    /// What is asked where a password and a code are typed in one (`forward_pass`).
    prompt_for_both [] "Password & verification code: "
    /// What is asked with `forward_pass` where no code is needed.
    prompt_for_password [] "Password: "
    /// A wrong code, and whatever is not to be told apart from one.
    wrong [] "Wrong code."
    /// A code that was used.
    spent [] "This code was already used; wait for the next one."
    /// A recovery code that was used.
    spent_recovery [] "This recovery code was already used."
    /// A code of now, but the clock of this machine was ahead before.
    clock_went_back [] "The clock of this machine went back; use a recovery code now, or ask your administrator."
    /// Too many failures from there.
    wait ["seconds"] "Too many wrong codes; try again in {seconds} s, or use a recovery code."
    /// A hundred failures.
    capped [] "Too many wrong codes; use a recovery code, or ask your administrator."
    /// A recovery code was taken, and enough are left.
    recovery_taken ["left"] "Recovery code accepted; {left} are left."
    /// A recovery code was taken, and few are left.
    recovery_few ["left"] "Recovery code accepted; {left} are left: get new ones soon."
    /// A recovery code was taken, and one is left.
    recovery_one [] "Recovery code accepted; 1 is left: get new ones soon."
    /// The last recovery code was taken.
    recovery_last [] "That was your last recovery code; get new ones now."
    /// Behind a recovery code, where the clock was ahead before.
    brought_back [] "Codes of the app are taken again in a few minutes."
    /// Above the QR code where somebody enrols at a login.
    enroll [] "This login needs a second factor from now on. Scan this with an authenticator app:"
    /// Under the QR code.
    enroll_key ["key"] "Or type this key into it: {key}"
    /// What is asked under that.
    enroll_prompt [] "Code that the app shows: "
    /// The code was not right.
    enroll_wrong [] "That is not the code of this key. Look at the clock of the phone, and try the next code."
    /// Above the recovery codes.
    enroll_done [] "You are enrolled. Keep these recovery codes where the phone is not; each lets you in once:"
    /// What is asked under them, for reading on.
    enroll_go_on_prompt [] "Press Enter once you have kept them: "
    /// Somebody must enrol, and cannot do it here: a prompt, for nothing else may be shown.
    enroll_elsewhere_prompt [] "This login needs a second factor: enrol with `countersign enroll`, or ask your administrator. Press Enter: "
    /// After a login: wrong codes since the one before.
    notice_refused ["count", "since", "from"] "{count} wrong codes since {since}, the last one from {from}."
    /// After a login: one wrong code since the one before.
    notice_refused_one ["since", "from"] "A wrong code at {since}, from {from}."
    /// After a login: few recovery codes are left.
    notice_few_codes ["left"] "Recovery codes left: {left}. Make new ones with `countersign recovery`."
    /// After a login of somebody who is not enrolled: from when on that is needed.
    notice_required ["date", "days"] "From {date} on this login needs a second factor ({days} days left). Enrol with `countersign enroll`."
}

/// `[texts]`: the defaults, and in place of some what is set.
pub(super) fn read(written: Value<'_>) -> Result<Texts, Misfit> {
    let set = written.table()?;
    Place::Texts.check(set)?;
    let mut texts = Texts::default();
    for (key, holes, _) in ALL {
        if let Some(written) = set.get(key) {
            let text = written.text()?;
            problem(key, text, holes).map_or(Ok(()), |problem| Err(written.misfit(problem)))?;
            texts.set(key, text);
        }
    }
    Ok(texts)
}

fn problem(key: &str, text: &str, holes: &[&str]) -> Option<String> {
    if key.contains("prompt") && !is_prompt(text) {
        return Some("a prompt is one line of 1 to 256 bytes".to_owned());
    }
    if text.is_empty() || text.len() > LONGEST {
        return Some(format!("a text has 1 to {LONGEST} bytes"));
    }
    if text.chars().any(|letter| letter.is_control() && letter != '\n') {
        return Some("a text has no control characters but newlines".to_owned());
    }
    let unknown = text.split('{').skip(1).find_map(|rest| {
        let hole = rest.split('}').next().unwrap_or_default();
        (!holes.contains(&hole)).then_some(hole)
    });
    unknown.map(|hole| match holes {
        [] => "nothing is filled in here".to_owned(),
        _ => format!("{{{hole}}} is not filled in here, but {}", in_braces(holes)),
    })
}

fn in_braces(holes: &[&str]) -> String {
    let holes: Vec<String> = holes.iter().map(|hole| format!("{{{hole}}}")).collect();
    holes.join(", ")
}

/// A text with its holes filled in. What is filled in stays as it is.
pub fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let mut parts = text.split('{');
    // What is filled in may be a secret: growing would leave copies of it behind.
    let most = values.iter().map(|(_, value)| value.len()).max().unwrap_or(0);
    let holes = text.matches('{').count();
    let mut whole = String::with_capacity(text.len().saturating_add(most.saturating_mul(holes)));
    whole.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let hole = part.split_once('}');
        let value = hole.and_then(|(hole, _)| values.iter().find(|(name, _)| *name == hole));
        match (hole, value) {
            (Some((_, rest)), Some((_, value))) => whole.extend([*value, rest]),
            _ => whole.extend(["{", part]),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_could_be_set() {
        for (key, holes, default) in ALL {
            assert_eq!(problem(key, default, holes), None, "{key}");
            assert!(holes.iter().all(|hole| default.contains(&format!("{{{hole}}}"))), "{key}");
        }
    }

    #[test]
    fn a_text_that_cannot_be_is_refused() {
        let problem = |text: &str, holes: &[&str]| problem("wrong", text, holes);
        assert!(problem("", &[]).is_some() && problem(&"x".repeat(1025), &[]).is_some());
        assert!(problem("a\u{1b}[2J", &[]).is_some());
        assert_eq!(problem("two\nlines", &[]), None);
        assert!(super::problem("enroll_prompt", "two\nlines", &[]).is_some());
        assert_eq!(problem("{left}", &[]).unwrap(), "nothing is filled in here");
        assert_eq!(problem("{x}", &["left"]).unwrap(), "{x} is not filled in here, but {left}");
        assert!(problem("{left", &["right"]).is_some());
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        assert_eq!(filled("{left} of {made}!", &[("left", "{made}"), ("made", "10")]), "{made} of 10!");
        assert_eq!(filled("{}{a", &[("b", "c")]), "{}{a");
    }
}
