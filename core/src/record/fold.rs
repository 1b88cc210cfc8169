//! A record from what was written down of a run: its journal, and facts from elsewhere.
//!
//! The oracles, the meter and the counts are those of a simulated run. The journal alone tells what
//! the servers were; the facts add what came of requests, jobs and machines.

use jiff::tz::TimeZone;

use super::derive::{Derived, Orders};
use super::now::Now;
use super::{
    Baseline, Billing, Counts, FORMAT, Faults, Fidelity, Origin, OriginError, PropertyResult,
    RuleInfo, RunRecord, Story, Summary, Timeline, TimelineRow, Told,
};
use crate::billing::Meter;
use crate::demand::trigger::Rule;
use crate::fact::{Fact, FactSink};
use crate::ids::ServerId;
use crate::journal::Entry;
use crate::oracle::{Closing, Panel};
use crate::policy::Policy;
use crate::time::{Span, Timestamp};

/// Intervals of a timeline, at most.
const INTERVALS: i64 = 1_440;

/// Why a run cannot be folded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// Its beginning makes no sense.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// A fact is about a server that the group does not have.
    #[error("a fact is about {server}, and the group has {servers} servers")]
    Server {
        /// Which.
        server: ServerId,
        /// How many there are.
        servers: usize,
    },
    /// The controller would do something else today.
    #[error("line {0} of the journal does not follow from those before it")]
    Differs(usize),
}

/// The record of a run that began as `origin` says, from its whole journal and what was told of it
/// besides, in any order; and its counts, which its fingerprint is of.
///
/// # Errors
/// If they do not belong together.
pub fn fold(
    origin: &Origin,
    journal: &[Entry],
    told: &[Told],
) -> Result<(RunRecord, Counts), FoldError> {
    let (facts, orders) = derive(origin, journal)?;
    let facts = merged(origin, facts, told, &orders)?;
    let mut fold = Fold::new(origin)?;
    let mut facts = facts.into_iter().peekable();
    let mut replay = origin.replay()?;
    for entry in journal {
        while let Some((at, fact)) = facts.next_if(|(at, _)| *at <= entry.at) {
            fold.fact(at, fact);
        }
        let (step, _) = replay.step(entry);
        fold.advance(entry.at);
        fold.panel.step(entry.at, &step);
        fold.now.wanted = step.decision.wanted.into();
        let _moving = fold.story.follow(entry.at, &step.decision, replay.controller());
    }
    for (at, fact) in facts {
        fold.fact(at, fact);
    }
    Ok(fold.close(origin, told))
}

fn derive(
    origin: &Origin,
    journal: &[Entry],
) -> Result<(Vec<(Timestamp, Fact)>, Orders), FoldError> {
    let mut replay = origin.replay()?;
    let mut derived = Derived::new(replay.controller(), origin.start);
    for (number, entry) in (1..).zip(journal) {
        let (step, same) = replay.step(entry);
        if !same {
            return Err(FoldError::Differs(number));
        }
        derived.step(entry.at, &entry.input, &step, replay.controller());
    }
    Ok(derived.into_facts())
}

/// All facts in the order of time, none outside the run. Requests that were told one by one replace
/// what the proxy counted of them.
fn merged(
    origin: &Origin,
    mut facts: Vec<(Timestamp, Fact)>,
    told: &[Told],
    orders: &Orders,
) -> Result<Vec<(Timestamp, Fact)>, FoldError> {
    let one_by_one = told
        .iter()
        .any(|line| matches!(line, Told::Fact { fact: Fact::RequestArrived { .. }, .. }));
    for line in told {
        let Told::Fact { at, fact } = *line else { continue };
        if let Some(server) = fact.server()
            && !origin.has(server)
        {
            return Err(FoldError::Server { server, servers: origin.servers.len() });
        }
        let counted = matches!(fact, Fact::Flow(_)) && fact.is_of_requests();
        if counted && one_by_one {
            continue;
        }
        if let Fact::PowerChanged { server, on, .. } = fact {
            power(&mut facts, at, server, on, orders.wanted(at, server, on));
        } else {
            facts.push((at, fact));
        }
    }
    for (at, _) in &mut facts {
        *at = (*at).clamp(origin.start, origin.end);
    }
    facts.sort_by_key(|(at, _)| *at);
    Ok(facts)
}

