//! Conservation of work: cores do what is begun, and no worker idles while somebody waits.
#![expect(clippy::wildcard_enum_match_arm, reason = "a sink reads the facts that it needs")]

use std::collections::HashMap;

use tidegate_core::fact::{Fact, FactSink, FailureCause};
use tidegate_core::{RequestId, ServerId, Span, Timestamp};
use tidegate_sim::model::{Dist, Model, Phase, Place};
use tidegate_sim::world::mean_cpu_seconds;

use super::shipped::{run, shipped};

/// Counts of what began and what ended on the servers' cores.
#[derive(Debug, Default)]
struct Work {
    requests: u64,
    requests_done: u64,
    jobs: u64,
    jobs_done: u64,
    killed: u64,
}

impl FactSink for Work {
    fn fact(&mut self, _: Timestamp, fact: Fact) {
        match fact {
            Fact::RequestRouted { .. } => self.requests += 1,
            Fact::RequestServed { .. } | Fact::RequestAbandoned { .. } => self.requests_done += 1,
            Fact::RequestFailed { server: Some(_), cause: FailureCause::QueueFull, .. } => {
                self.requests -= 1;
            }
            Fact::JobStarted { .. } => self.jobs += 1,
            Fact::JobCompleted { .. } => self.jobs_done += 1,
            Fact::RequestFailed { cause: FailureCause::Killed, .. } | Fact::JobKilled { .. } => {
                self.killed += 1;
            }
            _ => {}
        }
    }
}

/// Makes the work on cores the same for each request and for each job.
fn level(model: &mut Model) -> [u64; 2] {
    let request = Span::from_nanos((mean_cpu_seconds(model) * 1e9) as i64);
    let job = Span::from_millis(50);
    let set = |phases: &mut Vec<Phase>, demand| {
        let mut cores = phases.iter_mut().filter(|phase| phase.place == Place::Cpu);
        cores.next().unwrap().demand = Dist::Constant(demand);
        assert!(cores.next().is_none(), "one phase on the cores is supported");
    };
    model.requests.iter_mut().for_each(|class| set(&mut class.phases, request));
    model.jobs.iter_mut().for_each(|class| set(&mut class.phases, job));
    [request, job].map(|demand| demand.as_nanos().cast_unsigned())
}

/// The cores of all servers, joined or left, were busy for what was done, and no longer than for
/// what was begun. A plan change by hand kills, which leaves work half done: it is left out.
#[test]
fn busy_time_is_work_done_in_every_shipped_scenario() {
    for mut model in shipped().into_iter().filter(|model| model.resizes.is_empty()) {
        let demands = level(&mut model);
        let mut world = run(&model, Work::default());
        let busy: u64 = world.busy().iter().map(|(busy, _, _)| busy).sum();
        let cores = u64::from(model.servers[0].vcpu);
        let Work { requests, requests_done, jobs, jobs_done, killed } = world.sink;
        assert!(requests_done > 1_000 && killed == 0, "{}", model.name);
        // Each finish falls on a whole nanosecond, at most one late on each core.
        let rounding = cores * (requests + jobs);
        let least = requests_done * demands[0] + jobs_done * demands[1];
        let most = requests * demands[0] + jobs * demands[1] + rounding;
        let within = (least..=most).contains(&busy);
        assert!(within, "{}: {busy} ns busy, {least} to {most} expected", model.name);
    }
}

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
