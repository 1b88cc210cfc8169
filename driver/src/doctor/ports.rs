//! What every port tells, whatever stands behind it.

use std::collections::BTreeSet;
use std::sync::Arc;

use tidegate_core::lifecycle::Stage;
use tidegate_core::{Health, Power, ServerId};

use super::{Check, Finding, Patient};
use crate::ports::{Jobs, Metrics, PortError, Ports, PowerState, Probes, Provider, Proxy};

/// The ports that can be asked.
pub(super) struct Asked {
    pub provider: Option<Arc<dyn Provider>>,
    pub proxy: Option<Arc<dyn Proxy>>,
    pub metrics: Option<Arc<dyn Metrics>>,
    pub jobs: Option<Arc<dyn Jobs>>,
    pub probes: Option<Arc<dyn Probes>>,
}

impl Asked {
    /// All of them.
    pub fn of(ports: Ports) -> Self {
        let Ports { provider, proxy, metrics, jobs, probes, .. } = ports;
        Self {
            provider: Some(provider),
            proxy: Some(proxy),
            metrics: Some(metrics),
            jobs: Some(jobs),
            probes: Some(probes),
        }
    }
}

/// A port that gave no answer.
fn silent(part: &'static str, why: &PortError) -> Vec<Finding> {
    let advice = format!("see whether it runs, and correct `[group.ports]` for the {part}");
    vec![Finding::missing(part, format!("failed to ask: {why}"), advice)]
}

/// Which machines are on, the primary always, and what was found of them.
pub(super) async fn machines(
    asked: &Asked,
    patient: &Patient<'_>,
    stages: Option<&[Stage]>,
) -> (BTreeSet<ServerId>, Vec<Finding>) {
    const PART: &str = "provider";
    let mut on = BTreeSet::from([ServerId::PRIMARY]);
    let Some(provider) = &asked.provider else { return (on, Vec::new()) };
    let check = async {
        let power = match provider.power(patient.ask()).await {
            Ok(power) => power,
            Err(why) => return silent(PART, &why),
        };
        let running = power.iter().filter(|state| state.power.value == Power::On);
        on.extend(running.map(|state| state.server));
        let standbys = patient.servers().filter(|server| !server.is_primary());
        standbys.map(|server| machine(server, &power, stages)).collect()
    };
    let found = patient.within(PART, check).await;
    (on, found)
}

fn machine(server: ServerId, power: &[PowerState], stages: Option<&[Stage]>) -> Finding {
    const PART: &str = "provider";
    let Some(told) = power.iter().find(|told| told.server == server) else {
        let advice = "name a machine that it has, in the place of this standby";
        return Finding::missing(PART, format!("the provider does not know {server}"), advice);
    };
    let stage = stages.and_then(|stages| stages.get(server.index())).copied();
    let rests = matches!(stage, None | Some(Stage::Standby | Stage::Faulted));
    match (told.power.value, rests) {
        (Power::Off, _) => Finding::ok(PART, format!("{server} is off")),
        (_, false) => {
            let stage = stage.unwrap_or_default().name();
            Finding::ok(PART, format!("{server} is on; by the store it is {stage}"))
        }
        (Power::On | Power::Booting | Power::Stopping, true) => Finding::warn(
            PART,
            format!("{server} is on and so billed, though by the store nothing asked for it"),
            "switch it off, or let a live host do so, which stops what runs unasked",
        ),
    }
}

/// The other ports, side by side.
pub(super) fn checks<'a>(
    asked: &'a Asked,
    patient: &'a Patient<'_>,
    on: &'a BTreeSet<ServerId>,
) -> Vec<Check<'a>> {
    let mut checks: Vec<Check<'a>> = Vec::new();
    if let Some(proxy) = &asked.proxy {
        checks.push(Box::pin(patient.within("proxy", routing(&**proxy, patient, on))));
    }
    if let Some(metrics) = &asked.metrics {
        checks.push(Box::pin(patient.within("metrics", usage(&**metrics, patient, on))));
    }
    if let Some(jobs) = &asked.jobs {
        checks.push(Box::pin(patient.within("jobs", workers(&**jobs, patient, on))));
    }
    for server in on.iter().copied() {
        if let Some(probes) = &asked.probes {
            checks.push(Box::pin(patient.within("health", health(&**probes, patient, server))));
        }
    }
    checks
}

