//! A list of users, one a line, or CSV (RFC 4180) of user and e-mail address.
//!
//! Line by line, for neither a name nor an address goes on in the next one: a quotation mark that is never closed
//! costs its own line and not those that follow, and however long the list is, one line of it is in memory.

use std::fmt;
use std::io::{self, BufRead, Read as _};

use crate::user::{BadName, UserName};

/// The longest line, in bytes: a name of 255, all quotation marks, and an address take less.
const LONGEST_LINE: usize = 1024;
/// The longest e-mail address by RFC 5321 §4.5.3.1.3, in bytes.
const LONGEST_ADDRESS: usize = 254;
/// What some programs write before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// A first line that names the columns.
const HEADING: [&str; 2] = ["user", "email"];
const BLANK: [char; 2] = [' ', '\t'];

/// A user of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The account.
    pub user: UserName,
    /// Where a page for the user is to be sent, if it says so.
    pub address: Option<String>,
}

/// Why a line names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLine {
    /// It is longer than any that is meant.
    TooLong,
    /// It is not UTF-8.
    NotUtf8,
    /// A quotation mark is not closed, or stands where none may.
    Quotes,
    /// There are more than two columns.
    Columns,
    /// The first column cannot be a name.
    User(BadName),
    /// The second column cannot be an e-mail address.
    Address,
}

impl fmt::Display for BadLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(out, "it is longer than {LONGEST_LINE} bytes"),
            Self::NotUtf8 => out.write_str("it is not UTF-8"),
            Self::Quotes => {
                out.write_str("a quotation mark in it is not closed, or stands inside of a column")
            }
            Self::Columns => out.write_str("it has more columns than user and e-mail address"),
            Self::User(problem) => problem.fmt(out),
            Self::Address => out.write_str("the second column is no e-mail address"),
        }
    }
}

/// A line that is neither blank nor a comment nor the heading.
#[derive(Debug)]
pub struct Line {
    /// Counted from 1.
    pub number: u64,
    /// Whom it names.
    pub entry: Result<Entry, BadLine>,
    /// How many bytes were read with it.
    pub read: u64,
}

/// A list that is read line by line. After an error of what it is read from there is nothing more.
pub struct Roster<Source> {
    source: Source,
    line: Vec<u8>,
    number: u64,
    read: u64,
    may_be_heading: bool,
}

impl<Source: BufRead> Roster<Source> {
    /// The list that this holds.
    pub fn new(source: Source) -> Self {
        Self { source, line: Vec::new(), number: 0, read: 0, may_be_heading: true }
    }

    /// Reads on by one line. Of one that is too long, its beginning and a byte more than is meant.
    fn advance(&mut self) -> io::Result<bool> {
        let most = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX).saturating_add(1);
        self.line.clear();
        let mut read = (&mut self.source).take(most).read_until(b'\n', &mut self.line)?;
        if self.line.len() > LONGEST_LINE && !self.line.ends_with(b"\n") {
            read = read.saturating_add(self.source.skip_until(b'\n')?);
        }
        self.read = self.read.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        self.number = self.number.saturating_add(1);
        Ok(read > 0)
    }

    /// Whom the present line names, if it is no blank one, comment or heading.
    fn entry(&mut self) -> Option<Result<Entry, BadLine>> {
        let mut line = self.line.as_slice();
        if self.number == 1 {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().first().is_none_or(|first| *first == b'#') {
            return None;
        }
        let columns = columns_of(line);
        let is_heading = |columns: &Vec<String>| {
            columns.iter().map(|column| column.to_ascii_lowercase()).eq(HEADING.map(str::to_owned))
        };
        let may_be_heading = std::mem::take(&mut self.may_be_heading);
        if may_be_heading && columns.as_ref().is_ok_and(is_heading) {
            return None;
        }
        Some(columns.and_then(|columns| entry_of(&columns)))
    }
}

impl<Source: BufRead> Iterator for Roster<Source> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
            if let Some(entry) = self.entry() {
                return Some(Ok(Line { number: self.number, entry, read: self.read }));
            }
        }
    }
}

fn entry_of(columns: &[String]) -> Result<Entry, BadLine> {
    let (user, address) = match columns {
        [user] => (user, None),
        [user, address] => (user, Some(address).filter(|address| !address.is_empty())),
        _ => return Err(BadLine::Columns),
    };
    let user = UserName::new(user.as_bytes()).map_err(BadLine::User)?;
    if address.is_some_and(|address| !is_address(address)) {
        return Err(BadLine::Address);
    }
    Ok(Entry { user, address: address.cloned() })
}

/// Whether it looks like one: it is only ever shown, and a column of something else is noticed.
fn is_address(text: &str) -> bool {
    text.len() <= LONGEST_ADDRESS && text.contains('@') && !text.chars().any(char::is_control)
}

