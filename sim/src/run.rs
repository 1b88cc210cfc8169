//! A run: the world and the controller in turn, judged and folded into a record.

mod close;
mod collect;
mod expect;
mod follow;
mod timeline;
mod trace;

use std::io::{self, Write};

use jiff::tz::TimeZone;
use serde::Serialize;
use tidegate_core::billing::Meter;
use tidegate_core::decision::Decision;
use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::lifecycle::Stage;
use tidegate_core::oracle::Panel;
use tidegate_core::record::{ClosestCall, RunRecord, ScaleEvent, StageSpan, Timeline};
use tidegate_core::{Command, Controller, Input, ServerId, Span, Timestamp};

use crate::model::Model;
use crate::world::{Notice, World};

use collect::Collector;
use trace::RequestTrace;

/// Everything that listens to the world.
struct Sinks<'a> {
    panel: Panel,
    meter: Meter,
    collector: Collector,
    trace: Option<RequestTrace<'a>>,
}

impl FactSink for Sinks<'_> {
    #[expect(clippy::inline_always, reason = "where a fact is told, most of this is nothing")]
    #[inline(always)]
    fn fact(&mut self, at: Timestamp, fact: Fact) {
        self.panel.fact(at, fact);
        self.meter.fact(at, fact);
        self.collector.fact(at, fact);
        if matches!(fact, Fact::RequestServed { .. } | Fact::RequestFailed { .. })
            && let Some(trace) = &mut self.trace
        {
            trace.fact(at, fact);
        }
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
    run_traced(model, journal, None, progress)
}

/// As [`run`], writing each request as a line of CSV into `requests`, if that is given: its number,
/// arrival, server, latency and wait in milliseconds, and outcome.
///
/// # Errors
/// If the journal or the requests cannot be written.
pub fn run_traced<'a>(
    model: &'a Model,
    journal: &'a mut dyn Write,
    requests: Option<&'a mut dyn Write>,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<Finished> {
    let mut run = Run::new(model, journal, requests);
    run.go(progress)?;
    if let Some(trace) = run.world.sink.trace.take() {
        trace.close()?;
    }
    Ok(run.finish())
}

struct Run<'a> {
    model: &'a Model,
    zone: TimeZone,
    world: World<Sinks<'a>>,
    controller: Controller,
    journal: &'a mut dyn Write,
    hash: blake3::Hasher,
    wake: u64,
    last: Option<Decision>,
    events: Vec<ScaleEvent>,
    stages: Vec<StageSpan>,
    closest: Vec<ClosestCall>,
    fired: Vec<bool>,
    timeline: Timeline,
    busy: Vec<u64>,
    /// Core-nanoseconds of work done in all intervals.
    worked: u128,
}

impl<'a> Run<'a> {
    fn new(
        model: &'a Model,
        journal: &'a mut dyn Write,
        requests: Option<&'a mut dyn Write>,
    ) -> Self {
        let zone = TimeZone::get(&model.zone).unwrap_or(TimeZone::UTC);
        let plans = model.servers.iter().map(|server| (server.plan.clone(), server.pricing));
        let sinks = Sinks {
            panel: Panel::new(model.servers.len(), &model.group.policy),
            meter: Meter::new(plans, zone.clone()),
            collector: Collector::new(),
            trace: requests.map(|out| RequestTrace::new(out, zone.clone(), model.proxy.latency)),
        };
        let interval = timeline::length(model.duration);
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
            stages: (0..model.servers.len()).map(stage).collect(),
            closest: Vec::new(),
            fired: vec![false; model.group.policy.up.len()],
            timeline: Timeline { interval, rows: Vec::new() },
            busy: vec![0; model.servers.len()],
            worked: 0,
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
}
