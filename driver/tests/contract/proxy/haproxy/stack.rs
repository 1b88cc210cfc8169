//! `HAProxy` in front of a primary and a standby, all of them on UNIX sockets.

use std::path::Path;

use tidegate_driver::adapters::haproxy::{Haproxy, HaproxyConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::proxy::servers::{SERVERS, Servers};
use crate::support::{self, Folder, Running, clock, eventually, haproxy_file};

pub struct Stack {
    folder: Folder,
    proxy: Option<Running>,
    pub servers: Servers,
}

impl Stack {
    /// Starts all. `more` stands on the line of the standby.
    pub async fn start(more: &str) -> Self {
        let folder = Folder::new();
        let servers = Servers::start(&folder);
        let at = folder.path("").display().to_string();
        let standby = format!("unix@{at}app1 disabled {more}");
        let lines = [&*format!("unix@{at}app0"), &*standby];
        haproxy_file(&folder, &format!("unix@{at}front"), "/health", lines);
        let mut stack = Self { folder, proxy: None, servers };
        stack.run().await;
        stack
    }

    /// Starts the proxy and waits until it answers and serves.
    pub async fn run(&mut self) {
        let file = self.folder.path("haproxy.cfg");
        let arguments = ["-db", "-f", file.to_str().unwrap()];
        let log = self.folder.path("haproxy.log");
        let mut running = Running::start("haproxy", &arguments, &log);
        let front = self.folder.path("front");
        eventually("HAProxy serves", async || {
            assert!(!running.has_ended(), "{}", std::fs::read_to_string(&log).unwrap());
            get(&front, "/").await.filter(|answer| answer == "app0")
        })
        .await;
        self.proxy = Some(running);
    }

    pub fn stop(&mut self) {
        self.proxy = None;
    }

    pub fn config(&self) -> HaproxyConfig {
        HaproxyConfig {
            socket: self.folder.path("api"),
            backend: "app".to_owned(),
            servers: SERVERS.map(str::to_owned).into(),
            slow_start: tidegate_core::Span::ZERO,
        }
    }

    pub fn adapter(&self) -> Haproxy {
        Haproxy::new(self.config(), clock()).unwrap()
    }

    /// What the proxy answers, or nothing if it does not.
    pub fn get(&self, path: &'static str) -> impl Future<Output = String> + Send + 'static {
        let front = self.folder.path("front");
        async move { get(&front, path).await.unwrap_or_default() }
    }

    /// How far the slow start of a server has come, in per cent.
    pub async fn throttle(&self, server: &str) -> u32 {
        let mut stream = UnixStream::connect(self.folder.path("api")).await.unwrap();
        stream.write_all(b"show stat app 4 -1\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let column = text.split(',').position(|name| name == "throttle").unwrap();
        let start = format!("app,{server},");
        let line = text.lines().find(|line| line.starts_with(&start)).unwrap();
        line.split(',').nth(column).unwrap().parse().unwrap()
    }
}

/// What the proxy answers, or nothing if it does not.
async fn get(front: &Path, path: &str) -> Option<String> {
    support::get(UnixStream::connect(front).await.ok()?, path).await.ok()
}
