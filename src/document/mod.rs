//! A TOML text as a tree: tables that are asked key by key, values that know their place.
//!
//! It knows no key. A [`Misfit`] names keys and kinds, and a value only where [`Value::word`] does not know it: the
//! text may be secret. `serde` would bring the module a reader for each type of ours (decision 0022).
#![forbid(unsafe_code)]

mod nearest;

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml_datetime::{Datetime, Offset};

pub use nearest::nearest;

/// A whole text.
pub struct Document<'text>(Spanned<DeTable<'text>>);

/// A table of it.
#[derive(Clone, Copy)]
pub struct Table<'tree> {
    entries: &'tree DeTable<'tree>,
    start: usize,
}

/// A value of it.
#[derive(Clone, Copy)]
pub struct Value<'tree>(&'tree Spanned<DeValue<'tree>>);

/// What does not fit, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The byte of the text at which it begins.
    pub start: usize,
    /// What is wrong there, for people.
    pub reason: String,
}

impl<'text> Document<'text> {
    /// Reads a text; a misfit where it is not TOML, or says something twice.
    pub fn parse(text: &'text str) -> Result<Self, Misfit> {
        DeTable::parse(text).map(Self).map_err(|error| Misfit {
            start: error.span().map_or(0, |Range { start, .. }| start),
            reason: error.message().to_owned(),
        })
    }

    /// What stands outside of all other tables, and these.
    pub fn table(&self) -> Table<'_> {
        Table { entries: self.0.get_ref(), start: self.0.span().start }
    }
}

impl<'tree> Table<'tree> {
    /// A misfit at the first key that is none of these.
    pub fn has_only(self, known: &[&str]) -> Result<(), Misfit> {
        match self.first_unknown(known) {
            None => Ok(()),
            Some((key, start)) => Err(Misfit { start, reason: unlisted("key", key, known) }),
        }
    }

    /// The first key that is none of these, and the byte of the text at which it begins.
    pub fn first_unknown(self, known: &[&str]) -> Option<(&'tree str, usize)> {
        let unknown = self.entries.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        let first = unknown.min_by_key(|key| key.span().start)?;
        Some((first.get_ref().as_ref(), first.span().start))
    }

    /// The value of a key, if it is there.
    pub fn get(self, key: &str) -> Option<Value<'tree>> {
        self.entries.get(key).map(Value)
    }

    /// The value of a key that must be there.
    pub fn need(self, key: &str) -> Result<Value<'tree>, Misfit> {
        self.get(key).ok_or_else(|| self.misfit(format!("the key `{key}` is missing")))
    }

    /// Says that this table does not fit.
    pub fn misfit(self, reason: impl Into<String>) -> Misfit {
        Misfit { start: self.start, reason: reason.into() }
    }
}

impl<'tree> Value<'tree> {
    /// The byte of the text at which it begins.
    pub fn start(self) -> usize {
        self.0.span().start
    }

    /// Says that this value does not fit.
    pub fn misfit(self, reason: impl Into<String>) -> Misfit {
        Misfit { start: self.start(), reason: reason.into() }
    }

    fn another_kind(self, wanted: &str) -> Misfit {
        self.misfit(format!("this must be {wanted}"))
    }

    /// A text.
    pub fn text(self) -> Result<&'tree str, Misfit> {
        match self.0.get_ref() {
            DeValue::String(text) => Ok(text),
            _ => Err(self.another_kind("a text in quotation marks")),
        }
    }

    /// One of a few words, each of which means something.
    pub fn word<Meaning: Copy>(self, known: &[(&str, Meaning)]) -> Result<Meaning, Misfit> {
        let written = self.text()?;
        let found = known.iter().find(|(word, _)| *word == written);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            self.misfit(unlisted("word", written, &known))
        })
    }

    /// A whole number that a type can hold.
    pub fn number<Number: TryFrom<i64>>(self) -> Result<Number, Misfit> {
        let DeValue::Integer(digits) = self.0.get_ref() else {
            return Err(self.another_kind("a whole number"));
        };
        i64::from_str_radix(digits.as_str(), digits.radix())
            .ok()
            .and_then(|number| number.try_into().ok())
            .ok_or_else(|| self.misfit("this number is out of range"))
    }

    /// `true` or `false`.
    pub fn boolean(self) -> Result<bool, Misfit> {
        match self.0.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.another_kind("true or false")),
        }
    }

    /// What stands in brackets.
    pub fn list(self) -> Result<impl ExactSizeIterator<Item = Value<'tree>>, Misfit> {
        match self.0.get_ref() {
            DeValue::Array(items) => Ok(items.iter().map(Value)),
            _ => Err(self.another_kind("a list in brackets")),
        }
    }

    /// A list of so many.
    pub fn row<const LENGTH: usize>(self) -> Result<[Value<'tree>; LENGTH], Misfit> {
        let values: Vec<_> = self.list()?.collect();
        values.try_into().map_err(|_| self.misfit(format!("this list must have {LENGTH} items")))
    }

    /// A table.
    pub fn table(self) -> Result<Table<'tree>, Misfit> {
        match self.0.get_ref() {
            DeValue::Table(entries) => Ok(Table { entries, start: self.start() }),
            _ => Err(self.another_kind("a table")),
        }
    }

    /// The seconds since 1970 of a date and time in UTC; fractions are dropped.
    pub fn moment(self) -> Option<u64> {
        let DeValue::Datetime(Datetime { date: Some(date), time: Some(clock), offset: Some(Offset::Z) }) =
            self.0.get_ref()
        else {
            return None;
        };
        let moment = day(*date)?.with_hms(clock.hour, clock.minute, clock.second.unwrap_or(0)).ok()?;
        u64::try_from(moment.assume_utc().unix_timestamp()).ok()
    }

    /// The seconds since 1970 at the start of a day, by UTC.
    pub fn day(self) -> Option<u64> {
        let DeValue::Datetime(Datetime { date: Some(date), time: None, offset: None }) = self.0.get_ref()
        else {
            return None;
        };
        u64::try_from(day(*date)?.midnight().assume_utc().unix_timestamp()).ok()
    }
}

fn day(date: toml_datetime::Date) -> Option<time::Date> {
    let month = time::Month::try_from(date.month).ok()?;
    time::Date::from_calendar_date(i32::from(date.year), month, date.day).ok()
}

/// What to say of something that is none of those that are known.
fn unlisted(what: &str, written: &str, known: &[&str]) -> String {
    match nearest(written, known.iter().copied()) {
        Some(meant) => format!("unknown {what} `{written}`, did you mean `{meant}`"),
        None => format!("unknown {what} `{written}`, known are `{}`", known.join("`, `")),
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
