//! What a scenario says of defects, and a policy in a file of its own.

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_core::Defects;
use tidegate_core::policy::Policy;

/// A hazard that the scenario shows: what a system with these defects violates in it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HazardFile {
    /// What such a system does wrong.
    pub defects: Defects,
    /// The property that it then violates. Default: each defect's own.
    pub violates: Option<String>,
}

/// A policy in a file of its own, and what the system that it stands for does wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// When to scale.
    pub policy: Policy,
    /// What the system does wrong. Default: nothing.
    #[serde(default)]
    pub defects: Defects,
}
