//! What Redis keeps: what is missing, what is refused, and what is evicted.

use tidegate_core::fact::{Fact, FailureCause};
use tidegate_core::{JobId, Span, Timestamp};
use tidegate_sim::world::World;

use super::{Facts, model, pass, world};

const LIMIT: &str = "redis.memory=5MB";
const LRU: &str = "redis.eviction=allkeys-lru";
/// Jobs of 1 MB that nobody takes up.
const JOBS: [&str; 6] = [
    "server.job_workers={ short = 0, default = 0, long = 0 }",
    "job.0.name=j",
    "job.0.queue=short",
    "job.0.payload=1MB",
    "job.0.phases=[{ cpu = \"1ms\" }]",
    "request.0.enqueues={ job = \"j\", share = \"100%\" }",
];

fn after_a_while(set: &[&str]) -> World<Facts> {
    let mut world = world(set);
    pass(&mut world, 20);
    world
}

fn count(world: &World<Facts>, is: impl Fn(&Fact) -> bool) -> usize {
    world.sink.0.iter().filter(|(_, fact)| is(fact)).count()
}

fn served(fact: &Fact) -> bool {
    matches!(fact, Fact::RequestServed { .. })
}

fn refused(fact: &Fact) -> bool {
    matches!(fact, Fact::RequestFailed { cause: FailureCause::RedisFull, .. })
}

fn enqueued(fact: &Fact) -> bool {
    matches!(fact, Fact::JobEnqueued { .. })
}

fn evicted(fact: &Fact) -> bool {
    matches!(fact, Fact::JobEvicted { .. })
}

/// The hit ratio by Che's approximation, where the characteristic time is found by bisection.
fn che(objects: u32, skew: f64, held: f64) -> f64 {
    let weights: Vec<f64> = (1..=objects).map(|rank| libm::pow(f64::from(rank), -skew)).collect();
    let total: f64 = weights.iter().sum();
    let present = |age: f64| weights.iter().map(move |one| 1.0 - libm::exp(-one / total * age));
    let (mut low, mut high) = (0.0, 1e9);
    for _ in 0..200 {
        let age = f64::midpoint(low, high);
        if present(age).sum::<f64>() < held { low = age } else { high = age }
    }
    present(low).zip(&weights).map(|(present, weight)| present * weight / total).sum()
}

#[test]
fn the_hit_ratio_follows_from_the_memory() {
    for (memory, held) in [("2MB", 200.0), ("5MB", 500.0), ("9MB", 900.0), ("20MB", 1_000.0)] {
        let memory = format!("redis.memory={memory}");
        let set = [
            "redis.cache={ objects = 1000, size = \"10MB\", skew = 0.9 }",
            "request.0.phases=[{ wait = \"1ms\" }]",
            "request.0.miss=100ms",
            "database.servers=1000",
            LRU,
            &memory,
        ];
        let world = after_a_while(&set);
        let least = Span::from_millis(100);
        let hit =
            |fact: &Fact| matches!(fact, Fact::RequestServed { latency, .. } if *latency < least);
        let hits = count(&world, hit) as f64 / count(&world, served) as f64;
        let expected = che(1_000, 0.9, held);
        assert!((hits - expected).abs() < 0.005, "{memory}: {hits}, {expected} expected");
    }
}

/// Fifty writes fit in, each for ten seconds, and a hundred want to: Erlang's loss system.
#[test]
fn without_eviction_writes_are_refused_that_do_not_fit() {
    let set = ["load.0.rate=10", "request.0.writes={ size = \"100KB\", ttl = \"10s\" }", LIMIT];
    let world = after_a_while(&set);
    let (good, bad) = (count(&world, served) as f64, count(&world, refused) as f64);
    let blocked = (1..=50).fold(1.0, |b, n| 100.0 * b / (f64::from(n) + 100.0 * b));
    let found = bad / (good + bad);
    assert!((found - blocked).abs() < 0.015, "{found}, {blocked} expected");
    let lru = after_a_while(&[&set[..], &["redis.eviction=volatile-lru"]].concat());
    assert_eq!(count(&lru, refused), 0);
}

#[test]
fn a_request_whose_job_is_refused_fails_and_the_job_is_never_enqueued() {
    for eviction in ["noeviction", "volatile-lru"] {
        let eviction = format!("redis.eviction={eviction}");
        let world = after_a_while(&[&JOBS[..], &[LIMIT, &eviction]].concat());
        assert_eq!((count(&world, served), count(&world, enqueued)), (5, 5));
        assert!(count(&world, refused) > 100_000);
    }
}

#[test]
fn eviction_among_all_keys_loses_jobs_and_a_property_tells() {
    let set = [&JOBS[..], &[LIMIT, LRU]].concat();
    let world = after_a_while(&set);
    assert_eq!(count(&world, refused), 0);
    assert_eq!(count(&world, evicted), count(&world, enqueued) - 5);
    let model = model(&set);
    let record = tidegate_sim::run::run(&model, &mut std::io::sink(), &mut |_| {}).unwrap().record;
    let jobs = record.summary.jobs;
    assert_eq!((jobs.pending_at_end, jobs.lost), (5, jobs.enqueued - 5));
    for property in record.summary.properties {
        assert_eq!(property.holds, property.name != "jobs-exactly-once", "{property:?}");
    }
}

/// Of a thousand objects that are read alike, half fit in: one that nobody reads stays for
/// 1,000 ln 2 reads, and so does a job.
#[test]
fn a_job_is_evicted_when_it_has_waited_longer_than_the_oldest_object() {
    let few = [
        "redis.cache={ objects = 1000, size = \"10MB\", skew = 0.0 }",
        "request.0.miss=1ms",
        "request.0.enqueues={ job = \"j\", share = \"1%\" }",
        "job.0.payload=1B",
        LIMIT,
        LRU,
    ];
    let world = after_a_while(&[&JOBS[..], &few].concat());
    let when = |is: &dyn Fn(&Fact) -> bool| {
        let found = world.sink.0.iter().find(|(_, fact)| is(fact));
        found.map(|&(at, _): &(Timestamp, Fact)| at)
    };
    let waited: Vec<f64> = (0..1_000)
        .map(JobId)
        .filter_map(|one| {
            let begun = |fact: &Fact| matches!(fact, Fact::JobEnqueued { job } if *job == one);
            let ended = |fact: &Fact| matches!(fact, Fact::JobEvicted { job } if *job == one);
            Some(when(&ended)?.since(when(&begun)?).as_secs_f64())
        })
        .collect();
    assert_eq!(waited.len(), 1_000);
    let mean = waited.iter().sum::<f64>() / 1_000.0;
    assert!((mean / 6.931 - 1.0).abs() < 0.02, "{mean} s");
}

#[test]
fn redis_takes_memory_of_the_primary_if_it_is_there() {
    let used = |host: &str| {
        let cache = "redis.cache={ objects = 1000, size = \"4GiB\" }";
        world(&[cache, host]).memory().unwrap().ppm()
    };
    assert_eq!(used("redis.host=primary") - used("redis.host=own"), 250_000);
}
