//! `HAProxy` in front of a primary and a standby, all of them on UNIX sockets.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use tidegate_driver::adapters::haproxy::{Haproxy, HaproxyConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::proxy::servers::{SERVERS, Servers};
use crate::support::{self, Folder, Running, clock, eventually, haproxy_file};

pub struct Stack {
    folder: Folder,
    /// The last of them is the present one.
    proxies: Vec<Running>,
    start: Start,
    pub servers: Servers,
}

/// How the proxy is started, and reloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// One process, which another replaces.
    Alone,
    /// A master that starts it, and another in its place.
    Master,
}

impl Stack {
    /// Starts all. `more` stands on the line of the standby.
    pub async fn start(more: &str) -> Self {
        Self::started(more, Start::Alone).await
    }

    /// The same, where the proxy is started so.
    pub async fn started(more: &str, start: Start) -> Self {
        let folder = Folder::new();
        let servers = Servers::start(&folder);
        let at = folder.path("").display().to_string();
        let standby = format!("unix@{at}app1 disabled {more}");
        let lines = [&*format!("unix@{at}app0"), &*standby];
        haproxy_file(&folder, &format!("unix@{at}front"), "/health", lines);
        let mut stack = Self { folder, proxies: Vec::new(), start, servers };
        stack.run().await;
        stack
    }

    /// Starts the proxy and waits until it answers and serves.
    pub async fn run(&mut self) {
        let log = self.folder.path("haproxy.log");
        let mut running = self.process(&[]);
        let front = self.folder.path("front");
        eventually("HAProxy serves", async || {
            assert!(!running.has_ended(), "{}", std::fs::read_to_string(&log).unwrap());
            get(&front, "/").await.filter(|answer| answer == "app0")
        })
        .await;
        self.proxies.push(running);
    }

    fn process(&self, more: &[&str]) -> Running {
        let file = self.folder.path("haproxy.cfg");
        let how = if self.start == Start::Master { "-W" } else { "-db" };
        let arguments = [&[how, "-f", file.to_str().unwrap()], more].concat();
        Running::start("haproxy", &arguments, &self.folder.path("haproxy.log"))
    }

    /// Reloads it, and waits until another process answers.
    pub async fn reload(&mut self) {
        let present = self.pid().await.unwrap();
        match self.start {
            Start::Alone => {
                let former: Vec<_> = self.proxies.iter().map(|one| one.pid().to_string()).collect();
                let former: Vec<_> = former.iter().map(String::as_str).collect();
                self.proxies.push(self.process(&[&["-sf"], &*former].concat()));
            }
            Start::Master => self.reload_master().await,
        }
        eventually("another process answers", async || {
            self.pid().await.filter(|pid| *pid != present)
        })
        .await;
    }

    /// Lets the master load anew, once: before it is ready for it, it loses the signal.
    async fn reload_master(&self) {
        let master = Pid::from_raw(self.proxies[0].pid()).unwrap();
        let log = self.folder.path("haproxy.log");
        let told = |what| std::fs::read_to_string(&log).unwrap().matches(what).count();
        let reloads = || told("Reloading HAProxy");
        let before = reloads();
        eventually("the master loads anew", async || {
            if reloads() == before {
                kill_process(master, Signal::USR2).unwrap();
            }
            (reloads() > before && told("Loading success.") == reloads() + 1).then_some(())
        })
        .await;
    }

    pub fn stop(&mut self) {
        self.proxies.clear();
    }

    /// What the API answers.
    pub async fn say(&self, command: &str) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(self.folder.path("api")).await?;
        stream.write_all(format!("{command}\n").as_bytes()).await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok(text)
    }

    /// The number of the process that answers.
    async fn pid(&self) -> Option<u32> {
        let info = self.say("show info").await.ok()?;
        info.lines().find_map(|line| line.strip_prefix("Pid: ")?.parse().ok())
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
        self.number(server, "throttle").await
    }

    /// How many requests wait for whichever server has room first.
    pub async fn waiting(&self) -> u32 {
        self.number("BACKEND", "qcur").await
    }

    async fn number(&self, row: &str, name: &str) -> u32 {
        let text = self.say("show stat app -1 -1").await.unwrap();
        let column = text.split(',').position(|own| own == name).unwrap();
        let start = format!("app,{row},");
        let line = text.lines().find(|line| line.starts_with(&start)).unwrap();
        line.split(',').nth(column).unwrap().parse().unwrap()
    }
}

/// What the proxy answers, or nothing if it does not.
async fn get(front: &Path, path: &str) -> Option<String> {
    support::get(UnixStream::connect(front).await.ok()?, path).await.ok()
}
