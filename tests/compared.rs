//! The comparison as it is written down has the rows of the program that makes it, and countersign holds
//! what it claims there. `make compare` makes it anew.
#![allow(missing_docs, reason = "the names of the tests say it")]
#![allow(clippy::disallowed_methods, reason = "those rules are for the module")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests stop at surprises")]

#[path = "compare/row.rs"]
mod row;

use row::Row;

/// The cells of each row of the page's table, the step first.
fn rows() -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/comparison.md"));
    let page = page.expect("docs/comparison.md: run `make compare`");
    let (_, table) = page.split_once("| step | ").expect("a table");
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    lines.map(cells).collect()
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim_start_matches("| ").trim_end_matches(" |");
    inner.split(" | ").map(str::to_owned).collect()
}

#[test]
fn the_comparison_has_the_steps_of_the_program() {
    let written: Vec<String> =
        rows().into_iter().map(|cells| cells.into_iter().next().expect("a step")).collect();
    assert_eq!(written, Row::ALL.map(Row::title));
}

#[test]
fn every_cell_of_the_comparison_has_a_figure() {
    for cells in rows() {
        assert_eq!(cells.len(), 4, "{cells:?}");
        assert!(cells.iter().all(|cell| !cell.is_empty() && !cell.ends_with(": ")), "{cells:?}");
    }
}

#[test]
fn countersign_holds_what_it_claims_in_the_comparison() {
    for (row, cells) in Row::ALL.into_iter().zip(rows()) {
        let countersign = cells.get(1).expect("a cell");
        assert!(!row.is_claimed() || countersign.starts_with("holds: "), "{}: {countersign}", row.title());
    }
}
