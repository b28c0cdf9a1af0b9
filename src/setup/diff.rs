//! A change as patch(1) reads it. What setup changes of a file is one block of lines, so one hunk holds it.

use std::fmt::Write as _;

/// Lines shown around a change.
const AROUND: usize = 3;

/// The lines of a text that are replaced, and by which.
#[derive(Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// How many lines stand before it.
    pub start: usize,
    /// The lines that go.
    pub removed: Vec<&'a str>,
    /// The lines that come.
    pub added: Vec<&'a str>,
}

/// The smallest block of lines that makes one text of the other.
pub fn block<'a>(before: &'a str, after: &'a str) -> Block<'a> {
    let (old, new): (Vec<_>, Vec<_>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let start = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let (old, new) = (old.get(start..).unwrap_or_default(), new.get(start..).unwrap_or_default());
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(one, other)| one == other).count();
    let of = |lines: &[&'a str]| lines.iter().take(lines.len().saturating_sub(end)).copied().collect();
    Block { start, removed: of(old), added: of(new) }
}

/// The change as a unified diff; a file that is not there yet has no text.
pub fn unified(path: &str, before: Option<&str>, after: &str) -> String {
    let (text, from) = (before.unwrap_or_default(), if before.is_some() { path } else { "/dev/null" });
    let Block { start, removed, added } = block(text, after);
    let old: Vec<&str> = text.split_inclusive('\n').collect();
    let first = start.saturating_sub(AROUND);
    let behind = start + removed.len();
    let above = old.get(first..start).unwrap_or_default();
    let below: Vec<&str> = old.iter().skip(behind).take(AROUND).copied().collect();
    let around = above.len() + below.len();
    let mut shown = format!("--- {from}\n+++ {path}\n");
    let (old_count, new_count) = (around + removed.len(), around + added.len());
    let place = |count: usize| if count == 0 { first } else { first + 1 };
    // A string takes anything.
    let _ = writeln!(shown, "@@ -{},{old_count} +{},{new_count} @@", place(old_count), place(new_count));
    let signed = [(' ', above), ('-', &removed), ('+', &added), (' ', &below)];
    for (sign, lines) in signed {
        for line in lines {
            shown.push(sign);
            shown.push_str(line);
            if !line.ends_with('\n') {
                shown.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_one_hunk_with_three_lines_around() {
        assert_eq!(
            unified("/x", Some("1\n2\n3\n4\n5\n6\n7\n8\n9\n"), "1\n2\n3\n4\nnew\n6\n7\n8\n9\n"),
            "--- /x\n+++ /x\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+new\n 6\n 7\n 8\n"
        );
        assert_eq!(unified("/x", None, "a\nb\n"), "--- /dev/null\n+++ /x\n@@ -0,0 +1,2 @@\n+a\n+b\n");
        assert_eq!(
            unified("/x", Some("a"), "a\nb\n"),
            "--- /x\n+++ /x\n@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n"
        );
    }

    #[test]
    fn a_block_is_the_smallest() {
        let found = block("a\nb\nc\n", "a\nb\nnew\nb\nc\n");
        assert_eq!(found, Block { start: 2, removed: vec![], added: vec!["new\n", "b\n"] });
        assert_eq!(block("a\n", "a\n"), Block { start: 1, removed: vec![], added: vec![] });
    }
}
