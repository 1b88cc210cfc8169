//! The fleet as it is written.

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_core::Span;

/// Many groups like the scenario's, under one provider.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FleetFile {
    /// How many, each drawn by what follows.
    pub groups: Option<u32>,
    /// A CSV with a row for each instead: `name`, `scale`, `shift`, `plan` and `standbys`.
    pub file: Option<String>,
    /// Factor on the load of each group, lognormal. Default 1.
    pub scale: Option<ScaleFile>,
    /// The load of each group comes later by a time between zero and this. Default 0s.
    pub shift: Option<Span>,
}

/// A random factor.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleFile {
    /// Its mean.
    pub mean: f64,
    /// Its coefficient of variation. Default 0.
    #[serde(default)]
    pub cv: f64,
}
