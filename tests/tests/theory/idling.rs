//! No worker idles while somebody waits.
#![expect(clippy::wildcard_enum_match_arm, reason = "a sink reads the facts that it needs")]

use std::collections::HashMap;

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{RequestId, ServerId, Span, Timestamp};

use super::shipped::{run, shipped};

/// A request's visit to the workers of a server.
struct Visit {
    server: ServerId,
    routed: Timestamp,
    taken_up: Timestamp,
    done: Timestamp,
}

/// Where and when each request was on a server.
#[derive(Default)]
struct Visits {
    arrived: HashMap<RequestId, Timestamp>,
    routed: HashMap<RequestId, Timestamp>,
    all: Vec<Visit>,
}

impl FactSink for Visits {
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        match fact {
            Fact::RequestArrived { request } => {
                self.arrived.insert(request, at);
            }
            Fact::RequestRouted { request, .. } => {
                self.routed.insert(request, at);
            }
            Fact::RequestServed { request, server, wait, .. } => {
                let taken_up = self.arrived.remove(&request).unwrap() + wait;
                let routed = self.routed.remove(&request).unwrap();
                self.all.push(Visit { server, routed, taken_up, done: at });
            }
            Fact::RequestFailed { request, .. } => {
                self.arrived.remove(&request);
            }
            _ => {}
        }
    }
}

/// Follows how many of a server's workers are busy and how many requests wait for one; how many
/// had to.
fn assert_no_idling(visits: &[&Visit], workers: i64, until: Timestamp) -> usize {
    let mut changes: Vec<(Timestamp, i64, i64)> = Vec::new();
    for visit in visits {
        changes.extend([(visit.routed, 0, 1), (visit.taken_up, 1, -1), (visit.done, -1, 0)]);
    }
    changes.sort_by_key(|change| change.0);
    let (mut busy, mut waiting) = (0, 0);
    for (index, &(at, more_busy, more_waiting)) in changes.iter().enumerate() {
        (busy, waiting) = (busy + more_busy, waiting + more_waiting);
        let settled = changes.get(index + 1).is_none_or(|next| next.0 > at);
        if settled && at < until {
            assert!(busy <= workers, "{busy} of {workers} workers busy");
            assert!(waiting == 0 || busy == workers, "{waiting} wait for {busy} of {workers}");
        }
    }
    visits.iter().filter(|visit| visit.taken_up > visit.routed).count()
}

/// Nobody waits in front of a worker that is idle, on any server, across scaling.
#[test]
fn no_worker_idles_while_a_request_waits_for_one() {
    let mut model = shipped().into_iter().find(|model| model.name == "flash-sale").unwrap();
    assert_eq!(model.benches.len(), 1);
    model.proxy.timeout = Span::from_hours(10);
    let visits = run(&model, Visits::default()).sink;
    // Of those still there at the end nobody knows when a worker took them up.
    let until = visits.arrived.values().min().copied().unwrap_or(Timestamp::MAX);
    let mut waited = Vec::new();
    for (index, server) in model.servers.iter().enumerate() {
        let here: Vec<&Visit> =
            visits.all.iter().filter(|visit| visit.server.index() == index).collect();
        waited.push(assert_no_idling(&here, i64::from(server.web_workers[0]), until));
    }
    let some = waited.iter().filter(|&&count| count > 100).count();
    assert!(some >= 2, "{waited:?} waited: the test says too little");
}
