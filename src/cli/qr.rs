//! QR codes of half blocks: two modules a character, one above the other.

use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

use super::terminal::Size;

/// Light modules around the code: four by ISO 18004; two still scan where four do not fit.
const QUIET_ZONES: [i32; 2] = [4, 2];
/// Black on bright white, so that it scans on dark and light terminals alike.
const DARK_ON_LIGHT: &str = "\u{1b}[30;107m";
const AS_BEFORE: &str = "\u{1b}[0m";

/// A QR code of `text` as lines that fit a terminal, leaving `below` lines free. `None`
/// where it does not fit or the text is too long for a QR code.
pub(super) fn fitting(text: &str, terminal: Size, below: usize, coloured: bool) -> Option<Zeroizing<String>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let fits = |quiet: &i32| {
        let side = usize::try_from(code.size() + 2 * quiet).unwrap_or(usize::MAX);
        side <= terminal.columns && side.div_ceil(2) + below <= terminal.lines
    };
    QUIET_ZONES.into_iter().find(fits).map(|quiet| drawn(&code, quiet, coloured))
}

fn drawn(code: &QrCode, quiet: i32, coloured: bool) -> Zeroizing<String> {
    let range = -quiet..code.size() + quiet;
    let side = usize::try_from(range.end - range.start).unwrap_or(0);
    // Room for three bytes a character and the colours, so that growing leaves no copy behind.
    let mut lines = Zeroizing::new(String::with_capacity(side * (side * 3 + 16)));
    for upper in range.clone().step_by(2) {
        if coloured {
            lines.push_str(DARK_ON_LIGHT);
        }
        for column in range.clone() {
            // Modules outside of the code are light.
            let halves = (code.get_module(column, upper), code.get_module(column, upper + 1));
            lines.push(match halves {
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

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "otpauth://totp/web1:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=web1";

    fn drawn_in(columns: usize, lines: usize) -> Option<Vec<usize>> {
        let text = fitting(URI, Size { columns, lines }, 2, false)?;
        Some(text.lines().map(|line| line.chars().count()).collect())
    }

    #[test]
    fn it_fits_the_terminal_or_is_not_drawn() {
        let lines = drawn_in(80, 25).unwrap();
        assert!(lines.iter().all(|width| *width == lines[0]));
        assert!(lines[0] <= 45 && lines.len() <= 23, "{lines:?}");
        assert!(drawn_in(lines[0] - 4, 25).is_some(), "with the small quiet zone");
        assert!(drawn_in(20, 25).is_none());
        assert!(drawn_in(80, 10).is_none());
    }
}
