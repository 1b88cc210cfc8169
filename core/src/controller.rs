//! The one entry point: [`Controller::step`].

use serde::{Deserialize, Serialize};

use crate::command::{Command, Outcome};
use crate::decision::Decision;
use crate::ids::CommandId;
use crate::observation::Observation;
use crate::policy::Policy;
use crate::time::{Span, Timestamp};

/// A group: one primary that is always on, and its prepared standbys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupConfig {
    /// Standby servers that are provisioned.
    pub standbys: u16,
    /// The primary's share of the traffic relative to the others.
    pub primary_weight: u16,
    /// A standby's share.
    pub standby_weight: u16,
    /// When to scale. It must pass [`Policy::check`].
    pub policy: Policy,
}

/// What happened since the last step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// What is known of the world; may be partial, each value has its age.
    Observe(Observation),
    /// How a command went.
    Complete {
        /// Which command.
        id: CommandId,
        /// How it went.
        outcome: Outcome,
    },
    /// What a person asks for.
    Request(OperatorRequest),
    /// Only time passed.
    Wake,
}

/// What a person may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorRequest {
    /// So many servers more than now, as a floor.
    ScaleUp {
        /// How many.
        by: u16,
        /// For how long; the policy's `manual.hold` if absent.
        hold: Option<Span>,
    },
    /// So many servers fewer than now, as a ceiling.
    ScaleDown {
        /// How many.
        by: u16,
        /// For how long; the policy's `manual.hold` if absent.
        hold: Option<Span>,
    },
    /// No rule and no schedule starts anything until then. People still may.
    PauseUntil(Timestamp),
    /// Ends a pause and every manual demand.
    Resume,
    /// Replaces the policy. One that does not pass [`Policy::check`] is ignored.
    SetPolicy(Box<Policy>),
}

/// What follows from an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// To be carried out, in any order, after the step is on disk.
    pub commands: Vec<Command>,
    /// What was decided, and why.
    pub decision: Decision,
    /// When to step again at the latest, if nothing happens before.
    pub wake_at: Option<Timestamp>,
}