async fn routing(
    proxy: &dyn Proxy,
    patient: &Patient<'_>,
    on: &BTreeSet<ServerId>,
) -> Vec<Finding> {
    const PART: &str = "proxy";
    let states = match proxy.state(patient.ask()).await {
        Ok(states) => states,
        Err(why) => return silent(PART, &why),
    };
    let finding = |server: ServerId| {
        let state = states.iter().find(|state| state.server == server);
        let Some(state) = state else {
            let advice = "declare it in the proxy, and name it in the configuration as there";
            return Finding::missing(PART, format!("the proxy does not know {server}"), advice);
        };
        let routed = state.routed.is_some_and(|routed| routed.value);
        match (routed, on.contains(&server)) {
            (true, true) => Finding::ok(PART, format!("{server} gets requests")),
            (false, _) if server.is_primary() => Finding::missing(
                PART,
                "the primary gets no requests",
                "see what the proxy's check of it says, and whether it was drained",
            ),
            (true, false) => Finding::missing(
                PART,
                format!("{server} gets requests, though its machine is not on"),
                "drain it in the proxy, and let the proxy check it",
            ),
            (false, _) => Finding::ok(PART, format!("{server} is known and gets no requests")),
        }
    };
    patient.servers().map(finding).collect()
}

async fn usage(
    metrics: &dyn Metrics,
    patient: &Patient<'_>,
    on: &BTreeSet<ServerId>,
) -> Vec<Finding> {
    const PART: &str = "metrics";
    let ask = patient.ask();
    let usages = match metrics.usage(ask).await {
        Ok(usages) => usages,
        Err(why) => return silent(PART, &why),
    };
    let mut findings = Vec::new();
    for server in on.iter().copied() {
        let usage = usages.iter().find(|usage| usage.server == server);
        let parts =
            [("CPU", usage.and_then(|it| it.cpu)), ("memory", usage.and_then(|it| it.memory))];
        for (name, share) in parts {
            findings.push(match share {
                Some(share) => {
                    let (value, age) = (share.value, share.age(ask.now).as_secs_f64());
                    Finding::ok(PART, format!("{name} of {server}: {value}, {age:.1} s old"))
                }
                None => Finding::missing(
                    PART,
                    format!("no fresh sample of the {name} of {server}"),
                    "see whether its exporter is scraped, and by which name",
                ),
            });
        }
    }
    findings
}

async fn workers(jobs: &dyn Jobs, patient: &Patient<'_>, on: &BTreeSet<ServerId>) -> Vec<Finding> {
    const PART: &str = "jobs";
    let workers = match jobs.workers(patient.ask()).await {
        Ok(workers) => workers,
        Err(why) => return silent(PART, &why),
    };
    let finding = |server: &ServerId| {
        let own = workers.iter().find(|own| own.server == *server);
        match own.and_then(|own| own.registered).map(|registered| registered.value) {
            Some(true) => Finding::ok(PART, format!("{server} has its workers")),
            Some(false) => Finding::missing(
                PART,
                format!("{server} has fewer job workers than it should"),
                "start them, or correct how they are known and their `count`",
            ),
            None => Finding::missing(
                PART,
                format!("nothing is known of the job workers of {server}"),
                "see whether they are registered, and by which name",
            ),
        }
    };
    on.iter().map(finding).collect()
}

async fn health(probes: &dyn Probes, patient: &Patient<'_>, server: ServerId) -> Vec<Finding> {
    const PART: &str = "health";
    let checks = match probes.check(server, patient.ask()).await {
        Ok(checks) => checks,
        Err(why) => return silent(PART, &why),
    };
    let parts = [(Health::BENCHES, "benches"), (Health::SERVICES, "services")];
    let finding = |(part, name): (Health, &str)| {
        if checks.good.has(part) {
            return Finding::ok(PART, format!("the {name} of {server} answer"));
        }
        let found = format!("the {name} of {server} do not answer as they should");
        Finding::missing(PART, found, format!("ask the addresses in its `{name}` yourself"))
    };
    parts.into_iter().map(finding).collect()
}
