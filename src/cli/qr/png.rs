//! QR codes as PNG (RFC 2083): black and white, one bit a pixel, not compressed.
//!
//! Written here because it is little: a library would compress, and keep copies of the secret that nobody wipes.

use zeroize::Zeroizing;

use super::{Code, QUIET};

/// Pixels of a module's side.
const SCALE: usize = 8;
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// One bit a pixel, of grey.
const ONE_BIT_GREY: &[u8] = &[1, 0, 0, 0, 0];
/// The header of a stream of zlib (RFC 1950 §2.2) of blocks that are not compressed.
const ZLIB: &[u8] = &[0x78, 0x01];
/// The longest block that is not compressed (RFC 1951 §3.2.4).
const LONGEST_BLOCK: usize = 65_535;

pub(super) fn drawn(code: &Code) -> Zeroizing<Vec<u8>> {
    let side = code.side(QUIET) * SCALE;
    let pixels = pixels(code);
    let packed = packed(&pixels);
    let width = u32::try_from(side).unwrap_or(0).to_be_bytes();
    let mut file = Zeroizing::new(Vec::with_capacity(packed.len() + 128));
    file.extend_from_slice(SIGNATURE);
    put_chunk(&mut file, *b"IHDR", &[&width, &width, ONE_BIT_GREY].concat());
    put_chunk(&mut file, *b"IDAT", &packed);
    put_chunk(&mut file, *b"IEND", &[]);
    file
}

/// The lines of the picture, each with the filter "none" in front. With eight pixels a module, a module is one
/// byte of a line.
fn pixels(code: &Code) -> Zeroizing<Vec<u8>> {
    let side = code.side(QUIET);
    let mut pixels = Zeroizing::new(Vec::with_capacity(side * SCALE * (side + 1)));
    for line in code.places(QUIET) {
        for _ in 0..SCALE {
            pixels.push(0);
            pixels.extend(
                code.places(QUIET).map(|column| if code.is_dark(column, line) { 0x00 } else { 0xff }),
            );
        }
    }
    pixels
}

/// As zlib has it, without compressing.
fn packed(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let blocks = bytes.len().div_ceil(LONGEST_BLOCK);
    let mut packed = Zeroizing::new(Vec::with_capacity(bytes.len() + blocks * 5 + 6));
    packed.extend_from_slice(ZLIB);
    for (place, block) in bytes.chunks(LONGEST_BLOCK).enumerate() {
        let length = u16::try_from(block.len()).unwrap_or(0);
        packed.push(u8::from(place + 1 == blocks));
        packed.extend_from_slice(&length.to_le_bytes());
        packed.extend_from_slice(&(!length).to_le_bytes());
        packed.extend_from_slice(block);
    }
    packed.extend_from_slice(&adler32(bytes).to_be_bytes());
    packed
}

fn put_chunk(file: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    file.extend_from_slice(&u32::try_from(content.len()).unwrap_or(0).to_be_bytes());
    file.extend_from_slice(&kind);
    file.extend_from_slice(content);
    file.extend_from_slice(&crc32(&[&kind, content]).to_be_bytes());
}

/// The checksum of a chunk (RFC 2083 §15).
fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = u32::MAX;
    for byte in parts.iter().copied().flatten() {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// The checksum of a stream of zlib (RFC 1950 §8.2).
fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    (high << 16) | low
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogues of checksums.
    #[test]
    fn the_checksums_are_the_known_ones() {
        assert_eq!(crc32(&[b"1234", b"56789"]), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn the_room_for_the_largest_code_is_reserved() {
        let code = Code::of(&"x".repeat(2953)).unwrap();
        let file = drawn(&code);
        assert!(file.len() > 4 * LONGEST_BLOCK && file.len() <= packed(&pixels(&code)).len() + 128);
    }
}
