//! Servers behind real software, as a configuration gives them.

use std::sync::Arc;

use serde::Deserialize;

use super::Cause;
use crate::adapters::alertmanager::{Alertmanager, AlertmanagerConfig, Inbox};
use crate::adapters::commands::{Commands, ServiceCommands};
use crate::adapters::haproxy::{Haproxy, HaproxyConfig};
use crate::adapters::http_probes::{HttpProbes, HttpProbesConfig};
use crate::adapters::nginx::{Nginx, NginxConfig};
use crate::adapters::process::{ProcessConfig, Processes};
use crate::adapters::prometheus::{Prometheus, PrometheusAlerts, PrometheusConfig};
use crate::adapters::rq::{Rq, RqConfig};
use crate::adapters::shared::{Shared, SharedConfig};
use crate::adapters::silent::Silent;
use crate::clock::Clock;
use crate::ports::{Alerts, Ports, Proxy};

/// Who routes requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProxyConfig<'a> {
    Haproxy(&'a HaproxyConfig),
    Nginx(&'a NginxConfig),
}

/// There is not one proxy alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error("there is no proxy, `haproxy` or `nginx`")]
    None,
    #[error("there are two proxies, `haproxy` and `nginx`")]
    Two,
}

/// What is wrong with the tables, and in which, if it is one alone.
pub(super) struct Wrong {
    pub table: Option<&'static str>,
    pub message: String,
    pub hint: &'static str,
}

/// What stands behind each port. Every list has an entry a server, the primary's first.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServersFile {
    /// Who routes requests: this or `nginx`.
    pub haproxy: Option<HaproxyConfig>,
    /// The other one that may.
    pub nginx: Option<NginxConfig>,
    /// Who measures servers.
    pub prometheus: PrometheusConfig,
    /// What is known of who notifies alerts. Without it nobody does.
    pub alertmanager: Option<AlertmanagerConfig>,
    /// Who runs background jobs.
    pub rq: RqConfig,
    /// Checks of each server's own parts.
    pub probes: HttpProbesConfig,
    /// Checks of what they share.
    pub shared: SharedConfig,
    /// Who starts and stops their services.
    pub services: Vec<ServiceCommands>,
    /// The servers themselves, as commands on this machine.
    pub process: ProcessConfig,
}

impl ServersFile {
    /// Who routes requests.
    ///
    /// # Errors
    /// If that is nobody, or two.
    pub(crate) const fn proxy(&self) -> Result<ProxyConfig<'_>, ProxyError> {
        match (&self.haproxy, &self.nginx) {
            (Some(haproxy), None) => Ok(ProxyConfig::Haproxy(haproxy)),
            (None, Some(nginx)) => Ok(ProxyConfig::Nginx(nginx)),
            (None, None) => Err(ProxyError::None),
            (Some(_), Some(_)) => Err(ProxyError::Two),
        }
    }

    /// Whether there is one proxy, and each list has an entry for each of `servers`.
    pub(super) fn check(&self, servers: usize) -> Result<(), Wrong> {
        let proxy = match self.proxy() {
            Ok(ProxyConfig::Haproxy(own)) => ("haproxy", own.servers.len()),
            Ok(ProxyConfig::Nginx(own)) => ("nginx", own.servers.len()),
            Err(why) => {
                let hint = "leave `[group.ports.haproxy]` or `[group.ports.nginx]`, one of the two";
                return Err(Wrong { table: None, message: why.to_string(), hint });
            }
        };
        let lists = [
            proxy,
            ("prometheus", self.prometheus.servers.len()),
            ("rq", self.rq.servers.len()),
            ("probes", self.probes.servers.len()),
            ("shared", self.shared.servers.len()),
            ("services", self.services.len()),
            ("process", self.process.servers.len()),
        ];
        let Some((list, count)) = lists.into_iter().find(|(_, count)| *count != servers) else {
            return Ok(());
        };
        let message = format!("`{list}` lists {count} of {servers} servers");
        let hint = "list the primary first, then each standby";
        Err(Wrong { table: Some(list), message, hint })
    }

    /// Connects to nothing yet; reads the secrets.
    ///
    /// # Errors
    /// A secret that cannot be read, an address or a name that makes no sense.
    pub(super) fn ports(
        &self,
        clock: &Arc<dyn Clock>,
        inbox: Option<&Arc<Inbox>>,
    ) -> Result<Ports, Cause> {
        let alerts: Arc<dyn Alerts> = match inbox {
            Some(inbox) => {
                let prometheus = PrometheusAlerts::new(&self.prometheus)?;
                Arc::new(Alertmanager::new(Arc::clone(inbox), prometheus, Arc::clone(clock)))
            }
            None => Arc::new(Silent),
        };
        let proxy: Arc<dyn Proxy> = match self.proxy()? {
            ProxyConfig::Haproxy(own) => Arc::new(Haproxy::new(own.clone(), Arc::clone(clock))?),
            ProxyConfig::Nginx(own) => Arc::new(Nginx::new(own.clone(), Arc::clone(clock))?),
        };
        Ok(Ports {
            proxy,
            metrics: Arc::new(Prometheus::new(self.prometheus.clone())?),
            alerts,
            jobs: Arc::new(Rq::new(self.rq.clone(), Arc::clone(clock))?),
            probes: Arc::new(HttpProbes::new(self.probes.clone())?),
            shared_state: Arc::new(Shared::new(self.shared.clone())?),
            services: Arc::new(Commands::new(self.services.clone())),
            provider: Arc::new(Processes::new(self.process.clone(), Arc::clone(clock))),
        })
    }
}
