//! The documents that name tests name tests that exist, and each promise has some. What can be written and what is
//! written for people to read are the same: keys, arguments, words of the log, findings.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests stop at surprises")]

#[path = "mutants/list.rs"]
mod list;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use list::MUTANTS;
use pam_countersign::config::{PolicyFile, RawArguments, args, file, resolve::resolve, rule, texts};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("a document")
}

/// The functions under `#[test]` in `src` and `tests`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders: Vec<PathBuf> = vec![root().join("src"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                found.extend(tests_in(&fs::read_to_string(path).expect("a source")));
            }
        }
    }
    found
}

fn tests_in(source: &str) -> Vec<String> {
    let after_attribute = source.split("#[test]").skip(1);
    let name = |text: &str| Some(text.split_once("fn ")?.1.split('(').next()?.to_owned());
    after_attribute.filter_map(name).collect()
}

/// What stands in backticks and looks like the name of a test: words joined by at least two lines.
fn named(text: &str) -> Vec<String> {
    let is_name = |word: &&str| {
        word.matches('_').count() >= 2
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte))
    };
    text.split('`').skip(1).step_by(2).filter(is_name).map(str::to_owned).collect()
}

#[test]
fn every_test_that_a_document_names_exists() {
    let tests = tests();
    assert!(tests.len() > 200, "only {} tests", tests.len());
    for document in ["docs/threat-model.md", "docs/past-vulnerabilities.md"] {
        let named = named(&read(document));
        assert!(named.len() > 20, "{document} names only {} tests", named.len());
        let missing: Vec<_> = named.iter().filter(|name| !tests.contains(*name)).collect();
        assert!(missing.is_empty(), "{document}: {missing:#?}");
    }
}

/// The first words in quotes after each of these places in the sources of a folder.
fn quoted_after(folder: &str, marks: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root().join(folder)).expect("a folder").flatten() {
        let source = fs::read_to_string(entry.path()).expect("a source");
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        for mark in marks {
            for text in source.split(mark).skip(1) {
                let code = text.trim_start().strip_prefix('"').and_then(|text| text.split('"').next());
                found.extend(code.map(str::to_owned));
            }
        }
    }
    found
}

#[test]
fn each_finding_of_the_doctor_is_documented_and_nothing_else() {
    let marks = ["Severity::Error,", "Severity::Warning,", "Severity::Note,", "error(", "warn("];
    let found = quoted_after("src/doctor", &marks);
    assert!(found.len() > 35, "{found:?}");
    let told: BTreeSet<String> = read("docs/doctor.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|line| {
            let codes = line.split(" |").next().unwrap_or_default();
            codes.split("` `").map(|code| code.trim_end_matches('`').to_owned()).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(found, told);
}

#[test]
fn each_of_the_eleven_promises_has_its_tests() {
    let text = read("docs/threat-model.md");
    let promises =
        text.split("\n## ").find(|part| part.starts_with("The eleven promises")).expect("promises");
    let sections: Vec<&str> = promises.split("\n### ").skip(1).collect();
    assert_eq!(sections.len(), 11);
    for (number, section) in (1..).zip(sections) {
        assert!(section.starts_with(&format!("{number}. ")), "{section}");
        assert!(!named(section).is_empty(), "{section}");
    }
}

/// The sample with the `#` before each key and table taken away; explanations have a space behind theirs.
fn sample_in_force() -> String {
    let is_key = |rest: &&str| rest.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '[');
    let line = |line: &str| line.strip_prefix('#').filter(is_key).unwrap_or(line).to_owned() + "\n";
    read("packaging/countersign.toml").lines().map(line).collect()
}

/// The keys of the tables of this name, in their order; those outside of tables have the name "".
fn keys_of(policy: &str, table: &str) -> Vec<String> {
    let mut now = String::new();
    let mut keys: Vec<String> = Vec::new();
    for line in policy.lines() {
        if line.starts_with('[') {
            line.clone_into(&mut now);
        }
        let key = line.split_once(" = ").filter(|_| !line.starts_with('#') && now == table);
        if let Some(key) = key.map(|(key, _)| key.to_owned()).filter(|key| !keys.contains(key)) {
            keys.push(key);
        }
    }
    keys
}

