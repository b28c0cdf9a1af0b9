//! `countersign man-pages`: a manual page for each verb, of the same definitions as its help.
//!
//! `make install` runs it. `docs/man/countersign.1` says what the verbs do and have in common.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::args::{Arguments, ManPages};
use super::error::{Error, ExitCode};

/// The verb whose page is written by hand: a service, of section 8.
const OF_ANOTHER_SECTION: &str = "serve";
/// The page of all verbs, whose date is that of each.
const OVERVIEW: &str = include_str!("../../docs/man/countersign.1");
/// How the parts of a help text begin that have sections of their own.
const EXAMPLES: &str = "Examples:\n";
const EXIT_STATUS: &str = "Exit status: ";

/// Writes them into a directory that is there.
pub(super) fn run(options: &ManPages) -> Result<ExitCode, Error> {
    let mut command = Arguments::command();
    command.build();
    for (name, page) in pages(&command)? {
        let path = options.directory.join(format!("{name}.1"));
        std::fs::write(&path, page).map_err(|error| Error::File(path, error))?;
    }
    Ok(ExitCode::Success)
}

/// The names and texts of the pages of all verbs below one.
fn pages(command: &Command) -> Result<Vec<(String, String)>, Error> {
    let mut pages = Vec::new();
    for verb in command.get_subcommands() {
        let name = verb.get_display_name().unwrap_or(verb.get_name());
        if verb.is_hide_set() || verb.get_name() == OF_ANOTHER_SECTION {
            continue;
        }
        pages.push((name.to_owned(), page(name, verb)?));
        pages.extend(self::pages(verb)?);
    }
    Ok(pages)
}

fn page(name: &str, verb: &Command) -> Result<String, Error> {
    let date = OVERVIEW.lines().next().and_then(|line| line.strip_prefix(".Dd ")).unwrap_or_default();
    let man = Man::new(verb.clone()).title(name.to_uppercase()).date(date).manual("General Commands Manual");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if verb.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    // Breaks before and after a space are nothing, and mandoc(1) says so.
    let mut page = String::from_utf8_lossy(&page).replace(".br\n\n.br\n", ".sp\n");
    let after = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
    // A string takes anything.
    let _ = write_after(&mut page, &after);
    Ok(page)
}

/// The text that stands after the options, each part in its section.
fn write_after(page: &mut String, text: &str) -> std::fmt::Result {
    let starts = [EXAMPLES, EXIT_STATUS];
    let notes = text.split("\n\n").filter(|part| !starts.iter().any(|start| part.starts_with(start)));
    let of = |start: &str| text.split("\n\n").find_map(|part| part.strip_prefix(start).map(escaped));
    for (number, note) in notes.enumerate() {
        writeln!(page, "{}\n{}", if number == 0 { ".SH NOTES" } else { ".PP" }, escaped(note))?;
    }
    if let Some(status) = of(EXIT_STATUS) {
        writeln!(page, ".SH \"EXIT STATUS\"\n{status}")?;
    }
    if let Some(examples) = of(EXAMPLES) {
        writeln!(page, ".SH EXAMPLES\n.nf\n{examples}\n.fi")?;
    }
    writeln!(page, ".SH \"SEE ALSO\"\n.BR countersign (1)")
}

/// Text that is no more than text to roff(7).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (place, line) in text.lines().enumerate() {
        if place > 0 {
            escaped.push('\n');
        }
        if line.starts_with(['.', '\'']) {
            escaped.push_str("\\&");
        }
        escaped.push_str(&line.replace('\\', "\\e").replace('-', "\\-"));
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_more_than_text() {
        assert_eq!(escaped("a-b\n.so x\n'y\\z"), "a\\-b\n\\&.so x\n\\&'y\\ez");
    }

    #[test]
    fn each_part_of_a_help_text_has_its_section() {
        let mut page = String::new();
        write_after(&mut page, "Examples:\n  a -b\n\nA note.\n\nExit status: 0 done").unwrap();
        assert_eq!(
            page,
            ".SH NOTES\nA note.\n.SH \"EXIT STATUS\"\n0 done\n.SH EXAMPLES\n.nf\n  a \\-b\n.fi\n\
             .SH \"SEE ALSO\"\n.BR countersign (1)\n"
        );
    }
}
