//! A run: the world and the controller in turn, judged and folded into a record.

mod collect;
mod expect;

use std::io::{self, Write};

use jiff::tz::TimeZone;
use serde::Serialize;
use tidegate_core::billing::{LedgerLine, Meter};
use tidegate_core::decision::{Decision, Direction, Opinion, Verdict};
use tidegate_core::demand::trigger::Rule;
use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::lifecycle::Stage;
use tidegate_core::oracle::{Closing, Panel};
use tidegate_core::record::{
    Action, Baseline, Billing, ClosestCall, FORMAT, Jobs, LocalTime, PropertyResult, RuleInfo,
    RunRecord, ScaleEvent, Scaling, ServerInfo, StageSpan, Summary, Timeline, TimelineRow,
    Violation, source_name,
};
use tidegate_core::{Command, Controller, Input, Money, Ratio, ServerId, Span, Step, Timestamp};

use crate::model::{Hardware, Model};
use crate::world::{Notice, World, mean_cpu_seconds};

use collect::Collector;

/// Everything that listens to the world.
#[derive(Debug)]
struct Sinks {
    panel: Panel,
    meter: Meter,
    collector: Collector,
}

impl FactSink for Sinks {
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        self.panel.fact(at, fact);
        self.meter.fact(at, fact);
        self.collector.fact(at, fact);
    }
}

/// A line of the journal: an input, and what the controller made of it. A decision that reads like
/// the one before is left out: stepping the controller through the inputs gives it again.
#[derive(Serialize)]
struct Entry<'a> {
    at: Timestamp,
    input: &'a Input,
    #[serde(skip_serializing_if = "<[Command]>::is_empty")]
    commands: &'a [Command],
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'a Decision>,
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
}

/// Simulates `model`, writing the journal as it goes.
///
/// # Errors
/// If the journal cannot be written.
pub fn run(
    model: &Model,
    journal: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<Finished> {
    let mut run = Run::new(model, journal);
    run.go(progress)?;
    Ok(run.finish())
}

struct Run<'a> {
    model: &'a Model,
    zone: TimeZone,
    world: World<Sinks>,
    controller: Controller,
    journal: &'a mut dyn Write,
    hash: blake3::Hasher,
    wake: u64,
    last: Option<Decision>,
    events: Vec<ScaleEvent>,
    failed: u64,
    stages: Vec<StageSpan>,
    closest: Vec<ClosestCall>,
    fired: Vec<bool>,
    timeline: Timeline,
    busy: Vec<u64>,
}

impl<'a> Run<'a> {
    fn new(model: &'a Model, journal: &'a mut dyn Write) -> Self {
        let zone = TimeZone::get(&model.zone).unwrap_or(TimeZone::UTC);
        let plans = model.servers.iter().map(|server| (server.plan.clone(), server.pricing));
        let sinks = Sinks {
            panel: Panel::new(model.servers.len(), &model.group.policy),
            meter: Meter::new(plans, zone.clone()),
            collector: Collector::new(),
        };
        let interval = timeline_interval(model.duration);
        let stage = |index: usize| StageSpan {
            server: ServerId(index as u16),
            stage: if index == 0 { Stage::Serving } else { Stage::Standby },
            from: model.start,
            to: model.start,
        };
        Self {
            model,
            zone,
            world: World::new(model.clone(), interval, sinks),
            controller: Controller::new(model.group.clone(), model.start),
            journal,
            hash: blake3::Hasher::new(),
            wake: 0,
            last: None,
            events: Vec::new(),
            failed: 0,
            stages: (0..model.servers.len()).map(stage).collect(),
            closest: Vec::new(),
            fired: vec![false; model.group.policy.up.len()],
            timeline: Timeline { interval, rows: Vec::new() },
            busy: vec![0; model.servers.len()],
        }
    }

