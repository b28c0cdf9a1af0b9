//! The vectors of the importers: the first line of each file says what comes of the rest.
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]

use super::{Found, Unfit};

/// What was found, on one line.
pub(super) fn summary(found: Result<&Found, &Unfit>) -> String {
    match found {
        Ok(Found { device, left }) => {
            let left: Vec<String> = left.iter().map(|left| format!("{left:?}")).collect();
            format!("{device}, ahead {:?}; left: {}", device.ahead, left.join(" "))
        }
        Err(problem) => format!("refused: {problem}"),
    }
}

/// Compares the first line of each file with what `tell` says of the rest; how many files there are.
pub(super) fn each_file_of(directory: &str, tell: impl Fn(&[u8]) -> String) -> usize {
    let path = format!("{}/tests/vectors/{directory}", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let mut wrong = Vec::new();
    for path in &names {
        let file = std::fs::read(path).unwrap();
        let end = file.iter().position(|byte| *byte == b'\n').unwrap();
        let expected = std::str::from_utf8(&file[..end]).unwrap();
        let told = tell(&file[end + 1..]);
        if told != expected {
            wrong.push(format!("{}:\n  says   {expected}\n  became {told}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    names.len()
}
