//! The configuration of live mode, as commands are given it.

use std::path::Path;
use std::process::ExitCode;

use tidegate_core::Timestamp;
use tidegate_driver::config::{Config, GroupFile};
use tidegate_driver::store::Place;

use crate::refuse;

/// Reads it, or tells why not.
pub(crate) fn read(path: &Path) -> Result<Config, ExitCode> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|why| refuse::plain(&format!("{shown} cannot be read"), &why))?;
    Config::parse(&text).map_err(|error| refuse::config(&shown, text, error))
}

/// The same, with where the state is kept: at `given`, if it is there, and else where the
/// configuration says.
pub(crate) fn read_with_store(
    path: &Path,
    given: Option<&Path>,
) -> Result<(Config, Place), ExitCode> {
    let config = read(path)?;
    let place = config.store.place(given);
    let place = place.map_err(|why| refuse::plain("the store is refused", &why))?;
    Ok((config, place))
}

/// The same, with the group of this name, or the only one.
pub(crate) fn read_with_group(
    path: &Path,
    given: Option<&Path>,
    name: Option<&str>,
) -> Result<(Config, Place, GroupFile), ExitCode> {
    let (config, place) = read_with_store(path, given)?;
    match chosen(&config, name).cloned() {
        Ok(group) => Ok((config, place, group)),
        Err(what) => Err(refuse::option(&what, "name one of them with `--group`")),
    }
}

fn chosen<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a GroupFile, String> {
    let mut named = config.group.iter().filter(|group| name.is_none_or(|name| group.name == name));
    match (named.next(), named.next()) {
        (Some(group), None) => Ok(group),
        (Some(_), Some(_)) => Err(format!("there are {} groups", config.group.len())),
        (None, _) => Err(format!("there is no group `{}`", name.unwrap_or_default())),
    }
}

/// A moment, as an argument gives it.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let moment: jiff::Timestamp =
        text.parse().map_err(|_| format!("`{text}` is no time such as 2026-11-26T09:00:00Z"))?;
    Timestamp::from_jiff(moment).ok_or_else(|| "the year is out of range".to_owned())
}
