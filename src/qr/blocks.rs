//! QR codes of half blocks: two modules a character, one above the other.

use zeroize::Zeroizing;

use super::Code;

/// Black on bright white, so that it scans on dark and light terminals alike.
pub const DARK_ON_LIGHT: &str = "\u{1b}[30;107m";
/// What ends it.
pub const AS_BEFORE: &str = "\u{1b}[0m";

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// The dark modules, in the colours of a terminal.
    DarkInColours,
    /// The dark modules, as on paper.
    Dark,
    /// The light modules, as on a dark screen.
    Light,
}

/// A code as lines.
pub fn drawn(code: &Code, quiet: i32, ink: Ink) -> Zeroizing<String> {
    let side = code.side(quiet);
    // Three bytes a character, and the colours.
    let mut lines = Zeroizing::new(String::with_capacity(side * (side * 3 + 16)));
    let is_drawn = |column, line| code.is_dark(column, line) == (ink != Ink::Light);
    for upper in code.places(quiet).step_by(2) {
        if ink == Ink::DarkInColours {
            lines.push_str(DARK_ON_LIGHT);
        }
        for column in code.places(quiet) {
            lines.push(match (is_drawn(column, upper), is_drawn(column, upper + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        if ink == Ink::DarkInColours {
            lines.push_str(AS_BEFORE);
        }
        lines.push('\n');
    }
    lines
}
