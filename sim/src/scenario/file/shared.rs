//! What all servers share: Redis, the database and the storage.

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_core::Span;

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
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedisFile {
    /// Servers, each of which serves one at a time. Default 1.
    pub servers: Option<u32>,
    /// Network there and back. Default 200us.
    pub latency: Option<Span>,
    /// What each request and job that names no phase here brings all the same; `0s` for nothing.
    /// Default 100us.
    pub touch: Option<Span>,
    /// Where it runs. Default `own`.
    pub host: HostFile,
}

/// The shared database.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseFile {
    /// Servers, each of which serves one at a time. Default 8.
    pub servers: Option<u32>,
    /// Network there and back. Default 500us.
    pub latency: Option<Span>,
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
