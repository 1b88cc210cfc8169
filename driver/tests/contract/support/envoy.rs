//! An Envoy of a test's own, in front of a primary and of a standby that is drained.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::{Folder, Running};

/// What stands where in its configuration.
pub struct Envoy<'a> {
    pub folder: &'a Folder,
    /// The addresses of the primary and the standby.
    pub servers: [&'a str; 2],
    /// Where it listens for requests, and for whoever administrates it.
    pub ports: [u16; 2],
}

fn socket(ip: &str, port: u16) -> Value {
    json!({"socket_address": {"address": ip, "port_value": port}})
}

fn address(text: &str) -> Value {
    match text.rsplit_once(':') {
        Some((ip, port)) => socket(ip, port.parse().unwrap()),
        None => json!({"pipe": {"path": text}}),
    }
}

impl Envoy<'_> {
    /// Writes its files, with checks of this path. `route` stands where requests are passed on.
    pub fn write(&self, check: &str, route: &Value) {
        let kind = |name: &str| format!("type.googleapis.com/envoy.{name}");
        let endpoint = |text: &str, status: &str| {
            let endpoint = json!({"address": address(text)});
            json!({"endpoint": endpoint, "health_status": status, "load_balancing_weight": 100})
        };
        let [primary, standby] = self.servers;
        let endpoints = [endpoint(primary, "HEALTHY"), endpoint(standby, "DRAINING")];
        let assignment = json!({
            "@type": kind("config.endpoint.v3.ClusterLoadAssignment"),
            "cluster_name": "app",
            "endpoints": [{"lb_endpoints": endpoints}],
        });
        self.folder.write("app.json", &json!({"resources": [assignment]}).to_string());
        let mut passed = json!({"cluster": "app", "timeout": "0s"});
        passed.as_object_mut().unwrap().extend(route.as_object().unwrap().clone());
        let routes = json!([{"match": {"prefix": "/"}, "route": passed}]);
        let manager = json!({
            "@type": kind(
                "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
            ),
            "stat_prefix": "front",
            "route_config": {"virtual_hosts": [{"name": "a", "domains": ["*"], "routes": routes}]},
            "http_filters": [{"name": "router", "typed_config": {
                "@type": kind("extensions.filters.http.router.v3.Router")}}],
        });
        let manager = json!([{"name": "http", "typed_config": manager}]);
        let [front, admin] = self.ports.map(|port| socket("127.0.0.1", port));
        let cluster = json!({
            "name": "app",
            "type": "EDS",
            "eds_cluster_config": {"eds_config": {"path_config_source": {"path": self.file()}}},
            "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
            "health_checks": [{
                "timeout": "1s", "interval": "0.1s", "no_traffic_interval": "0.1s",
                "healthy_threshold": 1, "unhealthy_threshold": 1,
                "http_health_check": {"path": check},
            }],
        });
        let listener = json!({"address": front, "filter_chains": [{"filters": manager}]});
        let whole = json!({
            "node": {"id": "test", "cluster": "test"},
            "admin": {"address": admin},
            "static_resources": {"listeners": [listener], "clusters": [cluster]},
        });
        self.folder.write("envoy.json", &whole.to_string());
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path("app.json")
    }

    /// Starts it, with these arguments besides.
    pub fn start(&self, more: &[&str]) -> Running {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut program = Command::new(root.join("target/python/envoy/bin/envoy"));
        program.arg("-c").arg(self.folder.path("envoy.json"));
        program.args(["--concurrency", "1", "-l", "warn"]).args(more);
        Running::command(&mut program, &self.folder.path("envoy.log"))
    }

    /// What a configuration says of it, but for the head of the table.
    pub fn table(&self) -> String {
        let (file, [_, admin]) = (self.file().display().to_string(), self.ports);
        format!(
            "admin = \"http://127.0.0.1:{admin}\"\nfile = \"{file}\"\ncluster = \"app\"\n\
             servers = {:?}\n",
            self.servers
        )
    }
}
