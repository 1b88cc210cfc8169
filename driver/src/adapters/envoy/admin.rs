//! What Envoy's administration interface tells.

use std::collections::BTreeMap;

use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Map, Value};
use tidegate_core::{ServerId, Span};

use super::endpoints::{Eds, named};
use crate::adapters::http;
use crate::ports::{PortError, Traffic};

const WHOM: &str = "Envoy";
/// Of all clusters with all their hosts, a kilobyte each.
const LONGEST: usize = 64 << 20;
/// A former process's time begins when the present one serves, not when that was started.
const MARGIN: Span = Span::from_secs(10);

/// What keeps requests from a server besides.
const AGAINST: [&str; 6] = [
    "failed_active_health_check",
    "failed_outlier_check",
    "pending_dynamic_removal",
    "pending_active_hc",
    "excluded_via_immediate_hc_fail",
    "active_hc_timeout",
];

#[derive(Deserialize)]
struct Clusters {
    #[serde(default)]
    cluster_statuses: Vec<Cluster>,
}

#[derive(Deserialize)]
struct Cluster {
    name: String,
    #[serde(default)]
    host_statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Status {
    address: Value,
    #[serde(default)]
    stats: Vec<Stat>,
    #[serde(default, rename = "health_status")]
    health: Map<String, Value>,
    #[serde(default)]
    weight: u32,
}

#[derive(Deserialize)]
struct Stat {
    name: String,
    /// In words, and left out where it is 0.
    #[serde(default)]
    value: String,
}

/// A server as it is in force.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub address: String,
    pub weight: u32,
    health: Map<String, Value>,
    stats: BTreeMap<String, u64>,
}

impl Host {
    fn new(status: Status) -> Option<Self> {
        let stat = |Stat { name, value }: Stat| {
            let value = if value.is_empty() { Some(0) } else { value.parse().ok() };
            value.map(|value| (name, value))
        };
        Some(Self {
            address: named(&status.address)?,
            weight: status.weight,
            health: status.health,
            stats: status.stats.into_iter().map(stat).collect::<Option<_>>()?,
        })
    }

    pub fn eds(&self) -> Eds {
        let status = self.health.get("eds_health_status").and_then(Value::as_str);
        status.map_or(Eds::Healthy, Eds::of)
    }

    pub fn is_routed(&self) -> bool {
        let is_against = |flag: &str| self.health.get(flag) == Some(&Value::Bool(true));
        self.eds() == Eds::Healthy && !AGAINST.into_iter().any(is_against)
    }

    fn stat(&self, name: &str) -> u64 {
        self.stats.get(name).copied().unwrap_or(0)
    }

    /// Whether it tells of requests that wait for a connection to this server.
    pub fn tells_what_waits(&self) -> bool {
        self.stats.contains_key("rq_pending_active")
    }

    /// Requests that it has, or that wait for a connection to it.
    pub fn in_flight(&self) -> u32 {
        let seen = self.stat("rq_active").saturating_add(self.stat("rq_pending_active"));
        u32::try_from(seen).unwrap_or(u32::MAX)
    }

    /// An answer with a status of 500 or more counts as failed.
    pub fn traffic(&self, server: ServerId) -> Traffic {
        Traffic {
            server,
            routed: self.stat("rq_total"),
            served: self.stat("rq_success"),
            failed: self.stat("rq_error"),
        }
    }
}

#[derive(Deserialize)]
struct Stats {
    stats: Vec<Gauge>,
}

#[derive(Deserialize)]
struct Gauge {
    value: u64,
}

#[derive(Deserialize)]
struct Info {
    uptime_current_epoch: String,
    command_line_options: Options,
}

#[derive(Deserialize)]
struct Options {
    #[serde(default)]
    restart_epoch: u32,
    parent_shutdown_time: String,
}

impl Info {
    /// Whether a process that this one has replaced may still run.
    fn has_a_former_process(&self) -> Option<bool> {
        let seconds = |text: &str| -> Option<f64> { text.strip_suffix('s')?.parse().ok() };
        let (up, shutdown) = (
            seconds(&self.uptime_current_epoch)?,
            seconds(&self.command_line_options.parent_shutdown_time)?,
        );
        let margin = MARGIN.as_secs_f64();
        let is_over = up >= shutdown + margin;
        Some(self.command_line_options.restart_epoch > 0 && !is_over)
    }
}

/// Where it is asked.
#[derive(Clone, Debug)]
pub(super) struct Admin {
    base: String,
    client: Client,
}

