//! Whether the file of endpoints and Envoy's own configuration are as they must be.

use std::path::Path;

use serde_json::Value;
use tidegate_core::{ServerId, Span};

use super::endpoints::Endpoints;
use super::{Envoy, EnvoyConfig};
use crate::doctor::Finding;
use crate::doctor::proxy::{missing, no_slow_start, ok, primary_weight, warn};
use crate::ports::PortError;

/// Reasons to try a request again for which no server has begun it.
const HARMLESS: [&str; 4] =
    ["connect-failure", "refused-stream", "reset-before-request", "envoy-ratelimited"];

impl Envoy {
    /// Whether the file has an endpoint for each server, the primary's of this weight, and whether
    /// Envoy reads it and does with requests what scaling needs. Nothing is changed.
    pub(crate) async fn examine(&self, weight: u16, slow_start: Span) -> Vec<Finding> {
        let mut findings = vec![no_slow_start("Envoy", slow_start)];
        match self.endpoints() {
            Ok(endpoints) => findings.extend(listed(&self.config, &endpoints, weight)),
            Err(why) => findings.push(missing(why.what, "correct `envoy.file`, or the file")),
        }
        // What does not answer, or has no such cluster, is told by the port.
        findings.extend(self.waiting().await.ok().flatten());
        if let Ok(Some(cluster)) = self.cluster().await {
            findings.extend(configured(&self.config, &cluster));
        }
        findings.extend(self.retries().await.ok());
        findings
    }

    async fn waiting(&self) -> Result<Option<Finding>, PortError> {
        let hosts = self.admin.hosts(&self.config.cluster).await?;
        let is_silent = hosts.first().is_some_and(|host| !host.tells_what_waits());
        Ok(is_silent.then(|| {
            warn(
                "this Envoy does not tell what waits for a connection to a server",
                "take a later one: a drained server may seem to be idle a moment too early",
            )
        }))
    }

    async fn cluster(&self) -> Result<Option<Value>, PortError> {
        for place in ["static_clusters", "dynamic_active_clusters"] {
            for one in self.admin.configured(place).await? {
                let cluster = one.get("cluster").cloned().unwrap_or_default();
                if text(&cluster, "/name") == Some(&self.config.cluster) {
                    return Ok(Some(cluster));
                }
            }
        }
        Ok(None)
    }

    async fn retries(&self) -> Result<Finding, PortError> {
        for place in ["static_route_configs", "dynamic_route_configs"] {
            let (routes, mut reasons) = (self.admin.configured(place).await?, Vec::new());
            for one in &routes {
                replaying(("", one), None, &self.config.cluster, &mut reasons);
            }
            if let Some(first) = reasons.first() {
                return Ok(missing(
                    format!(
                        "routes to it try requests again on `{first}`: POSTs may be done twice"
                    ),
                    format!("let `retry_on` have no more than {}", HARMLESS.join(", ")),
                ));
            }
        }
        Ok(ok("what a server may have begun is not tried again"))
    }
}

fn text<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place).and_then(Value::as_str)
}

/// What is to be said of each server's endpoint.
fn listed(config: &EnvoyConfig, endpoints: &Endpoints, weight: u16) -> Vec<Finding> {
    let of = |(server, address): (u16, &String)| {
        let endpoint = match endpoints.endpoint(address) {
            Ok(endpoint) => endpoint,
            Err(why) => {
                let advice = "write an endpoint for each server, a standby's as `DRAINING`";
                return Some(missing(why.what, advice));
            }
        };
        let is_primary = ServerId(server).is_primary();
        is_primary.then(|| primary_weight(address, endpoint.weight, weight))
    };
    (0..).zip(&config.servers).filter_map(of).collect()
}

/// What is to be said of the cluster.
fn configured(config: &EnvoyConfig, cluster: &Value) -> Vec<Finding> {
    let (name, file) = (&config.cluster, config.file.display());
    let path = ["/path_config_source/path", "/path"].into_iter().find_map(|place| {
        text(cluster, &format!("/eds_cluster_config/eds_config{place}")).map(Path::new)
    });
    let panic = cluster.pointer("/common_lb_config/healthy_panic_threshold");
    let has_no_panic =
        panic.is_some_and(|it| it.get("value").is_none_or(|value| value.as_f64() == Some(0.0)));
    let mut findings = Vec::new();
    findings.push(if path == Some(&config.file) {
        ok(format!("the endpoints of `{name}` are those of `{file}`"))
    } else {
        missing(
            format!("the endpoints of `{name}` are not read from `{file}`"),
            "let the cluster be of type `EDS`, with that as `path_config_source.path`",
        )
    });
    findings.push(if has_no_panic {
        ok("it sends nothing to drained servers, however few are left")
    } else {
        missing(
            "with less than half of the servers healthy it sends requests to all of them, such as \
             are off too",
            "let the cluster's `common_lb_config.healthy_panic_threshold` be `{ value: 0 }`",
        )
    });
    if cluster.pointer("/common_lb_config/close_connections_on_host_set_change")
        == Some(&Value::Bool(true))
    {
        findings.push(missing(
            "it closes its connections to all servers whenever one joins or is drained",
            "take `close_connections_on_host_set_change` away",
        ));
    }
    let checks = cluster.get("health_checks").and_then(Value::as_array);
    if checks.is_none_or(Vec::is_empty) {
        findings.push(warn(
            "it does not check its servers: one that breaks gets requests until it is drained",
            "give the cluster `health_checks`",
        ));
    }
    findings
}

