//! The layers: lower modules never import higher ones, and the pure ones touch nothing of the world.
//!
//! It reads `src/` as text, without comments and tests. The same table is in `docs/architecture.md`.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::expect_used, clippy::disallowed_methods, reason = "those rules are for the module")]

use std::fs;
use std::path::{Path, PathBuf};

/// Each module and what it may use of ours.
const TABLE: [(&str, &[&str]); 26] = [
    ("user", &[]),
    ("document", &[]),
    ("otp", &[]),
    ("credential", &["user", "document", "otp"]),
    ("policy", &["user", "otp", "credential"]),
    ("config", &["user", "document", "otp", "policy"]),
    ("verifier", &["user", "otp", "credential", "policy"]),
    ("enrol", &["user", "otp", "credential", "policy", "config"]),
    ("login", &["user", "otp", "credential", "policy", "config", "verifier", "enrol"]),
    ("status", &["credential", "policy", "enrol"]),
    ("notice", &["credential", "policy", "config", "status"]),
    ("qr", &[]),
    ("wire", &["user", "otp", "credential", "policy", "verifier", "enrol", "status"]),
    ("log", &["login"]),
    ("sys", &["user"]),
    ("store", &["user", "credential", "sys"]),
    ("password", &["user", "policy", "sys"]),
    ("import", &["user", "otp", "credential"]),
    ("remote", &["user", "credential", "policy", "verifier", "status", "wire", "sys"]),
    (
        "backend",
        &[
            "user",
            "otp",
            "config",
            "credential",
            "policy",
            "verifier",
            "enrol",
            "login",
            "store",
            "sys",
            "status",
            "qr",
            "remote",
            "wire",
        ],
    ),
    (
        "service",
        &[
            "user",
            "otp",
            "config",
            "credential",
            "policy",
            "verifier",
            "enrol",
            "login",
            "wire",
            "log",
            "sys",
            "password",
            "backend",
        ],
    ),
    ("doctor", &["policy", "config", "login", "status"]),
    ("setup", &["credential", "doctor"]),
    ("backup", &["sys", "setup"]),
    ("pam", &["user", "policy", "config", "login", "notice", "log", "backend", "sys", "verifier"]),
    (
        "cli",
        &[
            "user",
            "otp",
            "credential",
            "policy",
            "config",
            "verifier",
            "enrol",
            "login",
            "notice",
            "qr",
            "sys",
            "status",
            "wire",
            "log",
            "store",
            "password",
            "import",
            "remote",
            "backend",
            "service",
            "doctor",
            "setup",
            "backup",
        ],
    ),
];

/// The modules that only compute.
const PURE: [&str; 17] = [
    "notice",
    "document",
    "qr",
    "user",
    "otp",
    "credential",
    "policy",
    "config",
    "verifier",
    "enrol",
    "login",
    "status",
    "wire",
    "log",
    "import",
    "doctor",
    "setup",
];

/// What the pure modules must not touch.
const WORLD: [&str; 12] = [
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime::now",
    "Instant::now",
    "println!",
    "print!",
    "dbg!",
    "unsafe ",
    "libc::",
];

/// The modules that may hold unsafe code.
const MAY_BE_UNSAFE: [&str; 2] = ["sys", "pam"];

/// One source file.
struct Source {
    path: String,
    module: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let below = path.strip_prefix("src/").unwrap_or(path);
        let first = below.split('/').next().unwrap_or(below);
        let module = first.trim_end_matches(".rs").to_owned();
        Self { path: path.to_owned(), module, text: without_comments_and_tests(text) }
    }
}

