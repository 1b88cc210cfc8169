//! Oracles read facts and steps, and say what was violated, when and why.
//!
//! The same oracles judge a simulated run and a live one. Each keeps only what is in flight.

mod billing_exact;
mod conservation;
mod jobs_exactly_once;
mod little;
mod liveness;
mod no_flap;
mod one_writer;
mod only_when_required;
mod scheduled;
mod servers;
mod shared_state;
mod work;

use jiff::tz::TimeZone;

use crate::billing::LedgerLine;
use crate::controller::Step;
use crate::decision::Decision;
use crate::fact::{Fact, FactSink};
use crate::policy::Policy;
use crate::time::{Span, Timestamp};

use billing_exact::BillingExact;
use conservation::Conservation;
pub use jobs_exactly_once::JobCounts;
use jobs_exactly_once::JobsExactlyOnce;
use little::Little;
use liveness::Liveness;
use no_flap::NoFlap;
use one_writer::OneWriter;
use only_when_required::OnlyWhenRequired;
use servers::Servers;
use shared_state::SharedState;
pub use work::Work;

/// Violations that are kept in full; the rest is counted.
const KEPT: usize = 10;

/// What one oracle says at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The property, such as `route-ready`.
    pub property: &'static str,
    /// How often it was checked.
    pub checked: u64,
    /// How often it was violated.
    pub violated: u64,
    /// The first violations.
    pub violations: Vec<Violated>,
    /// Those of them that know the decision in force.
    stamped: usize,
}

/// A property was violated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violated {
    /// When.
    pub at: Timestamp,
    /// What happened, in a sentence.
    pub what: String,
    /// The controller's decision at that time, if it had made any.
    pub decision: Option<Decision>,
}

impl Verdict {
    const fn new(property: &'static str) -> Self {
        Self { property, checked: 0, violated: 0, violations: Vec::new(), stamped: 0 }
    }

    /// Whether nothing violated the property.
    pub const fn holds(&self) -> bool {
        self.violated == 0
    }

    fn violate(&mut self, at: Timestamp, what: impl FnOnce() -> String) {
        self.violate_times(1, at, what);
    }

    #[cold]
    fn violate_times(&mut self, times: u64, at: Timestamp, what: impl FnOnce() -> String) {
        self.violated += times;
        if self.violations.len() < KEPT {
            self.violations.push(Violated { at, what: what(), decision: None });
        }
    }
}

impl Verdict {
    /// What has been violated since the last call happened under `decision`.
    fn stamp(&mut self, decision: Option<&Decision>) {
        for violated in &mut self.violations[self.stamped..] {
            violated.decision = decision.copied();
        }
        self.stamped = self.violations.len();
    }
}

/// What the end of a run brings to its oracles.
#[derive(Clone, Copy, Debug)]
pub struct Closing<'a> {
    /// When it ended.
    pub end: Timestamp,
    /// Requests between arrival and answer, as the world counts them.
    pub in_flight: u64,
    /// For how long those have been there, added up, in nanoseconds.
    pub ages: u128,
    /// Time that an answer takes to its client, which is part of its latency.
    pub answer_delay: Span,
    /// Jobs that wait or run, as the world counts them.
    pub jobs_pending: u64,
    /// What each server's cores did, the primary first; empty where nobody can tell.
    pub work: &'a [Work],
    /// The bill.
    pub ledger: &'a [LedgerLine],
    /// Whose months are billed.
    pub zone: &'a TimeZone,
}

/// All oracles, side by side.
#[derive(Clone, Debug)]
pub struct Panel {
    conservation: Conservation,
    little: Little,
    servers: Servers,
    jobs: JobsExactlyOnce,
    billing: BillingExact,
    required: OnlyWhenRequired,
    shared: SharedState,
    liveness: Liveness,
    flap: NoFlap,
    writer: OneWriter,
    decision: Option<Decision>,
}

impl Panel {
    /// Oracles for `servers` servers under `policy`.
    pub fn new(servers: usize, policy: &Policy) -> Self {
        Self {
            conservation: Conservation::new(),
            little: Little::new(),
            servers: Servers::new(servers, policy.evidence.stale_after),
            jobs: JobsExactlyOnce::new(),
            billing: BillingExact::new(servers),
            required: OnlyWhenRequired::new(policy),
            shared: SharedState::new(),
            liveness: Liveness::new(servers, policy),
            flap: NoFlap::new(policy),
            writer: OneWriter::new(servers),
            decision: None,
        }
    }

    /// The same for facts of real servers, whose metrics were looked at by a live host and not by
    /// Prometheus when it evaluated its rules.
    #[must_use]
    pub const fn between_looks(mut self) -> Self {
        self.required.see_between_looks();
        self
    }

    /// A controller's step at `at`.
    pub fn step(&mut self, at: Timestamp, step: &Step) {
        self.stamp();
        self.decision = Some(step.decision);
        self.required.step(at, &step.decision, self.servers.all());
        self.flap.step(at, &step.decision, self.servers.all());
        self.liveness.step(at, &step.decision, self.servers.all());
    }

    /// What has been violated since the last step happened under its decision.
    fn stamp(&mut self) {
        let decision = self.decision.as_ref();
        for verdict in self.servers.verdicts().into_iter().chain(self.liveness.verdicts()) {
            verdict.stamp(decision);
        }
        self.jobs.verdict().stamp(decision);
        self.required.verdict().stamp(decision);
        self.shared.verdict().stamp(decision);
        self.flap.verdict().stamp(decision);
        self.writer.verdict().stamp(decision);
    }

    /// Requests that failed because of scaling.
    pub const fn failed_by_scaling(&self) -> u64 {
        self.servers.failed_by_scaling()
    }

    /// The verdicts, and what became of the jobs.
    pub fn close(self, closing: &Closing<'_>) -> (Vec<Verdict>, JobCounts) {
        let decision = self.decision;
        let (jobs, counts) = self.jobs.close(closing);
        let liveness = self.liveness.close(closing.end, self.servers.all());
        let mut verdicts = vec![
            self.conservation.close(closing),
            self.little.close(closing),
            work::judge(closing),
        ];
        verdicts.extend(self.servers.close());
        verdicts.extend([jobs, self.billing.close(closing), self.required.close()]);
        verdicts.extend([self.flap.close(), self.writer.close()]);
        verdicts.extend(liveness);
        verdicts.extend(self.shared.close());
        for verdict in &mut verdicts {
            verdict.stamp(decision.as_ref());
        }
        (verdicts, counts)
    }
}

impl FactSink for Panel {
    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        self.conservation.fact(fact);
        self.little.fact(at, fact);
        self.servers.fact(at, fact);
        self.jobs.fact(at, fact);
        self.billing.fact(at, fact);
        self.required.fact(at, fact);
        self.shared.fact(at, fact);
        self.liveness.fact(at, fact, self.servers.all());
        self.flap.fact(fact);
        self.writer.fact(at, fact);
    }
}
