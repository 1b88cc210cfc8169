//! Redis, the database and the storage.

use tidegate_core::Span;

use crate::model::{Host, Station};
use crate::scenario::Fault;
use crate::scenario::file::{HostFile, ScenarioFile};

pub(super) fn redis(file: &ScenarioFile) -> Result<Station, Fault> {
    let redis = file.redis;
    Ok(Station {
        servers: servers(redis.servers, 1, "redis")?,
        latency: redis.latency.unwrap_or(Span::from_nanos(200_000)),
        host: host(redis.host),
    })
}

pub(super) fn database(file: &ScenarioFile) -> Result<Station, Fault> {
    let database = file.database;
    Ok(Station {
        servers: servers(database.servers, 8, "database")?,
        latency: database.latency.unwrap_or(Span::from_nanos(500_000)),
        host: Host::Own,
    })
}

pub(super) fn nfs(file: &ScenarioFile) -> Result<Station, Fault> {
    let nfs = file.nfs;
    Ok(Station {
        servers: servers(nfs.servers, 8, "nfs")?,
        latency: nfs.latency.unwrap_or(Span::from_nanos(500_000)),
        host: host(nfs.host),
    })
}

const fn host(file: HostFile) -> Host {
    match file {
        HostFile::Own => Host::Own,
        HostFile::Primary => Host::Primary,
    }
}

fn servers(given: Option<u32>, default: u32, name: &str) -> Result<u32, Fault> {
    let servers = given.unwrap_or(default);
    if servers == 0 || servers > 4_096 {
        return Err(Fault::at(&format!("{name}.servers"), "a station has 1 to 4096 servers"));
    }
    Ok(servers)
}