fn columns_of(line: &[u8]) -> Result<Vec<String>, BadLine> {
    if line.len() > LONGEST_LINE {
        return Err(BadLine::TooLong);
    }
    let mut rest = std::str::from_utf8(line).map_err(|_| BadLine::NotUtf8)?;
    let mut columns = Vec::new();
    loop {
        let (column, after) = first_column(rest.trim_start_matches(BLANK))?;
        columns.push(column);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(columns),
            None => return Err(BadLine::Quotes),
        }
    }
}

/// The first column, and what follows it.
fn first_column(text: &str) -> Result<(String, &str), BadLine> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        let (column, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let is_plain = !column.contains('"');
        return if is_plain {
            Ok((column.trim_end_matches(BLANK).to_owned(), rest))
        } else {
            Err(BadLine::Quotes)
        };
    };
    let mut column = String::new();
    loop {
        let (part, after) = rest.split_once('"').ok_or(BadLine::Quotes)?;
        column.push_str(part);
        let Some(more) = after.strip_prefix('"') else {
            return Ok((column, after.trim_start_matches(BLANK)));
        };
        // Two stand for one.
        column.push('"');
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the lines say, as `number user address` or `number why not`.
    fn read(text: &[u8]) -> Vec<String> {
        let told = |line: io::Result<Line>| {
            let Line { number, entry, .. } = line.unwrap();
            match entry {
                Ok(Entry { user, address }) => format!("{number} {user} {}", address.unwrap_or_default()),
                Err(problem) => format!("{number} {problem:?}"),
            }
        };
        Roster::new(text).map(told).collect()
    }

    #[test]
    fn names_and_columns_are_read_as_programs_write_them() {
        for text in [
            "alice\nbob\n",
            "\u{feff}alice\r\nbob\r\n",
            "# all\n\nalice\n \t\n# and\nbob",
            "user,email\nalice,\nbob\n",
            "User , EMAIL\r\n\"alice\",\"\"\r\n \"bob\" , \r\n",
        ] {
            let users: Vec<String> = read(text.as_bytes())
                .iter()
                .map(|line| line.replace(|letter: char| !letter.is_alphabetic(), ""))
                .collect();
            assert_eq!(users, ["alice", "bob"], "{text:?}");
        }
        assert_eq!(read(b"alice, a@b.org \n"), ["1 alice a@b.org"]);
        assert_eq!(read(b"\"o\"\"b, c\",\"\"\"a b\"\"@c\"\n"), ["1 o\"b, c \"a b\"@c"]);
        assert_eq!(read(b"user\n"), ["1 user "], "an account may be called so");
        assert_eq!(read(b"alice\nuser,email\n"), ["1 alice ", "2 Address"], "a heading comes first");
    }

    #[test]
    fn a_bad_line_is_one_line() {
        for (bad, why) in [
            (&b"\"alice"[..], "Quotes"),
            (b"al\"ice", "Quotes"),
            (b"\"alice\"x", "Quotes"),
            (b"alice,a@b,c", "Columns"),
            (b",a@b", "User(Empty)"),
            (b"al\0ice", "User(Control)"),
            (b"alice\r", "User(Control)"),
            (b"al\xffice", "NotUtf8"),
            (b"alice,Alice", "Address"),
            (b"alice,a@\x1bb", "Address"),
            (&[b'a'; 300], "User(TooLong)"),
            (&[b'a'; 1025], "TooLong"),
            (&b",".repeat(1_000_000), "TooLong"),
        ] {
            let text = [b"bob\n", bad, b"\ncarol\n"].concat();
            // The carriage return before a newline belongs to it.
            let text = if bad.ends_with(b"\r") { [b"bob\n", bad, b"\r\ncarol\n"].concat() } else { text };
            assert_eq!(read(&text), ["1 bob ", &format!("2 {why}"), "3 carol "]);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_a_program_writes_in_quotation_marks_is_read_as_it_was(
            user in "[^\\p{Cc}]{1,60}",
            address in "[^\\p{Cc}]{0,30}@[^\\p{Cc}]{1,30}",
        ) {
            let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let text = format!("{},{}\r\n", quoted(&user), quoted(&address));
            let lines: Vec<Line> = Roster::new(text.as_bytes()).map(Result::unwrap).collect();
            let entry = Entry { user: UserName::new(user.as_bytes()).unwrap(), address: Some(address) };
            proptest::prop_assert_eq!(lines.into_iter().map(|line| line.entry).collect::<Vec<_>>(), [Ok(entry)]);
        }
    }

    #[test]
    fn all_that_was_read_is_counted() {
        let text = [&b"\xef\xbb\xbfalice\r\n# "[..], &[b'x'; 5000], b"\nbob"].concat();
        let read: Vec<u64> = Roster::new(text.as_slice()).map(|line| line.unwrap().read).collect();
        assert_eq!(read, [10, text.len() as u64]);
    }
}
