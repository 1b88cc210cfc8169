//! What only the adapters in front of real software can tell.

use std::collections::BTreeSet;
use std::sync::Arc;

use tidegate_core::ServerId;

use super::ports::Asked;
use super::{Check, Finding, Patient, alerts, commands};
use crate::adapters::envoy::Envoy;
use crate::adapters::haproxy::Haproxy;
use crate::adapters::http_probes::HttpProbes;
use crate::adapters::nginx::Nginx;
use crate::adapters::prometheus::Prometheus;
use crate::adapters::rq::Rq;
use crate::adapters::shared::Shared;
use crate::adapters::ssh::Ssh;
use crate::clock::Clock;
use crate::config::{Opened, ProxyConfig, ServersFile};
use crate::ports::{Jobs, Metrics, Probes, Proxy};

const PART: &str = "proxy";

/// The adapters that can be set up as configured.
pub(super) struct Adapters<'a> {
    servers: &'a ServersFile,
    provider: Option<Opened>,
    proxy: Option<RealProxy>,
    prometheus: Option<Arc<Prometheus>>,
    rq: Option<Arc<Rq>>,
    probes: Option<Arc<HttpProbes>>,
    shared: Option<Shared>,
    ssh: Option<Ssh>,
}

/// Who routes requests.
enum RealProxy {
    Haproxy(Arc<Haproxy>),
    Nginx(Arc<Nginx>),
    Envoy(Arc<Envoy>),
}

impl RealProxy {
    fn open(
        own: &ServersFile,
        clock: &Arc<dyn Clock>,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        match opened(PART, own.proxy(), findings)? {
            ProxyConfig::Haproxy(own) => {
                let made = Haproxy::new(own.clone(), Arc::clone(clock));
                opened(PART, made, findings).map(|made| Self::Haproxy(Arc::new(made)))
            }
            ProxyConfig::Nginx(own) => {
                let made = Nginx::new(own.clone(), Arc::clone(clock));
                opened(PART, made, findings).map(|made| Self::Nginx(Arc::new(made)))
            }
            ProxyConfig::Envoy(own) => {
                let made = Envoy::new(own.clone(), Arc::clone(clock));
                opened(PART, made, findings).map(|made| Self::Envoy(Arc::new(made)))
            }
        }
    }

    fn asked(&self) -> Arc<dyn Proxy> {
        match self {
            Self::Haproxy(proxy) => proxy.clone(),
            Self::Nginx(proxy) => proxy.clone(),
            Self::Envoy(proxy) => proxy.clone(),
        }
    }

    async fn examine(&self, patient: &Patient<'_>) -> Vec<Finding> {
        let (weight, slow_start) = (patient.file.primary_weight, patient.policy.steps.slow_start);
        match self {
            Self::Haproxy(proxy) => proxy.examine(weight, slow_start).await,
            Self::Nginx(proxy) => proxy.examine(weight, slow_start).await,
            Self::Envoy(proxy) => proxy.examine(weight, slow_start).await,
        }
    }
}

/// What was set up, or why it was not.
fn opened<T, E: std::fmt::Display>(
    part: &'static str,
    made: Result<T, E>,
    findings: &mut Vec<Finding>,
) -> Option<T> {
    let noted = |why| {
        let advice = "correct what its table in `[group.ports]` says";
        findings.push(Finding::missing(part, format!("it cannot be set up: {why}"), advice));
    };
    made.map_err(noted).ok()
}

impl<'a> Adapters<'a> {
    /// Connects to nothing yet; what cannot be set up is a finding.
    pub fn open(
        servers: &'a ServersFile,
        clock: &Arc<dyn Clock>,
        findings: &mut Vec<Finding>,
    ) -> Self {
        let own = servers;
        let provider = own.provider().map_err(Into::into).and_then(|one| one.open(clock));
        let prometheus = Prometheus::new(own.prometheus.clone());
        let rq = Rq::new(own.workers(), Arc::clone(clock));
        let probes = HttpProbes::new(own.probes.clone());
        let shared = Shared::new(own.shared());
        let ssh = own.ssh.as_ref().map(|ssh| Ssh::new(ssh.clone(), Arc::clone(clock)));
        Self {
            servers,
            provider: opened("provider", provider, findings),
            proxy: RealProxy::open(own, clock, findings),
            prometheus: opened("metrics", prometheus, findings).map(Arc::new),
            rq: opened("jobs", rq, findings).map(Arc::new),
            probes: opened("health", probes, findings).map(Arc::new),
            shared: opened("shared", shared, findings),
            ssh: ssh.and_then(|ssh| opened("services", ssh, findings)),
        }
    }

    pub fn asked(&self) -> Asked {
        Asked {
            provider: self.provider.as_ref().map(Opened::port),
            proxy: self.proxy.as_ref().map(RealProxy::asked),
            metrics: self.prometheus.clone().map(|one| one as Arc<dyn Metrics>),
            jobs: self.rq.clone().map(|one| one as Arc<dyn Jobs>),
            probes: self.probes.clone().map(|one| one as Arc<dyn Probes>),
        }
    }

    /// What is asked beside the ports.
    pub fn checks<'b>(
        &'b self,
        patient: &'b Patient<'b>,
        on: &'b BTreeSet<ServerId>,
    ) -> Vec<Check<'b>> {
        let mut checks: Vec<Check<'b>> = Vec::new();
        checks.push(Box::pin(async {
            commands::findings(self.servers, patient.file.setup.as_ref())
        }));
        match &self.provider {
            Some(Opened::Http(cloud)) => {
                checks.push(Box::pin(patient.within("provider", cloud.examine())));
            }
            Some(Opened::Ec2(cloud)) => {
                checks.push(Box::pin(patient.within("provider", cloud.examine())));
            }
            Some(Opened::Process(_)) | None => {}
        }
        if let Some(proxy) = &self.proxy {
            checks.push(Box::pin(patient.within(PART, proxy.examine(patient))));
        }
        if let Some(prometheus) = &self.prometheus {
            let check = prometheus.examine(&*patient.clock, on);
            checks.push(Box::pin(patient.within("metrics", check)));
            if self.servers.alertmanager.is_some() {
                let check = alerts::findings(prometheus, self.servers, patient);
                checks.push(Box::pin(patient.within("alerts", check)));
            }
        }
        if let Some(rq) = &self.rq {
            checks.push(Box::pin(patient.within("jobs", rq.examine(on))));
        }
        if let Some(probes) = &self.probes {
            checks.push(Box::pin(patient.within("health", failing(probes, on))));
        }
        if let Some(ssh) = &self.ssh {
            checks.push(Box::pin(patient.within("services", ssh.examine(on))));
        }
        if let Some(shared) = &self.shared {
            checks.push(Box::pin(patient.within("shared", shared.examine(on))));
        }
        checks
    }
}

async fn failing(probes: &HttpProbes, on: &BTreeSet<ServerId>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for server in on {
        for url in probes.failing(*server).await {
            let found = format!("{url} of {server} does not answer as configured");
            let advice = "ask it from here, and compare its status and text with the check";
            findings.push(Finding::missing("health", found, advice));
        }
    }
    findings
}
