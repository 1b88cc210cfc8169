//! A run: the world and the controller in turn, judged and folded into a record.

mod close;
mod expect;
mod faults;
mod host;
mod intervals;
mod planted;
mod timeline;
mod trace;

use std::io::{self, Write};
use std::sync::Arc;

use jiff::tz::TimeZone;
use tidegate_core::billing::Meter;
use tidegate_core::decision::Decision;
use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::journal::Line;
use tidegate_core::oracle::Panel;
use tidegate_core::record::{Counts, Fingerprint, RunRecord, Story, Timeline, Times};
use tidegate_core::{Controller, Defect, Input, ServerId, Span, Step, Timestamp};

use crate::flow::Tables;
use crate::model::{CrashPoint, FaultKind, Model};
use crate::provider::{Ask, Provider};
use crate::world::{Notice, World};

pub(crate) use expect::judge;
pub use expect::judge_json;
use faults::FaultLog;
pub(crate) use faults::common_faults;
use host::Host;
pub(crate) use intervals::Intervals;
use planted::Planted;
use trace::RequestTrace;

/// Everything that listens to the world.
struct Sinks<'a> {
    panel: Panel,
    meter: Meter,
    counts: Counts,
    trace: Option<RequestTrace<'a>>,
    planted: Planted,
    faults: FaultLog,
}

impl FactSink for Sinks<'_> {
    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        let may_be_distorted = matches!(
            fact,
            Fact::RequestServed { .. }
                | Fact::JobCompleted { .. }
                | Fact::PowerChanged { .. }
                | Fact::RoutingChanged { .. }
                | Fact::ServicesStopped { .. }
        );
        if may_be_distorted && !self.planted.defects.is_empty() {
            return self.tell_distorted(at, fact);
        }
        self.tell(at, fact);
    }
}

impl Sinks<'_> {
    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    fn tell(&mut self, at: Timestamp, fact: Fact) {
        self.panel.fact(at, fact);
        self.meter.fact(at, fact);
        self.counts.fact(at, fact);
        if matches!(fact, Fact::RequestServed { .. } | Fact::RequestFailed { .. })
            && let Some(trace) = &mut self.trace
        {
            trace.fact(at, fact);
        }
        if let Fact::FaultBegan { fault } = fact {
            self.faults.begins(at, fault);
        }
        if let Fact::FaultEnded { fault } = fact {
            self.faults.ends(at, fault);
        }
    }
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Simulated time so far.
    pub simulated: Span,
    /// Of so much.
    pub of: Span,
    /// Events so far.
    pub events: u64,
}

/// A finished run.
#[derive(Debug)]
pub struct Finished {
    /// All that a report reads.
    pub record: RunRecord,
    /// Events that the world processed.
    pub events: u64,
    /// How often each fault befell something.
    pub faults: Vec<(FaultKind, u64)>,
    /// Latencies and waits.
    pub(crate) times: [Times; 2],
}

/// Where a run's journal goes, if anybody wants it.
pub type Journal<'a> = &'a mut (dyn Write + Send);

/// Simulates `model`, writing the journal as it goes.
///
/// # Errors
/// If the journal cannot be written.
pub fn run(
    model: &Model,
    journal: Journal<'_>,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<Finished> {
    run_traced(model, journal, None, progress)
}

/// As [`run`], writing each request as a line of CSV into `requests`, if that is given: its number,
/// arrival, server, latency and wait in milliseconds, and outcome.
///
/// # Errors
/// If the journal or the requests cannot be written.
pub fn run_traced<'a>(
    model: &Model,
    journal: Journal<'a>,
    requests: Option<Journal<'a>>,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<Finished> {
    simulate(model, true, Some(journal), requests, progress)
}

/// Simulates `model` without a journal and with coarse times, for those who look at the verdicts.
pub(crate) fn run_unrecorded(model: &Model) -> io::Result<Finished> {
    simulate(model, false, None, None, &mut |_| {})
}

fn simulate<'a>(
    model: &Model,
    fine: bool,
    journal: Option<Journal<'a>>,
    requests: Option<Journal<'a>>,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<Finished> {
    let interval = timeline::length(model.duration);
    let detail = Detail { interval, fine, tables: None, together: None };
    let mut run = Run::new(Arc::new(model.clone()), &detail, journal, requests);
    let mut provider = Provider::new(model.provider.unwrap_or_default());
    while !run.go(u64::MAX, progress)? {
        run.ask(&mut provider);
    }
    if let Some(trace) = run.world.sink.trace.take() {
        trace.close()?;
    }
    Ok(run.finish())
}

/// How closely a run is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    /// Length of the timeline's intervals.
    pub interval: Span,
    /// Whether times are told apart to a thousandth, or to a few per cent.
    pub fine: bool,
    /// What the flows share with those of other groups.
    pub tables: Option<Arc<Tables>>,
    /// Where its intervals are added to those of other groups.
    pub together: Option<Arc<Intervals>>,
}

