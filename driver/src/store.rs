//! What survives the host: the journal and a checkpoint of each group, and the host's term.

mod lease;
mod place;
mod postgres;
mod queue;
mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tidegate_core::{Decision, OperatorRequest, ServerId, Snapshot, Timestamp};

use crate::ports::Traffic;

pub use lease::Lease;
pub(crate) use lease::{REST, lost};
pub use place::{AddressError, Database, Place};
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;

/// A controller as it was after a line of its journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The line's number, from 1 on; 0 for a controller before its first line.
    pub number: u64,
    /// When it was so.
    #[serde(default)]
    pub at: Timestamp,
    /// The controller.
    pub snapshot: Snapshot,
    /// What it decided last, which the next line may leave out.
    pub last: Option<Decision>,
}

/// A line of a group's journal, to be written.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its number: one more than that of the line before, from 1 on.
    pub number: u64,
    /// When the controller was stepped.
    pub at: Timestamp,
    /// [`tidegate_core::journal::Line`] as JSON, with a line feed.
    pub line: Vec<u8>,
    /// What has been noted since the line before.
    pub notes: Vec<Note>,
    /// The controller after it, now and then; with a group's first line, the one before it.
    pub checkpoint: Option<Box<Checkpoint>>,
    /// What a person asked for, if that is what the controller was stepped with.
    pub asked: Option<Asked>,
}

/// What a person asked for. It is kept for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    /// Who, as the person says.
    pub who: String,
    /// What.
    pub request: OperatorRequest,
}

/// What was learned of the world that the controller need not know. One that is written twice is
/// kept once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// When it was so.
    pub at: Timestamp,
    /// What.
    pub what: Noted,
}

/// What was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noted {
    /// By the provider's own record, a machine began or ceased to be billed.
    Power {
        /// Which server.
        server: ServerId,
        /// Whether it is billed from then on.
        on: bool,
    },
    /// The proxy had counted so much of a server.
    Traffic(Traffic),
}

/// A step of a group's set-up that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which.
    pub step: String,
    /// When it ended.
    pub at: Timestamp,
}

/// A stretch of a group's past, as far back as it is kept.
#[derive(Clone, Debug)]
pub struct Past {
    /// The controller where it begins.
    pub checkpoint: Checkpoint,
    /// All lines after that, in order.
    pub lines: Vec<Vec<u8>>,
    /// What was noted from there on, in the order of time.
    pub notes: Vec<Note>,
}

/// What is stored of a group.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The last checkpoint.
    pub checkpoint: Checkpoint,
    /// The lines after it, in order. Commands that have not ended follow from them.
    pub tail: Vec<Vec<u8>>,
}

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another host has taken over. This one must not act any more.
    #[error("another host has taken over in term {now}; this one's is {ours}")]
    Fenced {
        /// The term of the host that asked.
        ours: u32,
        /// The term that is in force.
        now: u32,
    },
    /// Another host has the lease. This one must not act.
    #[error("{by} has the lease")]
    Held {
        /// Which, as it calls itself.
        by: String,
        /// How long it has it at most, unless it renews it.
        left: Duration,
    },
    /// It has not answered for as long as this host may act. What was asked for may have been done.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// Written by a newer program.
    #[error("the store has format {0}, which is newer than this program's")]
    Newer(i64),
    /// Written by an older program, and not to be changed now.
    #[error("the store has format {0}, which the next live host brings up to date")]
    Older(i64),
    /// It cannot be read or written.
    #[error("{0}")]
    Broken(String),
}

/// Keeps what must survive the host. Whoever serves several hosts sees to it that only the one of
/// the highest term writes.
#[async_trait]
pub trait Store: Send + Sync {
    /// By what hosts agree which of them acts, where several may be started on one store. Where
    /// there is none, whoever starts takes over.
    fn lease(&self) -> Option<Arc<dyn Lease>> {
        None
    }

    /// Takes over: the term returned is above all that were returned before, the first one 0, and
    /// from then on nothing of a lower one is written.
    ///
    /// # Errors
    /// [`StoreError::Held`] if another host has the lease.
    async fn begin_term(&self) -> Result<u32, StoreError>;

    /// What is stored of a group; nothing if it has never had a line.
    async fn load(&self, group: &str) -> Result<Option<Stored>, StoreError>;

    /// Appends a line. When this returns, it is on disk, and its commands may be carried out. A
    /// failed append may have been written all the same: the host that gets one must go.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if `term` is no longer the highest.
    async fn append(&self, term: u32, group: &str, record: Record) -> Result<(), StoreError>;

    /// Stores a controller as it is after the last line that was appended, so that a program which
    /// might decide otherwise need not step through any.
    ///
    /// # Errors
    /// As [`Store::append`].
    async fn checkpoint(
        &self,
        term: u32,
        group: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError>;

    /// The lines of a group's journal that are still kept, from number `from` on, in order.
    async fn journal(&self, group: &str, from: u64) -> Result<Vec<Vec<u8>>, StoreError>;

    /// A group's past from the last checkpoint on that is not after `since`, or from the oldest
    /// that is kept; nothing if it has never had a line.
    async fn past(&self, group: &str, since: Timestamp) -> Result<Option<Past>, StoreError>;

    /// What people last asked of a group, the latest first, so many at most.
    async fn asked(&self, group: &str, most: u32) -> Result<Vec<Asked>, StoreError>;

    /// How far a group's set-up has come, in the order in which its steps were done.
    async fn marks(&self, group: &str) -> Result<Vec<Mark>, StoreError>;

    /// Stores how far a group's set-up has come, in place of what was stored of it.
    ///
    /// # Errors
    /// As [`Store::append`].
    async fn mark(&self, term: u32, group: &str, marks: &[Mark]) -> Result<(), StoreError>;
}
