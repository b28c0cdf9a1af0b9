//! The files of pam.d(5), read as libpam reads them: what stands in one service's stack, with all that it
//! includes.

use std::collections::BTreeMap;

/// Files by which every service asks for a password: of Debian, and of Fedora.
const EVERYBODYS: [&str; 2] = ["common-auth", "system-auth"];
/// What the profile of the Debian package puts at their end (`packaging/debian/pam-profile`).
const PROFILE: &str = "auth requisite pam_countersign.so nullok";

/// How deep files may include one another, as in libpam.
const DEEPEST: usize = 16;

/// The files of `/etc/pam.d`, and of `/usr/lib/pam.d` where the former has none of the name.
#[derive(Clone, Debug, Default)]
pub struct PamFiles(BTreeMap<String, (String, String)>);

impl PamFiles {
    /// Takes a file: the name of its service, its path, its text.
    pub fn insert(&mut self, name: &str, path: &str, text: String) {
        self.0.insert(name.to_owned(), (path.to_owned(), text));
    }

    /// Puts the module where every service asks for a code, as enabling its profile does, unless it is there.
    pub fn ask_everywhere(&mut self) {
        let Some(name) = EVERYBODYS.into_iter().find(|name| self.0.contains_key(*name)) else { return };
        let Some((_, text)) = self.0.get_mut(name).filter(|(_, text)| !calls_us(text)) else { return };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(PROFILE);
        text.push('\n');
    }

    /// The names of all services.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The path and text of a service's file.
    pub fn get(&self, name: &str) -> Option<(&str, &str)> {
        self.0.get(name).map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// What libpam does with what a module returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// It counts for nothing.
    Ignore,
    /// It counts as success, if nothing failed before.
    Ok,
    /// As `Ok`, and then the stack ends.
    Done,
    /// It counts as a failure.
    Bad,
    /// As `Bad`, and the stack ends.
    Die,
    /// What was before is forgotten.
    Reset,
    /// So many modules are skipped.
    Jump(usize),
}

/// What libpam does in each case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) success: Action,
    pub(super) ignore: Action,
    pub(super) failure: Action,
}

/// A line of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// File and line.
    pub(super) place: String,
    pub(super) control: Control,
    /// As it stands there: a name or a path.
    pub(super) path: String,
    pub(super) arguments: Vec<String>,
}

impl Module {
    /// The name without a directory.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// A part of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Module(Module),
    /// What ends in it ends it alone.
    Substack(Vec<Entry>),
}

/// What libpam could not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadLine {
    pub(super) place: String,
    pub(super) problem: String,
}

/// The stack of a service for one facility, such as `auth`.
pub(super) fn stack_of(files: &PamFiles, service: &str, facility: &str) -> Result<Vec<Entry>, BadLine> {
    read(files, service, facility, 0)
}

fn read(files: &PamFiles, name: &str, facility: &str, depth: usize) -> Result<Vec<Entry>, BadLine> {
    let Some((path, text)) = files.get(name) else { return Ok(Vec::new()) };
    let mut entries = Vec::new();
    for (number, line) in logical_lines(text) {
        let place = format!("{path}:{number}");
        let bad = |problem: String| BadLine { place: place.clone(), problem };
        let words = words(&line);
        let mut words = words.iter().map(String::as_str);
        let (Some(first), Some(second)) = (words.next(), words.next()) else {
            return Err(bad("the line is not whole".to_owned()));
        };
        let included = |other: &str| {
            if depth >= DEEPEST {
                return Err(bad("files include one another without end".to_owned()));
            }
            if files.get(other).is_none() {
                return Err(bad(format!("there is no {other}")));
            }
            read(files, other, facility, depth + 1)
        };
        if first.eq_ignore_ascii_case("@include") {
            entries.extend(included(second)?);
            continue;
        }
        let kind = first.strip_prefix('-').unwrap_or(first).to_ascii_lowercase();
        if !["auth", "account", "session", "password"].contains(&kind.as_str()) {
            return Err(bad(format!("{first} is none of auth, account, session, password")));
        }
        if kind != facility {
            continue;
        }
        let Some(third) = words.next() else { return Err(bad("the line names no module".to_owned())) };
        match second.to_ascii_lowercase().as_str() {
            "include" => entries.extend(included(third)?),
            "substack" => entries.push(Entry::Substack(included(third)?)),
            control => entries.push(Entry::Module(Module {
                control: control_of(control).ok_or_else(|| bad(format!("{second} is no control")))?,
                path: third.to_owned(),
                arguments: words.map(str::to_owned).collect(),
                place: place.clone(),
            })),
        }
    }
    Ok(entries)
}

/// Whether a line that is no comment names the module.
fn calls_us(text: &str) -> bool {
    logical_lines(text).iter().any(|(_, line)| names_us(line))
}

/// Whether a line without its comment names the module, by whatever path.
pub(super) fn names_us(line: &str) -> bool {
    line.contains("pam_countersign")
}

/// Lines without comments, those that end in a backslash joined to the next, with the number of the first.
pub(super) fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        let (line, continues) = match line.trim_end().strip_suffix('\\') {
            Some(line) => (line, true),
            None => (line, false),
        };
        match lines.last_mut() {
            Some((_, last)) if goes_on => {
                last.push(' ');
                last.push_str(line);
            }
            _ => lines.push((number, line.to_owned())),
        }
        goes_on = continues;
    }
    lines.retain(|(_, line)| !line.trim().is_empty());
    lines
}

