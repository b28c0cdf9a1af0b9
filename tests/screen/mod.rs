//! What a camera sees of a QR code: a terminal drawn cell by cell, or a picture in a file, read back by `zbarimg`.
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(unreachable_pub, reason = "a module of tests, not a crate")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// Pixels of a character's width; it is twice as high.
const WIDTH: usize = 6;
const HEIGHT: usize = 2 * WIDTH;

/// The colours of a terminal where a program asks for none.
#[derive(Clone, Copy, Debug)]
pub enum Theme {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

/// The text of the QR code on a screen.
pub fn read_qr_code(screen: &str) -> String {
    read_qr_code_on(screen, Theme::Dark)
}

/// The text of the QR code on the screen of such a terminal.
pub fn read_qr_code_on(screen: &str, theme: Theme) -> String {
    let mut file = tempfile::Builder::new().suffix(".pgm").tempfile().expect("a temporary file");
    file.write_all(&picture(&cells(screen), theme)).expect("write the picture");
    read_picture(file.path())
}

/// The text of the QR code in a picture.
pub fn read_picture(path: &Path) -> String {
    let read = Command::new("zbarimg")
        .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
        .arg(path)
        .output()
        .expect("zbarimg is installed");
    assert!(read.status.success(), "zbarimg sees no QR code: {}", String::from_utf8_lossy(&read.stderr));
    String::from_utf8(read.stdout).expect("text").trim_end_matches('\n').to_owned()
}

/// The text of the QR code in an SVG file, rendered as a browser or printer does.
pub fn read_svg(path: &Path) -> String {
    let rendered = tempfile::Builder::new().suffix(".png").tempfile().expect("a temporary file");
    let done = Command::new("rsvg-convert").arg("--output").args([rendered.path(), path]).status();
    assert!(done.expect("rsvg-convert is installed").success());
    read_picture(rendered.path())
}

/// A character on the screen, and the colours that a program asked for.
#[derive(Clone, Copy)]
struct Cell {
    letter: char,
    ink: Option<u8>,
    paper: Option<u8>,
}

/// The cells of all lines.
fn cells(screen: &str) -> Vec<Vec<Cell>> {
    let mut lines = vec![Vec::new()];
    let (mut ink, mut paper) = (None, None);
    let mut rest = screen;
    while let Some(letter) = rest.chars().next() {
        rest = rest.strip_prefix(letter).expect("its first letter");
        match letter {
            '\n' => lines.push(Vec::new()),
            '\r' => {}
            '\u{1b}' => {
                let sequence = rest.strip_prefix('[').expect("a control sequence");
                let end = sequence.find(|end: char| end.is_ascii_alphabetic()).expect("its end");
                let (parameters, after) = sequence.split_at(end);
                if after.starts_with('m') {
                    for parameter in parameters.split(';') {
                        match parameter {
                            "0" => (ink, paper) = (None, None),
                            "30" => ink = Some(0),
                            "40" => paper = Some(0),
                            "107" => paper = Some(255),
                            other => panic!("colour {other}"),
                        }
                    }
                }
                rest = after.get(1..).expect("what follows");
            }
            _ => lines.last_mut().expect("a line").push(Cell { letter, ink, paper }),
        }
    }
    lines
}

/// A PGM picture of the whole screen.
fn picture(lines: &[Vec<Cell>], theme: Theme) -> Vec<u8> {
    let (light, dark) = (255, 0);
    let (ink, paper) = match theme {
        Theme::Dark => (light, dark),
        Theme::Light => (dark, light),
    };
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let mut image = String::new();
    writeln!(image, "P5 {} {} 255", columns * WIDTH, lines.len() * HEIGHT).expect("a header");
    let mut image = image.into_bytes();
    for line in lines {
        for y in 0..HEIGHT {
            for column in 0..columns {
                let blank = Cell { letter: ' ', ink: None, paper: None };
                let cell = line.get(column).copied().unwrap_or(blank);
                let (ink, paper) = (cell.ink.unwrap_or(ink), cell.paper.unwrap_or(paper));
                image.extend((0..WIDTH).map(|x| if is_inked(cell.letter, x, y) { ink } else { paper }));
            }
        }
    }
    image
}

/// Whether a pixel belongs to a letter.
fn is_inked(letter: char, x: usize, y: usize) -> bool {
    match letter {
        ' ' => false,
        '█' => true,
        '▀' => y < HEIGHT / 2,
        '▄' => y >= HEIGHT / 2,
        '#' => x % 3 == 1 || y % 4 == 2,
        _ => (1..WIDTH - 1).contains(&x) && (2..HEIGHT - 2).contains(&y) && (x + y).is_multiple_of(2),
    }
}
