//! Where in a TOML text a value lies.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// A step of a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> From<&'a str> for Key<'a> {
    fn from(name: &'a str) -> Self {
        Self::Name(name)
    }
}

impl From<usize> for Key<'_> {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// The place of a path, or of its nearest ancestor that the text has.
pub(super) fn of(text: &str, path: &[Key<'_>]) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let mut span = None;
    let mut value: Option<&DeValue<'_>> = None;
    for key in path {
        let next = match (value, key) {
            (None, Key::Name(name)) => table.get_ref().get(*name),
            (Some(value), Key::Name(name)) => value.get(*name),
            (Some(value), Key::Index(index)) => value.get(*index),
            (None, Key::Index(_)) => None,
        };
        let Some(next) = next else { break };
        span = Some(next.span());
        value = Some(next.get_ref());
    }
    span
}
