//! `route-ready`, `drain-clean` and `no-failed-request`: what a server is when it gets work.

use super::{Verdict, flag};
use crate::fact::{Fact, FailureCause, Flow};
use crate::ids::ServerId;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub(super) struct Servers {
    ready: Vec<bool>,
    requests: Vec<i64>,
    jobs: Vec<i64>,
    route_ready: Verdict,
    drain_clean: Verdict,
    no_failed: Verdict,
}

impl Servers {
    pub fn new(servers: usize) -> Self {
        Self {
            ready: vec![false; servers],
            requests: vec![0; servers],
            jobs: vec![0; servers],
            route_ready: Verdict::new("route-ready"),
            drain_clean: Verdict::new("drain-clean"),
            no_failed: Verdict::new("no-failed-request"),
        }
    }

    pub const fn failed_by_scaling(&self) -> u64 {
        self.no_failed.violated
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        match fact {
            Fact::ReadyChanged { server, ready } => *flag(&mut self.ready, server) = ready,
            Fact::RequestRouted { request, server } => {
                self.routed(at, 1, server, || format!("request {} was", request.0));
            }
            Fact::RequestRedispatched { server, .. } => self.requests[server.index()] -= 1,
            Fact::RequestServed { server, .. } => self.answered(1, server),
            Fact::RequestFailed { request, server, cause, .. } => {
                self.failed(at, 1, server, cause, || format!("request {}", request.0));
            }
            Fact::JobStarted { server, .. } => self.jobs[server.index()] += 1,
            Fact::JobCompleted { server, .. }
            | Fact::JobFailed { server, .. }
            | Fact::JobKilled { server, .. } => {
                self.jobs[server.index()] -= 1;
            }
            Fact::ServicesStopped { server } | Fact::PowerChanged { server, on: false, .. } => {
                self.stopped(at, server);
            }
            Fact::RequestArrived { .. }
            | Fact::RequestAbandoned { .. }
            | Fact::JobEnqueued { .. }
            | Fact::PowerChanged { .. }
            | Fact::RoutingChanged { .. }
            | Fact::JobEvicted { .. }
            | Fact::FileWritten { .. }
            | Fact::FileRead { .. }
            | Fact::Sampled { .. } => {}
            Fact::Flow(flow) => self.flow(at, flow),
        }
    }

    fn flow(&mut self, at: Timestamp, flow: Flow) {
        match flow {
            Flow::Routed { count, server } => {
                self.routed(at, count, server, || format!("{count} requests were"));
            }
            Flow::Served { count, server } => self.answered(count, server),
            Flow::Failed { count, server, cause } => {
                self.failed(at, count, server, cause, || format!("{count} requests"));
            }
            Flow::JobsStarted { count, server } => self.jobs[server.index()] += signed(count),
            Flow::JobsCompleted { count, server } | Flow::JobsKilled { count, server } => {
                self.jobs[server.index()] -= signed(count);
            }
            Flow::Arrived { .. } | Flow::Took { .. } | Flow::JobsEnqueued { .. } => {}
        }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    fn routed(
        &mut self,
        at: Timestamp,
        count: u64,
        server: ServerId,
        what: impl FnOnce() -> String,
    ) {
        self.requests[server.index()] += signed(count);
        self.route_ready.checked += count;
        if !self.ready[server.index()] {
            self.route_ready.violate_times(count, at, || {
                format!("{} routed to {server}, which is not ready", what())
            });
        }
    }

    fn answered(&mut self, count: u64, server: ServerId) {
        self.requests[server.index()] -= signed(count);
        self.no_failed.checked += count;
    }

    fn failed(
        &mut self,
        at: Timestamp,
        count: u64,
        server: Option<ServerId>,
        cause: FailureCause,
        what: impl FnOnce() -> String,
    ) {
        self.no_failed.checked += count;
        if let Some(server) = server {
            self.requests[server.index()] -= signed(count);
        }
        let by_scaling = match cause {
            FailureCause::NoServer | FailureCause::Refused | FailureCause::Killed => true,
            FailureCause::QueueFull
            | FailureCause::OutOfMemory
            | FailureCause::Overloaded
            | FailureCause::TimedOut
            | FailureCause::RedisFull => server.is_some_and(|server| !self.ready[server.index()]),
        };
        if by_scaling {
            let place = server.map_or_else(|| "the proxy".to_owned(), |server| server.to_string());
            self.no_failed
                .violate_times(count, at, || format!("{} failed at {place}: {cause:?}", what()));
        }
    }

    fn stopped(&mut self, at: Timestamp, server: ServerId) {
        self.drain_clean.checked += 1;
        let (requests, jobs) = (self.requests[server.index()], self.jobs[server.index()]);
        if requests > 0 || jobs > 0 {
            self.drain_clean.violate(at, || {
                format!("{server} was stopped with {requests} requests and {jobs} jobs on it")
            });
        }
    }

    pub fn close(self) -> [Verdict; 3] {
        [self.route_ready, self.drain_clean, self.no_failed]
    }
}

const fn signed(count: u64) -> i64 {
    count.cast_signed()
}
