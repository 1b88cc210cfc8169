//! The end of a run: the oracles speak, the bill is drawn up, the record is made.

use tidegate_core::billing::{LedgerLine, Meter};
use tidegate_core::demand::trigger::Rule;
use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::oracle::{Closing, JobCounts, Verdict, Violated};
use tidegate_core::record::{
    Action, Baseline, Billing, FORMAT, Jobs, LocalTime, PropertyResult, RuleInfo, RunRecord,
    ScaleEvent, Scaling, ServerInfo, Summary, Violation,
};
use tidegate_core::{Money, ServerId, Span, TimeZone, Timestamp};

use super::collect::Collector;
use super::planted::priced;
use super::{Finished, Run, Sinks, judge};
use crate::model::{Hardware, Model};

impl Run<'_> {
    pub(crate) fn finish(mut self) -> Finished {
        let end = self.model.start + self.model.duration;
        self.close_stages(end);
        self.world.settle();
        if self.timeline.rows.last().is_none_or(|row| row.at < end) {
            self.interval();
        }
        self.close_timeline(self.world.sink.collector.served());
        let (ages, work) = (self.world.ages(), self.world.work());
        let (in_flight, jobs_pending) = (self.world.in_flight(), self.world.jobs_pending());
        let events = self.world.events();
        let kinds = self.model.faults.iter().map(|fault| fault.kind);
        let faults = kinds.zip(self.world.fault_hits()).collect();
        let Sinks { panel, meter, collector, planted, faults: log, .. } = self.world.sink;
        let ledger = priced(meter.into_ledger(end), planted.defects);
        let requests = collector.requests(panel.failed_by_scaling(), in_flight);
        let (verdicts, counts) = panel.close(&Closing {
            end,
            in_flight,
            ages,
            answer_delay: self.model.proxy.latency,
            jobs_pending,
            work: &work,
            ledger: &ledger,
            zone: &self.zone,
        });
        let mut summary = Summary {
            scenario: self.model.name.clone(),
            seed: self.model.seed,
            fidelity: self.model.fidelity,
            fidelity_because: self.model.fidelity_because.clone(),
            fingerprint: String::new(),
            command: None,
            requests,
            jobs: jobs(counts),
            scaling: scaling(std::mem::take(&mut self.events)),
            billing: bill(&self.model, &ledger),
            properties: verdicts.into_iter().map(|one| property(one, &self.zone)).collect(),
            expectations: Vec::new(),
            fleet: None,
        };
        summary.expectations = judge(&self.model.expectations, &summary);
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
            baselines: baselines(&self.model, &self.zone, end),
            ledger,
            rules: Rule::all(&self.model.group.policy).map(rule_info).collect(),
            closest: closest.collect(),
            failures: collector.failures(),
            servers: self.model.servers.iter().enumerate().map(server_info).collect(),
            faults: log.close(end, &self.model),
        };
        record.summary.fingerprint = fingerprint(self.hash, &collector, &record);
        Finished { record, events, faults, times: collector.into_times() }
    }

    fn close_stages(&mut self, end: Timestamp) {
        for index in 0..self.model.servers.len() {
            let last = self.stages.iter().rposition(|span| span.server.index() == index);
            if let Some(last) = last {
                self.stages[last].to = end;
            }
        }
    }
}

/// A hash of the journal, of each request's times and of the record.
fn fingerprint(mut journal: blake3::Hasher, requests: &Collector, record: &RunRecord) -> String {
    journal.update(&requests.digest().to_le_bytes());
    // A record has string keys alone, and a hasher takes whatever is written.
    let mut record_hash = std::io::BufWriter::new(&mut journal);
    let _ = serde_json::to_writer(&mut record_hash, record);
    drop(record_hash);
    journal.finalize().to_hex()[..32].to_owned()
}

fn property(verdict: Verdict, zone: &TimeZone) -> PropertyResult {
    let violation = |one: Violated| Violation {
        at: LocalTime::new(one.at, zone),
        what: one.what,
        under: one.decision.map(|decision| tidegate_core::explain::reason(&decision)),
    };
    PropertyResult {
        name: verdict.property.to_owned(),
        holds: verdict.holds(),
        checked: verdict.checked,
        violations: verdict.violations.into_iter().map(violation).collect(),
    }
}

fn jobs(counts: JobCounts) -> Jobs {
    Jobs {
        enqueued: counts.enqueued,
        completed: counts.completed,
        lost: counts.lost,
        duplicated: counts.duplicated,
        failed: counts.failed,
        pending_at_end: counts.pending,
    }
}

fn scaling(events: Vec<ScaleEvent>) -> Scaling {
    let count = |action| events.iter().filter(|event| event.action == action).count() as u64;
    Scaling {
        ups: count(Action::ScaleUp),
        downs: count(Action::ScaleDown),
        failed: count(Action::Failed),
        events,
    }
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
