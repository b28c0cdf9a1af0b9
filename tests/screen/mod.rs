//! What a camera sees on a terminal: the QR code of half blocks, read back by `zbarimg`.
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]

use std::io::Write as _;
use std::process::Command;

/// Pixels of a module's side.
const SCALE: usize = 6;

/// The text of the QR code on a screen.
pub fn read_qr_code(screen: &str) -> String {
    let image = picture(&modules(screen));
    let mut file = tempfile::Builder::new().suffix(".pgm").tempfile().expect("a temporary file");
    file.write_all(&image).expect("write the picture");
    let read = Command::new("zbarimg")
        .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
        .arg(file.path())
        .output();
    let read = read.expect("zbarimg is installed");
    assert!(read.status.success(), "zbarimg sees no QR code: {}", String::from_utf8_lossy(&read.stderr));
    String::from_utf8(read.stdout).expect("text").trim_end_matches('\n').to_owned()
}

/// The dark and light modules of all lines that are coloured for the code.
fn modules(screen: &str) -> Vec<Vec<bool>> {
    let mut rows = Vec::new();
    for line in screen.lines() {
        let Some((_, coloured)) = line.split_once("\u{1b}[30;107m") else { continue };
        let (blocks, _) = coloured.split_once("\u{1b}[0m").expect("the colours end on the line");
        let half = |upper: bool| {
            blocks.chars().map(move |block| match block {
                '█' => true,
                '▀' => upper,
                '▄' => !upper,
                ' ' => false,
                other => panic!("{other:?} in a QR code"),
            })
        };
        rows.push(half(true).collect());
        rows.push(half(false).collect());
    }
    assert!(!rows.is_empty(), "no QR code on the screen: {screen}");
    rows
}

/// A PGM picture, black on white, with nothing around it but what the terminal shows.
fn picture(rows: &[Vec<bool>]) -> Vec<u8> {
    let (width, height) = (rows.iter().map(Vec::len).max().unwrap_or(0), rows.len());
    let mut image = format!("P5 {} {} 255\n", width * SCALE, height * SCALE).into_bytes();
    for row in rows {
        let line: Vec<u8> =
            row.iter().flat_map(|dark| std::iter::repeat_n(if *dark { 0 } else { 255 }, SCALE)).collect();
        for _ in 0..SCALE {
            image.extend_from_slice(&line);
        }
    }
    image
}
