//! The contests: which models, against whom, and how fast the simulator has to be.

use std::time::Instant;

use crate::arguments::Arguments;
use crate::by_hand::{Found, best_queue, plain_queue, web};
use crate::contest::{Contest, Contestant, Run, Theory};
use crate::ours::ours;

/// Each contest's name on the command line.
pub(crate) const NAMES: [&str; 4] = ["queue", "web", "exam", "day"];

const ARRIVALS_PER_SECOND: u64 = 64;
const WEB_REQUESTS_PER_SECOND: u64 = 1_000;

pub(crate) fn chosen(arguments: &Arguments) -> Vec<Contest> {
    let all: [fn(&Arguments) -> Contest; 4] = [queue, web_tier, exam, day];
    let named = NAMES.into_iter().zip(all).filter(|(name, _)| arguments.wants(name));
    named.map(|(_, contest)| contest(arguments)).collect()
}

/// M/M/8 at 80 %, of which Erlang's formula gives the wait.
fn queue(arguments: &Arguments) -> Contest {
    let customers = if arguments.quick { 1_000_000 } else { 10_000_000 };
    let seconds = customers / ARRIVALS_PER_SECOND;
    let set = format!("duration={seconds}s");
    let mut contestants = vec![
        Contestant {
            name: "tidegate".into(),
            wanted: Vec::new(),
            run: ours("models/mm8", Some(set), true),
        },
        by_hand("plain loop by hand", &[("required", 0.7)], customers, plain_queue),
        by_hand("best loop by hand", &[("aim", 0.5)], customers, best_queue),
    ];
    contestants.extend(arguments.peers.iter().map(|peer| peer.contestant(arguments.quick)));
    Contest {
        title: format!("queue: M/M/8 at 80 %, {customers} customers"),
        times: "wait",
        theory: Some(Theory { mean_ms: 28.603, p99_ms: Some(238.969), within: 0.013 }),
        contestants,
    }
}

/// Stations in a row, whose waits are those of each alone (Jackson 1957): proxy 1 ms, Redis 1 ms,
/// storage 4.348 ms for half of the requests, 40 ms.
fn web_tier(arguments: &Arguments) -> Contest {
    let seconds = if arguments.quick { 200 } else { 1_000 };
    let set = format!("duration={seconds}s");
    let requests = seconds * WEB_REQUESTS_PER_SECOND;
    Contest {
        title: format!("web: proxy, 96 workers, Redis, storage, jobs, {requests} requests"),
        times: "latency",
        theory: Some(Theory { mean_ms: 44.174, p99_ms: None, within: 0.004 }),
        contestants: vec![
            Contestant {
                name: "tidegate".into(),
                wanted: Vec::new(),
                run: ours("models/web", Some(set), false),
            },
            by_hand(
                "best loop by hand",
                &[("required", 0.36), ("aim", 0.6)],
                requests,
                |requests| web(requests / WEB_REQUESTS_PER_SECOND),
            ),
        ],
    }
}

fn exam(_: &Arguments) -> Contest {
    alone("exam: scenarios/exam-day.toml, the whole world, 1.5 M requests/s required", "exam-day")
}

fn day(_: &Arguments) -> Contest {
    alone(
        "day: scenarios/trace-replay.toml, the whole world, 1.5 M requests/s required",
        "trace-replay",
    )
}

fn alone(title: &str, scenario: &str) -> Contest {
    let run = ours(scenario, None, false);
    let contestants = vec![Contestant { name: "tidegate".into(), wanted: Vec::new(), run }];
    Contest { title: title.into(), times: "latency", theory: None, contestants }
}

fn by_hand(
    name: &str,
    wanted: &[(&'static str, f64)],
    requests: u64,
    simulate: fn(u64) -> Found,
) -> Contestant {
    let run = move || {
        let started = Instant::now();
        let Found { events, mean_ms, p99_ms } = simulate(requests);
        let seconds = started.elapsed().as_secs_f64();
        Ok(Run { seconds, requests, events: Some(events), mean_ms, p99_ms })
    };
    Contestant { name: name.into(), wanted: wanted.to_vec(), run: Box::new(run) }
}
