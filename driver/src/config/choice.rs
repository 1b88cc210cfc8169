//! Tables of which a group's ports have one alone.

use std::fmt;

use super::servers::Wrong;

/// Something that is told by one of several tables.
#[derive(Debug)]
pub(super) struct Choice {
    /// What it is, as a sentence begins.
    pub what: &'static str,
    /// Which tables tell it.
    pub hint: &'static str,
}

/// It is told by none of the tables, or by several.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) struct NotOne {
    what: &'static str,
    hint: &'static str,
    /// The first two that tell it.
    twice: Option<[&'static str; 2]>,
}

impl fmt::Display for NotOne {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.twice {
            None => write!(f, "{} is not told", self.what),
            Some([one, other]) => {
                write!(f, "{} is told twice, by `{one}` and `{other}`", self.what)
            }
        }
    }
}

impl Choice {
    /// The one table that is given, of those with their names.
    pub fn one<T>(&self, given: impl IntoIterator<Item = (&'static str, T)>) -> Result<T, NotOne> {
        let mut given = given.into_iter();
        let twice = match (given.next(), given.next()) {
            (Some((_, only)), None) => return Ok(only),
            (Some((one, _)), Some((other, _))) => Some([one, other]),
            (None, _) => None,
        };
        Err(NotOne { what: self.what, hint: self.hint, twice })
    }
}

impl NotOne {
    /// As a mistake at the second table, or where there should be one.
    pub(super) fn wrong(self) -> Wrong {
        let at = self.twice.map(|[_, other]| other);
        (at.into_iter().collect(), self.to_string(), Some(self.hint))
    }
}
