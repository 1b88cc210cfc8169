//! What the core asks its host to do, and how that went.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{CommandId, Generation, ServerId};
use crate::time::{Span, Timestamp};

/// One thing to do to one server.
///
/// The journal must hold the step that issued it before it is carried out. Carrying it out twice
/// under one id has the effect of once. An executor that has seen a higher generation for the
/// server refuses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its identity; a retry keeps it.
    pub id: CommandId,
    /// The server it is about.
    pub server: ServerId,
    /// The fence.
    pub generation: Generation,
    /// When the core stops waiting for it and tries again or gives up.
    pub deadline: Timestamp,
    /// What to do.
    pub kind: CommandKind,
}

/// What a command does. Each is complete when its effect is, not when it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandKind {
    /// Start the machine. Billing begins.
    PowerOn,
    /// Mount the shared storage, connect to the shared Redis, start benches and job workers.
    StartServices,
    /// Let the proxy send it traffic.
    Join {
        /// Share of the traffic relative to the other servers.
        weight: u16,
        /// Time over which the proxy raises the weight from nothing; zero for at once.
        slow_start: Span,
    },
    /// Let the proxy send it nothing new. Requests in flight go on.
    Drain,
    /// Let its job workers take no new job, nor those that are started anew. Running jobs go on.
    QuiesceJobs,
    /// Let its job workers take jobs again: a scale-down was called off.
    ResumeJobs,
    /// Stop benches and workers, which have nothing left to do.
    StopServices,
    /// Stop the machine. Billing ends.
    PowerOff,
}

/// The kind of a command, without what it carries.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    /// [`CommandKind::PowerOn`].
    PowerOn,
    /// [`CommandKind::StartServices`].
    StartServices,
    /// [`CommandKind::Join`].
    Join,
    /// [`CommandKind::Drain`].
    Drain,
    /// [`CommandKind::QuiesceJobs`].
    QuiesceJobs,
    /// [`CommandKind::ResumeJobs`].
    ResumeJobs,
    /// [`CommandKind::StopServices`].
    StopServices,
    /// [`CommandKind::PowerOff`].
    PowerOff,
}

impl StepName {
    /// All of them, up and down.
    pub const ALL: [Self; 8] = [
        Self::PowerOn,
        Self::StartServices,
        Self::Join,
        Self::Drain,
        Self::QuiesceJobs,
        Self::ResumeJobs,
        Self::StopServices,
        Self::PowerOff,
    ];

    /// As in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PowerOn => "power-on",
            Self::StartServices => "start-services",
            Self::Join => "join",
            Self::Drain => "drain",
            Self::QuiesceJobs => "quiesce-jobs",
            Self::ResumeJobs => "resume-jobs",
            Self::StopServices => "stop-services",
            Self::PowerOff => "power-off",
        }
    }
}

impl CommandKind {
    /// Its name.
    pub const fn step(self) -> StepName {
        match self {
            Self::PowerOn => StepName::PowerOn,
            Self::StartServices => StepName::StartServices,
            Self::Join { .. } => StepName::Join,
            Self::Drain => StepName::Drain,
            Self::QuiesceJobs => StepName::QuiesceJobs,
            Self::ResumeJobs => StepName::ResumeJobs,
            Self::StopServices => StepName::StopServices,
            Self::PowerOff => StepName::PowerOff,
        }
    }
}

/// How a command went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Its effect is in place.
    Done,
    /// It is not, and will not come to be without a retry.
    Failed(Failure),
}

/// Why a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The executor has seen a higher generation.
    Fenced,
    /// The provider has no machine to give.
    OutOfCapacity,
    /// The provider asks to come back later.
    RateLimited,
    /// It did not finish by its deadline.
    TimedOut,
    /// The other side does not answer.
    Unreachable,
    /// It was refused or broke.
    Refused,
}
