//! `[[fault]]`: what goes wrong, when, and with whom.

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_core::{Span, StepName};

use crate::model::{CrashPoint, FaultKind, Part, SharedService};

/// A fault. It begins at a time, at random times, or with a command.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultFile {
    /// What goes wrong.
    pub kind: FaultKind,
    /// When it begins, from the start of the run.
    pub at: Option<Span>,
    /// Mean time between two beginnings, at random.
    pub every: Option<Span>,
    /// The commands that it concerns or begins with.
    pub step: Option<StepName>,
    /// With which of the step's commands it begins, from 1. Repetitions are not counted.
    pub nth: Option<u32>,
    /// How many attempts of that command it concerns. Default 1.
    pub attempts: Option<u32>,
    /// How long after that command it begins. Default 0s.
    pub after: Option<Span>,
    /// How long it lasts. Default 1m.
    #[serde(rename = "for")]
    pub length: Option<Span>,
    /// The server concerned, the primary being 0. Default: each standby.
    pub server: Option<u16>,
    /// By how much something grows. Default: the kind's.
    pub factor: Option<f64>,
    /// By how much something is late. Default: the kind's.
    pub by: Option<Span>,
    /// Which shared service.
    pub service: Option<SharedService>,
    /// Between which two parts.
    pub between: Option<[Part; 2]>,
    /// Whether Redis keeps its data. Default true.
    pub keeps_data: Option<bool>,
    /// Where in the step the controller's host dies. Default `stored`.
    pub point: Option<CrashPoint>,
}
