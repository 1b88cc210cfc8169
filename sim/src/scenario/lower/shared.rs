//! Redis, the database and the storage.

use std::path::Path;

use tidegate_core::Span;

use crate::model::{
    Append, Dist, Eviction, Fsync, Host, Objects, Phase, Place, Snapshot, Station, Store,
};
use crate::scenario::Fault;
use crate::scenario::file::{
    AppendFile, EvictionFile, FsyncFile, HostFile, ObjectsFile, ScenarioFile, SnapshotFile,
};

pub(super) fn redis(file: &ScenarioFile) -> Result<Station, Fault> {
    let redis = &file.redis;
    Ok(Station {
        servers: servers(redis.servers, 1, "redis")?,
        latency: redis.latency.unwrap_or(Span::from_nanos(200_000)),
        queue: queue(redis.queue, "redis")?,
        host: host(redis.host),
    })
}

/// What Redis keeps, if anything depends on it.
pub(super) fn store(file: &ScenarioFile) -> Result<Option<Store>, Fault> {
    let redis = &file.redis;
    let cache = redis.cache.map(objects).transpose()?;
    if let Some(index) = file.request.iter().position(|request| request.miss.is_some())
        && cache.is_none()
    {
        let fault = Fault::at(&format!("request.{index}.miss"), "there is nothing to miss");
        return Err(fault.hint("give the objects that are read as `redis.cache`"));
    }
    for (index, request) in file.request.iter().enumerate() {
        if request.writes.is_some_and(|writes| writes.ttl.is_zero()) {
            let path = format!("request.{index}.writes.ttl");
            return Err(Fault::at(&path, "must be more than zero"));
        }
    }
    if cache.is_none() && redis.memory.is_none() {
        return Ok(None);
    }
    Ok(Some(Store {
        limit: redis.memory.map_or(u64::MAX, |size| size.0),
        eviction: match redis.eviction {
            EvictionFile::Noeviction => Eviction::None,
            EvictionFile::AllkeysLru => Eviction::AllKeysLru,
            EvictionFile::VolatileLru => Eviction::VolatileLru,
        },
        cache,
    }))
}

/// How Redis saves what it keeps.
pub(super) fn snapshot(file: &ScenarioFile) -> Result<Option<Snapshot>, Fault> {
    file.redis.snapshot.map(|given| forked(given, "redis.snapshot")).transpose()
}

/// The file to which Redis appends what is written.
pub(super) fn append(file: &ScenarioFile, directory: &Path) -> Result<Option<Append>, Fault> {
    let path = "redis.append_only";
    let Some(AppendFile { fsync, takes, rewrite }) = &file.redis.append_only else {
        return Ok(None);
    };
    if file.redis.servers.is_some_and(|servers| servers != 1) {
        return Err(Fault::at(path, "a Redis that appends has one server"));
    }
    let fsync = match fsync {
        FsyncFile::Always => Fsync::Always,
        FsyncFile::Everysec => Fsync::EverySecond,
        FsyncFile::No => Fsync::Never,
    };
    let takes = match (fsync, takes) {
        (Fsync::Never, None) => Dist::Constant(Span::ZERO),
        (Fsync::Never, Some(_)) => {
            return Err(Fault::at(&format!("{path}.takes"), "nobody waits for the disk"));
        }
        (_, Some(takes)) => takes.dist(directory, &format!("{path}.takes"))?,
        (_, None) => return Err(Fault::at(path, "needs `takes`, how long an fsync takes")),
    };
    let rewrite = rewrite.map(|given| forked(given, "redis.append_only.rewrite")).transpose()?;
    Ok(Some(Append { fsync, takes, rewrite }))
}

/// The step at the end of what is written, if it waits for the disk.
pub(super) fn sync(file: &ScenarioFile, directory: &Path) -> Result<Option<Phase>, Fault> {
    let append = append(file, directory)?.filter(|append| append.fsync == Fsync::Always);
    Ok(append.map(|append| Phase { place: Place::Sync, demand: append.takes }))
}

fn forked(given: SnapshotFile, path: &str) -> Result<Snapshot, Fault> {
    let every = given.every.unwrap_or(Span::from_mins(5));
    let (least, most) = (Span::from_secs(1), Span::from_hours(24));
    if every < least || every > most {
        return Err(Fault::at(&format!("{path}.every"), "must be 1s to 24h"));
    }
    let gib = given.data.0 as f64 / f64::from(1 << 30);
    let times = |each: Span| Span::from_nanos((each.as_nanos() as f64 * gib) as i64);
    let fork = times(given.fork.unwrap_or(Span::from_millis(12)));
    let save = times(given.save.unwrap_or(Span::from_secs(10)));
    if fork + save >= every {
        let message = format!("a fork of {fork} and a save of {save} take longer than {every}");
        return Err(Fault::at(path, message).hint("save less often, or less"));
    }
    Ok(Snapshot { every, fork, save })
}

fn objects(file: ObjectsFile) -> Result<Objects, Fault> {
    if file.objects == 0 || file.objects > 10_000 {
        return Err(Fault::at("redis.cache.objects", "must be 1 to 10000"));
    }
    let skew = file.skew.unwrap_or(0.8);
    if !(0.0..=3.0).contains(&skew) {
        return Err(Fault::at("redis.cache.skew", "must be 0 to 3"));
    }
    let size = file.size.0 / u64::from(file.objects);
    if size == 0 {
        return Err(Fault::at("redis.cache.size", "an object has at least one byte"));
    }
    Ok(Objects { count: file.objects, size, skew })
}

pub(super) fn database(file: &ScenarioFile) -> Result<Station, Fault> {
    let database = file.database;
    Ok(Station {
        servers: servers(database.servers, 8, "database")?,
        latency: database.latency.unwrap_or(Span::from_nanos(500_000)),
        queue: queue(database.queue, "database")?,
        host: Host::Own,
    })
}

pub(super) fn nfs(file: &ScenarioFile) -> Result<Station, Fault> {
    let nfs = file.nfs;
    Ok(Station {
        servers: servers(nfs.servers, 8, "nfs")?,
        latency: nfs.latency.unwrap_or(Span::from_nanos(500_000)),
        queue: queue(nfs.queue, "nfs")?,
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

fn queue(given: Option<u32>, name: &str) -> Result<Option<u32>, Fault> {
    if given.is_some_and(|queue| queue > 1_000_000) {
        return Err(Fault::at(&format!("{name}.queue"), "must be at most 1000000"));
    }
    Ok(given)
}
