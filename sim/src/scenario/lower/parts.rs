//! The machines, the proxy, memory and caches.

use std::path::Path;

use tidegate_core::Span;

use super::MIB;
use crate::model::{
    Balance, Cache, Checks, Connections, Dist, Machine, Memory, ProviderLimits, Proxy,
};
use crate::scenario::Fault;
use crate::scenario::file::{BalanceFile, ChecksFile, ScenarioFile};
use crate::scenario::length::Length;

pub(super) fn machine(file: &ScenarioFile, directory: &Path) -> Result<Machine, Fault> {
    let or = |length: &Option<Length>, key: &str, default: Dist| match length {
        Some(length) => length.dist(directory, &format!("server.{key}")),
        None => Ok(default),
    };
    let about = |mean| Dist::Lognormal { mean: Span::from_secs(mean), cv: 0.2 };
    let server = &file.server;
    Ok(Machine {
        boot: or(&server.boot, "boot", about(45))?,
        services: or(&server.services, "services", about(60))?,
        services_stop: or(
            &server.services_stop,
            "services_stop",
            Dist::Constant(Span::from_secs(5)),
        )?,
        stop: or(&server.stop, "stop", Dist::Constant(Span::from_secs(20)))?,
    })
}

pub(super) fn provider(file: &ScenarioFile) -> Result<Option<ProviderLimits>, Fault> {
    let given = &file.provider;
    let every = given.start_every.filter(|every| !every.is_zero());
    if every.is_some_and(|every| every > Span::from_hours(24)) {
        return Err(Fault::at("provider.start_every", "must be at most 24h"));
    }
    let burst = given.burst.unwrap_or(1);
    if burst == 0 || burst > 1_000_000 {
        return Err(Fault::at("provider.burst", "must be 1 to 1000000"));
    }
    let starts = every.map(|every| (every, burst));
    let limited = given.machines.is_some() || starts.is_some();
    Ok(limited.then_some(ProviderLimits { machines: given.machines, starts }))
}

pub(super) fn proxy(file: &ScenarioFile) -> Result<Proxy, Fault> {
    let proxy = &file.proxy;
    if proxy.timeout.is_some_and(Span::is_zero) {
        return Err(Fault::at("proxy.timeout", "must be more than zero"));
    }
    if proxy.max_connections == Some(0) {
        return Err(Fault::at("proxy.max_connections", "must be more than zero"));
    }
    let retries = proxy.retries.unwrap_or(0);
    if retries > 64 {
        return Err(Fault::at("proxy.retries", "must be at most 64"));
    }
    Ok(Proxy {
        balance: match proxy.balance {
            BalanceFile::RoundRobin => Balance::RoundRobin,
            BalanceFile::LeastConnections => Balance::LeastConnections,
        },
        latency: proxy.latency.unwrap_or(Span::from_nanos(300_000)),
        max_connections: proxy.max_connections,
        backlog: proxy.backlog.unwrap_or(1_000),
        timeout: proxy.timeout.unwrap_or(Span::from_secs(60)),
        retries,
        sticky: proxy.sticky,
        change: proxy.change.unwrap_or(Span::from_secs(1)),
        connections: connections(file)?,
        health: proxy.health.map(checks).transpose()?,
    })
}

/// Without the time to open them, connections make no difference.
fn connections(file: &ScenarioFile) -> Result<Option<Connections>, Fault> {
    let proxy = &file.proxy;
    let connect = proxy.connect.unwrap_or(Span::ZERO);
    if connect > Span::from_mins(1) {
        return Err(Fault::at("proxy.connect", "must be at most 1m"));
    }
    if connect.is_zero() {
        return Ok(None);
    }
    Ok(Some(Connections {
        connect,
        keep_alive: proxy.keep_alive.unwrap_or(u32::MAX),
        timeout: proxy.keep_alive_timeout.unwrap_or(Span::from_secs(60)),
    }))
}

fn checks(file: ChecksFile) -> Result<Checks, Fault> {
    let checks = Checks {
        every: file.every.unwrap_or(Span::from_secs(2)),
        rise: file.rise.unwrap_or(2),
        fall: file.fall.unwrap_or(3),
        timeout: file.timeout.unwrap_or(Span::from_secs(1)),
    };
    if checks.every < Span::from_millis(10) {
        return Err(Fault::at("proxy.health.every", "must be at least 10ms"));
    }
    if checks.timeout > checks.every {
        let message = "must not be more than the time between two checks";
        return Err(Fault::at("proxy.health.timeout", message));
    }
    if checks.rise == 0 || checks.fall == 0 {
        return Err(Fault::at("proxy.health", "`rise` and `fall` are at least 1"));
    }
    Ok(checks)
}

pub(super) fn memory(file: &ScenarioFile) -> Result<Memory, Fault> {
    let memory = file.memory;
    let max_requests = memory.max_requests.unwrap_or(5_000);
    let max_requests_jitter = memory.max_requests_jitter.unwrap_or(0);
    if max_requests == 0 && max_requests_jitter > 0 {
        let message = "no worker is replaced while `max_requests` is 0";
        return Err(Fault::at("memory.max_requests_jitter", message));
    }
    let restart = memory.restart.unwrap_or(Span::ZERO);
    if restart > Span::from_hours(1) {
        return Err(Fault::at("memory.restart", "must be at most 1h"));
    }
    Ok(Memory {
        base: memory.base.map_or(1 << 30, |size| size.0),
        worker: memory.worker.map_or(60 * MIB, |size| size.0),
        growth: memory.growth.map_or(4 << 10, |size| size.0),
        max_requests,
        max_requests_jitter,
        restart,
        oom_killer: memory.oom_killer,
    })
}

pub(super) fn cache(file: &ScenarioFile) -> Result<Cache, Fault> {
    let cold = file.cache.cold.unwrap_or(1.0);
    if !(1.0..=100.0).contains(&cold) {
        return Err(Fault::at("cache.cold", "must be 1 to 100"));
    }
    let warm_after = file.cache.warm_after.unwrap_or(500);
    if warm_after == 0 || warm_after > 1_000_000 {
        return Err(Fault::at("cache.warm_after", "must be 1 to 1000000"));
    }
    Ok(Cache { cold, warm_after })
}
