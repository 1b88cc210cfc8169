//! Redis saves what it keeps: its fork holds everyone up, its child takes a core of the primary.

use tidegate_core::fact::Fact;
use tidegate_core::{Span, Timestamp};
use tidegate_sim::world::World;

use super::{Facts, pass, world};

/// A request each 10 ms that spends 1 ms in Redis; each minute a fork of 0.8 s and a save of 20 s.
const SAVING: [&str; 8] = [
    "load=[{ kind = \"constant\", rate = 100 }]",
    "request.0.phases=[{ redis = \"1ms\" }]",
    "nfs.touch=0s",
    "redis.latency=0s",
    "proxy.latency=0s",
    "group.primary=l",
    "redis.snapshot={ data = \"2GiB\", every = \"1m\", fork = \"400ms\", save = \"10s\" }",
    "duration=20m",
];

fn latencies(world: &World<Facts>) -> Vec<(Timestamp, Span)> {
    let served = |&(at, fact): &(Timestamp, Fact)| {
        let Fact::RequestServed { latency, .. } = fact else { return None };
        Some((at, latency))
    };
    world.sink.0.iter().filter_map(served).collect()
}

#[test]
fn a_fork_holds_everyone_up_and_nobody_otherwise() {
    for host in ["redis.host=own", "redis.host=primary"] {
        let mut world = world(&[&SAVING[..], &[host]].concat());
        pass(&mut world, 5);
        let all = latencies(&world);
        let longest = all.iter().map(|(_, latency)| *latency).max().unwrap();
        // Who comes as the fork begins waits for all of it.
        let fork = Span::from_millis(800);
        assert!(longest > fork - Span::from_millis(60), "{host}: {longest}");
        assert!(longest < fork + Span::from_millis(60), "{host}: {longest}");
        // Four forks, each of which about 80 requests and those behind them wait for.
        let late = all.iter().filter(|(_, latency)| *latency > Span::from_millis(50)).count();
        assert!((4 * 60..4 * 110).contains(&late), "{host}: {late}");
    }
}

#[test]
fn the_child_takes_a_core_of_the_primary_if_redis_runs_there() {
    let busy = |host: &str| {
        let mut world = world(&[&SAVING[..], &[host]].concat());
        pass(&mut world, 6);
        world.busy()[0].0 as f64 / 1e9
    };
    let own = busy("redis.host=own");
    let primary = busy("redis.host=primary");
    // Forks at minutes 1 to 5: 0.8 s each, 20 s of saving, and 1 ms of a core for each request.
    let expected = 5.0 * 20.8 + 36_000.0 * 0.001;
    assert!(own < 1.0, "{own}");
    assert!((primary - expected).abs() < 2.0, "{primary} {expected}");
}