fn stranger() -> PortError {
    PortError::refused("what answers is not Envoy's administration interface")
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, PortError> {
    serde_json::from_slice(body).map_err(|_| stranger())
}

impl Admin {
    pub fn new(url: &str) -> Result<Self, String> {
        let base = http::base(url, true)?;
        if base.scheme() != "http" {
            return Err(format!("`{url}`: it speaks plain HTTP alone"));
        }
        let base = Url::as_str(&base).trim_end_matches('/').to_owned();
        Ok(Self { base, client: http::client_of_the_present() })
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>, PortError> {
        let asked = self.client.get(format!("{}/{path}", self.base)).query(query);
        let got = asked.send().await.map_err(|why| http::failed(WHOM, why))?;
        let status = got.status();
        if !status.is_success() {
            return Err(PortError::refused(format!("Envoy answers {status}")));
        }
        http::body(got, WHOM, LONGEST).await
    }

    /// The servers of a cluster.
    pub async fn hosts(&self, cluster: &str) -> Result<Vec<Host>, PortError> {
        let filter = exactly(cluster);
        hosts(&self.get("clusters", &[("format", "json"), ("filter", &filter)]).await?, cluster)
    }

    /// Whether a process may still run that a hot restart has replaced. What it all is told in is
    /// long, so it is asked for only where there was such a restart.
    pub async fn has_a_former_process(&self) -> Result<bool, PortError> {
        let epoch = exactly("server.hot_restart_epoch");
        let body = self.get("stats", &[("format", "json"), ("filter", &epoch)]).await?;
        if read::<Stats>(&body)?.stats.iter().any(|epoch| epoch.value == 0) {
            return Ok(false);
        }
        let body = self.get("server_info", &[]).await?;
        read::<Info>(&body)?.has_a_former_process().ok_or_else(stranger)
    }

    /// What its configuration has in this place, such as `static_clusters`.
    pub async fn configured(&self, place: &str) -> Result<Vec<Value>, PortError> {
        #[derive(Deserialize)]
        struct Dump {
            #[serde(default)]
            configs: Vec<Value>,
        }
        let body = self.get("config_dump", &[("resource", place)]).await?;
        Ok(read::<Dump>(&body)?.configs)
    }
}

/// A regular expression for this name alone.
fn exactly(name: &str) -> String {
    let escaped = name.chars().map(|letter| {
        let is_plain = letter.is_ascii_alphanumeric() || letter == '_' || !letter.is_ascii();
        if is_plain { letter.to_string() } else { format!("\\{letter}") }
    });
    format!("^{}$", escaped.collect::<String>())
}

fn hosts(body: &[u8], cluster: &str) -> Result<Vec<Host>, PortError> {
    let all: Clusters = read(body)?;
    let ours = all.cluster_statuses.into_iter().find(|one| one.name == cluster);
    let ours =
        ours.ok_or_else(|| PortError::refused(format!("Envoy has no cluster `{cluster}`")))?;
    ours.host_statuses.into_iter().map(|one| Host::new(one).ok_or_else(stranger)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::{bytes, config};

    const CLUSTERS: &str = r#"{"cluster_statuses": [{"name": "other"}, {"name": "app",
        "host_statuses": [
            {"address": {"socket_address": {"address": "10.0.0.1", "port_value": 80}},
                "stats": [{"name": "rq_total", "value": "9"}, {"name": "rq_success", "value": "5"},
                    {"name": "rq_error", "value": "1"}, {"name": "cx_total"},
                    {"type": "GAUGE", "name": "rq_active", "value": "2"},
                    {"type": "GAUGE", "name": "rq_pending_active", "value": "1"}],
                "health_status": {"eds_health_status": "HEALTHY"}, "weight": 100, "locality": {}},
            {"address": {"pipe": {"path": "/run/app"}}, "health_status": {
                "eds_health_status": "HEALTHY", "failed_active_health_check": true}, "weight": 1}
        ]}]}"#;
    const INFO: &str = r#"{"uptime_current_epoch": "12s", "command_line_options": {
        "restart_epoch": 1, "parent_shutdown_time": "900s"}}"#;

    #[test]
    fn servers_are_told_as_they_are_in_force() {
        let hosts = hosts(CLUSTERS.as_bytes(), "app").unwrap();
        let told: Vec<_> = hosts.iter().map(|one| (&*one.address, one.is_routed())).collect();
        assert_eq!(told, [("10.0.0.1:80", true), ("/run/app", false)]);
        assert_eq!((hosts[0].in_flight(), hosts[0].weight, hosts[1].in_flight()), (3, 100, 0));
        let server = ServerId(0);
        let counted = Traffic { server, routed: 9, served: 5, failed: 1 };
        assert_eq!(hosts[0].traffic(server), counted);
        assert!(hosts[0].tells_what_waits() && !hosts[1].tells_what_waits());
        let drained = CLUSTERS.replace("\"HEALTHY\"}", "\"DRAINING\"}");
        assert!(!self::hosts(drained.as_bytes(), "app").unwrap()[0].is_routed());
        let why = self::hosts(CLUSTERS.as_bytes(), "shop").unwrap_err();
        assert_eq!(why.what, "Envoy has no cluster `shop`");
    }

    #[test]
    fn a_name_is_asked_for_as_it_is() {
        assert_eq!(exactly("a_1.b-ü"), "^a_1\\.b\\-ü$");
    }

    #[test]
    fn a_former_process_may_run_until_its_time_is_over() {
        let may = |text: &str| {
            let info: Info = serde_json::from_str(text).unwrap();
            info.has_a_former_process()
        };
        assert_eq!(may(INFO), Some(true));
        assert_eq!(may(&INFO.replace("12s", "909s")), Some(true));
        assert_eq!(may(&INFO.replace("12s", "910s")), Some(false));
        assert_eq!(may(&INFO.replace(": 1,", ": 0,")), Some(false));
        assert_eq!(may(&INFO.replace("900s", "15 minutes")), None);
    }

    proptest! {
        #![proptest_config(config(5_000))]

        #[test]
        fn any_answer_is_read_or_refused(body in bytes(&[CLUSTERS, INFO])) {
            if let Ok(hosts) = hosts(&body, "app") {
                for host in hosts {
                    prop_assert!(host.is_routed() <= (host.eds() == Eds::Healthy));
                    let _ = (host.in_flight(), host.traffic(ServerId(0)));
                }
            }
            let _ = read::<Stats>(&body);
            if let Ok(info) = read::<Info>(&body) {
                let _ = info.has_a_former_process();
            }
        }
    }
}
