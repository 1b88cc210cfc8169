//! A server without memory left kills the web worker that has grown most.

use tidegate_core::Timestamp;
use tidegate_core::fact::{Fact, FailureCause};

use super::{model, pass, world};

/// Four workers leak 400 MiB a request and are never replaced: 16 GiB hold about 30 requests.
const LEAK: [&str; 6] = [
    "bench.0.name=b",
    "bench.0.workers=4",
    "memory.growth=400MiB",
    "memory.max_requests=0",
    "memory.oom_killer=true",
    "server.job_workers={ short = 1, default = 1, long = 1 }",
];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    LEAK.iter().chain(more).copied().collect()
}

/// How many requests were answered, and how many got an error because memory was exhausted.
fn answers(set: &[&str]) -> (usize, usize) {
    let mut world = world(set);
    pass(&mut world, 29);
    let count = |is: fn(&Fact) -> bool| world.sink.0.iter().filter(|(_, fact)| is(fact)).count();
    let killed =
        |fact: &Fact| matches!(fact, Fact::RequestFailed { cause: FailureCause::OutOfMemory, .. });
    let failed = count(|fact| matches!(fact, Fact::RequestFailed { .. }));
    assert_eq!(count(killed), failed, "all errors are the killer's");
    (count(|fact| matches!(fact, Fact::RequestServed { .. })), failed)
}

#[test]
fn a_leak_costs_the_requests_of_the_workers_that_are_killed() {
    for place in ["cpu", "wait"] {
        let phases = format!("request.0.phases=[{{ {place} = \"20ms\" }}]");
        let mut set = with(&["load.0.rate=100"]);
        set.push(&phases);
        let (served, killed) = answers(&set);
        assert!(served > 150_000 && killed > 500, "{served} served, {killed} killed");
        set[4] = "memory.oom_killer=false";
        assert_eq!(answers(&set).1, 0);
    }
}

#[test]
fn the_work_of_a_killed_worker_leaves_the_cores_at_once() {
    let mut world = world(&with(&["load.0.rate=150", "request.0.phases=[{ cpu = \"20ms\" }]"]));
    pass(&mut world, 29);
    let killed =
        |fact: &Fact| matches!(fact, Fact::RequestFailed { cause: FailureCause::OutOfMemory, .. });
    let killed = world.sink.0.iter().filter(|(_, fact)| killed(fact)).count() as u64;
    let work = world.work()[0];
    // Each was killed somewhere within its 20 ms.
    let mean = work.dropped / killed;
    assert!((2_000_000..18_000_000).contains(&mean), "{mean} ns of {killed} each");
    assert_eq!(work.done + work.left + work.dropped, work.begun);
}

#[test]
fn a_worker_that_has_nothing_to_do_is_killed_without_an_error() {
    let (served, killed) = answers(&with(&["load.0.rate=0.5", "bench.0.workers=1"]));
    assert!(served > 600, "{served} served");
    assert_eq!(killed, 0);
}

#[test]
fn a_killed_worker_is_away_for_the_time_of_a_start() {
    let longest_wait = |restart| {
        let mut world = world(&with(&["load.0.rate=2", "bench.0.workers=1", restart]));
        pass(&mut world, 29);
        let wait = |(_, fact): &(Timestamp, Fact)| {
            let Fact::RequestServed { wait, .. } = *fact else { return None };
            Some(wait.as_secs_f64())
        };
        world.sink.0.iter().filter_map(wait).fold(0.0, f64::max)
    };
    assert!(longest_wait("memory.restart=0s") < 1.0);
    let wait = longest_wait("memory.restart=9s");
    assert!((8.0..=9.5).contains(&wait), "{wait}");
}

#[test]
fn what_the_killer_fails_is_not_blamed_on_scaling_and_every_law_holds() {
    let model = model(&with(&["load.0.rate=100"]));
    let finished =
        tidegate_sim::run::run(&model, &mut std::io::sink(), &mut |_| {}).unwrap().record;
    assert!(finished.failures.iter().any(|(cause, _)| *cause == FailureCause::OutOfMemory));
    for property in &finished.summary.properties {
        assert!(property.holds, "{property:?}");
    }
}
