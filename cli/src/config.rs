//! The configuration of live mode, as commands are given it.

use std::path::Path;
use std::process::ExitCode;

use tidegate_driver::config::Config;
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
