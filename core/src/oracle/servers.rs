//! `route-ready`, `drain-clean` and `no-failed-request`: what a server is when it gets work.

use super::{Verdict, flag};
use crate::fact::{Fact, FailureCause};
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
                self.requests[server.index()] += 1;
                self.route_ready.checked += 1;
                if !self.ready[server.index()] {
                    self.route_ready.violate(at, || {
                        format!("request {} was routed to {server}, which is not ready", request.0)
                    });
                }
            }
            Fact::RequestRedispatched { server, .. } => self.requests[server.index()] -= 1,
            Fact::RequestServed { server, .. } => self.answered(server),
            Fact::RequestFailed { request, server, cause, .. } => {
                self.failed(at, request.0, server, cause);
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
            | Fact::Sampled { .. } => {}
        }
    }

    fn answered(&mut self, server: ServerId) {
        self.requests[server.index()] -= 1;
        self.no_failed.checked += 1;
    }

    fn failed(&mut self, at: Timestamp, id: u64, server: Option<ServerId>, cause: FailureCause) {
        self.no_failed.checked += 1;
        if let Some(server) = server {
            self.requests[server.index()] -= 1;
        }
        let by_scaling = match cause {
            FailureCause::NoServer | FailureCause::Refused | FailureCause::Killed => true,
            FailureCause::QueueFull
            | FailureCause::OutOfMemory
            | FailureCause::Overloaded
            | FailureCause::TimedOut => server.is_some_and(|server| !self.ready[server.index()]),
        };
        if by_scaling {
            let place = server.map_or_else(|| "the proxy".to_owned(), |server| server.to_string());
            self.no_failed.violate(at, || format!("request {id} failed at {place}: {cause:?}"));
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