    fn go(&mut self, progress: &mut dyn FnMut(Progress)) -> io::Result<()> {
        let end = self.model.duration.as_nanos().cast_unsigned();
        let mut resized = 0;
        loop {
            let limit = self.wake.min(end);
            let notice = self.world.advance(limit);
            while let Some(resize) = self.model.resizes.get(resized)
                && self.now() >= resize.at
            {
                let (plan, pricing) = (resize.to.plan.clone(), resize.to.pricing);
                self.world.sink.meter.change_plan(resize.at, ServerId::PRIMARY, plan, pricing);
                resized += 1;
            }
            match notice {
                Some(Notice::Observed(observation)) => self.step(&Input::Observe(observation))?,
                Some(Notice::Completed { id, outcome }) => {
                    self.step(&Input::Complete { id, outcome })?;
                }
                Some(Notice::Asked(request)) => self.step(&Input::Request(request))?,
                Some(Notice::Interval) => {
                    self.interval();
                    progress(Progress {
                        simulated: Span::from_nanos(self.world.now().cast_signed()),
                        of: self.model.duration,
                        events: self.world.events(),
                    });
                }
                None if limit == end => return Ok(()),
                None => self.step(&Input::Wake)?,
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.world.timestamp(self.world.now())
    }

    fn step(&mut self, input: &Input) -> io::Result<()> {
        let now = self.now();
        let step = self.controller.step(now, input.clone());
        let same = self.last.as_ref().is_some_and(|last| last.reads_like(&step.decision));
        let decision = (!same).then_some(&step.decision);
        let entry = Entry { at: now, input, commands: &step.commands, decision };
        let mut line = serde_json::to_vec(&entry).map_err(io::Error::other)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.journal.write_all(&line)?;
        self.world.sink.panel.step(now, &step);
        self.follow(now, &step);
        for command in &step.commands {
            self.world.execute(*command);
        }
        let since = |at: Timestamp| at.since(self.model.start).as_nanos().cast_unsigned();
        self.wake = step.wake_at.map_or(u64::MAX, since);
        self.last = Some(step.decision);
        Ok(())
    }

    /// Notes what changed: scale events, stages, how near a rule came.
    fn follow(&mut self, now: Timestamp, step: &Step) {
        let decision = &step.decision;
        let action = match decision.verdict {
            Verdict::Hold => None,
            Verdict::ScaleUp(by) => Some((Action::ScaleUp, by)),
            Verdict::ScaleDown(by) => Some((Action::ScaleDown, by)),
        };
        if let Some((action, by)) = action {
            let event = ScaleEvent {
                at: LocalTime::new(now, &self.zone),
                action,
                source: source_name(decision.source).to_owned(),
                reason: tidegate_core::explain::reason(decision),
            };
            self.events.extend(std::iter::repeat_n(event, usize::from(by)));
        }
        let mut moving = false;
        for index in 1..self.model.servers.len() {
            let server = ServerId(index as u16);
            let stage = self.controller.stage(server);
            moving |= !matches!(stage, Stage::Standby | Stage::Serving);
            self.enter_stage(now, server, stage);
        }
        self.world.set_moving(moving);
        self.note_closest(now, decision);
    }

    fn enter_stage(&mut self, now: Timestamp, server: ServerId, stage: Stage) {
        let last = self.stages.iter().rposition(|span| span.server == server);
        let Some(last) = last.filter(|&last| self.stages[last].stage != stage) else { return };
        self.stages[last].to = now;
        self.stages.push(StageSpan { server, stage, from: now, to: now });
        if stage == Stage::Faulted {
            self.failed += 1;
        }
    }

    fn note_closest(&mut self, now: Timestamp, decision: &Decision) {
        for vote in decision.votes().filter(|vote| vote.direction == Direction::Up) {
            let rule = usize::from(vote.rule.0);
            self.fired[rule] |= vote.opinion == Opinion::Agrees;
            if vote.value.is_none() {
                continue;
            }
            let call = ClosestCall {
                at: LocalTime::new(now, &self.zone),
                vote: *vote,
                decision: *decision,
            };
            let nearness = |call: &ClosestCall| (call.vote.filled, call.vote.value);
            match self.closest.iter_mut().find(|held| held.vote.rule == vote.rule) {
                Some(held) if nearness(&call) > nearness(held) => *held = call,
                Some(_) => {}
                None => self.closest.push(call),
            }
        }
    }

    fn interval(&mut self) {
        let now = self.now();
        let (mut done, mut available, mut capacity) = (0u128, 0u128, 0.0);
        let length = self.timeline.interval.as_nanos().cast_unsigned();
        let mean = mean_cpu_seconds(self.model).max(1e-9);
        for (index, (busy, cores, receives)) in self.world.busy().into_iter().enumerate() {
            if receives {
                done += u128::from(busy - self.busy[index]);
                available += u128::from(length) * u128::from(cores);
                capacity += f64::from(cores) / mean;
            }
            self.busy[index] = busy;
        }
        let (serving, powered) = self.world.counts();
        let row = TimelineRow {
            at: now,
            in_flight: self.world.in_flight(),
            jobs_pending: self.world.jobs_pending(),
            cpu: (available > 0).then(|| Ratio::of(done, available).min(Ratio::ONE)),
            memory: self.world.memory(),
            serving,
            powered,
            wanted: self.last.as_ref().map_or(1, |decision| decision.wanted),
            capacity_per_second: capacity,
            cost: self.world.sink.meter.total(now),
            ..self.world.sink.collector.take_interval()
        };
        self.timeline.rows.push(row);
    }

    fn finish(mut self) -> Finished {
        let end = self.model.start + self.model.duration;
        for index in 0..self.model.servers.len() {
            let last = self.stages.iter().rposition(|span| span.server.index() == index);
            if let Some(last) = last {
                self.stages[last].to = end;
            }
        }
        if self.timeline.rows.last().is_none_or(|row| row.at < end) {
            self.interval();
        }
        let (in_flight, jobs_pending) = (self.world.in_flight(), self.world.jobs_pending());
        let events = self.world.events();
        let Sinks { panel, meter, collector } = self.world.sink;
        let ledger = meter.into_ledger(end);
        let failed_by_scaling = panel.failed_by_scaling();
        let (verdicts, counts) =
            panel.close(&Closing { end, in_flight, jobs_pending, ledger: &ledger });
        let zone = self.zone;
        let properties = verdicts.into_iter().map(|verdict| PropertyResult {
            name: verdict.property.to_owned(),
            holds: verdict.holds(),
            checked: verdict.checked,
            violations: verdict
                .violations
                .into_iter()
                .map(|(at, what)| Violation { at: LocalTime::new(at, &zone), what })
                .collect(),
        });
        let count =
            |action| self.events.iter().filter(|event| event.action == action).count() as u64;
        let mut summary = Summary {
            scenario: self.model.name.clone(),
            seed: self.model.seed,
            fingerprint: String::new(),
            requests: collector.requests(failed_by_scaling, in_flight),
            jobs: Jobs {
                enqueued: counts.enqueued,
                completed: counts.completed,
                lost: counts.lost,
                duplicated: counts.duplicated,
                pending_at_end: counts.pending,
            },
            scaling: Scaling {
                ups: count(Action::ScaleUp),
                downs: count(Action::ScaleDown),
                failed: self.failed,
                events: self.events,
            },
            billing: bill(self.model, &ledger),
            properties: properties.collect(),
            expectations: Vec::new(),
        };
        summary.expectations = expect::judge(&self.model.expectations, &summary);
        let fired = self.fired;
        let closest = self.closest.into_iter().filter(|call| !fired[usize::from(call.vote.rule.0)]);
        let mut record = RunRecord {
            format: FORMAT,
            title: self.model.title.clone(),
            zone: self.model.zone.clone(),
            start: self.model.start,
            end,
            summary,
            timeline: self.timeline,
            stages: self.stages,
            baselines: baselines(self.model, &zone, end),
            ledger,
            rules: Rule::all(&self.model.group.policy).map(rule_info).collect(),
            closest: closest.collect(),
            failures: collector.failures(),
            servers: self.model.servers.iter().enumerate().map(server_info).collect(),
        };
        self.hash.update(&collector.digest().to_le_bytes());
        self.hash.update(&serde_json::to_vec(&record).unwrap_or_default());
        self.hash.finalize().to_hex()[..32].clone_into(&mut record.summary.fingerprint);
        Finished { record, events }
    }
}

/// At most 1,440 intervals of whole tens of seconds.
fn timeline_interval(duration: Span) -> Span {
    let tens = duration.as_secs_ceil().div_euclid(14_400) + 1;
    Span::from_secs(tens * 10)
}

fn rule_info(rule: Rule) -> RuleInfo {
    RuleInfo {
        rule: rule.id,
        direction: rule.direction,
        metric: rule.metric,
        threshold: rule.threshold,
        window: rule.window,
    }
}

fn server_info((index, hardware): (usize, &Hardware)) -> ServerInfo {
    ServerInfo {
        server: ServerId(index as u16),
        plan: hardware.plan.clone(),
        vcpu: hardware.vcpu,
        memory_bytes: hardware.memory_bytes,
        web_workers: hardware.web_workers.iter().sum(),
        job_workers: hardware.job_workers.iter().sum(),
    }
}

fn bill(model: &Model, ledger: &[LedgerLine]) -> Billing {
    let of = |primary: bool| ledger.iter().filter(move |line| line.server.is_primary() == primary);
    let amount = |primary| of(primary).map(|line| line.amount).sum::<Money>();
    Billing {
        currency: model.currency,
        primary: amount(true),
        standby: amount(false),
        total: ledger.iter().map(|line| line.amount).sum(),
        standby_seconds_powered: of(false)
            .fold(Span::ZERO, |sum, line| sum + line.accounted)
            .as_secs_f64(),
        standby_seconds_billed: of(false)
            .fold(Span::ZERO, |sum, line| sum + line.charged)
            .as_secs_f64(),
    }
}

/// The same time with all standbys always on, and with the primary on the bigger plan instead.
fn baselines(model: &Model, zone: &TimeZone, end: Timestamp) -> Vec<Baseline> {
    let cost = |servers: &[Hardware]| {
        let plans = servers.iter().map(|server| (server.plan.clone(), server.pricing));
        let mut meter = Meter::new(plans, zone.clone());
        for index in 0..servers.len() {
            let server = ServerId(index as u16);
            meter.fact(model.start, Fact::PowerChanged { server, on: true, commanded: true });
        }
        meter.into_ledger(end).iter().map(|line| line.amount).sum()
    };
    let mut baselines = vec![Baseline {
        name: "always-on".to_owned(),
        assumes: "every standby has power for the whole run".to_owned(),
        total: cost(&model.servers),
    }];
    if let Some(upgrade) = &model.upgrade {
        baselines.push(Baseline {
            name: "plan-upgrade".to_owned(),
            assumes: format!("the primary has the plan {} for the whole run", upgrade.plan),
            total: cost(std::slice::from_ref(upgrade)),
        });
    }
    baselines
}