/// Words between spaces; brackets hold several together, and `\]` is no end.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut inside, mut escaped) = (false, false);
    for letter in line.chars() {
        match letter {
            ']' if escaped => {
                word.pop();
                word.push(letter);
            }
            '[' if !inside && word.is_empty() => {
                inside = true;
                word.push(letter);
            }
            ']' if inside => {
                inside = false;
                word.push(letter);
            }
            space if space.is_whitespace() && !inside => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => word.push(other),
        }
        escaped = letter == '\\';
    }
    if !word.is_empty() {
        words.push(word);
    }
    // The brackets of an argument are not part of it; those of a control tell it from a word.
    let unbracketed = |word: String| match word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.to_owned(),
        None => word,
    };
    words
        .into_iter()
        .enumerate()
        .map(|(place, word)| if place > 2 { unbracketed(word) } else { word })
        .collect()
}

fn control_of(text: &str) -> Option<Control> {
    use Action::{Bad, Die, Done, Ignore, Ok};
    let (success, ignore, failure) = match text {
        "required" => (Ok, Ignore, Bad),
        "requisite" => (Ok, Ignore, Die),
        "sufficient" => (Done, Ignore, Ignore),
        "optional" => (Ok, Ignore, Ignore),
        _ => return bracketed(text.strip_prefix('[')?.strip_suffix(']')?),
    };
    Some(Control { success, ignore, failure })
}

fn bracketed(text: &str) -> Option<Control> {
    let mut actions = BTreeMap::new();
    for pair in text.replace('=', " = ").split_whitespace().collect::<Vec<_>>().chunks(3) {
        let [value, "=", action] = pair else { return None };
        actions.insert((*value).to_owned(), action_of(action)?);
    }
    let default = actions.get("default").copied().unwrap_or(Action::Bad);
    let of = |value: &str| actions.get(value).copied().unwrap_or(default);
    Some(Control { success: of("success"), ignore: of("ignore"), failure: of("auth_err") })
}

fn action_of(text: &str) -> Option<Action> {
    Some(match text {
        "ignore" => Action::Ignore,
        "ok" => Action::Ok,
        "done" => Action::Done,
        "bad" => Action::Bad,
        "die" => Action::Die,
        "reset" => Action::Reset,
        number => Action::Jump(number.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(texts: &[(&str, &str)]) -> PamFiles {
        let mut files = PamFiles::default();
        for (name, text) in texts {
            files.insert(name, &format!("/etc/pam.d/{name}"), (*text).to_owned());
        }
        files
    }

    fn names(entries: &[Entry]) -> Vec<String> {
        let mut found = Vec::new();
        for entry in entries {
            match entry {
                Entry::Module(module) => found.push(format!("{} {}", module.place, module.name())),
                Entry::Substack(inner) => {
                    found.extend(names(inner).into_iter().map(|name| format!("({name})")));
                }
            }
        }
        found
    }

    #[test]
    fn files_are_put_together_as_libpam_does() {
        let files = files(&[
            (
                "sshd",
                "# a comment\n@include common-auth\n-AUTH required \\\n  /lib/x/pam_countersign.so [prompt=a b\\] c]\naccount required pam_unix.so\nauth substack inner\n",
            ),
            (
                "common-auth",
                "auth [success=1 default=ignore] pam_unix.so nullok # and more\nauth requisite pam_deny.so\n",
            ),
            ("inner", "auth include last\n"),
            ("last", "auth optional pam_env.so"),
        ]);
        let stack = stack_of(&files, "sshd", "auth").unwrap();
        assert_eq!(
            names(&stack),
            [
                "/etc/pam.d/common-auth:1 pam_unix.so",
                "/etc/pam.d/common-auth:2 pam_deny.so",
                "/etc/pam.d/sshd:3 pam_countersign.so",
                "(/etc/pam.d/last:1 pam_env.so)",
            ]
        );
        let Entry::Module(ours) = &stack[2] else { panic!("a module") };
        assert_eq!(ours.arguments, ["prompt=a b] c"]);
        let Entry::Module(unix) = &stack[0] else { panic!("a module") };
        let jump = Control { success: Action::Jump(1), ignore: Action::Ignore, failure: Action::Ignore };
        assert_eq!(unix.control, jump);
        assert!(stack_of(&files, "nobody", "auth").unwrap().is_empty());
    }

    #[test]
    fn what_libpam_cannot_read_is_named_with_its_place() {
        for (text, problem) in [
            ("auth requird pam_unix.so", "requird is no control"),
            ("aut required pam_unix.so", "aut is none of auth, account, session, password"),
            ("auth required", "the line names no module"),
            ("auth", "the line is not whole"),
            ("@include nothing", "there is no nothing"),
            ("auth [success=x] pam_unix.so", "[success=x] is no control"),
            ("auth include bad", "files include one another without end"),
        ] {
            let error = stack_of(&files(&[("bad", text)]), "bad", "auth").unwrap_err();
            assert_eq!(error.problem, problem);
            assert_eq!(error.place, "/etc/pam.d/bad:1");
        }
    }
}
