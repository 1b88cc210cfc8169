//! All groups of a fleet, added up.

use std::collections::BTreeMap;

use tidegate_core::fact::FailureCause;
use tidegate_core::record::{
    Action, Baseline, Billing, FORMAT, FleetSummary, GroupRow, Jobs, Kind, PropertyResult,
    Requests, RunRecord, Scaling, Starts, Summary, Timeline, TimelineRow, Times,
};
use tidegate_core::{Money, Span};

use super::FinishedFleet;
use crate::model::{Fleet, Group, Model, Size};
use crate::provider;
use crate::run::{Finished, common_faults, judge};

const MILLI: f64 = 1_000.0;
/// The first violations of a property that are kept.
const KEPT: usize = 10;

/// What all groups together did.
#[derive(Debug, Default)]
pub(super) struct Sum {
    /// What became of the starts that they asked for.
    starts: provider::Starts,
    members: BTreeMap<usize, Summary>,
    times: Option<[Times; 2]>,
    rows: Vec<TimelineRow>,
    baselines: Vec<Baseline>,
    failures: BTreeMap<FailureCause, u64>,
    events: u64,
}

impl Sum {
    /// Of no group yet, with what the provider was asked for.
    pub fn new(starts: provider::Starts) -> Self {
        Self { starts, ..Self::default() }
    }

    /// Groups that have ended.
    pub fn groups(&self) -> usize {
        self.members.len()
    }

    /// Group `index` has ended so. In whatever order they come, the sum is the same.
    pub fn add(&mut self, index: usize, finished: Finished) {
        let Finished { record, events, times, .. } = finished;
        self.events += events;
        match &mut self.times {
            None => self.times = Some(times),
            Some(all) => all.iter_mut().zip(&times).for_each(|(all, one)| all.merge(one)),
        }
        self.add_timeline(&record.timeline);
        for baseline in record.baselines {
            match self.baselines.iter_mut().find(|known| known.name == baseline.name) {
                Some(known) => known.total += baseline.total,
                None => self.baselines.push(baseline),
            }
        }
        for (cause, count) in record.failures {
            *self.failures.entry(cause).or_default() += count;
        }
        self.members.insert(index, record.summary);
    }

    fn add_timeline(&mut self, timeline: &Timeline) {
        self.rows.resize(self.rows.len().max(timeline.rows.len()), TimelineRow::default());
        for (all, one) in self.rows.iter_mut().zip(&timeline.rows) {
            all.at = one.at;
            all.arrived += one.arrived;
            all.served += one.served;
            all.failed += one.failed;
            all.in_flight += one.in_flight;
            all.jobs_pending += one.jobs_pending;
            all.serving = all.serving.saturating_add(one.serving);
            all.powered = all.powered.saturating_add(one.powered);
            all.wanted = all.wanted.saturating_add(one.wanted);
            // Whole numbers, whose sum is the same in any order.
            all.capacity_per_second += (one.capacity_per_second * MILLI).round();
            all.cost += one.cost;
        }
    }

    /// The fleet as one run.
    pub fn close(mut self, model: &Model, fleet: &Fleet, interval: Span) -> FinishedFleet {
        let mut groups: Vec<GroupRow> = Vec::with_capacity(self.members.len());
        let mut summary = empty(model);
        let mut hash = blake3::Hasher::new();
        for (member, group) in self.members.into_values().zip(&fleet.groups) {
            hash.update(member.fingerprint.as_bytes());
            groups.push(row_of(&member, group, &fleet.sizes[group.size]));
            add_summary(&mut summary, member);
        }
        if let Some([latency, wait]) = &self.times {
            summary.requests.latency_ms = latency.distribution();
            summary.requests.wait_ms = wait.distribution();
        }
        self.rows.iter_mut().for_each(|row| row.capacity_per_second /= MILLI);
        let held = groups.iter().filter(|row| row.held).count() as u64;
        let starts = model.provider.map(|_| starts_of(&self.starts));
        summary.fleet = Some(FleetSummary { groups: groups.len() as u64, held, starts });
        hash.finalize().to_hex()[..32].clone_into(&mut summary.fingerprint);
        summary.expectations = judge(&model.expectations, &summary);
        let record = RunRecord {
            format: FORMAT,
            title: model.title.clone(),
            zone: model.zone.clone(),
            start: model.start,
            end: model.start + model.duration,
            summary,
            timeline: Timeline { interval, rows: self.rows },
            stages: Vec::new(),
            ledger: Vec::new(),
            baselines: self.baselines,
            rules: Vec::new(),
            closest: Vec::new(),
            failures: self.failures.into_iter().collect(),
            servers: Vec::new(),
            faults: common_faults(model),
        };
        FinishedFleet { record, groups, events: self.events }
    }
}

