//! How a group is at a moment of a run that was written down, for its timeline.

use std::collections::BTreeMap;

use super::origin::Member;
use super::{Timeline, TimelineRow};
use crate::fact::{Fact, Flow};
use crate::ids::{RequestId, ServerId};
use crate::observation::Ratio;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, Default)]
struct Server {
    cores: u32,
    power: bool,
    receives: bool,
}

/// What the facts so far come to.
#[derive(Clone, Debug)]
pub(super) struct Now {
    servers: Vec<Server>,
    /// Since when each request has been there, of those told one by one.
    open: BTreeMap<RequestId, Timestamp>,
    /// The others.
    in_flight: i64,
    jobs: i64,
    sampled: Option<(Ratio, Ratio)>,
    /// Servers that the demands resolve to.
    pub wanted: u32,
}

impl Now {
    pub fn new(servers: &[Member]) -> Self {
        let server = |one: &Member| Server { cores: one.info.vcpu, ..Server::default() };
        Self {
            servers: servers.iter().map(server).collect(),
            open: BTreeMap::new(),
            in_flight: 0,
            jobs: 0,
            sampled: None,
            wanted: 1,
        }
    }

    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        match fact {
            Fact::RequestArrived { request } => {
                self.open.insert(request, at);
            }
            Fact::RequestServed { request, .. } | Fact::RequestFailed { request, .. } => {
                self.open.remove(&request);
            }
            Fact::JobEnqueued { .. } => self.jobs += 1,
            Fact::JobCompleted { .. }
            | Fact::JobFailed { .. }
            | Fact::JobKilled { .. }
            | Fact::JobLost { .. }
            | Fact::JobEvicted { .. } => self.jobs -= 1,
            Fact::PowerChanged { server, on, .. } => self.of(server).power = on,
            Fact::RoutingChanged { server, receives } => self.of(server).receives = receives,
            Fact::Sampled { cpu, memory, .. } => self.sampled = Some((cpu, memory)),
            Fact::Flow(flow) => self.flow(flow),
            Fact::RequestRouted { .. }
            | Fact::RequestRedispatched { .. }
            | Fact::RequestAbandoned { .. }
            | Fact::JobStarted { .. }
            | Fact::ReadyChanged { .. }
            | Fact::Broke { .. }
            | Fact::ServicesStopped { .. }
            | Fact::FileWritten { .. }
            | Fact::FileRead { .. }
            | Fact::CommandApplied { .. }
            | Fact::TookOver { .. }
            | Fact::FaultBegan { .. }
            | Fact::FaultEnded { .. } => {}
        }
    }

    fn of(&mut self, server: ServerId) -> &mut Server {
        &mut self.servers[server.index()]
    }

    fn flow(&mut self, flow: Flow) {
        let signed = u64::cast_signed;
        match flow {
            Flow::Arrived { count } => self.in_flight += signed(count),
            Flow::Served { count, .. } | Flow::Failed { count, .. } => {
                self.in_flight -= signed(count);
            }
            Flow::JobsEnqueued { count } => self.jobs += signed(count),
            Flow::JobsCompleted { count, .. } | Flow::JobsKilled { count, .. } => {
                self.jobs -= signed(count);
            }
            Flow::Routed { .. } | Flow::Took { .. } | Flow::JobsStarted { .. } => {}
        }
    }

    fn present(&self) -> u64 {
        self.open.len() as u64 + self.in_flight.max(0).cast_unsigned()
    }

    /// The row of an interval that ends at `at`, with what was counted in it.
    pub fn row(&self, at: Timestamp, counted: TimelineRow) -> TimelineRow {
        let count = |is: fn(&Server) -> bool| self.servers.iter().filter(|one| is(one)).count();
        let receiving = self.servers.iter().filter(|one| one.receives);
        TimelineRow {
            at,
            in_flight: self.present(),
            jobs_pending: self.jobs.max(0).cast_unsigned(),
            cpu: self.sampled.map(|(cpu, _)| cpu),
            memory: self.sampled.map(|(_, memory)| memory),
            serving: count(|one| one.receives) as u32,
            powered: count(|one| one.power) as u32,
            wanted: self.wanted,
            capacity_per_second: receiving.map(|one| f64::from(one.cores)).sum(),
            ..counted
        }
    }

    /// From the cores of each row to the requests a second that they could serve, by the work that
    /// requests cost on average as far as it was sampled.
    pub fn close(timeline: &mut Timeline, start: Timestamp, served: u64) {
        let mut before = start;
        let mut worked = 0.0;
        for row in &timeline.rows {
            let seconds = row.at.since(before).as_secs_f64();
            let busy = row.cpu.map_or(0.0, |cpu| f64::from(cpu.ppm()) / 1e6);
            worked += busy * row.capacity_per_second * seconds;
            before = row.at;
        }
        let per_core = if worked > 0.0 { served as f64 / worked } else { 0.0 };
        for row in &mut timeline.rows {
            row.capacity_per_second *= per_core;
        }
    }

    /// Requests without an answer, and jobs that are not done.
    pub fn left(&self) -> (u64, u64) {
        (self.present(), self.jobs.max(0).cast_unsigned())
    }

    /// For how long the open requests have been there, added up, in nanoseconds.
    pub fn ages(&self, end: Timestamp) -> u128 {
        let age = |since: &Timestamp| end.since(*since).as_nanos().max(0).cast_unsigned();
        self.open.values().map(|since| u128::from(age(since))).sum()
    }
}
