//! `HAProxy` in front of a primary and a standby, all of them on UNIX sockets.

use std::path::Path;
use std::sync::Arc;

use tidegate_driver::adapters::haproxy::{Haproxy, HaproxyConfig};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::{self, Folder, Running, clock, eventually, haproxy_file};

const SERVERS: [&str; 2] = ["app0", "app1"];

/// What the servers behind the proxy do.
struct Servers {
    released: watch::Sender<bool>,
    healthy: watch::Sender<bool>,
    checks: watch::Sender<u32>,
}

impl Servers {
    /// Answers one request. One to `/slow` waits until it is released; one to `/broken` gets none.
    async fn answer(&self, name: &str, stream: UnixStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default();
        match path {
            "/health" if name == "app1" => self.checks.send_modify(|checks| *checks += 1),
            "/broken" => return Ok(()),
            "/slow" => {
                let _ = self.released.subscribe().wait_for(|released| *released).await;
            }
            _ => {}
        }
        let sick = path == "/health" && !*self.healthy.borrow();
        let status = if sick { "503 Service Unavailable" } else { "200 OK" };
        let length = name.len();
        let answer =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all(format!("{answer}{name}").as_bytes()).await
    }
}

async fn serve(servers: Arc<Servers>, name: &'static str, listener: UnixListener) {
    let mut open = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let servers = Arc::clone(&servers);
        open.spawn(async move { servers.answer(name, stream).await });
        while open.try_join_next().is_some() {}
    }
}

pub struct Stack {
    folder: Folder,
    proxy: Option<Running>,
    servers: Arc<Servers>,
    _serving: JoinSet<()>,
}

impl Stack {
    /// Starts all. `more` stands on the line of the standby.
    pub async fn start(more: &str) -> Self {
        let folder = Folder::new();
        let servers = Arc::new(Servers {
            released: watch::Sender::new(false),
            healthy: watch::Sender::new(true),
            checks: watch::Sender::new(0),
        });
        let mut serving = JoinSet::new();
        for name in SERVERS {
            let listener = UnixListener::bind(folder.path(name)).unwrap();
            serving.spawn(serve(Arc::clone(&servers), name, listener));
        }
        let at = folder.path("").display().to_string();
        let standby = format!("unix@{at}app1 disabled {more}");
        let lines = [&*format!("unix@{at}app0"), &*standby];
        haproxy_file(&folder, &format!("unix@{at}front"), "/health", lines);
        let mut stack = Self { folder, proxy: None, servers, _serving: serving };
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

    /// Lets requests that wait be answered.
    pub fn release(&self) {
        self.servers.released.send_replace(true);
    }

    /// Lets health checks fail.
    pub fn sicken(&self) {
        self.servers.healthy.send_replace(false);
    }

    /// Waits until the standby was checked so often.
    pub async fn checked(&self, times: u32) {
        let mut checks = self.servers.checks.subscribe();
        checks.wait_for(|checks| *checks >= times).await.unwrap();
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
