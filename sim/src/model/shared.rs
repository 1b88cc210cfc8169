//! What all servers of a group share: Redis, the database, the storage.

use tidegate_core::Span;

use super::Dist;

/// First come, first served by `servers` servers, and a delay that occupies none of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Station {
    /// Servers.
    pub servers: u32,
    /// Network there and back.
    pub latency: Span,
    /// Visits that may wait; one more is refused. No limit if absent.
    pub queue: Option<u32>,
    /// Where it runs.
    pub host: Host,
}

/// Where a shared service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// On a host of its own.
    Own,
    /// On the primary: what it does are tasks on the primary's cores.
    Primary,
}

/// What Redis does when its memory is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// It refuses writes.
    None,
    /// It evicts the least recently used of all keys.
    AllKeysLru,
    /// It evicts the least recently used of the keys that expire.
    VolatileLru,
}

/// What Redis keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Store {
    /// Bytes that it may use.
    pub limit: u64,
    /// What it does when they are used.
    pub eviction: Eviction,
    /// Objects that requests read, and what is read again from the database when it is missing.
    pub cache: Option<Objects>,
}

/// The file to which Redis appends what is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// When it has the disk keep it.
    pub fsync: Fsync,
    /// How long that takes.
    pub takes: Dist,
    /// When and how it writes the file anew, if it does.
    pub rewrite: Option<Snapshot>,
}

/// When Redis has the disk keep what it appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// Before it answers a write.
    Always,
    /// Each second, beside its work.
    EverySecond,
    /// Never: the system does it some time.
    Never,
}

/// How Redis saves what it keeps: its one thread forks, and the child writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Time between two.
    pub every: Span,
    /// For how long the fork holds the thread.
    pub fork: Span,
    /// For how long the child keeps a core of its host busy.
    pub save: Span,
}

/// Objects that requests read through Redis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objects {
    /// How many there are.
    pub count: u32,
    /// Bytes of each.
    pub size: u64,
    /// The n-th is read in proportion to n to the power of minus this.
    pub skew: f64,
}

/// What a request writes into Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Bytes.
    pub size: u64,
    /// After which time they expire.
    pub ttl: Span,
}

/// Files on the shared storage: one for each site, whole of which is read and written.
#[derive(Clone, Debug, PartialEq)]
pub struct Files {
    /// The sites of each bench: what each gets of the bench's traffic, relative to the others.
    pub sites: Vec<Vec<f64>>,
    /// Whether all transfers share a link; how long each takes alone is its phase's demand.
    pub linked: bool,
    /// How long a server takes attributes of a file for valid.
    pub attribute_cache: Span,
    /// Whether each open asks for the attributes all the same.
    pub close_to_open: bool,
}