/// A machine that goes off unasked takes its services along.
fn power(
    facts: &mut Vec<(Timestamp, Fact)>,
    at: Timestamp,
    server: ServerId,
    on: bool,
    commanded: bool,
) {
    if !on && !commanded {
        let gone = [Fact::Broke { server }, Fact::ReadyChanged { server, ready: false }];
        facts.extend(gone.map(|fact| (at, fact)));
    }
    facts.push((at, Fact::PowerChanged { server, on, commanded }));
}

struct Fold {
    zone: TimeZone,
    panel: Panel,
    meter: Meter,
    counts: Counts,
    story: Story,
    now: Now,
    timeline: Timeline,
    next_row: Timestamp,
    policy: Policy,
}

impl Fold {
    fn new(origin: &Origin) -> Result<Self, FoldError> {
        let (zone, controller) = (origin.zone()?, origin.controller()?);
        let plans = origin.servers.iter().map(|one| (one.info.plan.clone(), one.pricing));
        let seconds = origin.end.since(origin.start).as_secs_ceil();
        let interval = Span::from_secs(seconds.div_euclid(INTERVALS) + 1);
        let panel = Panel::new(origin.servers.len(), &controller.config().policy);
        Ok(Self {
            panel: if origin.kind.is_simulated() { panel } else { panel.between_looks() },
            meter: Meter::new(plans, zone.clone()),
            counts: Counts::new(true),
            story: Story::new(&controller, origin.start, zone.clone()),
            now: Now::new(&origin.servers),
            timeline: Timeline { interval, rows: Vec::new() },
            next_row: origin.start + interval,
            policy: controller.config().policy.clone(),
            zone,
        })
    }

    fn fact(&mut self, at: Timestamp, fact: Fact) {
        self.advance(at);
        self.panel.fact(at, fact);
        self.meter.fact(at, fact);
        self.counts.fact(at, fact);
        self.now.fact(at, fact);
    }

    /// Ends the intervals that lie before `at`.
    fn advance(&mut self, at: Timestamp) {
        while self.next_row <= at {
            let end = self.next_row;
            self.row(end);
            self.next_row = end + self.timeline.interval;
        }
    }

    fn row(&mut self, at: Timestamp) {
        let counted = self.counts.interval();
        let row = TimelineRow { cost: self.meter.total(at), ..self.now.row(at, counted) };
        self.counts.begin_interval();
        self.timeline.rows.push(row);
    }

    fn close(mut self, origin: &Origin, told: &[Told]) -> (RunRecord, Counts) {
        let (start, end) = (origin.start, origin.end);
        self.advance(end);
        if self.timeline.rows.last().is_none_or(|row| row.at < end) {
            self.row(end);
        }
        Now::close(&mut self.timeline, start, self.counts.served());
        let left = told.iter().rev().find_map(|line| match *line {
            Told::End { in_flight, jobs_pending, .. } => Some((in_flight, jobs_pending)),
            Told::Fact { .. } => None,
        });
        let (in_flight, jobs_pending) = left.unwrap_or(self.now.left());
        let story = self.story.close(end);
        let ledger = self.meter.into_ledger(end);
        let requests = self.counts.requests(self.panel.failed_by_scaling(), in_flight);
        let (verdicts, jobs) = self.panel.close(&Closing {
            end,
            in_flight,
            ages: self.now.ages(end),
            answer_delay: Span::ZERO,
            jobs_pending,
            work: &[],
            ledger: &ledger,
            zone: &self.zone,
        });
        let zone = &self.zone;
        let summary = Summary {
            kind: origin.kind,
            scenario: origin.name.clone(),
            seed: 0,
            fidelity: Fidelity::Request,
            fidelity_because: None,
            fingerprint: String::new(),
            command: None,
            requests,
            jobs: jobs.into(),
            scaling: story.events.into(),
            billing: Billing::new(origin.currency, &ledger),
            properties: verdicts
                .into_iter()
                .map(|verdict| PropertyResult::new(verdict, zone))
                .collect(),
            expectations: Vec::new(),
            fleet: None,
        };
        let plans = origin.servers.iter().map(|one| (one.info.plan.as_str(), one.pricing));
        let record = RunRecord {
            format: FORMAT,
            title: origin.title.clone(),
            zone: origin.zone.clone(),
            start,
            end,
            summary,
            timeline: self.timeline,
            stages: story.stages,
            baselines: vec![Baseline::always_on(plans, (start, end), zone)],
            ledger,
            rules: Rule::all(&self.policy).map(RuleInfo::from).collect(),
            closest: story.closest,
            failures: self.counts.failures(),
            servers: origin.servers.iter().map(|one| one.info.clone()).collect(),
            faults: Faults::default(),
        };
        (record, self.counts)
    }
}
