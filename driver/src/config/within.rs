//! A mistake within a group's ports, at its own place: what a table may hold depends on its `kind`,
//! so that it is read without places at first, and what is refused there is read once more alone.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error, ValueDeserializer};

use super::{FakeFile, ServersFile};

/// Where the mistake is and what, if `why` is about the ports of a group.
pub(super) fn ports(text: &str, why: &Error) -> Option<(Range<usize>, String)> {
    let place = why.span()?;
    let mut root = DeTable::parse(text).ok()?.into_inner();
    let DeValue::Array(groups) = root.remove("group")?.into_inner() else { return None };
    let mut all = groups.into_iter().filter_map(|group| {
        let DeValue::Table(mut group) = group.into_inner() else { return None };
        group.remove("ports")
    });
    let ports = all.find(|ports| ports.span() == place)?;
    let DeValue::Table(mut table) = ports.into_inner() else { return None };
    let kind = table.remove("kind")?;
    let alone = ValueDeserializer::from(Spanned::new(place, DeValue::Table(table)));
    let mistake = match kind.get_ref().as_str() {
        Some("fake") => FakeFile::deserialize(alone).err()?,
        Some("servers") => ServersFile::deserialize(alone).err()?,
        Some(_) | None => return Some((kind.span(), why.message().to_owned())),
    };
    Some((mistake.span()?, mistake.message().to_owned()))
}
