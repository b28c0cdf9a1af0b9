//! The blocks of a guide that somebody follows.

/// A block.
pub enum Block {
    /// Commands, and what comes of them.
    Console {
        /// The line of the guide at which it begins.
        line: usize,
        /// Its last command is to fail.
        fails: bool,
        steps: Vec<Step>,
    },
    /// Somebody logs in at the console.
    Login { line: usize, fails: bool, shown: Vec<String> },
    /// A file, as it is to be.
    File { path: String, mode: u32, text: String },
    /// What is to change in files.
    Diff { text: String },
    /// `<!-- before: COMMAND -->`: what was there before somebody reads the guide.
    Before { command: String },
    /// `<!-- device: COMMAND -->`: prints the secret of the device that alice has.
    Device { command: String },
}

/// A command.
pub struct Step {
    pub by_root: bool,
    pub command: String,
    /// What it shows, and what is answered.
    pub shown: Vec<String>,
    /// The last one of its block.
    pub is_last: bool,
}

/// All blocks of a text, in order. A block of another kind is for reading.
pub fn all(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(comment) = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) {
            blocks.extend(directive(comment));
        }
        let Some(info) = line.trim_start().strip_prefix("```") else { continue };
        let indent = line.len() - line.trim_start().len();
        let inside: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line.get(indent.min(line.len())..).unwrap_or(line))
            .take_while(|line| !line.starts_with("```"))
            .collect();
        blocks.extend(block(info, number + 1, &inside));
    }
    blocks
}

fn directive(comment: &str) -> Option<Block> {
    match comment.split_once(": ")? {
        ("before", command) => Some(Block::Before { command: command.to_owned() }),
        ("device", command) => Some(Block::Device { command: command.to_owned() }),
        (word, _) => panic!("`{word}` is no directive"),
    }
}

fn block(info: &str, line: usize, inside: &[&str]) -> Option<Block> {
    let text = || inside.iter().flat_map(|line| [line, "\n"]).collect();
    let mut words = info.split_whitespace();
    match (words.next(), words.next()) {
        (Some("console"), word) => {
            assert!(matches!(word, None | Some("fails")), "line {line}: {info}");
            Some(Block::Console { line, fails: word.is_some(), steps: steps(inside, line) })
        }
        (Some("login"), word) => {
            assert!(matches!(word, None | Some("fails")), "line {line}: {info}");
            let shown = inside.iter().map(|line| (*line).to_owned()).collect();
            Some(Block::Login { line, fails: word.is_some(), shown })
        }
        (Some("diff"), None) => Some(Block::Diff { text: text() }),
        (Some(_), Some(path)) => {
            assert!(path.starts_with('/'), "line {line}: {info}");
            let mode = if words.next() == Some("0600") { 0o600 } else { 0o644 };
            Some(Block::File { path: path.to_owned(), mode, text: text() })
        }
        _ => None,
    }
}

fn steps(inside: &[&str], line: usize) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = inside.iter();
    while let Some(text) = lines.next() {
        let command = text.strip_prefix("# ").map(|text| (true, text));
        let command = command.or_else(|| text.strip_prefix("$ ").map(|text| (false, text)));
        match (command, steps.last_mut()) {
            (Some((by_root, first)), _) => {
                let mut command = first.to_owned();
                // A line that goes on.
                while command.ends_with('\\') {
                    command.pop();
                    command.push_str(
                        lines.next().unwrap_or_else(|| panic!("line {line}: it ends")).trim_start(),
                    );
                }
                steps.push(Step { by_root, command, shown: Vec::new(), is_last: false });
            }
            (None, Some(step)) if !text.trim().is_empty() => step.shown.push((*text).to_owned()),
            (None, Some(_)) => {}
            (None, None) => panic!("line {line}: a block begins with a command"),
        }
    }
    if let Some(step) = steps.last_mut() {
        step.is_last = true;
    }
    steps
}
