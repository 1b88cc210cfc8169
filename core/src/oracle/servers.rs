//! `route-ready`, `drain-clean` and `no-failed-request`: what a server is when it gets work.
//!
//! A server that something broke while it had traffic is excused until it is ready again: no
//! command took its services away, and nobody could know at once.

use super::Verdict;
use crate::fact::{Fact, FailureCause, Flow};
use crate::ids::ServerId;
use crate::time::{Span, Timestamp};

/// What a server is at present, for every oracle that asks.
#[expect(clippy::struct_excessive_bools, reason = "each can be so or not apart from the others")]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Condition {
    power: bool,
    ready: bool,
    pub receives: bool,
    requests: i64,
    jobs: i64,
    /// Since when it has had power, no traffic and nothing to do.
    pub idle: Option<Timestamp>,
    /// When something broke it, if it is not ready again.
    broken: Option<Timestamp>,
    /// The proxy could not know yet.
    excusable: bool,
    /// When it was ready again after something had broken it.
    mended: Option<Timestamp>,
}

impl Condition {
    pub const fn serves(&self) -> bool {
        self.ready && self.receives
    }

    /// Whether it has work though the proxy sends it none.
    pub const fn finishes(&self) -> bool {
        !self.receives && self.requests + self.jobs > 0
    }

    /// So many more requests and jobs, or fewer.
    #[expect(clippy::inline_always, reason = "each request comes through here")]
    #[inline(always)]
    fn work(&mut self, at: Timestamp, requests: i64, jobs: i64) {
        self.requests += requests;
        self.jobs += jobs;
        if !self.receives {
            self.settle(at);
        }
    }

