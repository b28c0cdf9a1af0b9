//! What is said of the command in other places than the command: completions and manual pages, which are made of
//! the same definitions as its help, and the pages written by hand, which name every verb and option.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at surprises")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn countersign(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign")).args(words).output().expect("the command runs")
}

/// What it writes where it succeeds.
fn written(words: &[&str]) -> String {
    let output = countersign(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{words:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The first words of the lines of a part of a help text.
fn first_words(help: &str, part: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != part).skip(1);
    let lines = lines
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && line.get(2..3) != Some(" "));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Every verb that help shows, with those below it.
fn verbs() -> Vec<Vec<String>> {
    let mut verbs = Vec::new();
    for verb in first_words(&written(&["--help"]), "Commands:") {
        let below = first_words(&written(&[&verb, "--help"]), "Commands:");
        verbs.extend(below.into_iter().map(|word| vec![verb.clone(), word]));
        verbs.push(vec![verb]);
    }
    assert!(verbs.len() > 20, "only {verbs:?}");
    verbs
}

fn help_of(verb: &[String]) -> String {
    let words: Vec<&str> = verb.iter().map(String::as_str).chain(["--help"]).collect();
    written(&words)
}

/// The long options that a help text shows, but for those of every verb.
fn options_in(help: &str) -> Vec<String> {
    let headings = |line: &&str| line.trim_start().starts_with('-');
    let of_line = |line: &str| {
        let words = line.trim_start().split([' ', ',', '=', '[']);
        words
            .take_while(|word| word.is_empty() || word.starts_with('-'))
            .find(|word| word.starts_with("--"))
            .map(str::to_owned)
    };
    let options = help.lines().filter(headings).filter_map(of_line);
    options.filter(|option| option != "--help" && option != "--version").collect()
}

fn page(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man").join(path)).expect("a page")
}

#[test]
fn the_help_of_every_verb_has_examples_and_says_how_it_ends() {
    for verb in verbs() {
        let help = help_of(&verb);
        let example = format!("countersign {}", verb.join(" "));
        let (_, examples) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{verb:?}: {help}"));
        // Of disable and enable, both are shown for each.
        assert!(examples.contains(&example), "{verb:?}: {help}");
        assert!(help.contains("\nExit status: 0 "), "{verb:?}: {help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{verb:?}: {help}");
    }
}

#[test]
fn completions_name_every_verb_and_option_and_each_shell_takes_its_own() {
    let directory = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish"] {
        let script = written(&["completions", shell]);
        for verb in verbs() {
            assert!(script.contains(verb.last().expect("a verb")), "{shell}: {verb:?}");
            for option in options_in(&help_of(&verb)) {
                let name = option.trim_start_matches('-');
                assert!(script.contains(name), "{shell}: {verb:?} {option}");
            }
        }
        assert!(!script.contains("prove-password") && !script.contains("man-pages"), "{shell}: hidden ones");
        let path = directory.path().join(shell);
        fs::write(&path, script).expect("the script");
        let read = Command::new(shell).arg("-n").arg(&path).output();
        let read = read.unwrap_or_else(|error| panic!("{shell}: {error}; run `make prepare`"));
        assert!(read.status.success() && read.stderr.is_empty(), "{shell}: {read:?}");
    }
    let other = countersign(&["completions", "tcsh"]);
    assert_eq!(other.status.code(), Some(2));
}

#[test]
fn bash_completes_a_verb_an_option_and_a_value() {
    let script = written(&["completions", "bash"]);
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("script");
    fs::write(&path, script).expect("the script");
    let completed = |words: &[&str]| {
        let program = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                       _countersign countersign \"${!#}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; echo \"${COMPREPLY[@]}\"";
        let done =
            Command::new("bash").args(["-c", program, "bash"]).arg(&path).args(words).output().expect("bash");
        String::from_utf8(done.stdout).expect("text").trim().to_owned()
    };
    assert_eq!(completed(&["countersign", "unl"]), "unlock");
    assert_eq!(completed(&["countersign", "enroll", "--dry"]), "--dry-run");
    assert_eq!(completed(&["countersign", "enroll", "--algorithm", "sha5"]), "sha512");
    assert_eq!(completed(&["countersign", "import", "oa"]), "oath");
}

#[test]
fn every_verb_has_a_manual_page_with_its_options_examples_and_exit_statuses() {
    let directory = tempfile::tempdir().expect("a directory");
    written(&["man-pages", directory.path().to_str().expect("a path")]);
    let mut expected: Vec<String> = verbs()
        .iter()
        .filter(|verb| verb.as_slice() != ["serve"])
        .map(|verb| format!("countersign-{}.1", verb.join("-")))
        .collect();
    expected.sort_unstable();
    let mut names: Vec<String> = fs::read_dir(directory.path())
        .expect("the pages")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    assert_eq!(names, expected);
    for verb in verbs().iter().filter(|verb| verb.as_slice() != ["serve"]) {
        let path = directory.path().join(format!("countersign-{}.1", verb.join("-")));
        let linted =
            Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(&path).output().expect("mandoc");
        assert!(linted.status.success(), "{}", String::from_utf8_lossy(&linted.stdout));
        let shown = Command::new("mandoc").args(["-T", "ascii"]).arg(&path).output().expect("mandoc").stdout;
        // Letters that are struck twice are bold.
        let shown = String::from_utf8(shown).expect("text").replace("_\u{8}", "");
        let shown: String = shown
            .split('\u{8}')
            .enumerate()
            .map(|(place, piece)| if place == 0 { piece.to_owned() } else { piece.chars().skip(1).collect() })
            .collect();
        for heading in ["NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"] {
            assert!(shown.lines().any(|line| line == heading), "{verb:?}: {heading}: {shown}");
        }
        for option in options_in(&help_of(verb)) {
            assert!(shown.contains(&option), "{verb:?}: {option}: {shown}");
        }
    }
    assert_eq!(countersign(&["man-pages", "/no/such/directory"]).status.code(), Some(1));
}

#[test]
fn the_pages_written_by_hand_name_every_verb_and_option() {
    let (overview, service) = (page("countersign.1"), page("countersign-serve.8"));
    for verb in verbs() {
        let text = if verb == ["serve"] { &service } else { &overview };
        let of = |text: &str| text.lines().any(|line| line.split_whitespace().any(|word| word == verb[0]));
        assert!(of(&overview), "{verb:?}");
        for option in options_in(&help_of(&verb)) {
            // As mdoc(7) has it: .Fl -option
            let word = option.strip_prefix('-').expect("a long option");
            assert!(text.split_whitespace().any(|other| other == word), "{verb:?}: {option}");
        }
    }
}

#[test]
fn a_verb_that_is_misspelt_is_suggested() {
    for (typed, meant) in
        [("enrol1", "enrol"), ("stauts", "status"), ("unlok", "unlock"), ("exprt", "export")]
    {
        let output = countersign(&[typed, "alice"]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains("similar") && errors.contains(&format!("'{meant}'")), "{errors}");
        assert!(output.stdout.is_empty());
    }
    let option = countersign(&["remove", "--devise", "phone"]);
    assert!(String::from_utf8_lossy(&option.stderr).contains("'--device'"));
    let nothing = countersign(&[]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("Usage: countersign"));
}
