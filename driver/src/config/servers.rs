//! Servers behind real software, as a configuration gives them.

use std::sync::Arc;

use serde::Deserialize;

use super::Cause;
use super::choice::{Choice, NotOne};
use super::provider::ProviderFile;
use super::proxy::ProxyConfig;
use crate::adapters::alertmanager::{Alertmanager, AlertmanagerConfig, Inbox};
use crate::adapters::commands::{Commands, ServiceCommands};
use crate::adapters::ec2::Ec2Config;
use crate::adapters::envoy::{Envoy, EnvoyConfig};
use crate::adapters::haproxy::{Haproxy, HaproxyConfig};
use crate::adapters::http_probes::{HttpProbes, HttpProbesConfig};
use crate::adapters::http_provider::HttpProviderConfig;
use crate::adapters::nginx::{Nginx, NginxConfig};
use crate::adapters::process::ProcessConfig;
use crate::adapters::prometheus::{Prometheus, PrometheusAlerts, PrometheusConfig};
use crate::adapters::rq::{Rq, RqConfig};
use crate::adapters::shared::{Shared, SharedConfig, StorageWay};
use crate::adapters::silent::Silent;
use crate::adapters::ssh::{Ssh, SshConfig};
use crate::clock::Clock;
use crate::ports::{Alerts, Ports, Proxy, Services};

/// Who starts and stops the services.
const SERVICES: Choice = Choice {
    what: "who starts and stops the services",
    hint: "give one of the tables `ssh` and `services`",
};

/// What stands behind each port. Every list has an entry a server, the primary's first.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServersFile {
    /// Who routes requests: this, `nginx` or `envoy`.
    pub haproxy: Option<HaproxyConfig>,
    /// Another one that may.
    pub nginx: Option<NginxConfig>,
    /// And another.
    pub envoy: Option<EnvoyConfig>,
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
    /// Who starts and stops their services, where `ssh` does not.
    #[serde(default)]
    pub services: Vec<ServiceCommands>,
    /// How their units of systemd are reached.
    pub ssh: Option<SshConfig>,
    /// The servers themselves, as commands on this machine.
    pub process: Option<ProcessConfig>,
    /// The servers themselves, as machines of a cloud with a REST API.
    pub http: Option<HttpProviderConfig>,
    /// The servers themselves, as instances of Amazon EC2.
    pub ec2: Option<Ec2Config>,
}

/// What is wrong with a table of a group's ports: where below it, what, and what to do.
pub(super) type Wrong = (Vec<&'static str>, String, Option<&'static str>);

impl ServersFile {
    /// Who routes requests.
    ///
    /// # Errors
    /// If that is not told by one table.
    pub(crate) fn proxy(&self) -> Result<ProxyConfig<'_>, NotOne> {
        ProxyConfig::CHOICE.one(ProxyConfig::all(self))
    }

    /// Whose machines they are.
    ///
    /// # Errors
    /// If that is not told by one table.
    pub(crate) fn provider(&self) -> Result<ProviderFile<'_>, NotOne> {
        ProviderFile::CHOICE.one(ProviderFile::all(self))
    }

    /// The table that says who starts and stops the services, and for how many servers.
    fn services(&self) -> Result<(&'static str, usize), NotOne> {
        let ssh = self.ssh.iter().map(|ssh| ("ssh", ssh.servers.len()));
        let commands = Some(("services", self.services.len())).filter(|(_, count)| *count > 0);
        SERVICES.one(ssh.chain(commands).map(|one| (one.0, one)))
    }

    /// Whether it can be meant so for this many servers.
    pub(super) fn check(&self, servers: usize) -> Result<(), Wrong> {
        let proxy = self.proxy().map_err(NotOne::wrong)?;
        let provider = self.provider().map_err(NotOne::wrong)?;
        let services = self.services().map_err(NotOne::wrong)?;
        let lists = [
            (proxy.table(), proxy.servers()),
            ("prometheus", self.prometheus.servers.len()),
            ("rq", self.rq.servers.len()),
            ("probes", self.probes.servers.len()),
            ("shared", self.shared.servers.len()),
            services,
            (provider.table(), provider.servers()),
        ];
        if let Some((list, count)) = lists.into_iter().find(|(_, count)| *count != servers) {
            let message = format!("`{list}` lists {count} of {servers} servers");
            return Err((vec![list], message, Some("list the primary first, then each standby")));
        }
        self.check_ways()?;
        provider.check()
    }

    /// Whether servers are reached by `ssh` in a way that can be, and each storage in one at all.
    fn check_ways(&self) -> Result<(), Wrong> {
        if let Some(ssh) = &self.ssh {
            ssh.check().map_err(|(key, why)| (vec!["ssh", key], why, None))?;
        }
        let is_lost = |way: &StorageWay| match way {
            StorageWay::There(there) => self.ssh.is_none() && there.through.is_empty(),
            StorageWay::Here(_) => false,
        };
        if self.shared.servers.iter().any(|ways| is_lost(&ways.storage)) {
            let message = "no way to a storage that is not here is told".to_owned();
            return Err((vec!["shared"], message, Some("give it `through`, or a table `ssh`")));
        }
        Ok(())
    }

    /// The job workers, with what `ssh` adds to them.
    pub(crate) fn workers(&self) -> RqConfig {
        let own = self.rq.clone();
        self.ssh.iter().fold(own, |rq, ssh| ssh.workers(rq))
    }

    /// What is shared, with what `ssh` adds to it.
    pub(crate) fn shared(&self) -> SharedConfig {
        let own = self.shared.clone();
        self.ssh.iter().fold(own, |shared, ssh| ssh.storage(shared))
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
            ProxyConfig::Envoy(own) => Arc::new(Envoy::new(own.clone(), Arc::clone(clock))?),
        };
        let services: Arc<dyn Services> = match &self.ssh {
            Some(ssh) => Arc::new(Ssh::new(ssh.clone(), Arc::clone(clock))?),
            None => Arc::new(Commands::new(self.services.clone())),
        };
        Ok(Ports {
            proxy,
            metrics: Arc::new(Prometheus::new(self.prometheus.clone())?),
            alerts,
            jobs: Arc::new(Rq::new(self.workers(), Arc::clone(clock))?),
            probes: Arc::new(HttpProbes::new(self.probes.clone())?),
            shared_state: Arc::new(Shared::new(self.shared())?),
            services,
            provider: self.provider()?.open(clock)?.port(),
        })
    }
}