/// Collects the reasons below `value`, which stands under `key`, to try again what a server of the
/// cluster may have begun. A policy counts for all that stands below it and has none of its own.
fn replaying<'a>(
    (key, value): (&str, &'a Value),
    policy: Option<&'a Value>,
    cluster: &str,
    reasons: &mut Vec<&'a str>,
) {
    match value {
        Value::Object(map) => {
            let policy = map.get("retry_policy").or(policy);
            // Clusters that share requests by weight are named in a list.
            let name = if key == "clusters" { "name" } else { "cluster" };
            if map.get(name).and_then(Value::as_str) == Some(cluster) {
                reasons.extend(policy.into_iter().flat_map(harmful));
            }
            for (key, one) in map {
                replaying((key, one), policy, cluster, reasons);
            }
        }
        Value::Array(list) => {
            for one in list {
                replaying((key, one), policy, cluster, reasons);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The reasons of a policy that are not harmless, unless it is told for which requests it is.
fn harmful(policy: &Value) -> impl Iterator<Item = &str> {
    let is_bounded = policy.get("retriable_request_headers").is_some();
    let on = text(policy, "/retry_on").filter(|_| !is_bounded).unwrap_or_default();
    on.split(',').map(str::trim).filter(|one| !one.is_empty() && !HARMLESS.contains(one))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::Verdict;

    fn config() -> EnvoyConfig {
        toml::from_str(
            "admin = \"http://127.0.0.1:9901\"\nfile = \"/etc/envoy/app.json\"\n\
             cluster = \"app\"\nservers = [\"10.0.0.1:80\", \"10.0.0.2:80\"]\n",
        )
        .unwrap()
    }

    fn good() -> Value {
        json!({
            "name": "app",
            "eds_cluster_config": {"eds_config": {"path_config_source": {
                "path": "/etc/envoy/app.json"}}},
            "common_lb_config": {"healthy_panic_threshold": {}},
            "health_checks": [{}],
        })
    }

    #[test]
    fn a_cluster_sends_nothing_to_servers_that_are_off() {
        let told = |cluster: &Value| -> Vec<_> {
            configured(&config(), cluster).into_iter().map(|one| one.verdict).collect()
        };
        assert_eq!(told(&good()), [Verdict::Ok, Verdict::Ok]);
        let bare = json!({"name": "app"});
        assert_eq!(told(&bare), [Verdict::Missing, Verdict::Missing, Verdict::Warn]);
        let mut half = good();
        half["common_lb_config"]["healthy_panic_threshold"] = json!({"value": 50.0});
        half["common_lb_config"]["close_connections_on_host_set_change"] = json!(true);
        assert_eq!(told(&half), [Verdict::Ok, Verdict::Missing, Verdict::Missing]);
    }

    #[test]
    fn a_reason_to_try_again_what_was_begun_is_found_wherever_it_stands() {
        let found = |policy: &Value, cluster: &str| {
            let own = json!({"cluster": "blog", "retry_policy": {"retry_on": "gateway-error"}});
            let shared = json!({"weighted_clusters": {"clusters": [{"name": "shop"}]}});
            let routes = json!([{"route": {"cluster": "app"}}, {"route": own}, {"route": shared}]);
            let hosts = json!([{"name": "none", "routes": routes, "retry_policy": policy}]);
            let config = json!({"route_config": {"virtual_hosts": hosts}});
            let mut reasons = Vec::new();
            replaying(("", &config), None, cluster, &mut reasons);
            reasons.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let reasons = |policy: Value| {
            assert_eq!(found(&policy, "shop"), found(&policy, "app"));
            assert_eq!(found(&policy, "blog"), ["gateway-error"]);
            assert_eq!(found(&policy, "none"), [""; 0]);
            found(&policy, "app")
        };
        let both = json!({"retry_on": "connect-failure, 5xx,reset"});
        assert_eq!(reasons(both), ["5xx", "reset"]);
        let only_get = json!({"retry_on": "5xx", "retriable_request_headers": [{}]});
        assert_eq!(reasons(only_get), [""; 0]);
    }
}
