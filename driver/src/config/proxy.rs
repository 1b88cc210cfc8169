//! Who routes a group's requests.

use super::choice::Choice;
use super::servers::ServersFile;
use crate::adapters::envoy::EnvoyConfig;
use crate::adapters::haproxy::HaproxyConfig;
use crate::adapters::nginx::NginxConfig;

/// The table that says it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProxyConfig<'a> {
    Haproxy(&'a HaproxyConfig),
    Nginx(&'a NginxConfig),
    Envoy(&'a EnvoyConfig),
}

impl<'a> ProxyConfig<'a> {
    pub(super) const CHOICE: Choice = Choice {
        what: "who routes requests",
        hint: "give one of the tables `haproxy`, `nginx` and `envoy`",
    };

    /// All that are given.
    pub(super) fn all(servers: &'a ServersFile) -> impl Iterator<Item = (&'static str, Self)> {
        let haproxy = servers.haproxy.iter().map(Self::Haproxy);
        let nginx = servers.nginx.iter().map(Self::Nginx);
        let all = haproxy.chain(nginx).chain(servers.envoy.iter().map(Self::Envoy));
        all.map(|one| (one.table(), one))
    }

    /// The name of the table.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Haproxy(_) => "haproxy",
            Self::Nginx(_) => "nginx",
            Self::Envoy(_) => "envoy",
        }
    }

    /// How many servers it lists.
    pub(super) const fn servers(self) -> usize {
        match self {
            Self::Haproxy(own) => own.servers.len(),
            Self::Nginx(own) => own.servers.len(),
            Self::Envoy(own) => own.servers.len(),
        }
    }
}