fn starts_of(starts: &provider::Starts) -> Starts {
    let granted = starts.asked - starts.refused;
    let seconds = |nanos: f64| nanos / 1e9;
    Starts {
        asked: starts.asked,
        refused: starts.refused,
        mean_wait_s: (granted > 0).then(|| seconds(starts.waited as f64 / granted as f64)),
        longest_wait_s: seconds(starts.longest as f64),
        most_machines: starts.most,
    }
}

fn empty(model: &Model) -> Summary {
    Summary {
        kind: Kind::Simulated,
        scenario: model.name.clone(),
        seed: model.seed,
        fidelity: model.fidelity,
        fidelity_because: model.fidelity_because.clone(),
        fingerprint: String::new(),
        command: None,
        requests: Requests::default(),
        jobs: Jobs::default(),
        scaling: Scaling::default(),
        billing: Billing {
            currency: model.currency,
            primary: Money::ZERO,
            standby: Money::ZERO,
            total: Money::ZERO,
            standby_seconds_powered: 0.0,
            standby_seconds_billed: 0.0,
        },
        properties: Vec::new(),
        expectations: Vec::new(),
        fleet: None,
    }
}

fn add_summary(all: &mut Summary, one: Summary) {
    let (requests, more) = (&mut all.requests, &one.requests);
    requests.arrived += more.arrived;
    requests.served += more.served;
    requests.failed += more.failed;
    requests.failed_by_scaling += more.failed_by_scaling;
    requests.in_flight_at_end += more.in_flight_at_end;
    let (jobs, more) = (&mut all.jobs, &one.jobs);
    jobs.enqueued += more.enqueued;
    jobs.completed += more.completed;
    jobs.failed += more.failed;
    jobs.lost += more.lost;
    jobs.duplicated += more.duplicated;
    jobs.pending_at_end += more.pending_at_end;
    all.scaling.ups += one.scaling.ups;
    all.scaling.downs += one.scaling.downs;
    all.scaling.failed += one.scaling.failed;
    let (billing, more) = (&mut all.billing, &one.billing);
    billing.primary += more.primary;
    billing.standby += more.standby;
    billing.total += more.total;
    billing.standby_seconds_powered += more.standby_seconds_powered;
    billing.standby_seconds_billed += more.standby_seconds_billed;
    for property in one.properties {
        add_property(&mut all.properties, property, &one.scenario);
    }
}

fn add_property(all: &mut Vec<PropertyResult>, one: PropertyResult, group: &str) {
    let index = all.iter().position(|known| known.name == one.name).unwrap_or(all.len());
    if index == all.len() {
        let name = one.name.clone();
        all.push(PropertyResult { name, holds: true, checked: 0, violations: Vec::new() });
    }
    let known = &mut all[index];
    known.holds &= one.holds;
    known.checked += one.checked;
    let room = KEPT.saturating_sub(known.violations.len());
    let named = |mut violation: tidegate_core::record::Violation| {
        violation.what = format!("{group}: {}", violation.what);
        violation
    };
    known.violations.extend(one.violations.into_iter().take(room).map(named));
}

fn row_of(summary: &Summary, group: &Group, size: &Size) -> GroupRow {
    let broken = summary.properties.iter().filter(|property| !property.holds);
    let broken: Vec<&str> = broken.map(|property| property.name.as_str()).collect();
    let first = summary.scaling.events.iter().find(|event| event.action == Action::ScaleUp);
    GroupRow {
        group: summary.scenario.clone(),
        plan: size.plan.clone(),
        scale: group.scale,
        held: broken.is_empty(),
        violated: broken.join(" "),
        arrived: summary.requests.arrived,
        served: summary.requests.served,
        failed: summary.requests.failed,
        failed_by_scaling: summary.requests.failed_by_scaling,
        p50_ms: summary.requests.latency_ms.p50,
        p95_ms: summary.requests.latency_ms.p95,
        p99_ms: summary.requests.latency_ms.p99,
        ups: summary.scaling.ups,
        downs: summary.scaling.downs,
        failed_sequences: summary.scaling.failed,
        first_up: first.map(|event| event.at),
        standby_seconds_powered: summary.billing.standby_seconds_powered,
        cost: summary.billing.total,
        fingerprint: summary.fingerprint.clone(),
    }
}
