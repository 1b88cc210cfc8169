//! When the faults of a run were on.

use serde::{Deserialize, Serialize};

use crate::ids::ServerId;
use crate::time::Timestamp;

/// Times at which faults were on. Its size does not grow with how often they come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// The first of these times, in the order in which they began.
    pub spans: Vec<FaultSpan>,
    /// How many more there were.
    pub more: u64,
}

/// A time during which a fault was on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultSpan {
    /// Its position among the scenario's faults.
    pub fault: u16,
    /// What went wrong, such as `server-dies`.
    pub kind: String,
    /// The server concerned, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerId>,
    /// When it began.
    pub from: Timestamp,
    /// When it ended, or the run did; the same moment for what befalls one command.
    pub to: Timestamp,
}

impl Faults {
    /// Whether there was none.
    pub const fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
}