    fn settle(&mut self, at: Timestamp) {
        if self.power && !self.receives && self.requests + self.jobs <= 0 {
            self.idle.get_or_insert(at);
        } else {
            self.idle = None;
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Servers {
    all: Vec<Condition>,
    /// Within which a server that joins may have broken.
    grace: Span,
    route_ready: Verdict,
    drain_clean: Verdict,
    no_failed: Verdict,
}

impl Servers {
    pub fn new(servers: usize, grace: Span) -> Self {
        Self {
            all: vec![Condition::default(); servers],
            grace,
            route_ready: Verdict::new("route-ready"),
            drain_clean: Verdict::new("drain-clean"),
            no_failed: Verdict::new("no-failed-request"),
        }
    }

    /// The servers, the primary first.
    pub fn all(&self) -> &[Condition] {
        &self.all
    }

    pub const fn failed_by_scaling(&self) -> u64 {
        self.no_failed.violated
    }

    pub const fn verdicts(&mut self) -> [&mut Verdict; 3] {
        [&mut self.route_ready, &mut self.drain_clean, &mut self.no_failed]
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        match fact {
            Fact::RequestRouted { request, server } => {
                self.routed(at, 1, server, || format!("request {} was", request.0));
            }
            Fact::RequestRedispatched { server, .. } => self.of(server).work(at, -1, 0),
            Fact::RequestServed { server, .. } => self.answered(at, 1, server),
            Fact::RequestFailed { request, server, cause, .. } => {
                self.failed(at, 1, server, cause, || format!("request {}", request.0));
            }
            Fact::JobStarted { server, .. } => self.of(server).work(at, 0, 1),
            Fact::JobCompleted { server, .. }
            | Fact::JobFailed { server, .. }
            | Fact::JobKilled { server, .. } => self.of(server).work(at, 0, -1),
            Fact::ReadyChanged { server, ready } => self.ready_changed(at, server, ready),
            Fact::RoutingChanged { server, receives } => self.routing_changed(at, server, receives),
            Fact::Broke { server } => {
                let state = self.of(server);
                (state.broken, state.excusable) = (Some(at), state.receives);
            }
            Fact::ServicesStopped { server } => self.stopped(at, server),
            Fact::PowerChanged { server, on, commanded } => {
                let state = self.of(server);
                state.power = on;
                state.settle(at);
                if commanded && !on {
                    self.stopped(at, server);
                }
            }
            Fact::RequestArrived { .. }
            | Fact::RequestAbandoned { .. }
            | Fact::JobEnqueued { .. }
            | Fact::JobLost { .. }
            | Fact::CommandApplied { .. }
            | Fact::TookOver { .. }
            | Fact::FaultBegan { .. }
            | Fact::FaultEnded { .. }
            | Fact::JobEvicted { .. }
            | Fact::FileWritten { .. }
            | Fact::FileRead { .. }
            | Fact::Sampled { .. } => {}
            Fact::Flow(flow) => self.flow(at, flow),
        }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    fn of(&mut self, server: ServerId) -> &mut Condition {
        &mut self.all[server.index()]
    }

    fn flow(&mut self, at: Timestamp, flow: Flow) {
        match flow {
            Flow::Routed { count, server } => {
                self.routed(at, count, server, || format!("{count} requests were"));
            }
            Flow::Served { count, server } => self.answered(at, count, server),
            Flow::Failed { count, server, cause } => {
                self.failed(at, count, server, cause, || format!("{count} requests"));
            }
            Flow::JobsStarted { count, server } => self.of(server).work(at, 0, signed(count)),
            Flow::JobsCompleted { count, server } | Flow::JobsKilled { count, server } => {
                self.of(server).work(at, 0, -signed(count));
            }
            Flow::Arrived { .. } | Flow::Took { .. } | Flow::JobsEnqueued { .. } => {}
        }
    }

    fn ready_changed(&mut self, at: Timestamp, server: ServerId, ready: bool) {
        let state = self.of(server);
        state.ready = ready;
        if ready {
            state.mended = state.broken.map(|_| at).or(state.mended);
            (state.broken, state.excusable) = (None, false);
        }
    }

    fn routing_changed(&mut self, at: Timestamp, server: ServerId, receives: bool) {
        let grace = self.grace;
        let state = self.of(server);
        state.receives = receives;
        state.settle(at);
        if receives && !state.ready {
            state.excusable = state.broken.is_some_and(|broken| at.since(broken) <= grace);
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
        self.route_ready.checked += count;
        let state = self.of(server);
        state.work(at, signed(count), 0);
        if !state.ready && !state.excusable {
            self.route_ready.violate_times(count, at, || {
                format!("{} routed to {server}, which is not ready", what())
            });
        }
    }

    fn answered(&mut self, at: Timestamp, count: u64, server: ServerId) {
        self.of(server).work(at, -signed(count), 0);
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
        let state = server.map(|server| *self.of(server));
        if let Some(server) = server {
            self.of(server).work(at, -signed(count), 0);
        }
        let by_scaling = match cause {
            FailureCause::NoServer => !self.all.iter().any(|state| self.explains(at, state)),
            FailureCause::Refused => !state.is_some_and(|state| state.excusable),
            FailureCause::Killed => state.is_none_or(|state| state.broken.is_none()),
            FailureCause::QueueFull
            | FailureCause::OutOfMemory
            | FailureCause::Overloaded
            | FailureCause::TimedOut
            | FailureCause::RedisFull
            | FailureCause::Unreachable
            | FailureCause::Unavailable => {
                state.is_some_and(|state| !state.ready && state.broken.is_none())
            }
        };
        if by_scaling {
            let place = server.map_or_else(|| "the proxy".to_owned(), |server| server.to_string());
            self.no_failed
                .violate_times(count, at, || format!("{} failed at {place}: {cause:?}", what()));
        }
    }

    /// Whether a server is out because something broke it, or was until the proxy could find out.
    fn explains(&self, at: Timestamp, state: &Condition) -> bool {
        let lately = |mended: Timestamp| at.since(mended) <= self.grace;
        state.broken.is_some() || state.mended.is_some_and(lately)
    }

    fn stopped(&mut self, at: Timestamp, server: ServerId) {
        self.drain_clean.checked += 1;
        let Condition { requests, jobs, .. } = *self.of(server);
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
