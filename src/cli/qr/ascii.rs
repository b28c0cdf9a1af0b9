//! QR codes of ASCII: two characters a module, which together are about as wide as high.

use zeroize::Zeroizing;

use super::{AS_BEFORE, Code, DARK_ON_LIGHT};

/// Dark modules are filled: number signs alone leave gaps that cameras see.
const FILLED: &str = "\u{1b}[40m";
const NOT_FILLED: &str = "\u{1b}[107m";

pub(super) fn drawn(code: &Code, quiet: i32, coloured: bool) -> Zeroizing<String> {
    let side = code.side(quiet);
    // Two bytes a module, the colours of a line, and those that may change with every module.
    let mut lines = Zeroizing::new(String::with_capacity(side * (side * 8 + 24)));
    for line in code.places(quiet) {
        if coloured {
            lines.push_str(DARK_ON_LIGHT);
        }
        let mut was_dark = false;
        for column in code.places(quiet) {
            let is_dark = code.is_dark(column, line);
            if coloured && is_dark != was_dark {
                lines.push_str(if is_dark { FILLED } else { NOT_FILLED });
            }
            lines.push_str(if is_dark { "##" } else { "  " });
            was_dark = is_dark;
        }
        if coloured {
            lines.push_str(AS_BEFORE);
        }
        lines.push('\n');
    }
    lines
}
