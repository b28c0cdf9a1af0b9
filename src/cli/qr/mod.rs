//! QR codes, as a terminal or a file can show them.
//!
//! What is drawn holds the secret: it wipes itself, and its room is reserved before it is filled, so that
//! growing leaves no copy behind.

mod ascii;
mod png;
mod svg;

use zeroize::Zeroizing;

pub(super) use super::terminal::Size;
pub(super) use crate::qr::Code;
use crate::qr::blocks::{self, AS_BEFORE, DARK_ON_LIGHT, Ink};
use crate::qr::{LITTLE_QUIET, QUIET};

/// How a terminal can show a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Drawing {
    /// With two columns and a line a module, of ASCII alone; else with a column and half a line.
    pub(super) ascii: bool,
    /// With the colours of a terminal; else for a file.
    pub(super) coloured: bool,
}

impl Code {
    /// As lines that fit a terminal, leaving `below` lines free; else the size of the smallest drawing.
    pub(in crate::cli) fn fitting(
        &self,
        terminal: Size,
        below: usize,
        drawing: Drawing,
    ) -> Result<Zeroizing<String>, Size> {
        let fits = |quiet: &i32| {
            let size = self.size(*quiet, drawing);
            size.columns <= terminal.columns && size.lines + below <= terminal.lines
        };
        let quiet = [QUIET, LITTLE_QUIET].into_iter().find(fits);
        let quiet = quiet.ok_or(self.size(LITTLE_QUIET, drawing))?;
        Ok(if drawing.ascii {
            ascii::drawn(self, quiet, drawing.coloured)
        } else {
            blocks::drawn(self, quiet, if drawing.coloured { Ink::DarkInColours } else { Ink::Dark })
        })
    }

    /// As the bytes of a PNG file.
    pub(in crate::cli) fn to_png(&self) -> Zeroizing<Vec<u8>> {
        png::drawn(self)
    }

    /// As the text of an SVG file.
    pub(in crate::cli) fn to_svg(&self) -> Zeroizing<String> {
        svg::drawn(self)
    }

    /// As an element of a page of HTML.
    pub(super) fn to_svg_element(&self) -> Zeroizing<String> {
        svg::element(self)
    }

    fn size(&self, quiet: i32, drawing: Drawing) -> Size {
        let side = self.side(quiet);
        if drawing.ascii {
            Size { columns: side * 2, lines: side }
        } else {
            Size { columns: side, lines: side.div_ceil(2) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "otpauth://totp/web1:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=web1";

    fn drawn_in(columns: usize, lines: usize, ascii: bool) -> Result<Vec<usize>, Size> {
        let drawing = Drawing { ascii, coloured: false };
        let text = Code::of(URI).unwrap().fitting(Size { columns, lines }, 2, drawing)?;
        Ok(text.lines().map(|line| line.chars().count()).collect())
    }

    #[test]
    fn it_fits_the_terminal_or_says_what_it_takes() {
        for ascii in [false, true] {
            let lines = drawn_in(200, 200, ascii).unwrap();
            assert!(lines.iter().all(|width| *width == lines[0]));
            let small = drawn_in(20, 200, ascii).unwrap_err();
            assert_eq!(drawn_in(small.columns, small.lines + 2, ascii).unwrap()[0], small.columns);
            assert_eq!(drawn_in(small.columns - 1, small.lines + 2, ascii), Err(small));
            assert_eq!(drawn_in(small.columns, small.lines + 1, ascii), Err(small));
        }
        assert!(drawn_in(80, 25, false).is_ok(), "on the usual terminal");
    }

    #[test]
    fn the_longest_uri_of_all_is_a_code() {
        assert!(Code::of(&"x".repeat(2953)).is_some());
        assert!(Code::of(&"x".repeat(2954)).is_none());
    }
}
