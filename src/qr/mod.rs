//! QR codes: their modules, and how they are drawn with half blocks.
//!
//! What is drawn holds the secret: it wipes itself, and its room is reserved before it is filled, so that
//! growing leaves no copy behind.
#![forbid(unsafe_code)]

pub mod blocks;

use std::ops::Range;

use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

use blocks::Ink;

/// Light modules around a code by ISO 18004; two still scan where four do not fit.
pub const QUIET: i32 = 4;
/// The least.
pub const LITTLE_QUIET: i32 = 2;

/// A QR code.
pub struct Code(QrCode);

impl Code {
    /// The code of a text. `None` where it is too long for one.
    pub fn of(text: &str) -> Option<Self> {
        QrCode::encode_text(text, QrCodeEcc::Low).ok().map(Self)
    }

    /// As text for a dark screen of so many columns, of which nothing else is known. `None` where it is too wide.
    pub fn as_plain_text(&self, columns: usize) -> Option<Zeroizing<String>> {
        let quiet = [QUIET, LITTLE_QUIET].into_iter().find(|quiet| self.side(*quiet) <= columns)?;
        Some(blocks::drawn(self, quiet, Ink::Light))
    }

    /// Modules of a side, with the quiet ones.
    pub fn side(&self, quiet: i32) -> usize {
        usize::try_from(self.0.size() + 2 * quiet).unwrap_or(usize::MAX)
    }

    /// The places of a line or column, with the quiet ones.
    pub fn places(&self, quiet: i32) -> Range<i32> {
        -quiet..self.0.size() + quiet
    }

    /// Whether a module is dark. Those outside of the code are light.
    pub fn is_dark(&self, column: i32, line: i32) -> bool {
        self.0.get_module(column, line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_for_a_dark_screen_is_as_wide_as_it_may_be() {
        let code = Code::of("otpauth://totp/web1:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=web1")
            .unwrap();
        let widths = |columns| {
            let text = code.as_plain_text(columns)?;
            Some(text.lines().map(|line| line.chars().count()).collect::<Vec<_>>())
        };
        let wide = widths(80).unwrap();
        assert!(wide.iter().all(|width| *width == code.side(QUIET)));
        assert_eq!(wide.len(), code.side(QUIET).div_ceil(2));
        assert_eq!(widths(code.side(LITTLE_QUIET)).unwrap()[0], code.side(LITTLE_QUIET));
        assert_eq!(widths(code.side(LITTLE_QUIET) - 1), None);
        assert!(code.as_plain_text(80).unwrap().starts_with("████"), "what is quiet is light");
    }
}
