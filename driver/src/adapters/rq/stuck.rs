//! Jobs that were taken and will not begin, for the worker that took them has ended.

use std::collections::BTreeSet;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, cmd, pipe};
use tidegate_core::Span;

use super::Rq;
use super::scripts::PUT_BACK;
use crate::ports::{Order, PortError};

const POLL: Span = Span::from_millis(200);
const BATCH: usize = 1000;

/// A job, and the queue that it came from.
type Job = (String, String);

impl Rq {
    /// Puts back what the workers that ended had taken and not begun. Jobs that come to look so
    /// later were taken by others. Those that others are about to begin are waited for.
    pub(super) async fn put_back_lost(&self, order: &Order) -> Result<(), PortError> {
        let mut suspects = self.link.with(suspects).await?;
        loop {
            let mut left = BTreeSet::new();
            for job in suspects {
                if self.is_still_stuck(&job).await? {
                    left.insert(job);
                }
            }
            if left.is_empty() {
                return Ok(());
            }
            suspects = left;
            self.clock.sleep_until(self.clock.now() + POLL).await;
            self.enter(order).await?;
        }
    }

    async fn is_still_stuck(&self, (queue, job): &Job) -> Result<bool, PortError> {
        let since = format!("tidegate:stuck:{queue}:{job}");
        let millis = self.config.put_back_after.as_nanos() / 1_000_000;
        let mut ask = PUT_BACK.key(since);
        ask.arg(queue).arg(job).arg(millis);
        let answer: u8 = self.link.with(async |redis| ask.invoke_async(redis).await).await?;
        Ok(answer == 1)
    }
}

/// Jobs that are queued and were in no queue when looked for. A job that moved meanwhile is among
/// them; what each is, is asked again at once for that job alone.
async fn suspects(redis: &mut MultiplexedConnection) -> Result<BTreeSet<Job>, RedisError> {
    let mut suspects = BTreeSet::new();
    let mut cursor = 0u64;
    loop {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg("rq:job:*").arg("COUNT").arg(BATCH);
        let (next, keys): (u64, Vec<String>) = scan.query_async(redis).await?;
        suspects.extend(queued_of(redis, &keys).await?);
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    let origins: BTreeSet<String> = suspects.iter().map(|(queue, _)| queue.clone()).collect();
    for queue in origins {
        let waiting: Vec<String> = cmd("LRANGE")
            .arg(format!("rq:queue:{queue}"))
            .arg(0)
            .arg(-1)
            .query_async(redis)
            .await?;
        for job in waiting {
            suspects.remove(&(queue.clone(), job));
        }
    }
    Ok(suspects)
}

async fn queued_of(
    redis: &mut MultiplexedConnection,
    keys: &[String],
) -> Result<Vec<Job>, RedisError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut asked = pipe();
    for key in keys {
        asked.cmd("HMGET").arg(key).arg(&["status", "origin"]);
    }
    let fields: Vec<(Option<String>, Option<String>)> = asked.query_async(redis).await?;
    let jobs = keys.iter().zip(fields).filter_map(|(key, (status, origin))| {
        let job = key.strip_prefix("rq:job:")?.to_owned();
        (status? == "queued").then_some((origin?, job))
    });
    Ok(jobs.collect())
}
