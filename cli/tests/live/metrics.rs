//! Prometheus scrapes a live host.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{CONFIG, Desk, exchange, free_port};

const TOKEN: &str = "s3cret";
/// How long a test waits for what must come, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// A Prometheus that scrapes the host at `target`, with the alerting rules of the manual.
struct Prometheus {
    child: Child,
    port: u16,
}

impl Prometheus {
    fn start(desk: &Desk, target: u16) -> Self {
        let port = free_port();
        let rules = docs().join("live-alerts.yml").canonicalize().unwrap();
        let config = format!(
            "global: {{scrape_interval: 200ms, evaluation_interval: 200ms}}\n\
             rule_files: [\"{}\"]\n\
             scrape_configs:\n\
             - job_name: tidegate\n  authorization: {{credentials_file: token}}\n  \
               static_configs: [{{targets: [\"127.0.0.1:{target}\"]}}]\n",
            rules.display()
        );
        fs::write(desk.0.join("prometheus.yml"), config).unwrap();
        let mut command = Command::new("prometheus");
        command
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(&desk.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|why| {
            panic!("failed to start `prometheus` ({why}): `cargo xtask test` installs it")
        });
        Self { child, port }
    }

    /// Waits until what it answers has this in it.
    fn until<T>(&self, path: &str, find: impl Fn(&Value) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer =
                exchange(self.port, &format!("GET {path} HTTP/1.0"), "", "").unwrap_or_default();
            let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            let found = serde_json::from_str(body).ok().and_then(|body: Value| find(&body));
            match found {
                Some(found) => return found,
                None if Instant::now() < end => sleep(Duration::from_millis(50)),
                None => panic!("{path}: {answer}"),
            }
        }
    }

    /// Waits until an expression has this value.
    fn until_is(&self, expression: &str, value: &str) {
        let query: Vec<_> = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.until(&format!("/api/v1/query?query={}", query.concat()), |body| {
            (body["data"]["result"][0]["value"][1] == value).then_some(())
        });
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn desk(name: &str) -> (Desk, u16) {
    let (desk, port) = (Desk::new(name), free_port());
    let http = format!(
        "[http]\nlisten = \"127.0.0.1:{port}\"\nmetrics_token = {{ file = \"token\" }}\n{CONFIG}"
    );
    fs::write(desk.0.join("live.toml"), http).unwrap();
    fs::write(desk.0.join("token"), TOKEN).unwrap();
    (desk, port)
}

#[test]
fn prometheus_scrapes_the_host_and_says_when_none_acts() {
    let (desk, port) = desk("scraped");
    let mut live = desk.start(&[]);
    let prometheus = Prometheus::start(&desk, port);
    live.until("command 2 done");
    prometheus.until_is("tidegate_acts", "1");
    prometheus.until_is("tidegate_group_servers{group=\"demo\",stage=\"serving\"}", "2");
    prometheus.until_is("tidegate_group_wanted", "2");
    prometheus.until_is("sum(tidegate_commands_total{outcome=\"done\"})", "3");
    let states = |body: &Value| {
        let rules = body["data"]["groups"][0]["rules"].as_array()?.clone();
        assert!(rules.iter().all(|rule| rule["health"] != "err"), "{rules:#?}");
        Some(rules.iter().map(|rule| rule["state"].clone()).collect::<Vec<_>>())
    };
    prometheus.until("/api/v1/rules", |body| (states(body)? == ["inactive"; 5]).then_some(()));
    assert_eq!(live.stop(), Some(0));
    prometheus.until("/api/v1/rules", |body| (states(body)?[0] == "pending").then_some(()));
}

#[test]
fn the_manual_knows_what_is_told_and_only_prometheus_is_told_it() {
    let (desk, port) = desk("told");
    let mut live = desk.start(&[]);
    live.until("command 2 done");
    for head in ["", "Authorization: Bearer no\r\n"] {
        let refused = exchange(port, "GET /metrics HTTP/1.1", head, "").unwrap();
        assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    }
    let head = format!("Authorization: Bearer {TOKEN}\r\n");
    let told = exchange(port, "GET /metrics HTTP/1.1", &head, "").unwrap();
    assert!(told.starts_with("HTTP/1.1 200 ") && !told.contains(TOKEN), "{told}");
    let manual = fs::read_to_string(docs().join("live.md")).unwrap();
    let kinds = told.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let names = kinds.map(|(name, kind)| match kind {
        "counter" => format!("{name}_total"),
        "info" => format!("{name}_info"),
        _ => name.to_owned(),
    });
    let unknown: Vec<_> = names.filter(|name| !manual.contains(&format!("| `{name}` |"))).collect();
    assert_eq!(unknown, [""; 0], "{told}");
    assert_eq!(live.stop(), Some(0));
}