fn all_sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of src") {
            let path: PathBuf = entry.expect("an entry").path();
            let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !name.ends_with("_tests.rs") {
                found.push(Source::new(&name, &fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    assert!(found.len() > 40, "only {} sources", found.len());
    found
}

fn without_comments_and_tests(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\n").next().unwrap_or(text);
    code.lines().map(|line| line.split("//").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// The modules of ours that a text names by `crate::`, also in braces: `use crate::{a, b::c}`.
fn used(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for rest in text.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => names.extend(first_names(list)),
            None => names.extend(word(rest)),
        }
    }
    names
}

/// The first word of each entry of a list in braces, to the brace that ends it.
fn first_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut at_start = true;
    for (place, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            letter if at_start && letter.is_alphabetic() => {
                names.extend(list.get(place..).and_then(word));
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// All breaches in one file.
fn breaches(source: &Source) -> Vec<String> {
    let Source { path, module, text } = source;
    if module == "lib" || module == "main" {
        return Vec::new();
    }
    let Some((_, allowed)) = TABLE.iter().find(|(name, _)| name == module) else {
        return vec![format!("{path}: {module} is not in the table")];
    };
    let mut found: Vec<String> = used(text)
        .into_iter()
        .filter(|name| name != module && !allowed.contains(&name.as_str()))
        .map(|name| format!("{path}: {module} must not use {name}"))
        .collect();
    if PURE.contains(&module.as_str()) {
        let touched = WORLD.iter().filter(|word| text.contains(**word));
        found.extend(touched.map(|word| format!("{path}: {module} is pure and must not touch {word}")));
    }
    if !MAY_BE_UNSAFE.contains(&module.as_str()) && text.contains("unsafe ") {
        found.push(format!("{path}: unsafe code belongs into sys or pam"));
    }
    found
}

#[test]
fn the_layers_hold() {
    let found: Vec<String> = all_sources().iter().flat_map(breaches).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_documented_table_is_this_one() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let page = fs::read_to_string(page).expect("docs/architecture.md");
    for (module, allowed) in TABLE {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{module}` |"))).expect("a row");
        let last = row.trim_end_matches([' ', '|']).rsplit('|').next().expect("a column");
        let named: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        let expected = if module == "cli" { &["pam"][..] } else { allowed };
        assert_eq!(named, expected, "{module}");
    }
}

/// Whoever holds an `Accepted` is let in: what makes one is called where it must be and nowhere else.
#[test]
fn nobody_else_makes_an_accepted() {
    let makers: [(&str, &[&str]); 4] = [
        ("by_first_code", &["src/enrol/keeping.rs", "src/policy/decide.rs"]),
        ("by_memory", &["src/policy/decide.rs", "src/policy/remembered.rs"]),
        ("by_word_of_root", &["src/policy/decide.rs", "src/wire/mod.rs", "src/wire/recall.rs"]),
        ("judged_by_root", &["src/remote.rs", "src/wire/mod.rs", "src/wire/recall.rs"]),
    ];
    for (maker, places) in makers {
        let sources = all_sources();
        let named = sources.iter().filter(|source| source.text.contains(maker));
        let mut named: Vec<&str> = named.map(|source| source.path.as_str()).collect();
        named.sort_unstable();
        assert_eq!(named, places, "{maker}");
    }
}

#[test]
fn every_pure_module_forbids_unsafe_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for module in PURE {
        let file = root.join(format!("{module}.rs"));
        let file = if file.exists() { file } else { root.join(module).join("mod.rs") };
        let text = fs::read_to_string(&file).expect("a module");
        assert!(text.contains("\n#![forbid(unsafe_code)]\n"), "{}", file.display());
    }
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    for source in all_sources() {
        let whole =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&source.path)).expect("a source");
        assert!(whole.starts_with("//! "), "{} does not begin with what it is for", source.path);
        let lines = whole.split("\n#[cfg(test)]\n").next().map_or(0, |code| code.lines().count());
        assert!(lines <= 300, "{} has {lines} lines", source.path);
    }
}

/// A test that cannot fail is a defect: plant each kind of breach and see it found.
#[test]
fn a_planted_breach_is_found() {
    let planted = [
        ("src/otp/code.rs", "use crate::user::User;"),
        ("src/otp/code.rs", "fn f() { crate::policy::decide(); }"),
        ("src/policy/decide.rs", "use crate::store::FileStore;"),
        ("src/login.rs", "use crate::{otp::Code, sys::clock};"),
        ("src/store/files.rs", "use crate::policy::decide;"),
        ("src/pam/entry.rs", "use crate::cli::main;"),
        ("src/policy/decide.rs", "let now = std::time::SystemTime::now();"),
        ("src/login.rs", "fn f() { println!(\"x\"); }"),
        ("src/config/file.rs", "std::fs::read(path)"),
        ("src/verifier.rs", "std::env::var(name)"),
        ("src/cli/qr.rs", "unsafe { f() }"),
        ("src/newcomer/mod.rs", "fn f() {}"),
    ];
    for (path, text) in planted {
        assert!(!breaches(&Source::new(path, text)).is_empty(), "not found: {text} in {path}");
    }
}

#[test]
fn what_is_allowed_is_not_taken_for_a_breach() {
    let allowed = [
        ("src/policy/decide.rs", "use crate::credential::{Credential, State};\nuse crate::otp::Code;"),
        ("src/login.rs", "// not std::fs\nuse crate::{otp::{Code, Digits}, verifier::Verifier};"),
        ("src/otp/code.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use crate::user::User; }"),
        ("src/sys/clock.rs", "unsafe { f() }"),
    ];
    for (path, text) in allowed {
        assert_eq!(breaches(&Source::new(path, text)), Vec::<String>::new(), "{text} in {path}");
    }
}
