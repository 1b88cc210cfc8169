//! Why something of the stack cannot be done.

use std::error::Error;
use std::path::Path;

use tidegate_sim::scenario::ScenarioError;

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("failed to {what}")]
    Io {
        what: String,
        #[source]
        why: std::io::Error,
    },
    #[error("failed to {what}: {why}")]
    Said { what: String, why: String },
    #[error("failed to wait: {0} did not come; the logs are in `{1}`")]
    Late(String, String),
    #[error("interrupted")]
    Interrupted,
    #[error("{0}")]
    Scenario(String),
}

impl Failure {
    pub fn io(what: impl Into<String>, why: std::io::Error) -> Self {
        Self::Io { what: what.into(), why }
    }

    pub fn said(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Said { what: what.into(), why: why.into() }
    }
}

impl From<ScenarioError> for Failure {
    fn from(why: ScenarioError) -> Self {
        let hint = why.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
        Self::Scenario(format!("{why}{hint}"))
    }
}

/// The failure and all its causes, in a line.
pub(super) fn chain(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(why) = cause {
        text = format!("{text}: {why}");
        cause = why.source();
    }
    text
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    let failed = |why| Failure::io(format!("read `{}`", path.display()), why);
    std::fs::read_to_string(path).map_err(failed)
}

/// Writes a file.
pub(super) fn write(path: &Path, text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let failed = |why| Failure::io(format!("write `{}`", path.display()), why);
    std::fs::write(path, text).map_err(failed)
}
