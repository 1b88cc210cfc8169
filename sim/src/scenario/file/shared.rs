//! What all servers share: Redis, the database and the storage.

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_core::Span;
use tidegate_core::size::Size;

use crate::scenario::length::Length;
use crate::scenario::units::Bandwidth;

/// Where a shared service runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HostFile {
    /// On a host of its own.
    #[default]
    Own,
    /// On the primary, whose cores it shares.
    Primary,
}

/// The shared Redis.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedisFile {
    /// Servers, each of which serves one at a time. Default 1.
    pub servers: Option<u32>,
    /// Network there and back. Default 200us.
    pub latency: Option<Span>,
    /// Visits that may wait; one more is refused. Default: no limit.
    pub queue: Option<u32>,
    /// What each request and job that names no phase here brings all the same; `0s` for nothing.
    /// Default 100us.
    pub touch: Option<Span>,
    /// Where it runs. Default `own`.
    pub host: HostFile,
    /// Memory for keys and jobs. Default: no limit.
    pub memory: Option<Size>,
    /// What it does when memory is full. Default `noeviction`.
    pub eviction: EvictionFile,
    /// The objects that requests with a `miss` read.
    pub cache: Option<ObjectsFile>,
    /// How it saves what it keeps. Default: it does not.
    pub snapshot: Option<SnapshotFile>,
    /// The file to which it appends what is written. Default: it does not.
    pub append_only: Option<AppendFile>,
}

/// What Redis does when its memory is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EvictionFile {
    /// It refuses writes.
    #[default]
    Noeviction,
    /// It evicts the least recently used of all keys, jobs among them.
    AllkeysLru,
    /// It evicts the least recently used of the keys that expire; jobs do not.
    VolatileLru,
}

/// The file to which Redis appends what is written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AppendFile {
    /// When it has the disk keep what it appended. Default `everysec`.
    pub fsync: FsyncFile,
    /// How long that takes the disk; required unless it is left to the system.
    pub takes: Option<Length>,
    /// How it writes the file anew. Default: it does not.
    pub rewrite: Option<SnapshotFile>,
}

/// When Redis has the disk keep what it appended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FsyncFile {
    /// Before it answers a write.
    Always,
    /// Each second, beside its work.
    #[default]
    Everysec,
    /// When the system likes.
    No,
}

/// How Redis saves what it keeps.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotFile {
    /// What it keeps.
    pub data: Size,
    /// Time between two. Default 5m.
    pub every: Option<Span>,
    /// For how long the fork holds its thread, for each GiB. Default 12ms.
    pub fork: Option<Span>,
    /// For how long the child then keeps a core busy, for each GiB. Default 10s.
    pub save: Option<Span>,
}

/// Objects that requests read through Redis.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectsFile {
    /// How many there are, 1 to 10000.
    pub objects: u32,
    /// All of them together.
    pub size: Size,
    /// How unequally they are read: the n-th in proportion to 1 / n to this power. Default 0.8.
    pub skew: Option<f64>,
}

/// What a request writes into Redis.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteFile {
    /// How much.
    pub size: Size,
    /// When it expires.
    pub ttl: Span,
}

/// The shared database.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseFile {
    /// Servers, each of which serves one at a time. Default 8.
    pub servers: Option<u32>,
    /// Network there and back. Default 500us.
    pub latency: Option<Span>,
    /// Visits that may wait; one more is refused. Default: no limit.
    pub queue: Option<u32>,
    /// What each request and job that names no phase here brings all the same. Default 0s.
    pub touch: Option<Span>,
}

/// The shared storage.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NfsFile {
    /// Servers, each of which serves one at a time. Default 8.
    pub servers: Option<u32>,
    /// Network there and back. Default 500us.
    pub latency: Option<Span>,
    /// Visits that may wait; one more is refused. Default: no limit.
    pub queue: Option<u32>,
    /// What each request and job that names no phase here brings all the same; `0s` for nothing.
    /// Default 200us.
    pub touch: Option<Span>,
    /// Where it runs. Default `own`.
    pub host: HostFile,
    /// What all transfers of bytes share. Default: no limit.
    pub bandwidth: Option<Bandwidth>,
    /// How long a server takes a file's attributes for valid. Default 3s.
    pub attribute_cache: Option<Span>,
    /// Whether each open asks for the attributes all the same. Default true.
    pub close_to_open: Option<bool>,
}
