//! The end of a run: the oracles speak, the bill is drawn up, the record is made.

use tidegate_core::demand::trigger::Rule;
use tidegate_core::oracle::Closing;
use tidegate_core::record::{
    Baseline, Billing, FORMAT, Kind, PropertyResult, RuleInfo, RunRecord, Summary,
};
use tidegate_core::{TimeZone, Timestamp};

use super::planted::priced;
use super::{Finished, Run, Sinks, judge};
use crate::model::Model;

impl Run<'_> {
    pub(crate) fn finish(mut self) -> Finished {
        let end = self.model.start + self.model.duration;
        self.world.settle();
        if self.timeline.rows.last().is_none_or(|row| row.at < end) {
            self.interval();
        }
        self.close_timeline(self.world.sink.counts.served());
        let told = self.story.close(end);
        let (ages, work) = (self.world.ages(), self.world.work());
        let (in_flight, jobs_pending) = (self.world.in_flight(), self.world.jobs_pending());
        let events = self.world.events();
        let kinds = self.model.faults.iter().map(|fault| fault.kind);
        let faults = kinds.zip(self.world.fault_hits()).collect();
        let Sinks { panel, meter, counts, planted, faults: log, .. } = self.world.sink;
        let ledger = priced(meter.into_ledger(end), planted.defects);
        let requests = counts.requests(panel.failed_by_scaling(), in_flight);
        let (verdicts, jobs) = panel.close(&Closing {
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
            kind: Kind::Simulated,
            scenario: self.model.name.clone(),
            seed: self.model.seed,
            fidelity: self.model.fidelity,
            fidelity_because: self.model.fidelity_because.clone(),
            fingerprint: String::new(),
            command: None,
            requests,
            jobs: jobs.into(),
            scaling: told.events.into(),
            billing: Billing::new(self.model.currency, &ledger),
            properties: verdicts
                .into_iter()
                .map(|one| PropertyResult::new(one, &self.zone))
                .collect(),
            expectations: Vec::new(),
            fleet: None,
        };
        summary.expectations = judge(&self.model.expectations, &summary);
        let mut record = RunRecord {
            format: FORMAT,
            title: self.model.title.clone(),
            zone: self.model.zone.clone(),
            start: self.model.start,
            end,
            summary,
            timeline: self.timeline,
            stages: told.stages,
            baselines: baselines(&self.model, &self.zone, end),
            ledger,
            rules: Rule::all(&self.model.group.policy).map(RuleInfo::from).collect(),
            closest: told.closest,
            failures: counts.failures(),
            servers: self.model.server_infos().collect(),
            faults: log.close(end, &self.model),
        };
        // A record has string keys alone, so that nothing of it can fail to be written.
        let json = serde_json::to_vec(&record).unwrap_or_default();
        record.summary.fingerprint = self.hash.close(&counts, &json);
        Finished { record, events, faults, times: counts.into_times() }
    }
}

/// The same time with all standbys always on, and with the primary on the bigger plan instead.
fn baselines(model: &Model, zone: &TimeZone, end: Timestamp) -> Vec<Baseline> {
    let run = (model.start, end);
    let servers = model.servers.iter().map(|server| (server.plan.as_str(), server.pricing));
    let mut baselines = vec![Baseline::always_on(servers, run, zone)];
    if let Some(upgrade) = &model.upgrade {
        let assumes = format!("the primary has the plan {} for the whole run", upgrade.plan);
        let server = [(upgrade.plan.as_str(), upgrade.pricing)];
        baselines.push(Baseline::new("plan-upgrade", assumes, server, run, zone));
    }
    baselines
}
