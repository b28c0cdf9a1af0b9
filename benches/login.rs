//! `make bench`: one login by a code, with this module and with those of Debian, side by side in one booted machine
//! on a real disk, in turn, beside the one write and flush that none of them can do without. Prints the page, and
//! writes it and its picture where they are named: `docs/benchmarks.md`, `docs/benchmarks.svg`.
//!
//! It judges nothing but its own targets, and says where they are missed: a figure is no test.
#![allow(clippy::disallowed_methods, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::disallowed_macros, reason = "those rules are for what runs inside su and sshd")]
#![allow(clippy::expect_used, clippy::panic, reason = "it stops at what it does not expect")]
#![allow(clippy::indexing_slicing, reason = "it stops at what it does not expect")]

#[path = "login/busy.rs"]
mod busy;
#[path = "../tests/container/mod.rs"]
mod container;
#[path = "login/counted.rs"]
mod counted;
#[path = "login/figures.rs"]
mod figures;
#[path = "login/ground.rs"]
mod ground;
#[path = "../tests/installed/mod.rs"]
mod installed;
#[path = "login/module.rs"]
mod module;
#[path = "login/page.rs"]
mod page;
#[path = "login/picture.rs"]
mod picture;
#[path = "../tests/planting/mod.rs"]
mod planting;
#[path = "../tests/sandbox/mod.rs"]
mod sandbox;
#[path = "login/together.rs"]
mod together;

use std::fs;

use counted::Counted;
use figures::Series;
use ground::Ground;
use module::Module;
use together::Together;

/// How many users are enrolled.
const SIZES: [usize; 4] = [10, 1000, 10_000, 100_000];
/// How many logins of each kind at each size. The 99th hundredth is then the fourth slowest.
const ROUNDS: usize = 400;

/// All that was seen.
struct Seen {
    sizes: Vec<(usize, Series)>,
    /// With as many as there were last, while another program writes.
    busy: Series,
    together: Vec<(Module, Together)>,
    counted: Vec<(Module, Counted)>,
    machine: page::Machine,
}

fn main() {
    let mut ground = Ground::boot();
    let counted = Module::ALL.map(|module| (module, Counted::of(&mut ground, module))).to_vec();
    let sizes = SIZES.map(|size| (size, at(&mut ground, size))).to_vec();
    let writer = busy::Writer::start(&ground.root());
    let busy = rounds(&mut ground);
    drop(writer);
    let together = together::all(&mut ground);
    let seen = Seen { sizes, busy, together, counted, machine: page::Machine::of(&ground) };
    let page = page::of(&seen);
    println!("{page}");
    // Cargo adds words of its own.
    let mut paths = std::env::args().skip(1).filter(|word| !word.starts_with('-'));
    if let (Some(text), Some(drawing)) = (paths.next(), paths.next()) {
        fs::write(text, &page).expect("the page can be written");
        fs::write(drawing, picture::of(&seen.sizes)).expect("the picture can be written");
    }
}

/// Logins while so many are enrolled.
fn at(ground: &mut Ground, size: usize) -> Series {
    ground.fill(size);
    eprintln!("{size} users are enrolled");
    rounds(ground)
}

fn rounds(ground: &mut Ground) -> Series {
    let mut series = Series::default();
    // The first rounds find nothing in memory.
    for round in 0..ROUNDS + 20 {
        // In turn, so that each has the same share of what else the computer does; and each is first as often.
        for place in 0..Module::ALL.len() {
            let module = Module::ALL[(round + place) % Module::ALL.len()];
            let figures = ground.log_in(module);
            if round >= 20 {
                series.put(module, figures);
            }
        }
        let floor = ground.write_and_flush();
        if round >= 20 {
            series.floor.push(floor);
        }
    }
    series
}
