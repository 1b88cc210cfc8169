//! Prometheus, by instant queries.
//!
//! The answer to an instant query is dated by the query, not by the samples that it was computed
//! from. So each quantity has two expressions, one for its value and one for the time of its last
//! sample, and all are asked in one query, so that they speak of one instant. Expressions give one
//! series a server, told apart by one label.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::Deserialize;
use tidegate_core::{Dated, Ratio, ServerId, Span, Timestamp};

use super::{SecretError, SecretSource, TlsError};
use crate::ports::{Ask, Metrics, PortError, Usage};

mod alerts;
mod answer;
mod examine;
mod rules;
mod server;

pub use alerts::{Firing, PrometheusAlerts};
use answer::{Answer, Kind};
pub(crate) use rules::LoadedRule;
use server::Server;

/// Whom to ask and what.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrometheusConfig {
    /// Where Prometheus is, as `https://HOST:PORT` or `http://HOST:PORT`, with the prefix of its
    /// paths if it has one.
    pub url: String,
    /// A file of certificates in PEM that are trusted besides the system's, for `https`.
    pub ca: Option<PathBuf>,
    /// A token that it wants as `Authorization: Bearer`.
    pub token: Option<SecretSource>,
    /// The label that tells servers apart.
    #[serde(default = "default_label")]
    pub label: String,
    /// That label's value for each server, the primary's first.
    pub servers: Vec<String>,
    /// Busy share of all cores, from 0 to 1.
    #[serde(default = "default_cpu")]
    pub cpu: Quantity,
    /// Used share of memory, from 0 to 1.
    #[serde(default = "default_memory")]
    pub memory: Quantity,
    /// From which age on a last sample is left out.
    #[serde(default = "default_stale_after")]
    pub stale_after: Span,
}

/// A quantity in `PromQL`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// Its value.
    pub value: String,
    /// When its last sample was taken, in seconds since the Unix epoch.
    pub sampled: String,
}

fn default_label() -> String {
    "instance".to_owned()
}

fn default_cpu() -> Quantity {
    let idle = r#"node_cpu_seconds_total{mode="idle"}"#;
    Quantity {
        value: format!("1 - avg by (instance) (rate({idle}[1m]))"),
        sampled: format!("max by (instance) (timestamp({idle}))"),
    }
}

fn default_memory() -> Quantity {
    Quantity {
        value: "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes".to_owned(),
        sampled: "timestamp(node_memory_MemAvailable_bytes)".to_owned(),
    }
}

const fn default_stale_after() -> Span {
    Span::from_mins(1)
}

/// Why Prometheus cannot be asked as configured.
#[derive(Debug, thiserror::Error)]
pub enum PrometheusConfigError {
    /// The address makes no sense.
    #[error("`{0}` is not the address of a Prometheus: `https://HOST:PORT` is one")]
    Url(String),
    /// Nothing is encrypted, though certificates are named.
    #[error("`ca` is for an encrypted connection, which `{0}` is not: take `https`, or leave it")]
    Plain(String),
    /// Nobody can be asked over an encrypted connection.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The token.
    #[error(transparent)]
    Token(#[from] SecretError),
}

/// Prometheus, for one group.
#[derive(Debug)]
pub struct Prometheus {
    config: PrometheusConfig,
    query: String,
    server: Server,
}

impl Prometheus {
    /// Asks nothing yet; reads the token and the certificates.
    pub fn new(config: PrometheusConfig) -> Result<Self, PrometheusConfigError> {
        Ok(Self { query: query(&config), server: Server::new(&config)?, config })
    }

    /// The one value of this kind that Prometheus has of a server.
    fn value(&self, answer: &Answer, kind: Kind, server: &str) -> Result<Option<f64>, PortError> {
        let mut values = answer.values(kind, &self.config.label, server);
        let value = values.next();
        if values.next().is_some() {
            return Err(PortError::refused(format!(
                "Prometheus has more than one series for {} of `{server}`: aggregate by `{}`",
                kind.name(),
                self.config.label
            )));
        }
        Ok(value)
    }

