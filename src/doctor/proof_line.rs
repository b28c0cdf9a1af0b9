//! Where a service's own file brings in the proof of who somebody is: what a line of ours has to stand behind.

use super::guarded::{flattened, is_ours, proves};
use super::stack::{PamFiles, logical_lines, stack_of, words};

/// How a line brings in the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `@include other`, as Debian does.
    WholeFile,
    /// `auth substack other`, as Fedora does: what ends in it ends it alone.
    Substack,
    /// `auth include other`: what ends in it ends the whole stack.
    Include,
    /// A module of its own.
    Module,
}

/// A line of a service's own file that brings in the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofLine {
    /// The number of its first line, from 1.
    pub number: usize,
    /// How it does.
    pub how: How,
    /// Whether it brings in more than that: lines of account, session or password too.
    pub brings_more: bool,
}

/// The lines of the file of a service that bring in a proof of who somebody is; what libpam cannot read is named.
pub fn proof_lines(files: &PamFiles, service: &str) -> Result<Vec<ProofLine>, String> {
    let Some((path, text)) = files.get(service) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (number, line) in logical_lines(text) {
        let words = words(&line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let how = match words.as_slice() {
            [at, ..] if at.eq_ignore_ascii_case("@include") => How::WholeFile,
            [kind, control, ..] if kind.trim_start_matches('-').eq_ignore_ascii_case("auth") => {
                match control.to_ascii_lowercase().as_str() {
                    "include" => How::Include,
                    "substack" => How::Substack,
                    _ => How::Module,
                }
            }
            _ => continue,
        };
        // A line of its own is read as a file that has nothing else.
        let mut alone = files.clone();
        alone.insert(service, path, format!("{line}\n"));
        let stack_of = |facility| stack_of(&alone, service, facility).map_err(|bad| bad.problem);
        if flattened(&stack_of("auth")?).into_iter().any(proves) {
            let mut brings_more = false;
            for facility in ["account", "session", "password"] {
                brings_more |= !stack_of(facility)?.is_empty();
            }
            found.push(ProofLine { number, how, brings_more });
        }
    }
    Ok(found)
}

/// The first line of the file of a service above this one that skips a number of lines (`success=2`): where it leads
/// to would be another line once something is put in.
pub fn jump_above(files: &PamFiles, service: &str, number: usize) -> Option<usize> {
    let (_, text) = files.get(service)?;
    let above = logical_lines(text).into_iter().take_while(|(line, _)| *line < number);
    let jumps = |line: &str| match words(line).as_slice() {
        [kind, control, ..] => {
            let actions = control.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            kind.trim_start_matches('-').eq_ignore_ascii_case("auth")
                && control.starts_with('[')
                && actions.into_iter().any(|action| action.starts_with(|first: char| first.is_ascii_digit()))
        }
        _ => false,
    };
    above.into_iter().find(|(_, line)| jumps(line)).map(|(line, _)| line)
}

/// Whether the stack of a service asks for a code.
pub fn asks_for_code(files: &PamFiles, service: &str) -> bool {
    stack_of(files, service, "auth").is_ok_and(|stack| flattened(&stack).into_iter().any(is_ours))
}
