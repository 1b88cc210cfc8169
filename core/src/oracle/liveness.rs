//! `demand-met` and `standby-restored`: once faults stop, as many servers serve as are wanted or
//! scheduled, and nothing else has power, within a bound.
//!
//! The bound is one attempt of each command that a server may still have before it on its way down
//! and up again, and two minutes. A rest after a failed sequence that the decision names is
//! added, and while work remains on a server, it may keep its power.

use super::Verdict;
use super::scheduled::Scheduled;
use crate::controller::Step;
use crate::decision::Veto;
use crate::fact::{Fact, Flow};
use crate::ids::ServerId;
use crate::policy::Policy;
use crate::time::{Span, Timestamp};

#[derive(Clone, Copy, Debug, Default)]
struct State {
    power: bool,
    ready: bool,
    receives: bool,
    work: i64,
    /// Since when it has had power and nothing to do.
    idle: Option<Timestamp>,
    /// Since when, of what was told.
    told: Option<Timestamp>,
}

impl State {
    const fn serves(&self) -> bool {
        self.ready && self.receives
    }

    const fn is_idle(&self) -> bool {
        self.power && !self.receives && self.work <= 0
    }
}

#[derive(Clone, Debug)]
pub(super) struct Liveness {
    bound: Span,
    servers: Vec<State>,
    scheduled: Scheduled,
    faults: u32,
    /// When the last fault ended, or a rest that a decision named.
    quiet: Timestamp,
    wanted: u16,
    /// Since when fewer serve than are wanted.
    short: Option<Timestamp>,
    told: bool,
    demand_met: Verdict,
    restored: Verdict,
}

impl Liveness {
    pub fn new(servers: usize, policy: &Policy) -> Self {
        let steps = &policy.steps;
        let each =
            [steps.start, steps.warm, steps.join, steps.join, steps.join, steps.stop, steps.stop];
        let bound = each.iter().fold(Span::from_mins(2), |sum, step| sum + step.deadline);
        Self {
            bound,
            servers: vec![State::default(); servers],
            scheduled: Scheduled::new(servers, policy),
            faults: 0,
            quiet: Timestamp::default(),
            wanted: 1,
            short: None,
            told: false,
            demand_met: Verdict::new("demand-met"),
            restored: Verdict::new("standby-restored"),
        }
    }

    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, at: Timestamp, fact: Fact) {
        match fact {
            Fact::RequestRouted { server, .. } | Fact::JobStarted { server, .. } => {
                self.work(at, server, 1);
            }
            Fact::RequestServed { server, .. }
            | Fact::RequestRedispatched { server, .. }
            | Fact::RequestFailed { server: Some(server), .. }
            | Fact::JobCompleted { server, .. }
            | Fact::JobFailed { server, .. }
            | Fact::JobKilled { server, .. } => self.work(at, server, -1),
            Fact::PowerChanged { server, on, .. } => {
                self.servers[server.index()].power = on;
                self.changed(at, server);
            }
            Fact::ReadyChanged { server, ready } => {
                self.servers[server.index()].ready = ready;
                self.changed(at, server);
            }
            Fact::RoutingChanged { server, receives } => {
                self.servers[server.index()].receives = receives;
                self.changed(at, server);
            }
            Fact::FaultBegan { .. } => self.faults += 1,
            Fact::FaultEnded { .. } => {
                self.faults = self.faults.saturating_sub(1);
                self.quiet = at;
            }
            Fact::Flow(flow) => self.flow(at, flow),
            Fact::RequestArrived { .. }
            | Fact::RequestFailed { server: None, .. }
            | Fact::RequestAbandoned { .. }
            | Fact::JobEnqueued { .. }
            | Fact::JobEvicted { .. }
            | Fact::JobLost { .. }
            | Fact::ServicesStopped { .. }
            | Fact::Broke { .. }
            | Fact::CommandApplied { .. }
            | Fact::TookOver { .. }
            | Fact::FileWritten { .. }
            | Fact::FileRead { .. }
            | Fact::Sampled { .. } => {}
        }
    }

    fn flow(&mut self, at: Timestamp, flow: Flow) {
        match flow {
            Flow::Routed { count, server } | Flow::JobsStarted { count, server } => {
                self.work(at, server, count.cast_signed());
            }
            Flow::Served { count, server }
            | Flow::Failed { count, server: Some(server), .. }
            | Flow::JobsCompleted { count, server }
            | Flow::JobsKilled { count, server } => self.work(at, server, -count.cast_signed()),
            Flow::Arrived { .. }
            | Flow::Took { .. }
            | Flow::Failed { server: None, .. }
            | Flow::JobsEnqueued { .. } => {}
        }
    }

    #[expect(clippy::inline_always, reason = "each request comes through here")]
    #[inline(always)]
    fn work(&mut self, at: Timestamp, server: ServerId, by: i64) {
        let state = &mut self.servers[server.index()];
        state.work += by;
        if !state.receives {
            self.changed(at, server);
        }
    }

    fn changed(&mut self, at: Timestamp, server: ServerId) {
        let state = &mut self.servers[server.index()];
        if state.is_idle() && !server.is_primary() {
            state.idle.get_or_insert(at);
        } else {
            (state.idle, state.told) = (None, None);
        }
        self.compare(at);
    }

    /// Notes whether as many serve as are wanted.
    fn compare(&mut self, at: Timestamp) {
        let serving = self.servers.iter().filter(|state| state.serves()).count();
        if serving < usize::from(self.wanted) {
            self.short.get_or_insert(at);
        } else {
            (self.short, self.told) = (None, false);
        }
    }

    pub fn step(&mut self, at: Timestamp, step: &Step) {
        let decision = &step.decision;
        let (scheduled, since) = self.scheduled.at(at, decision).unwrap_or((0, at));
        let wanted = decision.wanted.max(scheduled);
        if wanted > self.wanted {
            (self.short, self.told) = (None, false);
        }
        self.wanted = wanted;
        self.compare(at);
        if wanted > decision.wanted {
            self.short = self.short.map(|short| short.min(since));
        }
        for veto in decision.vetoes() {
            if let Veto::NoStandby { until } = *veto {
                let busy = self.servers.iter().any(|state| !state.receives && state.work > 0);
                self.quiet = self.quiet.max(until.unwrap_or(self.quiet));
                if busy {
                    self.quiet = at;
                }
            }
        }
        self.judge(at);
    }

    fn judge(&mut self, at: Timestamp) {
        self.demand_met.checked += 1;
        self.restored.checked += 1;
        if self.faults > 0 {
            return;
        }
        let late = |since: Timestamp| at.since(since.max(self.quiet)) > self.bound;
        let (bound, wanted) = (self.bound, self.wanted);
        if !self.told && self.short.is_some_and(late) {
            let serving = self.servers.iter().filter(|state| state.serves()).count();
            self.demand_met.violate(at, || {
                format!("{serving} servers serve where {wanted} are wanted, for more than {bound}")
            });
            self.told = true;
        }
        for index in 1..self.servers.len() {
            let state = self.servers[index];
            if state.told.is_none() && state.idle.is_some_and(late) {
                self.restored.violate(at, || {
                    let server = ServerId(index as u16);
                    format!("{server} has had power and nothing to do for more than {bound}")
                });
                self.servers[index].told = state.idle;
            }
        }
    }

    pub const fn verdicts(&mut self) -> [&mut Verdict; 2] {
        [&mut self.demand_met, &mut self.restored]
    }

    pub fn close(mut self, end: Timestamp) -> [Verdict; 2] {
        self.judge(end);
        [self.demand_met, self.restored]
    }
}
