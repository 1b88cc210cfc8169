//! Envoy in front of a primary and a standby.

use serde_json::json;
use tidegate_driver::adapters::envoy::{Envoy, EnvoyConfig};
use tokio::net::TcpStream;

use crate::proxy::servers::{SERVERS, Servers};
use crate::support::envoy::Envoy as Files;
use crate::support::{self, Folder, Running, clock, eventually, free_port};

/// A process that replaces no other.
const ALONE: &[&str] = &["--disable-hot-restart"];

pub struct Stack {
    pub folder: Folder,
    /// The last of them is the present one.
    proxies: Vec<Running>,
    pub servers: Servers,
    addresses: [String; 2],
    ports: [u16; 2],
}

impl Stack {
    pub async fn start() -> Self {
        let mut stack = Self::new();
        stack.run(ALONE).await;
        stack
    }

    /// One that `replace` may replace.
    pub async fn replaceable() -> Self {
        let mut stack = Self::new();
        stack.replace().await;
        stack
    }

    fn new() -> Self {
        let folder = Folder::new();
        let servers = Servers::start(&folder);
        let addresses = SERVERS.map(|name| folder.path(name).display().to_string());
        let ports = [free_port(), free_port()];
        let stack = Self { folder, proxies: Vec::new(), servers, addresses, ports };
        stack.files().write("/health", &json!({}));
        stack
    }

    fn files(&self) -> Files<'_> {
        let servers = [&*self.addresses[0], &*self.addresses[1]];
        Files { folder: &self.folder, servers, ports: self.ports }
    }

    /// Starts the proxy and waits until it serves.
    async fn run(&mut self, more: &[&str]) {
        let log = self.folder.path("envoy.log");
        let mut running = self.files().start(more);
        eventually("Envoy serves", async || {
            assert!(!running.has_ended(), "{}", std::fs::read_to_string(&log).unwrap());
            SERVERS.contains(&&*self.get("/").await).then_some(())
        })
        .await;
        self.proxies.push(running);
    }

    /// Starts another process in the place of the present one, which has a second to end.
    pub async fn replace(&mut self) {
        let (base, epoch) = (std::process::id().to_string(), self.proxies.len().to_string());
        let times = ["--drain-time-s", "1", "--parent-shutdown-time-s", "1"];
        let which = ["--base-id", &base, "--restart-epoch", &epoch];
        self.run(&[which, times].concat()).await;
        let is_it = format!("\"restart_epoch\": {epoch},");
        eventually("the other process answers", async || {
            self.told("/server_info").await.contains(&is_it).then_some(())
        })
        .await;
    }

    pub async fn restart(&mut self) {
        self.stop();
        self.run(ALONE).await;
    }

    pub fn stop(&mut self) {
        self.proxies.clear();
    }

    pub const fn port(&self) -> u16 {
        self.ports[0]
    }

    pub fn config(&self) -> EnvoyConfig {
        toml::from_str(&self.files().table()).unwrap()
    }

    pub fn adapter(&self) -> Envoy {
        Envoy::new(self.config(), clock()).unwrap()
    }

    /// What the proxy answers, or nothing if it does not.
    pub fn get(&self, path: &'static str) -> impl Future<Output = String> + Send + 'static {
        get(self.ports[0], path)
    }

    /// What it tells whoever administrates it.
    async fn told(&self, path: &str) -> String {
        get(self.ports[1], path).await
    }

    /// Lets health checks fail, and waits until Envoy knows.
    pub async fn sicken(&self) {
        self.servers.sicken();
        eventually("Envoy finds both ill", async || {
            let told = self.told("/clusters?format=json").await;
            (told.matches("\"failed_active_health_check\": true").count() == 2).then_some(())
        })
        .await;
    }
}

async fn get(port: u16, path: &str) -> String {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await else { return String::new() };
    support::get(stream, path).await.unwrap_or_default()
}
