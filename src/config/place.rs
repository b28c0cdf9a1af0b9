//! Where in the policy file a key belongs, for the sentence about one that stands elsewhere.

use super::{file, rule, texts};
use crate::document::{Misfit, Table, nearest};

/// Where a key can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Outside of all tables.
    Top,
    /// `[texts]`
    Texts,
    /// `[[rule]]`
    Rule,
    /// `[service]`
    Service,
}

impl Place {
    const ALL: [Self; 4] = [Self::Top, Self::Texts, Self::Rule, Self::Service];

    /// A misfit at the first key of a table that does not belong there, which says where it does.
    pub(super) fn check(self, table: Table<'_>) -> Result<(), Misfit> {
        match table.first_unknown(&self.keys()) {
            None => Ok(()),
            Some((key, start)) => Err(Misfit { start, reason: self.unknown(key) }),
        }
    }

    fn keys(self) -> Vec<&'static str> {
        match self {
            Self::Top => [&file::KEYS[..], &file::TABLES].concat(),
            Self::Texts => texts::ALL.iter().map(|(key, ..)| *key).collect(),
            Self::Rule => rule::KEYS.to_vec(),
            Self::Service => file::SERVICE_KEYS.to_vec(),
        }
    }

    fn has(self, key: &str) -> bool {
        self.keys().contains(&key)
    }

    fn unknown(self, written: &str) -> String {
        let here = match self {
            Self::Top => String::new(),
            other => format!(" {}", other.standing()),
        };
        if let Some(homes) = homes_of(written) {
            return format!("unknown key `{written}` {}: it belongs {homes}", self.standing());
        }
        if let Some(meant) = nearest(written, self.keys()) {
            return format!("unknown key `{written}`{here}, did you mean `{meant}`");
        }
        let elsewhere = nearest(written, Self::ALL.into_iter().flat_map(Self::keys));
        if let Some((meant, homes)) = elsewhere.and_then(|meant| Some((meant, homes_of(meant)?))) {
            return format!(
                "unknown key `{written}` {}, did you mean `{meant}`: it belongs {homes}",
                self.standing()
            );
        }
        format!("unknown key `{written}`{here}, known are `{}`", self.keys().join("`, `"))
    }

    fn standing(self) -> &'static str {
        match self {
            Self::Top => "at the top, before the first line in brackets",
            Self::Texts => "under [texts]",
            Self::Rule => "under [[rule]]",
            Self::Service => "under [service]",
        }
    }

    fn belonging(self) -> &'static str {
        match self {
            Self::Top => "to the top, before the first line in brackets",
            under => under.standing(),
        }
    }
}

/// All places of a key; none for one that no place knows.
fn homes_of(key: &str) -> Option<String> {
    let homes = Place::ALL.into_iter().filter(|place| place.has(key)).map(Place::belonging);
    let homes: Vec<&str> = homes.collect();
    (!homes.is_empty()).then(|| homes.join(", or "))
}
