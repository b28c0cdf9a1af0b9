//! What a power cut can leave: at every point of a record, everything that was flushed before and any part
//! of what was written since, whole or torn between two sectors.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Event;
use super::pages::{Pages, SECTOR};

/// The first bytes of a slot of a state file. Only these writes are torn: what a file system makes of its
/// own torn blocks is its own promise, and a superblock of btrfs must arrive whole.
const SLOT: &[u8] = b"countersign-state ";
/// Up to so many writes since a flush, every subset of them is tried.
const ALL_SUBSETS: usize = 4;

/// A write, or the part of it that survived: offset in bytes and data.
type Part<'a> = (u64, &'a [u8]);

/// What a disk may hold after a power cut.
pub struct Image<'a> {
    /// What was flushed since the start of the record.
    durable: Rc<Pages>,
    /// What survived of the rest, in the order of writing.
    survived: Vec<Part<'a>>,
    /// The latest point of the record at which the power may have been cut to leave this.
    pub cut: usize,
}

impl Image<'_> {
    /// The changes since the start of the record.
    pub fn changes(&self, below: &Pages) -> Pages {
        let mut changes = Pages::clone(&self.durable);
        for (offset, data) in &self.survived {
            changes.write(below, *offset, data);
        }
        changes
    }
}

/// Numbers that look random and are the same each time.
pub struct Chance(u64);

impl Chance {
    /// The numbers that follow from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// The next number (SplitMix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// So many of these, in their order.
    pub fn some_of<T>(&mut self, mut all: Vec<T>, most: usize) -> Vec<T> {
        while all.len() > most {
            let one = self.below(u64::try_from(all.len()).expect("a length"));
            all.remove(usize::try_from(one).expect("less than the length"));
        }
        all
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// All images of a record, none twice: at each point the prefix, nothing, every subset or so many random ones
/// of what was not flushed, and torn slots.
pub fn images<'a>(
    below: &Pages,
    record: &'a [Event],
    at_random: usize,
    chance: &mut Chance,
) -> Vec<Image<'a>> {
    let mut images = Vec::new();
    let mut durable = Rc::new(Pages::default());
    let mut pending: Vec<Part<'a>> = Vec::new();
    // By what survived. That counts for the latest cut which can leave it: that one asks for the most.
    let mut since_flush: BTreeMap<Vec<Part<'a>>, usize> = BTreeMap::new();
    for cut in 0..=record.len() {
        since_flush.extend(choices(&pending, at_random, chance).into_iter().map(|choice| (choice, cut)));
        match record.get(cut) {
            Some(Event::Write { offset, data }) => {
                pending.push((*offset, data));
                continue;
            }
            // All of it together is what the flush makes of it.
            Some(Event::Flush) => since_flush.remove(&pending),
            None => None,
        };
        let image = |(survived, cut)| Image { durable: Rc::clone(&durable), survived, cut };
        images.extend(std::mem::take(&mut since_flush).into_iter().map(image));
        let flushed = Rc::make_mut(&mut durable);
        pending.drain(..).for_each(|(offset, data)| flushed.write(below, offset, data));
    }
    images
}

/// Parts of what was not flushed, in the order in which they were written: of two writes to one place, the
/// disk holds the later one if both survive.
fn choices<'a>(pending: &[Part<'a>], at_random: usize, chance: &mut Chance) -> Vec<Vec<Part<'a>>> {
    let mut choices = vec![pending.to_vec(), Vec::new()];
    if pending.len() <= ALL_SUBSETS {
        for subset in 0..1_u32 << pending.len() {
            choices.push(chosen(pending, |number| subset >> number & 1 == 1));
        }
    } else {
        choices.extend((0..at_random).map(|_| chosen(pending, |_| chance.coin())));
    }
    if pending.iter().any(|(_, data)| data.starts_with(SLOT)) {
        // What differs between two slots is mostly in the first two sectors.
        choices.push(torn(pending, |_| true, |sector| sector == 0));
        choices.push(torn(pending, |_| true, |sector| sector != 0));
        for _ in 0..at_random {
            let (mut others, mut sectors) = (Chance::new(chance.next()), Chance::new(chance.next()));
            choices.push(torn(pending, |_| others.coin(), |_| sectors.coin()));
        }
    }
    choices
}

fn chosen<'a>(pending: &[Part<'a>], mut keep: impl FnMut(usize) -> bool) -> Vec<Part<'a>> {
    let kept = pending.iter().enumerate().filter(|(number, _)| keep(*number));
    kept.map(|(_, write)| *write).collect()
}

/// Some of the writes, and of the slots among them some of their sectors.
fn torn<'a>(
    pending: &[Part<'a>],
    mut keep: impl FnMut(u64) -> bool,
    mut keep_sector: impl FnMut(usize) -> bool,
) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for (offset, data) in pending {
        if data.starts_with(SLOT) {
            let offsets = (*offset..).step_by(SECTOR);
            let sectors = offsets.zip(data.chunks(SECTOR)).enumerate();
            parts.extend(sectors.filter(|(number, _)| keep_sector(*number)).map(|(_, sector)| sector));
        } else if keep(*offset) {
            parts.push((*offset, *data));
        }
    }
    parts
}
