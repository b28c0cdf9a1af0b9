//! QR codes as SVG, for printing at any size.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::{Code, QUIET};

/// The size that it is shown at where nobody says another, in pixels a module.
const SCALE: usize = 8;

/// As a file.
pub(super) fn drawn(code: &Code) -> Zeroizing<String> {
    let mut text = room_for(code);
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    draw_into(&mut text, code);
    text
}

/// As an element of a page.
pub(super) fn element(code: &Code) -> Zeroizing<String> {
    let mut text = room_for(code);
    draw_into(&mut text, code);
    text
}

/// At most half of the modules begin a run of dark ones, and each takes up to 18 bytes.
fn room_for(code: &Code) -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(code.side(QUIET).pow(2) * 9 + 512))
}

fn draw_into(text: &mut String, code: &Code) {
    let side = code.side(QUIET);
    let shown = side * SCALE;
    let _ = write!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{shown}\" height=\"{shown}\" \
         viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\n\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/>\n<path fill=\"#000\" d=\""
    );
    for line in code.places(QUIET) {
        let mut column = -QUIET;
        while column < code.places(QUIET).end {
            let length = (column..code.places(QUIET).end).take_while(|place| code.is_dark(*place, line));
            let length = i32::try_from(length.count()).unwrap_or(0);
            if length > 0 {
                let _ = write!(text, "M{},{}h{length}v1h-{length}z", column + QUIET, line + QUIET);
            }
            column += length.max(1);
        }
    }
    text.push_str("\"/>\n</svg>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_for_the_largest_code_is_reserved() {
        let code = Code::of(&"x".repeat(2953)).unwrap();
        let text = drawn(&code);
        assert!(text.len() < code.side(QUIET).pow(2) * 9 + 512, "{}", text.len());
    }
}
