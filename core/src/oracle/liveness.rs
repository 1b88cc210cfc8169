//! `demand-met` and `standby-restored`: once faults stop, as many servers serve as are wanted or
//! scheduled, and nothing else has power, within a bound.
//!
//! The bound is one attempt of each command that a server may still have before it on its way down
//! and up again, and two minutes. A rest after a failed sequence that the decision names is
//! added, and while work remains on a server, it may keep its power.

use super::Verdict;
use super::scheduled::Scheduled;
use super::servers::Condition;
use crate::decision::{Decision, Veto};
use crate::fact::Fact;
use crate::ids::ServerId;
use crate::policy::Policy;
use crate::time::{Span, Timestamp};

#[derive(Clone, Debug)]
pub(super) struct Liveness {
    bound: Span,
    /// Servers that are ready and receive traffic.
    serving: u16,
    /// Since when each had nothing to do, when that was told.
    told_idle: Vec<Option<Timestamp>>,
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
            serving: 0,
            told_idle: vec![None; servers],
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

    /// `servers` is what they are after the fact.
    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    pub fn fact(&mut self, at: Timestamp, fact: Fact, servers: &[Condition]) {
        if let Fact::ReadyChanged { .. } | Fact::RoutingChanged { .. } = fact {
            self.serving = servers.iter().filter(|server| server.serves()).count() as u16;
            self.compare(at);
        } else if let Fact::FaultBegan { .. } = fact {
            self.faults += 1;
        } else if let Fact::FaultEnded { .. } = fact {
            self.faults = self.faults.saturating_sub(1);
            self.quiet = at;
        }
    }

    /// Notes whether as many serve as are wanted.
    fn compare(&mut self, at: Timestamp) {
        if self.serving < self.wanted {
            self.short.get_or_insert(at);
        } else {
            (self.short, self.told) = (None, false);
        }
    }

    pub fn step(&mut self, at: Timestamp, decision: &Decision, servers: &[Condition]) {
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
                self.quiet = self.quiet.max(until.unwrap_or(self.quiet));
                if servers.iter().any(Condition::finishes) {
                    self.quiet = at;
                }
            }
        }
        self.judge(at, servers);
    }

    fn judge(&mut self, at: Timestamp, servers: &[Condition]) {
        self.demand_met.checked += 1;
        self.restored.checked += 1;
        if self.faults > 0 {
            return;
        }
        let (bound, quiet) = (self.bound, self.quiet);
        let late = |since: Timestamp| at.since(since.max(quiet)) > bound;
        let (wanted, serving) = (self.wanted, self.serving);
        if !self.told && self.short.is_some_and(late) {
            self.demand_met.violate(at, || {
                format!("{serving} servers serve where {wanted} are wanted, for more than {bound}")
            });
            self.told = true;
        }
        let standbys = servers.iter().zip(&mut self.told_idle).enumerate().skip(1);
        for (index, (server, told)) in standbys {
            if server.idle != *told && server.idle.is_some_and(late) {
                self.restored.violate(at, || {
                    let server = ServerId(index as u16);
                    format!("{server} has had power and nothing to do for more than {bound}")
                });
                *told = server.idle;
            }
        }
    }

    pub const fn verdicts(&mut self) -> [&mut Verdict; 2] {
        [&mut self.demand_met, &mut self.restored]
    }

    pub fn close(mut self, end: Timestamp, servers: &[Condition]) -> [Verdict; 2] {
        self.judge(end, servers);
        [self.demand_met, self.restored]
    }
}
