//! What stands behind the ports: real software, reached as its own manual says.
//!
//! An adapter keeps nothing that it could ask for. It waits only for what it ordered, and its
//! future may be dropped at any moment: what was ordered in part is ordered whole when it comes
//! again.

pub(crate) mod http;
mod lines;
mod own_file;
mod processes;
pub(crate) mod program;
mod redis_link;
mod secret;

pub mod alertmanager;
pub mod cloud;
pub mod commands;
pub mod ec2;
pub mod envoy;
pub mod haproxy;
pub mod http_probes;
pub mod http_provider;
pub mod nginx;
pub mod process;
pub mod prometheus;
pub mod rq;
pub mod shared;
pub mod silent;
pub mod ssh;

pub use redis_link::{RedisConfig, RedisConfigError};
pub use secret::{Secret, SecretError, SecretSource};

pub use crate::tls::TlsError;