#[test]
fn the_sample_says_nothing_and_each_of_its_keys_is_the_default_or_an_example() {
    let sample = read("packaging/countersign.toml");
    assert_eq!(PolicyFile::parse(&sample), Ok(PolicyFile::default()));

    let in_force = PolicyFile::parse(&sample_in_force()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(in_force.rules.len(), 3);
    let meant = PolicyFile { required_from: None, rules: Vec::new(), ..in_force };
    let default = resolve(RawArguments::default(), PolicyFile::default());
    assert_eq!(resolve(RawArguments::default(), meant.clone()), default);
    assert_eq!(meant.service, PolicyFile::default().service);

    for line in sample.lines().filter(|line| line.contains(" = ") && !line.starts_with("# ")) {
        assert!(line.starts_with('#'), "{line}");
    }
}

#[test]
fn no_table_of_the_sample_is_in_force_so_that_every_key_can_be_appended() {
    let sample = read("packaging/countersign.toml");
    let in_force: Vec<&str> = sample.lines().filter(|line| line.starts_with('[')).collect();
    assert!(in_force.is_empty(), "{in_force:?}");
    for key in file::KEYS {
        let refused = PolicyFile::parse(&format!("{sample}{key} = 1979-05-27T07:32:00Z\n")).map(drop);
        // No key takes that value, but each is known where it stands.
        assert!(refused.is_err_and(|error| !error.to_string().contains("unknown key")), "{key}");
    }
}

#[test]
fn the_sample_has_every_key_and_no_other() {
    let sample = sample_in_force();
    assert_eq!(keys_of(&sample, ""), file::KEYS);
    assert_eq!(sorted(keys_of(&sample, "[[rule]]")), sorted(rule::KEYS.map(str::to_owned).to_vec()));
    let names: Vec<&str> = texts::ALL.iter().map(|(name, ..)| *name).collect();
    assert_eq!(keys_of(&sample, "[texts]"), names);
    assert_eq!(keys_of(&sample, "[service]"), ["verifiers"]);
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort_unstable();
    words
}

/// A section of a manual page.
fn section(page: &str, name: &str) -> String {
    let text = read(page);
    let start = format!("\n.Sh {name}\n");
    let (_, rest) = text.split_once(&start).unwrap_or_else(|| panic!("{page} has no {name}"));
    rest.split("\n.Sh ").next().unwrap_or_default().to_owned()
}

/// The words that a section has as items (`.It Cm`), in their order.
fn items(section: &str) -> Vec<String> {
    let of_line = |line: &str| {
        let words = line.strip_prefix(".It Cm ")?;
        let words: Vec<String> = words.split(" , ").filter_map(argument_in).collect();
        Some(words)
    };
    section.lines().filter_map(of_line).flatten().collect()
}

/// `attempts Ns = Ns Ar number` is `attempts=`; `attempts No = Ar number` is a key.
fn argument_in(item: &str) -> Option<String> {
    let word = item.split(' ').next()?;
    Some(if item.contains(" Ns = ") { format!("{word}=") } else { word.to_owned() })
}

/// All files below a folder, or the file itself.
fn files_below(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).expect("a folder").flatten();
    entries.flat_map(|entry| files_below(&entry.path())).collect()
}

/// The text of a page without what is hidden in it, in one line.
fn shown(text: &str) -> String {
    let mut parts = text.split("<!--");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest: String = parts.filter_map(|part| part.split_once("-->")).map(|(_, rest)| rest).collect();
    (first + &rest).split_whitespace().filter(|word| *word != "#").collect::<Vec<_>>().join(" ")
}

#[test]
fn each_page_that_tells_people_to_turn_the_service_on_says_whether_installing_has_done_it() {
    // What installing does. That dpkg and rpm do it is shown by `tests/packaged.rs`.
    let rules = read("packaging/debian/rules");
    let of_debian = rules.lines().find(|line| line.contains("countersign.socket")).expect("a line");
    assert!(of_debian.contains("dh_installsystemd") && !of_debian.contains("--no-enable"), "{of_debian}");
    assert!(!of_debian.contains("--no-start"), "{of_debian}");
    let spec = read("packaging/countersign.spec");
    assert!(spec.contains("systemctl --no-reload preset countersign.socket countersign-password.socket"));
    // What is there already may be started with what belongs to it.
    let starts =
        spec.lines().filter(|line| line.contains("systemctl enable") || line.contains("systemctl start"));
    assert!(starts.into_iter().all(|line| line.contains("start countersign-root.socket")));
    assert!(!read("Makefile").contains("systemctl"));

    let mut told = Vec::new();
    for place in
        ["README.md", "docs", "packaging/apparmor", "packaging/debian/README.Debian", "src/cli/admin_args.rs"]
    {
        for path in files_below(&root().join(place)) {
            let is_decision = path.parent().is_some_and(|folder| folder.ends_with("docs/decisions"));
            let text = shown(&fs::read_to_string(&path).unwrap_or_default());
            let tells = ["enable --now countersign.socket", "name: countersign.socket"];
            if is_decision || !tells.iter().any(|words| text.contains(words)) {
                continue;
            }
            for words in ["Debian package turns it on", "make install", "RPM"] {
                assert!(text.contains(words), "{} does not say: {words}", path.display());
            }
            told.push(path);
        }
    }
    assert!(told.len() >= 8, "{told:?}");
    assert!(
        shown(&read("packaging/debian/README.Debian"))
            .contains("countersign.socket, at which the service is started")
    );
    assert!(
        shown(&read("docs/redhat.md"))
            .contains("the package does not turn `countersign.socket` on by itself")
    );
}