    /// A share with the time of its last sample. One that is no number, or stale, is unknown.
    fn share(
        &self,
        answer: &Answer,
        (value, sampled): (Kind, Kind),
        server: &str,
        now: Timestamp,
    ) -> Result<Option<Dated<Ratio>>, PortError> {
        let value = self.value(answer, value, server)?.filter(|value| value.is_finite());
        let at = self.value(answer, sampled, server)?.filter(|at| at.is_finite() && *at > 0.0);
        let dated = value.zip(at).map(|(value, at)| {
            // A clock ahead of this one must not make a sample younger than it is.
            let at = Timestamp::from_nanos((at * 1e9) as i64).min(now);
            Dated::new(Ratio::from_ppm((value * 1e6).round() as u32), at)
        });
        Ok(dated.filter(|dated| dated.age(now) < self.config.stale_after))
    }

    /// What an answer says of each server at `now`.
    fn usages(&self, answer: &Answer, now: Timestamp) -> Result<Vec<Usage>, PortError> {
        let mut usages = Vec::new();
        for (name, id) in self.config.servers.iter().zip(0..) {
            let cpu = self.share(answer, (Kind::Cpu, Kind::CpuSampled), name, now)?;
            let memory = self.share(answer, (Kind::Memory, Kind::MemorySampled), name, now)?;
            if cpu.is_some() || memory.is_some() {
                usages.push(Usage { server: ServerId(id), cpu, memory });
            }
        }
        Ok(usages)
    }
}

/// All expressions in one, each with a label that tells which it is. A comment in one of them ends
/// at the end of its line.
fn query(config: &PrometheusConfig) -> String {
    let texts =
        [&config.cpu.value, &config.cpu.sampled, &config.memory.value, &config.memory.sampled];
    let labelled = Kind::ALL.into_iter().zip(texts).map(|(kind, text)| {
        format!(
            "label_replace((\n{text}\n), \"{}\", \"{}\", \"\", \"\")",
            answer::LABEL,
            kind.name()
        )
    });
    labelled.collect::<Vec<_>>().join(" or ")
}

#[async_trait]
impl Metrics for Prometheus {
    async fn usage(&self, ask: Ask) -> Result<Vec<Usage>, PortError> {
        let data = self.server.get("query", &[("query", &self.query)]).await?;
        self.usages(&answer::read(data)?, ask.now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use reqwest::StatusCode;

    use super::*;
    use crate::fuzz::{bytes, config};

    const NOW: Timestamp = Timestamp::from_nanos(1_772_438_400_000_000_000);

    static PROMETHEUS: LazyLock<Prometheus> = LazyLock::new(|| {
        let text = "url = \"http://127.0.0.1:9090\"\nservers = [\"a:1\", \"b:1\"]\n";
        Prometheus::new(toml::from_str(text).unwrap()).unwrap()
    });

    /// A value for each kind and server, sampled a second ago.
    fn vector() -> String {
        let mut series = Vec::new();
        for (kind, server) in Kind::ALL.into_iter().flat_map(|kind| [(kind, "a:1"), (kind, "b:1")])
        {
            let value = match kind {
                Kind::Cpu | Kind::Memory => "0.25",
                Kind::CpuSampled | Kind::MemorySampled => "1772438399",
            };
            let metric = format!(r#"{{"tidegate":"{}","instance":"{server}"}}"#, kind.name());
            series.push(format!(r#"{{"metric":{metric},"value":[1,"{value}"]}}"#));
        }
        let result = series.join(",");
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}}}"#)
    }

    fn read(status: u16, body: &[u8]) -> Result<Vec<Usage>, PortError> {
        let data = answer::data(StatusCode::from_u16(status).unwrap(), body)?;
        PROMETHEUS.usages(&answer::read(data)?, NOW)
    }

    #[test]
    fn what_is_changed_is_itself_read() {
        let usages = read(200, vector().as_bytes()).unwrap();
        let quarter = Some(Dated::new(Ratio::from_percent(25), NOW - Span::from_secs(1)));
        assert_eq!(usages.len(), 2);
        assert!(usages.iter().all(|one| one.cpu == quarter && one.memory == quarter));
    }

    proptest! {
        #![proptest_config(config(5_000))]

        #[test]
        fn any_answer_is_read_or_refused(
            status in 100_u16..600,
            body in bytes(&[&vector(), r#"{"status":"error","errorType":"timeout","error":"e"}"#]),
        ) {
            match read(status, &body) {
                Ok(usages) => {
                    let shares = usages.iter().flat_map(|one| [one.cpu, one.memory]).flatten();
                    for share in shares {
                        prop_assert!(share.at <= NOW, "{share:?}");
                    }
                }
                Err(why) => prop_assert!(why.what.contains("Prometheus"), "{why}"),
            }
        }
    }
}
