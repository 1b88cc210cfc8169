//! What RQ keeps in Redis about its workers and the jobs that they are running.

use std::collections::{BTreeMap, BTreeSet};

use redis::aio::MultiplexedConnection;
use redis::{RedisError, cmd, pipe};

use super::ServerWorkers;

/// A worker that is registered and has not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Worker {
    pub name: String,
    pub birth: String,
    state: String,
    address: String,
    queues: Vec<String>,
    /// It was told to end, and is to finish its job first.
    is_ending: bool,
}

type Fields = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl Worker {
    fn new(key: &str, fields: Fields) -> Option<Self> {
        let (birth, state, address, queues, shutdown, death) = fields;
        let name = key.strip_prefix("rq:worker:")?.to_owned();
        let queues = queues.unwrap_or_default();
        let queues = queues.split(',').filter(|queue| !queue.is_empty()).map(str::to_owned);
        death.is_none().then_some(Self {
            name,
            birth: birth?,
            state: state.unwrap_or_default(),
            address: host(&address.unwrap_or_default()).to_owned(),
            queues: queues.collect(),
            is_ending: shutdown.is_some(),
        })
    }

    fn is_of(&self, own: &ServerWorkers) -> bool {
        let at = own.address.as_ref().is_none_or(|address| *address == self.address);
        at && is_named(own, &self.name)
    }

    fn is_busy(&self) -> bool {
        self.state == "busy"
    }
}

/// The address without its port: `10.0.0.1:40322` or `[fd00::1]:40322`.
fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_matches(['[', ']'])
}

fn is_named(own: &ServerWorkers, name: &str) -> bool {
    own.name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()))
}

/// All workers and what they have to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Registry {
    workers: Vec<Worker>,
    /// Names of the workers of jobs that are running.
    running: BTreeSet<String>,
    /// Jobs that were taken and have not begun, by queue.
    taken: BTreeMap<String, usize>,
}

impl Registry {
    /// The names of all workers, whosever they are.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.workers.iter().map(|worker| worker.name.as_str())
    }

    /// A server's workers that can still take a job.
    pub fn able<'a>(&'a self, own: &'a ServerWorkers) -> impl Iterator<Item = &'a Worker> {
        self.workers.iter().filter(move |worker| worker.is_of(own) && !worker.is_ending)
    }

    /// A server's workers that have a job. A job that was taken and has not begun counts for each
    /// server whose idle workers may have it. A job of a worker that is not registered any more may
    /// run on all the same: it counts if the worker's name tells whose it was.
    pub fn busy(&self, own: &ServerWorkers) -> u32 {
        let ours: Vec<_> = self.workers.iter().filter(|worker| worker.is_of(own)).collect();
        let has_job = |worker: &&&Worker| worker.is_busy() || self.running.contains(&worker.name);
        let busy = ours.iter().filter(has_job).count();
        let idle: Vec<_> = ours.iter().filter(|worker| !has_job(worker)).collect();
        let may_have = |queue: &String| idle.iter().any(|worker| worker.queues.contains(queue));
        let taken = self.taken.iter().filter(|(queue, _)| may_have(queue)).map(|(_, jobs)| jobs);
        let gone = self.running.iter().filter(|name| {
            let registered = self.workers.iter().any(|worker| worker.name == **name);
            !registered && own.name_prefix.is_some() && is_named(own, name)
        });
        (busy + taken.sum::<usize>().min(idle.len()) + gone.count()) as u32
    }
}

/// Reads all of it, in four round trips.
pub(super) async fn read(redis: &mut MultiplexedConnection) -> Result<Registry, RedisError> {
    let (keys, queues, (seconds, _)): (Vec<String>, Vec<String>, (u64, u64)) =
        pipe().smembers("rq:workers").smembers("rq:queues").cmd("TIME").query_async(redis).await?;
    let workers = workers(redis, &keys).await?;
    let mut asked = pipe();
    let names = queues.iter().map(|key| key.strip_prefix("rq:queue:").unwrap_or(key));
    for name in names.clone() {
        asked.cmd("ZRANGEBYSCORE").arg(format!("rq:wip:{name}")).arg(seconds).arg("+inf");
        asked.lrange(format!("rq:queue:{name}:intermediate"), 0, -1);
    }
    let lists: Vec<Vec<String>> = query(&asked, redis).await?;
    let running = executors(redis, lists.iter().step_by(2).flatten()).await?;
    let taken = lists.iter().skip(1).step_by(2).map(Vec::len);
    let taken = names.map(str::to_owned).zip(taken).filter(|(_, jobs)| *jobs > 0).collect();
    Ok(Registry { workers, running, taken })
}

