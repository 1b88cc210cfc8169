//! Facts in a file: a line each, in the order of their times, and how it was at the end.

use serde::{Deserialize, Serialize};

use crate::fact::Fact;
use crate::time::Timestamp;

/// A line of `facts.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Told {
    /// What happened.
    Fact {
        /// When.
        at: Timestamp,
        /// What.
        fact: Fact,
    },
    /// What was left when nobody looked any more, counted apart from the facts.
    End {
        /// When.
        at: Timestamp,
        /// Requests that had no answer.
        in_flight: u64,
        /// Jobs that were queued or running.
        jobs_pending: u64,
    },
}

impl Told {
    /// When it was.
    pub const fn at(&self) -> Timestamp {
        match *self {
            Self::Fact { at, .. } | Self::End { at, .. } => at,
        }
    }
}
