//! Servers behind real software, as a configuration gives them.

use std::sync::Arc;

use serde::Deserialize;

use super::Cause;
use super::provider::ProviderFile;
use crate::adapters::alertmanager::{Alertmanager, AlertmanagerConfig, Inbox};
use crate::adapters::commands::{Commands, ServiceCommands};
use crate::adapters::ec2::Ec2Config;
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
    /// If that is nobody, or two.
    pub(crate) const fn proxy(&self) -> Result<ProxyConfig<'_>, ProxyError> {
        match (&self.haproxy, &self.nginx) {
            (Some(haproxy), None) => Ok(ProxyConfig::Haproxy(haproxy)),
            (None, Some(nginx)) => Ok(ProxyConfig::Nginx(nginx)),
            (None, None) => Err(ProxyError::None),
            (Some(_), Some(_)) => Err(ProxyError::Two),
        }
    }

    /// Whose machines they are, if that is told once.
    pub fn provider(&self) -> Option<ProviderFile<'_>> {
        let mut given = ProviderFile::all(self);
        let first = given.next()?;
        given.next().is_none().then_some(first)
    }

    /// Whether it can be meant so for this many servers.
    pub(super) fn check(&self, servers: usize) -> Result<(), Wrong> {
        let proxy = match self.proxy() {
            Ok(ProxyConfig::Haproxy(own)) => ("haproxy", own.servers.len()),
            Ok(ProxyConfig::Nginx(own)) => ("nginx", own.servers.len()),
            Err(why) => {
                let hint = "leave `[group.ports.haproxy]` or `[group.ports.nginx]`, one of the two";
                return Err((Vec::new(), why.to_string(), Some(hint)));
            }
        };
        let Some(provider) = self.provider() else {
            let message = "who starts and stops the machines is not told once".to_owned();
            return Err((Vec::new(), message, Some(ProviderFile::HINT)));
        };
        let lists = [
            proxy,
            ("prometheus", self.prometheus.servers.len()),
            ("rq", self.rq.servers.len()),
            ("probes", self.probes.servers.len()),
            ("shared", self.shared.servers.len()),
            match &self.ssh {
                Some(ssh) => ("ssh", ssh.servers.len()),
                None => ("services", self.services.len()),
            },
            (provider.table(), provider.servers()),
        ];
        if let Some((list, count)) = lists.into_iter().find(|(_, count)| *count != servers) {
            let message = format!("`{list}` lists {count} of {servers} servers");
            return Err((vec![list], message, Some("list the primary first, then each standby")));
        }
        self.check_ways()?;
        provider.check()
    }

    /// Whether services and storage are reached in one way each.
    fn check_ways(&self) -> Result<(), Wrong> {
        if let Some(ssh) = &self.ssh {
            ssh.check().map_err(|(key, why)| (vec!["ssh", key], why, None))?;
            if !self.services.is_empty() {
                let message = "who starts and stops the services is told twice".to_owned();
                let hint = "give one of the tables `services` and `ssh`";
                return Err((vec!["services"], message, Some(hint)));
            }
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
            provider: self.provider().ok_or(ProviderFile::HINT)?.open(clock)?.port(),
        })
    }
}
