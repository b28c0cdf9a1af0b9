//! What the file of a service becomes, so that it asks for a code.

use std::fmt;

use super::choices::{Choices, Service};
use super::example;
use crate::doctor::{How, PamFiles, ProofLine, asks_for_code, jump_above, proof_lines};

/// What stands above the lines of ours.
const NOTE: &str = "# by countersign setup; countersign setup --undo takes it out again";

/// Why a file is left alone, and the whole setup with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// libpam cannot read the stack.
    Unreadable(String),
    /// No line, or more than one, brings in the proof of who somebody is.
    NoOnePlace,
    /// The line is of a kind that setup does not rewrite.
    OddLine(usize),
    /// This line counts the lines that it skips, and would lead elsewhere.
    Jump(usize),
    /// The line would go, and with it what it brings in besides.
    BringsMore(usize),
}

impl fmt::Display for Unfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(problem) => write!(out, "libpam cannot read it: {problem}"),
            Self::NoOnePlace => out.write_str(
                "not just one line of it brings in the password, as \"@include common-auth\" does",
            ),
            Self::OddLine(number) => {
                write!(out, "its line {number} does not bring in the password by another file")
            }
            Self::Jump(number) => {
                write!(
                    out,
                    "its line {number} skips a number of lines, and with another line in it too few or too many"
                )
            }
            Self::BringsMore(number) => {
                write!(out, "its line {number} brings in more than the password, which would be lost with it")
            }
        }
    }
}

/// The text of a stack's file with the lines of the example in it. `Ok(None)` where there is nothing to do: there
/// is no such stack, or it asks for a code already.
pub fn guarded(
    files: &PamFiles,
    service: Service,
    stack: &str,
    choices: &Choices,
) -> Result<Option<String>, Unfit> {
    let Some((_, text)) = files.get(stack) else { return Ok(None) };
    if asks_for_code(files, stack) {
        return Ok(None);
    }
    let found = proof_lines(files, stack).map_err(Unfit::Unreadable)?;
    let [ProofLine { number, how, brings_more }] = found.as_slice() else { return Err(Unfit::NoOnePlace) };
    if let Some(number) = jump_above(files, stack, *number) {
        return Err(Unfit::Jump(number));
    }
    let odd = Unfit::OddLine(*number);
    let (before, line, after) = split_at_line(text, *number).ok_or(odd.clone())?;
    if *how == How::Module || line.trim_end().ends_with('\\') {
        return Err(odd);
    }
    let (ours, keeps_password) = example::lines_of(service, choices.ssh);
    if *brings_more && !keeps_password {
        return Err(Unfit::BringsMore(*number));
    }
    let mut edited = before.to_owned();
    if keeps_password {
        edited.push_str(&as_substack(line, *how).ok_or(odd)?);
        edited.push('\n');
    }
    edited.push_str(NOTE);
    edited.push('\n');
    for (place, line) in ours.iter().enumerate() {
        edited.push_str(line);
        // The last line is the one that asks for the code.
        if choices.lets_unenrolled_in && place + 1 == ours.len() {
            edited.push_str(" nullok");
        }
        edited.push('\n');
    }
    edited.push_str(after);
    Ok(Some(edited))
}

/// What is before a line, the line without its end, and what is after it.
fn split_at_line(text: &str, number: usize) -> Option<(&str, &str, &str)> {
    let start: usize = text.split_inclusive('\n').take(number.checked_sub(1)?).map(str::len).sum();
    let (before, rest) = text.split_at_checked(start)?;
    let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
    Some((before, line, after))
}

/// The line with `substack` in place of `include`: what is `sufficient` in an included file ends the whole stack,
/// and a line behind it would never be reached.
fn as_substack(line: &str, how: How) -> Option<String> {
    if how != How::Include {
        return Some(line.to_owned());
    }
    let control = line.split_whitespace().nth(1)?;
    let start = line.find(control).filter(|_| control.eq_ignore_ascii_case("include"))?;
    let (before, rest) = line.split_at_checked(start)?;
    Some(format!("{before}substack{}", rest.get(control.len()..)?))
}

#[cfg(test)]
#[path = "stack_edit_tests.rs"]
mod tests;
