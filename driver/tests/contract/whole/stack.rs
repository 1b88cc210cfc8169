//! A proxy, Redis and Prometheus, a primary that runs and a standby that does not.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{Arc, Mutex};

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::metrics::exporter;
use crate::support::{self, Folder, Running, eventually, free_port};
use crate::whole::front::Front;

pub const STANDBY: &str = "standby";

/// A machine: its web server runs as long as there is a file that says so, and all of it ends once
/// the folder of the test is gone.
const MACHINE: &str = r#"
trap 'kill "$web" 2>/dev/null; exit 0' TERM
while [ -d "$1" ]; do
    if [ -e "$1/$2.go" ] && [ -z "$web" ]; then
        python3 -m http.server "$3" --bind 127.0.0.1 --directory "$1/$2" & web=$!
    elif [ ! -e "$1/$2.go" ] && [ -n "$web" ]; then
        kill "$web"; wait "$web"; web=
    fi
    sleep 0.05
done
kill "$web"
"#;

pub struct Stack {
    pub folder: Folder,
    prometheus: exporter::Stack,
    ports: [u16; 4],
    /// What the configuration says of the proxy.
    proxy: String,
    answers: Arc<Mutex<BTreeSet<String>>>,
    _running: Vec<Running>,
}

/// Requests that go on until they are told to stop.
pub struct Clients {
    stop: watch::Sender<bool>,
    tasks: JoinSet<Vec<String>>,
}

impl Stack {
    pub async fn start() -> Self {
        Self::behind(Front::Haproxy("disabled")).await
    }

    /// One behind this proxy.
    pub async fn behind(proxy: Front) -> Self {
        let (folder, prometheus) = (Folder::new(), exporter::Stack::start().await);
        let [front, redis, primary, standby] = std::array::from_fn(|_| free_port());
        for name in ["primary", STANDBY] {
            std::fs::create_dir(folder.path(name)).unwrap();
            folder.write(&format!("{name}/index.html"), name);
        }
        let at = folder.path("").display().to_string();
        let (routing, proxy) = proxy.start(&folder, front, [primary, standby]);
        folder.write("primary.go", "");
        let mut machine = Command::new("sh");
        machine.arg(folder.write("machine.sh", MACHINE));
        machine.args([&*at, "primary", &primary.to_string()]);
        let port = redis.to_string();
        let running = vec![
            Running::command(&mut machine, &folder.path("primary.log")),
            Running::start(
                "redis-server",
                &["--port", &port, "--bind", "127.0.0.1", "--save", "", "--dir", &at],
                &folder.path("redis.log"),
            ),
            routing,
        ];
        let ports = [front, redis, primary, standby];
        let answers = Arc::default();
        let stack = Self { folder, prometheus, ports, proxy, answers, _running: running };
        eventually("the primary answers", async || get(front).await.ok()).await;
        stack.prometheus.expose(
            "cpu{server=\"primary\"} 0.2\ncpu{server=\"standby\"} 0.2\n\
             memory{server=\"primary\"} 0.2\nmemory{server=\"standby\"} 0.2\n",
        );
        stack
    }

    pub fn config(&self) -> String {
        let [_, redis, primary, standby] = self.ports;
        let (at, url) = (self.folder.path("").display().to_string(), self.prometheus.url());
        let at = at.trim_end_matches('/');
        let check = |port| format!("[{{ url = \"http://127.0.0.1:{port}/\" }}]");
        let probes = |port| format!("{{ benches = {0}, services = {0} }}", check(port));
        let way = format!(
            "{{ redis = {{ url = \"redis://127.0.0.1:{redis}/0\" }}, storage = \"{at}\" }}"
        );
        let quantity = |name| format!("{{ value = \"{name}\", sampled = \"timestamp({name})\" }}");
        let machine =
            format!("[\"sh\", \"{at}/machine.sh\", \"{at}\", \"standby\", \"{standby}\"]");
        format!(
            r#"
look = {{ every = "1s", moving = "500ms", poll = "200ms" }}

[policy]
stabilization = {{ down = "1s" }}
cool_down = {{ up = "1s", down = "1s" }}

[[group]]
name = "whole"

[group.ports]
kind = "servers"
services = [
    {{ start = ["true"], stop = ["true"] }},
    {{ start = ["touch", "{at}/standby.go"], stop = ["rm", "-f", "{at}/standby.go"] }},
]

{proxy}
[group.ports.prometheus]
url = "{url}"
label = "server"
servers = ["primary", "standby"]
cpu = {cpu}
memory = {memory}

[group.ports.rq]
redis = {{ url = "redis://127.0.0.1:{redis}/0" }}
group = "whole"
servers = [{{ name_prefix = "primary", count = 0 }}, {{ name_prefix = "standby", count = 0 }}]

[group.ports.probes]
servers = [{one}, {other}]

[group.ports.shared]
group = "whole"
servers = [{way}, {way}]

[group.ports.process]
log = "{at}/power.jsonl"
grace = "5s"
servers = [{{ command = ["true"] }}, {{ command = {machine} }}]
"#,
            proxy = self.proxy,
            cpu = quantity("cpu"),
            memory = quantity("memory"),
            one = probes(primary),
            other = probes(standby),
        )
    }

    /// The same group, whose machines are those of another provider.
    pub fn config_with(&self, provider: &str) -> String {
        let config = self.config();
        let (before, _) = config.split_once("[group.ports.process]").unwrap();
        format!("{before}{provider}")
    }

    /// The same group, whose services are reached as this table says.
    pub fn config_over_ssh(&self, ssh: &str) -> String {
        let config = self.config();
        let (before, rest) = config.split_once("services = [").unwrap();
        let (_, after) = rest.split_once("]\n\n[group.ports.haproxy]").unwrap();
        format!("{before}{ssh}[group.ports.haproxy]{after}")
    }

    /// What runs on the standby's machine while it is on.
    pub fn standby(&self) -> Running {
        let (at, port) = (self.folder.path(""), self.ports[3].to_string());
        let mut machine = Command::new("sh");
        machine.arg(self.folder.path("machine.sh")).arg(at).args([STANDBY, &port]);
        Running::command(&mut machine, &self.folder.path("standby.log"))
    }

    /// Whether a server has answered a client.
    pub fn answered_by(&self, name: &str) -> bool {
        self.answers.lock().unwrap().contains(name)
    }

    /// What became of the standby's power.
    pub fn power(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path("power.jsonl")).unwrap_or_default();
        let event = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(line.get("event")?.as_str()?.to_owned())
        };
        text.lines().filter_map(event).collect()
    }

    /// Lets four clients ask, each again as soon as it was answered.
    pub fn clients(&self) -> Clients {
        let stop = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        for _ in 0..4 {
            let (stopped, answers) = (stop.subscribe(), Arc::clone(&self.answers));
            let front = self.ports[0];
            tasks.spawn(async move {
                let mut failed = Vec::new();
                while !*stopped.borrow() {
                    match get(front).await {
                        Ok(name) => drop(answers.lock().unwrap().insert(name)),
                        Err(why) => failed.push(why),
                    }
                }
                failed
            });
        }
        Clients { stop, tasks }
    }
}

impl Clients {
    /// Ends them: what was not answered as it should be.
    pub async fn stop(self) -> Vec<String> {
        self.stop.send_replace(true);
        self.tasks.join_all().await.concat()
    }
}

/// The body of the proxy's answer, or what came in its place.
async fn get(front: u16) -> Result<String, String> {
    let stream = TcpStream::connect(("127.0.0.1", front)).await.map_err(|why| why.to_string())?;
    support::get(stream, "/").await
}