/// A run under way.
pub(crate) struct Run<'a> {
    model: Arc<Model>,
    zone: TimeZone,
    world: World<Sinks<'a>>,
    controller: Controller,
    journal: Option<Journal<'a>>,
    hash: Fingerprint,
    wake: u64,
    /// Servers wanted by the last decision.
    wanted: u16,
    /// The last decision that the journal has.
    last: Option<Decision>,
    story: Story,
    timeline: Timeline,
    together: Option<Arc<Intervals>>,
    busy: Vec<u64>,
    /// Core-nanoseconds of work done in all intervals.
    worked: u128,
    resized: usize,
    host: Host,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        model: Arc<Model>,
        detail: &Detail,
        journal: Option<Journal<'a>>,
        requests: Option<Journal<'a>>,
    ) -> Self {
        let zone = TimeZone::get(&model.zone).unwrap_or(TimeZone::UTC);
        let plans = model.servers.iter().map(|server| (server.plan.clone(), server.pricing));
        let sinks = Sinks {
            panel: Panel::new(model.servers.len(), &model.group.policy),
            meter: Meter::new(plans, zone.clone()),
            counts: Counts::new(detail.fine),
            trace: requests.map(|out| RequestTrace::new(out, zone.clone(), model.proxy.latency)),
            planted: Planted::new(&model),
            faults: FaultLog::default(),
        };
        let controller = Controller::new(model.group.clone(), model.start);
        let story = Story::new(&controller, model.start, zone.clone());
        Self {
            zone,
            world: {
                let tables = detail.tables.as_ref();
                World::sharing(Model::clone(&model), detail.interval, sinks, tables)
            },
            controller,
            journal,
            hash: Fingerprint::default(),
            wake: 0,
            wanted: 1,
            last: None,
            story,
            timeline: Timeline { interval: detail.interval, rows: Vec::new() },
            together: detail.together.clone(),
            busy: vec![0; model.servers.len()],
            worked: 0,
            resized: 0,
            host: Host::new(&model),
            model,
        }
    }

    /// Goes on to `until` or to the end, whichever comes first; false if it stops before that
    /// because the provider is asked for something.
    pub(crate) fn go(
        &mut self,
        until: u64,
        progress: &mut dyn FnMut(Progress),
    ) -> io::Result<bool> {
        let end = self.model.duration.as_nanos().cast_unsigned().min(until);
        loop {
            if !self.world.asks().is_empty() {
                return Ok(false);
            }
            let up_at = self.host.up_at.unwrap_or(u64::MAX);
            let limit = self.wake.min(end).min(up_at);
            let notice = self.world.advance(limit);
            self.follow_resizes();
            match notice {
                Some(Notice::Observed(observation)) => self.take(Input::Observe(observation))?,
                Some(Notice::Completed { id, outcome, term }) => {
                    self.completed(Input::Complete { id, outcome }, term)?;
                }
                Some(Notice::Asked(request)) => self.take(Input::Request(request))?,
                Some(Notice::Fault { fault, begins }) => self.host_fault(fault, begins)?,
                Some(Notice::Interval) => {
                    self.interval();
                    progress(Progress {
                        simulated: Span::from_nanos(self.world.now().cast_signed()),
                        of: self.model.duration,
                        events: self.world.events(),
                    });
                }
                None if limit == end => return Ok(true),
                None if limit == up_at => self.come_up()?,
                None => self.step(Input::Wake)?,
            }
        }
    }

    /// What the provider was asked for, and when.
    pub(crate) fn asks(&self) -> &[Ask] {
        self.world.asks()
    }

    /// Gives back to the provider what the group no longer has.
    pub(crate) fn give_back(&mut self, provider: &mut Provider) {
        for machine in self.world.take_returns() {
            provider.give_back(machine);
        }
    }

    /// Puts what was asked for to the provider, and goes on with its answers.
    pub(crate) fn ask(&mut self, provider: &mut Provider) {
        self.give_back(provider);
        for ask in self.world.take_asks() {
            let answer = provider.ask(ask.at);
            self.world.provider_answers(ask, answer);
        }
    }

    /// From a resize on, the primary is billed by its new plan.
    fn follow_resizes(&mut self) {
        while let Some(resize) = self.model.resizes.get(self.resized)
            && self.now() >= resize.at
        {
            let (plan, pricing) = (resize.to.plan.clone(), resize.to.pricing);
            self.world.sink.meter.change_plan(resize.at, ServerId::PRIMARY, plan, pricing);
            self.resized += 1;
        }
    }

    fn now(&self) -> Timestamp {
        self.world.timestamp(self.world.now())
    }

    fn step(&mut self, input: Input) -> io::Result<()> {
        if self.waits_for_its_turn(&input) {
            return Ok(());
        }
        let (now, clock) = (self.now(), self.now() + self.host.ahead);
        let before = self.host.may_die().then(|| self.controller.clone());
        let written = self.journal.is_some().then(|| input.clone());
        let step = self.controller.step(clock, input);
        let dies = self.dies_in(&step);
        if let (Some(CrashPoint::Before), Some(before)) = (dies, before) {
            self.controller = before;
            if self.model.group.defects.has(Defect::ActBeforeStore) {
                self.carry_out(&step);
            }
            return Ok(());
        }
        if let Some(input) = written {
            self.write(clock, &input, &step)?;
        }
        self.world.sink.panel.step(now, &step);
        let moving = self.story.follow(now, &step.decision, &self.controller);
        self.world.set_moving(moving);
        if dies != Some(CrashPoint::Stored) {
            self.carry_out(&step);
        }
        let origin = self.model.start + self.host.ahead;
        let since = |at: Timestamp| at.since(origin).as_nanos().max(0).cast_unsigned();
        self.wake = match self.host.up_at {
            Some(_) => u64::MAX,
            None => step.wake_at.map_or(u64::MAX, since).max(self.world.now()),
        };
        self.wanted = step.decision.wanted;
        if self.journal.is_some() {
            self.last = Some(step.decision);
        }
        Ok(())
    }

    fn write(&mut self, now: Timestamp, input: &Input, step: &Step) -> io::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let line = Line::after(self.last.as_ref(), now, input, step);
        let mut line = serde_json::to_vec(&line).map_err(io::Error::other)?;
        line.push(b'\n');
        self.hash.line(&line);
        journal.write_all(&line)
    }

    fn carry_out(&mut self, step: &Step) {
        for command in &step.commands {
            self.world.execute(*command);
        }
    }
}
