//! The configuration of live mode, as commands are given it.

use std::path::Path;
use std::process::ExitCode;

use tidegate_driver::config::Config;

use crate::refuse;

/// Reads it, or tells why not.
pub(crate) fn read(path: &Path) -> Result<Config, ExitCode> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|why| refuse::plain(&format!("{shown} cannot be read"), &why))?;
    Config::parse(&text).map_err(|error| refuse::config(&shown, text, error))
}
