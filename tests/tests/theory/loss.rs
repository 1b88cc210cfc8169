//! Erlang's loss system: no waiting room at all.

use super::queue::{Lengths, Queue, exponential, length, poisson};
use super::stats::Family;

/// Probability that one of `offered` Erlang finds all of `servers` busy (Erlang's B).
pub fn blocking(servers: u32, offered: f64) -> f64 {
    let step = |blocked: f64, server: u32| {
        let reached = offered * blocked;
        reached / (f64::from(server) + reached)
    };
    (1..=servers).fold(1.0, step)
}

/// The loss depends on the service time's mean alone (Sevastyanov 1957).
#[test]
fn no_waiting_room_loses_as_erlang_says_whatever_the_service_time() {
    let mut family = Family::default();
    let mean = length(1.0);
    let services = [
        exponential(1.0),
        format!("\"{mean}\""),
        format!("{{ hyperexponential = \"{mean}\", cv = 3.0 }}"),
        format!("{{ erlang = \"{mean}\", stages = 3 }}"),
    ];
    for (workers, offered) in [(1, 0.5), (2, 1.0), (5, 4.0), (10, 12.0), (30, 25.0)] {
        for service in &services {
            let queue = Queue {
                workers,
                waiting_room: 0,
                phases: format!("{{ wait = {service} }}"),
                load: poisson(offered),
                ..Queue::default()
            };
            let lengths = Lengths { memory: 10.0, counted: 12_000.0 / offered };
            let found = queue.replicate(lengths);
            let name = |what| format!("{what} of {offered} Erlang, {workers} workers, {service}");
            let blocked = blocking(workers, offered);
            family.compare(name("loss"), blocked, found.iter().map(|one| one.lost));
            let carried = offered * (1.0 - blocked);
            family.compare(name("throughput"), carried, found.iter().map(|one| one.throughput));
        }
    }
    family.assert_exact("Erlang's loss system", 0.15);
    family.assert_shrinks();
}