async fn workers(
    redis: &mut MultiplexedConnection,
    keys: &[String],
) -> Result<Vec<Worker>, RedisError> {
    let mut asked = pipe();
    for key in keys {
        asked.cmd("HMGET").arg(key).arg(&["birth", "state", "ip_address", "queues"]);
        asked.arg(&["shutdown_requested_date", "death"]);
    }
    let fields: Vec<Fields> = query(&asked, redis).await?;
    let mut workers: Vec<_> =
        keys.iter().zip(fields).filter_map(|(key, fields)| Worker::new(key, fields)).collect();
    workers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(workers)
}

/// The workers of started jobs. Since 2.0 their entries are `JOB:EXECUTION`, before that `JOB`.
async fn executors<'a>(
    redis: &mut MultiplexedConnection,
    entries: impl Iterator<Item = &'a String>,
) -> Result<BTreeSet<String>, RedisError> {
    let mut asked = pipe();
    for entry in entries {
        let job = entry.rsplit_once(':').map_or(entry.as_str(), |(job, _)| job);
        for id in [entry.as_str(), job] {
            asked.add_command(cmd("HGET").arg(format!("rq:job:{id}")).arg("worker_name").clone());
        }
    }
    let names: Vec<Option<String>> = query(&asked, redis).await?;
    Ok(names.into_iter().flatten().filter(|name| !name.is_empty()).collect())
}

/// An empty pipeline is answered without a question.
async fn query<T: redis::FromRedisValue>(
    asked: &redis::Pipeline,
    redis: &mut MultiplexedConnection,
) -> Result<Vec<T>, RedisError> {
    if asked.is_empty() { Ok(Vec::new()) } else { asked.query_async(redis).await }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(name: &str, state: &str, address: &str) -> Worker {
        let text = |text: &str| Some(text.to_owned());
        let fields = (text("2026"), text(state), text(address), text("long,short"), None, None);
        Worker::new(&format!("rq:worker:{name}"), fields).unwrap()
    }

    fn named(prefix: &str) -> ServerWorkers {
        ServerWorkers { name_prefix: Some(prefix.to_owned()), ..ServerWorkers::default() }
    }

    fn registry() -> Registry {
        let workers = vec![
            worker("a.1", "busy", "10.0.0.1:40322"),
            worker("a.2", "idle", "10.0.0.1"),
            worker("b.1", "idle", "[fd00::2]:6000"),
        ];
        Registry { workers, ..Registry::default() }
    }

    #[test]
    fn workers_are_known_by_address_or_name_or_both() {
        let registry = registry();
        let at = |address: &str| ServerWorkers {
            address: Some(address.to_owned()),
            ..ServerWorkers::default()
        };
        assert_eq!(registry.able(&at("10.0.0.1")).count(), 2);
        assert_eq!(registry.able(&at("fd00::2")).count(), 1);
        assert_eq!(registry.able(&named("b.")).count(), 1);
        let both = ServerWorkers { name_prefix: Some("a.2".to_owned()), ..at("10.0.0.1") };
        assert_eq!(registry.able(&both).count(), 1);
    }

    #[test]
    fn a_worker_whose_key_expired_or_that_died_is_none() {
        let nothing = (None, None, None, None, None, None);
        assert_eq!(Worker::new("rq:worker:a", nothing), None);
        let date = Some("2026".to_owned());
        let dead = (date.clone(), None, None, None, None, date);
        assert_eq!(Worker::new("rq:worker:a", dead), None);
    }

    #[test]
    fn what_was_taken_counts_for_idle_workers_of_its_queue_and_a_running_job_for_its_worker() {
        let mut registry = registry();
        assert_eq!((registry.busy(&named("a.")), registry.busy(&named("b."))), (1, 0));
        registry.running.insert("a.1".to_owned());
        registry.running.insert("b.7".to_owned());
        assert_eq!((registry.busy(&named("a.")), registry.busy(&named("b."))), (1, 1));
        registry.taken.insert("short".to_owned(), 5);
        registry.taken.insert("other".to_owned(), 5);
        assert_eq!((registry.busy(&named("a.")), registry.busy(&named("b."))), (2, 2));
    }
}
