//! `make compare`: the same scripted steps against countersign and the two incumbents of Debian, in a
//! container, through real libpam. Prints the table, writes it to the file that is named, and fails if
//! countersign does not hold what it claims.
//!
//! It must never write a verdict that the run did not see.
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "it stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "it stops at what it does not expect")]

#[path = "../container/mod.rs"]
mod container;
#[path = "../crowd/mod.rs"]
mod crowd;
#[path = "../disk/mod.rs"]
mod disk;
#[path = "../injection/mod.rs"]
mod injection;
#[path = "../installed/mod.rs"]
mod installed;
#[path = "../planting/mod.rs"]
mod planting;
#[path = "../sandbox/mod.rs"]
mod sandbox;

mod attempt;
mod broken;
mod cell;
mod ground;
mod guesses;
mod once;
mod page;
mod row;
mod seen;
mod small_disk;
mod subject;

use std::process::ExitCode;

use cell::Cell;
use ground::Ground;
use page::Table;
use row::Row;
use subject::Subject;

/// A group of steps.
type Tell = fn(&Ground, Subject) -> Vec<(Row, Cell)>;

const GROUPS: [Tell; 5] = [once::tell, guesses::tell, small_disk::tell, broken::tell, seen::tell];

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: compare FILE");
        return ExitCode::from(2);
    };
    let ground = Ground::boot();
    let mut table = Table::new();
    for tell in GROUPS {
        for subject in Subject::ALL {
            for (row, cell) in tell(&ground, subject) {
                println!("{}: {}: {cell}", subject.name(), row.title());
                table.insert((row, subject), cell);
            }
        }
    }
    table.extend(seen::times(&ground).into_iter().map(|(subject, cell)| ((Row::Time, subject), cell)));
    println!("\n{}", page::rows(&table));
    std::fs::write(&path, page::page(&ground, &table)).expect("the file can be written");
    for row in page::broken_claims(&table) {
        eprintln!("countersign does not hold: {}", row.title());
    }
    ExitCode::from(u8::from(!page::broken_claims(&table).is_empty()))
}
