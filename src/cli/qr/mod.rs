//! QR codes, as a terminal or a file can show them.
//!
//! What is drawn holds the secret: it wipes itself, and its room is reserved before it is filled, so that
//! growing leaves no copy behind.

mod ascii;
mod blocks;
mod png;
mod svg;

use std::ops::Range;

use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

pub(super) use super::terminal::Size;

/// Light modules around a code by ISO 18004; two still scan where four do not fit.
const QUIET: i32 = 4;
const LITTLE_QUIET: i32 = 2;
/// Black on bright white, so that it scans on dark and light terminals alike.
const DARK_ON_LIGHT: &str = "\u{1b}[30;107m";
const AS_BEFORE: &str = "\u{1b}[0m";

/// How a terminal can show a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Drawing {
    /// With two columns and a line a module, of ASCII alone; else with a column and half a line.
    pub(super) ascii: bool,
    /// With the colours of a terminal; else for a file.
    pub(super) coloured: bool,
}

/// A QR code.
pub(super) struct Code(QrCode);

impl Code {
    /// The code of a text. `None` where it is too long for one.
    pub(super) fn of(text: &str) -> Option<Self> {
        QrCode::encode_text(text, QrCodeEcc::Low).ok().map(Self)
    }

    /// As lines that fit a terminal, leaving `below` lines free; else the size of the smallest drawing.
    pub(super) fn fitting(
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
            blocks::drawn(self, quiet, drawing.coloured)
        })
    }

    /// As the bytes of a PNG file.
    pub(super) fn to_png(&self) -> Zeroizing<Vec<u8>> {
        png::drawn(self)
    }

    /// As the text of an SVG file.
    pub(super) fn to_svg(&self) -> Zeroizing<String> {
        svg::drawn(self)
    }

    fn size(&self, quiet: i32, drawing: Drawing) -> Size {
        let side = self.side(quiet);
        if drawing.ascii {
            Size { columns: side * 2, lines: side }
        } else {
            Size { columns: side, lines: side.div_ceil(2) }
        }
    }

    /// Modules of a side, with the quiet ones.
    fn side(&self, quiet: i32) -> usize {
        usize::try_from(self.0.size() + 2 * quiet).unwrap_or(usize::MAX)
    }

    /// The places of a line or column, with the quiet ones.
    fn places(&self, quiet: i32) -> Range<i32> {
        -quiet..self.0.size() + quiet
    }

    /// Whether a module is dark. Those outside of the code are light.
    fn is_dark(&self, column: i32, line: i32) -> bool {
        self.0.get_module(column, line)
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
