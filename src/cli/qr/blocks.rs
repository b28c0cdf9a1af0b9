//! QR codes of half blocks: two modules a character, one above the other.

use zeroize::Zeroizing;

use super::{AS_BEFORE, Code, DARK_ON_LIGHT};

pub(super) fn drawn(code: &Code, quiet: i32, coloured: bool) -> Zeroizing<String> {
    let side = code.side(quiet);
    // Three bytes a character, and the colours.
    let mut lines = Zeroizing::new(String::with_capacity(side * (side * 3 + 16)));
    for upper in code.places(quiet).step_by(2) {
        if coloured {
            lines.push_str(DARK_ON_LIGHT);
        }
        for column in code.places(quiet) {
            lines.push(match (code.is_dark(column, upper), code.is_dark(column, upper + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        if coloured {
            lines.push_str(AS_BEFORE);
        }
        lines.push('\n');
    }
    lines
}
