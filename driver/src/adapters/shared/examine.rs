//! Whether the servers' ways to what they share are open, without a write.

use std::collections::BTreeSet;

use redis::cmd;
use tidegate_core::ServerId;
use tokio::time::timeout;

use super::{Shared, Ways};
use crate::doctor::Finding;
use crate::ports::PortError;

const PART: &str = "shared";

impl Shared {
    /// Whether these servers reach one Redis and list their folder of the storage.
    pub(crate) async fn examine(&self, servers: &BTreeSet<ServerId>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut first = None;
        for server in servers {
            let Some(ways) = self.ways.get(server.index()) else { continue };
            let (redis, storage) = tokio::join!(
                timeout(self.limit, identity(ways)),
                timeout(self.limit, ways.storage.is_listed()),
            );
            findings.push(match redis {
                Ok(Ok(id)) if id.is_some() && *first.get_or_insert(id.clone()) != id => {
                    let found = format!("{server} reaches another Redis than the primary");
                    Finding::missing(PART, found, "correct its `redis` in `shared.servers`")
                }
                Ok(Ok(_)) => Finding::ok(PART, format!("{server} reaches its Redis")),
                Ok(Err(why)) => {
                    let found = format!("{server} does not reach its Redis: {why}");
                    Finding::missing(PART, found, "see its `redis` in `shared.servers`")
                }
                Err(_) => {
                    let found = format!("the Redis of {server} does not answer in time");
                    Finding::missing(PART, found, "see whether it runs and can be reached")
                }
            });
            findings.push(listed(*server, ways, matches!(storage, Ok(Some(())))));
        }
        let found =
            "nothing is written here: a live host tries whether one reads what another wrote";
        findings.push(Finding::ok(PART, found));
        findings
    }
}

fn listed(server: ServerId, ways: &Ways, is_listed: bool) -> Finding {
    let folder = ways.storage.shown();
    if is_listed {
        return Finding::ok(PART, format!("{server} has its storage at {folder}"));
    }
    let found = format!("the storage of {server} at {folder} cannot be listed, or not in time");
    Finding::missing(PART, found, "mount it, and make the folder that `storage` names")
}

/// What tells one Redis from another; nothing where it may not be asked.
async fn identity(ways: &Ways) -> Result<Option<String>, PortError> {
    let ping = async |redis: &mut redis::aio::MultiplexedConnection| {
        cmd("PING").query_async::<String>(redis).await
    };
    ways.redis.with(ping).await?;
    let info = async |redis: &mut redis::aio::MultiplexedConnection| {
        cmd("INFO").arg("server").query_async::<String>(redis).await
    };
    let info = ways.redis.with(info).await.unwrap_or_default();
    let id = info.lines().find_map(|line| line.strip_prefix("run_id:"));
    Ok(id.map(str::to_owned))
}