const POLICY_PAGE: &str = "docs/man/countersign.toml.5";

#[test]
fn the_page_of_the_policy_has_every_key_and_no_other() {
    assert_eq!(items(&section(POLICY_PAGE, "KEYS")), file::KEYS);
    assert_eq!(sorted(items(&section(POLICY_PAGE, "RULES"))), sorted(rule::KEYS.map(str::to_owned).to_vec()));
    let names: Vec<&str> = texts::ALL.iter().map(|(name, ..)| *name).collect();
    assert_eq!(items(&section(POLICY_PAGE, "TEXTS")), names);
    assert_eq!(items(&section(POLICY_PAGE, "SERVICE")), ["verifiers"]);
    let all = file::KEYS.len() + rule::KEYS.len() + names.len() + 1;
    assert_eq!(items(&read(POLICY_PAGE)).len(), all, "items elsewhere");
}

#[test]
fn the_page_of_the_policy_has_the_default_of_every_text() {
    let page = section(POLICY_PAGE, "TEXTS");
    for (name, _, default) in texts::ALL {
        let (_, item) = page.split_once(&format!("\n.It Cm {name}\n")).unwrap_or_else(|| panic!("{name}"));
        let item = item.split("\n.It ").next().unwrap_or_default().replace("\\(ga", "`");
        assert!(item.contains(&format!("\n.Dq \"{default}\"")), "{name}: {item}");
    }
}

#[test]
fn the_site_of_the_page_is_a_policy() {
    let page = section(POLICY_PAGE, "EXAMPLES");
    let mut displays = page.split("\n.Bd -literal -offset indent\n").skip(1);
    let site = displays.next().and_then(|text| text.split("\n.Ed").next()).expect("a display");
    let policy = PolicyFile::parse(site).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(policy.rules.len(), 5);
}

#[test]
fn the_page_of_the_module_has_every_argument_and_no_other() {
    let aliases = args::ALIASES.iter().map(|(name, _)| *name);
    let refused = args::REFUSED.iter().map(|(name, _)| *name);
    let known = args::KNOWN.iter().copied().chain(aliases).chain(args::NEEDLESS).chain(refused);
    let known: Vec<String> = known.map(str::to_owned).collect();
    let page = read("docs/man/pam_countersign.8");
    assert_eq!(sorted(items(&section("docs/man/pam_countersign.8", "ARGUMENTS"))), sorted(known.clone()));
    assert_eq!(items(&page).len(), known.len(), "items elsewhere");
}

/// What stands in quotes between two places of a source and looks like a word of the log.
fn words_between(source: &str, start: &str, end: &str) -> BTreeSet<String> {
    let (_, rest) = source.split_once(start).unwrap_or_else(|| panic!("no {start}"));
    let body = rest.split(end).next().unwrap_or_default();
    let is_word = |text: &&str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    body.split('"').skip(1).step_by(2).filter(is_word).map(str::to_owned).collect()
}

#[test]
fn each_event_and_reason_of_the_log_is_documented() {
    let log = read("src/log.rs");
    let mut words = words_between(&log, "fn event_of(", "\n}\n");
    assert!(words.len() >= 8, "{words:?}");
    words.extend(words_between(&log, "fn reason_of(", "\n}\n"));
    for file in ["src/policy/denial.rs", "src/verifier/failure.rs", "src/credential/store.rs"] {
        let source = read(file);
        for part in source.split("pub fn reason(").skip(1) {
            words.extend(words_between(part, "{", "\n    }\n"));
        }
    }
    assert!(words.len() > 45, "{words:?}");
    let told = read("docs/log.md");
    let missing: Vec<_> = words.iter().filter(|word| !told.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_fault_of_the_list_stands_in_the_code_and_names_a_test() {
    let tests = tests();
    assert!(MUTANTS.len() >= 40, "only {} faults", MUTANTS.len());
    for mutant in MUTANTS {
        let source = read(&format!("src/{}", mutant.file));
        assert_eq!(source.matches(mutant.line).count(), 1, "{}: {}", mutant.file, mutant.line);
        assert_ne!(mutant.line, mutant.becomes, "{}", mutant.what);
        let is_target =
            mutant.target == "lib" || root().join(format!("tests/{}.rs", mutant.target)).is_file();
        assert!(is_target, "{}: {}", mutant.what, mutant.target);
        let name = mutant.test.rsplit("::").next().unwrap_or_default();
        assert!(tests.contains(name), "there is no test {}", mutant.test);
    }
}
