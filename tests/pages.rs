//! What the pages point to is there: files and headings that they link to, options of the command, arguments of the module,
//! keys of the policy.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "a test stops at what it does not expect")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

struct Page {
    path: PathBuf,
    text: String,
}

/// All pages: those of the top, and everything below `docs`, `pam.d` and `packaging` that is text for people.
fn pages() -> Vec<Page> {
    let mut found = Vec::new();
    let top = fs::read_dir(ROOT).expect("the repository").map(|entry| entry.expect("an entry").path());
    found.extend(top.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    for folder in ["docs", "pam.d", "packaging"] {
        walk(&Path::new(ROOT).join(folder), &mut found);
    }
    let text = |path: &PathBuf| fs::read_to_string(path).ok();
    let pages: Vec<Page> =
        found.into_iter().filter_map(|path| text(&path).map(|text| Page { path, text })).collect();
    assert!(pages.len() > 40, "only {} pages", pages.len());
    pages
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

fn is_markdown(page: &Page) -> bool {
    page.path.extension().is_some_and(|kind| kind == "md")
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for page in pages().iter().filter(|page| is_markdown(page)) {
        for target in links_in(&page.text) {
            links += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            if target.starts_with("https://") {
                continue;
            }
            let folder = page.path.parent().expect("a folder");
            let path = if file.is_empty() { page.path.clone() } else { folder.join(file) };
            assert!(path.exists(), "{}: {target}", page.path.display());
            if !heading.is_empty() {
                let text = fs::read_to_string(&path).expect("a page");
                assert!(headings(&text).any(|found| found == heading), "{}: {target}", page.path.display());
            }
        }
    }
    assert!(links > 40, "only {links} links");
}

/// What stands in parentheses behind brackets, outside of code.
fn links_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// As they are linked to.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    })
}

#[test]
fn every_verb_and_option_is_known() {
    let verbs = verbs();
    let mut seen = 0;
    for page in pages() {
        for words in commands_in(&page.text) {
            let Some(options) = verbs.get(words[0].as_str()) else {
                panic!("{}: `countersign {}` is no verb", page.path.display(), words[0]);
            };
            seen += 1;
            for word in words.iter().filter(|word| word.starts_with("--")) {
                let option = word.split(['=', '[']).next().unwrap_or_default();
                assert!(options.contains(&option.to_owned()), "{}: {words:?}", page.path.display());
            }
        }
    }
    assert!(seen > 100, "only {seen} commands");
}

/// Each verb with its options, those of its own verbs included.
fn verbs() -> BTreeMap<String, Vec<String>> {
    let help = |words: &[&str]| {
        let said = Command::new(env!("CARGO_BIN_EXE_countersign")).args(words).arg("--help").output();
        String::from_utf8(said.expect("the command").stdout).expect("text")
    };
    let names = |text: &str| {
        let (_, list) = text.split_once("Commands:\n")?;
        let (list, _) = list.split_once("\n\n")?;
        let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        Some(names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect::<Vec<_>>())
    };
    let mut verbs = BTreeMap::new();
    for verb in names(&help(&[]))
        .expect("verbs")
        .into_iter()
        .chain(["callers", "enrol", "man-pages", "prove-password", "roll-back"].map(str::to_owned))
    {
        let mut text = help(&[&verb]);
        for below in names(&text).unwrap_or_default() {
            text.push_str(&help(&[&verb, &below]));
        }
        let words = text.split(|letter: char| !(letter.is_alphanumeric() || letter == '-'));
        let mut options: Vec<String> =
            words.filter(|word| word.starts_with("--")).map(str::to_owned).collect();
        options.extend(["--help", "--version"].map(str::to_owned));
        verbs.insert(verb, options);
    }
    verbs.insert("--version".to_owned(), Vec::new());
    verbs.insert("--help".to_owned(), Vec::new());
    verbs
}

/// The words behind `countersign`, where it stands as a command: in a code span or at the start of a line of one.
fn commands_in(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (place, _) in text.match_indices("countersign ") {
        let before = text[..place].chars().next_back();
        let is_command = text[..place].ends_with("sudo ")
            || text[..place].ends_with("\n# ")
            || text[..place].ends_with("\n$ ")
            || before == Some('`');
        let end = text[place..].find(['\n', '`', '|', ';', ')', ',']).map_or(text.len(), |end| place + end);
        let words: Vec<String> = text[place..end].split_whitespace().skip(1).map(str::to_owned).collect();
        let is_verb = |word: &String| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if is_command && words.first().is_some_and(is_verb) {
            found.push(words);
        }
    }
    found
}

#[test]
fn every_argument_of_the_module_is_known() {
    let manual = fs::read_to_string(Path::new(ROOT).join("docs/man/pam_countersign.8")).expect("the manual");
    let known: Vec<&str> = manual
        .lines()
        .filter_map(|line| line.strip_prefix(".It Cm "))
        .filter_map(|line| line.split_whitespace().next())
        .map(|word| word.split('=').next().unwrap_or(word))
        .collect();
    let mut seen = 0;
    for page in pages() {
        // What other modules take, and what was wrong, is told in these.
        let is_about_others =
            ["past-vulnerabilities", "CHANGELOG", "from-pam-oath", "from-google", "0015", "0018"]
                .iter()
                .any(|name| page.path.to_string_lossy().contains(name));
        if is_about_others {
            continue;
        }
        for line in page.text.lines().filter(|line| !line.starts_with(".It")) {
            let Some((_, behind)) = line.split_once("pam_countersign.so ") else { continue };
            if !line.trim_start_matches(['#', '+', '-', '`', ' ', '|']).starts_with("auth") {
                continue;
            }
            for word in behind.split(['`', '|', '\'', '"']).next().unwrap_or_default().split_whitespace() {
                seen += 1;
                let name = word.split('=').next().unwrap_or(word).trim_matches(['[', ']']);
                assert!(known.contains(&name), "{}: {line}", page.path.display());
            }
        }
    }
    assert!(seen >= 10, "only {seen} arguments");
}

/// A policy in a guide is one that can be used.
#[test]
fn every_policy_in_a_page_can_be_used() {
    let mut seen = 0;
    for page in pages().iter().filter(|page| is_markdown(page)) {
        for block in page.text.split("```toml /etc/security/countersign.toml\n").skip(1) {
            let (policy, _) = block.split_once("```").expect("an end");
            let read = pam_countersign::config::PolicyFile::parse(policy);
            assert!(read.is_ok(), "{}: {read:?}", page.path.display());
            seen += 1;
        }
    }
    assert!(seen >= 4, "only {seen} policies");
}

/// The README compares by nothing else than what `make compare` saw.
#[test]
fn the_readme_cites_the_comparison_as_it_was_made() {
    let page = |name: &str| fs::read_to_string(Path::new(ROOT).join(name)).expect("a page");
    let (readme, made) = (page("README.md"), page("docs/comparison.md"));
    let (_, part) = readme.split_once("## Beside the others").expect("the comparison");
    let (part, _) = part.split_once("\n## ").expect("what comes after it");
    let rows: Vec<&str> = part.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows.len() > 8, "only {} rows", rows.len());
    for row in rows {
        assert!(made.lines().any(|line| line == row), "{row}");
    }
}
