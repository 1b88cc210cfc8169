//! What is done to set a group up before it is scaled, and undone, as a configuration gives it.

use serde::Deserialize;
use tidegate_core::Span;

/// How a group is set up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupFile {
    /// What is done for each server, the primary's first.
    #[serde(default)]
    pub servers: Vec<SetupCommands>,
    /// How long one command may take. Default 5 minutes.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
}

const fn default_timeout() -> Span {
    Span::from_mins(5)
}

/// What is done for a server, while the standbys' machines are off: programs with their arguments,
/// one after the other, each of which does nothing where it is so already.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SetupCommands {
    /// Before its group is scaled for the first time.
    pub prepare: Vec<Vec<String>>,
    /// Once it is to be scaled no more.
    pub undo: Vec<Vec<String>>,
}
