//! A database where only so many may wait.

use tidegate_core::fact::{Fact, FailureCause};
use tidegate_core::{Span, Timestamp};
use tidegate_sim::world::World;

use super::{Facts, pass, world};

/// One server of 100 ms, with room for one more; 40 requests a second come, of which 30 must fail.
const SMALL: [&str; 5] = [
    "database.servers=1",
    "database.queue=1",
    "database.latency=2ms",
    "request.0.phases=[{ database = \"100ms\" }]",
    "load.0.rate=40",
];

fn count(world: &World<Facts>, matches: fn(&Fact) -> bool) -> usize {
    world.sink.0.iter().filter(|(_, fact)| matches(fact)).count()
}

const fn is_overloaded(fact: &Fact) -> bool {
    matches!(fact, Fact::RequestFailed { cause: FailureCause::Overloaded, .. })
}

#[test]
fn a_refused_request_fails_after_the_way_there_and_back_and_frees_its_worker() {
    let set = ["redis.touch=0s", "nfs.touch=0s", "bench.0.name=b", "bench.0.workers=3"];
    let mut world = world(&SMALL.iter().chain(&set).copied().collect::<Vec<_>>());
    pass(&mut world, 5);
    let after = |(_, fact): &(Timestamp, Fact)| {
        let Fact::RequestFailed { after, .. } = *fact else { return None };
        Some(after)
    };
    let failed: Vec<Span> = world.sink.0.iter().filter_map(after).collect();
    let least = failed.iter().min().unwrap();
    assert_eq!(*least, Span::from_millis(2));
    assert_eq!(count(&world, is_overloaded), failed.len(), "no worker is missing");
    let served = count(&world, |fact| matches!(fact, Fact::RequestServed { .. }));
    assert!((2_950..=3_000).contains(&served), "{served}");
}

#[test]
fn a_refused_job_is_failed_and_its_worker_takes_the_next() {
    let jobs = [
        "server.job_workers={ short = 4, default = 0, long = 0 }",
        "job.0.name=mail",
        "job.0.queue=short",
        "job.0.phases=[{ database = \"100ms\" }]",
        "request.0.phases=[{ wait = \"1ms\" }]",
        "request.0.enqueues={ job = \"mail\", share = \"100%\" }",
    ];
    let set = [SMALL[0], SMALL[1], "load.0.rate=40"];
    let mut world = world(&set.iter().chain(&jobs).copied().collect::<Vec<_>>());
    pass(&mut world, 5);
    let failed = count(&world, |fact| matches!(fact, Fact::JobFailed { .. }));
    let done = count(&world, |fact| matches!(fact, Fact::JobCompleted { .. }));
    let begun = count(&world, |fact| matches!(fact, Fact::JobEnqueued { .. }));
    assert!((2_950..=3_000).contains(&done), "{done}");
    assert_eq!(begun as u64, (failed + done) as u64 + world.jobs_pending());
    assert_eq!(count(&world, is_overloaded), 0);
}

#[test]
fn what_a_client_gave_up_is_refused_too_and_answers_nobody() {
    let set = [
        "proxy.timeout=1ms",
        "redis.touch=0s",
        "nfs.touch=0s",
        "bench.0.name=b",
        "bench.0.workers=3",
    ];
    let mut world = world(&SMALL.iter().chain(&set).copied().collect::<Vec<_>>());
    pass(&mut world, 5);
    let arrived = count(&world, |fact| matches!(fact, Fact::RequestArrived { .. }));
    let timed_out = count(&world, |fact| matches!(fact, Fact::RequestFailed { .. }));
    let ended = count(&world, |fact| matches!(fact, Fact::RequestAbandoned { .. }));
    assert_eq!(arrived as u64, timed_out as u64 + world.in_flight());
    assert!(timed_out - ended <= 3, "{timed_out} against {ended}: three workers");
    assert_eq!(count(&world, is_overloaded), 0);
}
