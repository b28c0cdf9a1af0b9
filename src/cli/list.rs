//! `countersign list`: all users of whom something is kept, a row each.
//!
//! However many there are, what is kept in memory are their names, or a row each where they are sorted by
//! something else; with `--sort none` nothing is. What is wrong with one is a row too.

mod row;
mod walk;

use std::cmp::Ordering;
use std::io::Write;

use super::admin_args::Order;
use super::args::List as Options;
use super::error::{Error, ExitCode};
use super::terminal::{Terminal, unless_nobody_reads};
use super::{json, who};
use crate::backend;
use crate::policy::rules::Then;
use crate::status::Phase;
use crate::store::Listing;
use row::{Found, Row, WIDEST_NAME, heading};
use walk::walk;

/// The width of the names' column where the names are not known before.
const USUAL_NAME: usize = 16;

/// Lists everybody whom the options ask for.
pub(super) fn run(options: &Options, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    who::require_root()?;
    let listing = backend::store().listing()?;
    let exempt = exempting_rules();
    let mut report =
        Report { options, out: terminal.pages(), listed: 0, damaged: 0, width: USUAL_NAME, exempt };
    let written = report.write(&listing);
    let Report { listed, damaged, exempt, out, .. } = report;
    drop(out);
    unless_nobody_reads(written)?;
    if listed == 0 {
        terminal.say("nobody to list");
    }
    for rule in exempt.iter().filter(|_| !options.json && !options.names) {
        terminal.say(format_args!("no code is asked for by rule {rule}"));
    }
    if damaged == 0 {
        return Ok(ExitCode::Success);
    }
    terminal.say(format_args!("{damaged} could not be read, which keeps them out"));
    Ok(ExitCode::Failure)
}

/// A list on its way out.
struct Report<'a, Out: Write> {
    options: &'a Options,
    out: Out,
    listed: u64,
    damaged: u64,
    width: usize,
    exempt: Vec<String>,
}

/// The rules of the policy that exempt somebody, each with its conditions: who is exempt need not be enrolled.
fn exempting_rules() -> Vec<String> {
    // What is wrong with the policy is for `check-config` to say.
    let rules = backend::policy_file().map(|policy| policy.rules).unwrap_or_default();
    let exempting = rules.iter().enumerate().filter(|(_, rule)| rule.then == Then::Exempt);
    exempting
        .map(|(number, rule)| {
            let name = rule.name.clone().unwrap_or_else(|| (number + 1).to_string());
            format!("{name}: {}", rule.conditions())
        })
        .collect()
}

impl<Out: Write> Report<'_, Out> {
    fn write(&mut self, listing: &Listing) -> Result<(), Error> {
        match self.options.sort {
            Order::None => {
                self.begin()?;
                walk(listing, listing.names()?, |row| self.consider(row))?;
            }
            Order::Name => {
                let names = self.sorted_names(listing)?;
                self.begin()?;
                walk(listing, names.into_iter().map(Ok), |row| self.consider(row))?;
            }
            Order::Login | Order::Failures | Order::Codes => {
                let rows = self.sorted_rows(listing)?;
                self.begin()?;
                rows.iter().try_for_each(|row| self.tell(row))?;
            }
        }
        self.end()
    }

    /// All names in their order, by which the width of their column is known too.
    fn sorted_names(&mut self, listing: &Listing) -> Result<Vec<Vec<u8>>, Error> {
        let mut names = listing.names()?.collect::<Result<Vec<_>, _>>()?;
        names.sort_unstable();
        if self.options.reverse {
            names.reverse();
        }
        self.make_room_for(names.iter().map(Vec::len));
        Ok(names)
    }

    /// All rows that are asked for, those of one rank by name.
    fn sorted_rows(&mut self, listing: &Listing) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        walk(listing, listing.names()?, |row| {
            rows.extend(self.asked_for(row));
            Ok(())
        })?;
        rows.sort_unstable_by(|a, b| compare(a, b, self.options.sort).then_with(|| a.user.cmp(&b.user)));
        if self.options.reverse {
            rows.reverse();
        }
        self.make_room_for(rows.iter().map(|row| row.user.len()));
        Ok(rows)
    }

    fn make_room_for(&mut self, lengths: impl Iterator<Item = usize>) {
        self.width = lengths.max().unwrap_or(0).clamp("USER".len(), WIDEST_NAME);
    }

    fn begin(&mut self) -> Result<(), Error> {
        let Options { json, names, .. } = self.options;
        if *json {
            write!(self.out, "{{\"format\":{},\"report\":\"list\",\"users\":[", json::FORMAT)?;
        } else if !names {
            writeln!(self.out, "{}", heading(self.width))?;
        }
        Ok(())
    }

    fn consider(&mut self, row: Row) -> Result<(), Error> {
        self.asked_for(row).map_or(Ok(()), |row| self.tell(&row))
    }

    /// The row, if it is asked for. One that cannot be read counts anyway: what was asked for may be in it.
    fn asked_for(&mut self, row: Row) -> Option<Row> {
        self.damaged = self.damaged.saturating_add(u64::from(row.summary().is_none()));
        is_asked_for(&row, self.options).then_some(row)
    }

    fn tell(&mut self, row: &Row) -> Result<(), Error> {
        if self.options.json {
            let comma = if self.listed == 0 { "" } else { "," };
            write!(self.out, "{comma}\n{}", json::line(row)?)?;
        } else if self.options.names {
            writeln!(self.out, "{}", row.user)?;
        } else {
            writeln!(self.out, "{}", row.line(self.width))?;
        }
        self.listed = self.listed.saturating_add(1);
        Ok(())
    }

    /// Without its end a list was cut off, and is no JSON.
    fn end(&mut self) -> Result<(), Error> {
        if self.options.json {
            let exempt = json::line(&self.exempt)?;
            let (listed, damaged) = (self.listed, self.damaged);
            writeln!(self.out, "\n],\"listed\":{listed},\"damaged\":{damaged},\"exempt\":{exempt}}}")?;
        }
        Ok(self.out.flush()?)
    }
}

/// Whether a row is in one of the states and under all of the conditions that were asked for.
fn is_asked_for(row: &Row, options: &Options) -> bool {
    let Options { enrolled, pending, disabled, damaged, needs_repair, locked, codes, .. } = options;
    let is_any_asked_for = *enrolled || *pending || *disabled || *damaged;
    let state = match &row.found {
        Found::Damaged { .. } => *damaged,
        Found::Kept(summary) => match summary.state {
            Phase::Enrolled => *enrolled,
            Phase::Pending => *pending,
            Phase::Disabled => *disabled,
        },
    };
    let has_condition = *needs_repair || *locked || codes.is_some();
    let condition = row.summary().map_or(!has_condition, |summary| {
        (!needs_repair || summary.needs_repair)
            && (!locked || summary.locked)
            && codes.is_none_or(|most| summary.recovery_codes_left <= most)
    });
    (state || !is_any_asked_for) && condition
}

/// Which comes first: what cannot be read before everything, then what needs looking after.
fn compare(a: &Row, b: &Row, order: Order) -> Ordering {
    let (Some(a), Some(b)) = (a.summary(), b.summary()) else {
        return a.summary().is_some().cmp(&b.summary().is_some());
    };
    match order {
        Order::Name | Order::None => Ordering::Equal,
        // Who has never logged in comes first.
        Order::Login => a.last_login.cmp(&b.last_login),
        Order::Failures => b.failures.cmp(&a.failures),
        Order::Codes => a.recovery_codes_left.cmp(&b.recovery_codes_left),
    }
}
