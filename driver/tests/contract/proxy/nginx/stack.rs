//! nginx in front of a primary and a standby.

use std::io::Write;
use std::path::PathBuf;

use tidegate_driver::adapters::nginx::{Nginx, NginxConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::proxy::servers::{SERVERS, Servers};
use crate::support::nginx::Nginx as Files;
use crate::support::{self, Folder, Running, clock, eventually, free_port};

pub struct Stack {
    pub folder: Folder,
    proxy: Option<Running>,
    pub servers: Servers,
    addresses: [String; 2],
    pub port: u16,
}

impl Stack {
    /// Starts all. `http` stands in that block of its file, `location` where requests are passed
    /// on.
    pub async fn start(http: &str, location: &str) -> Self {
        let folder = Folder::new();
        let servers = Servers::start(&folder);
        let addresses = SERVERS.map(|name| format!("unix:{}", folder.path(name).display()));
        let mut stack = Self { folder, proxy: None, servers, addresses, port: free_port() };
        stack.files().write(&format!("127.0.0.1:{}", stack.port), http, location);
        stack.run().await;
        stack
    }

    fn files(&self) -> Files<'_> {
        let servers = [&*self.addresses[0], &*self.addresses[1]];
        Files { folder: &self.folder, servers }
    }

    /// Starts the proxy and waits until both of its workers are there and it serves.
    pub async fn run(&mut self) {
        let log = self.folder.path("nginx.log");
        let log = || std::fs::read_to_string(&log).unwrap_or_default();
        let workers = || log().matches("start worker process ").count();
        let before = workers();
        let mut running = self.files().start();
        eventually("nginx serves", async || {
            assert!(!running.has_ended(), "{}", log());
            let answer = self.get("/").await;
            (workers() == before + 2 && SERVERS.contains(&&*answer)).then_some(())
        })
        .await;
        self.proxy = Some(running);
    }

    pub fn stop(&mut self) {
        self.proxy = None;
    }

    pub fn config(&self) -> NginxConfig {
        toml::from_str(&self.files().table()).unwrap()
    }

    pub fn adapter(&self) -> Nginx {
        Nginx::new(self.config(), clock()).unwrap()
    }

    /// One whose reload is this line of a shell, where `$reload` is the real one.
    pub fn reloading_by(&self, line: &str) -> Nginx {
        let reload = self.config().reload.join(" ");
        let line = format!("cd {}; {}", self.folder.path("").display(), line);
        let reload = ["sh", "-c", &line.replace("$reload", &reload)].map(str::to_owned);
        Nginx::new(NginxConfig { reload: reload.into(), ..self.config() }, clock()).unwrap()
    }

    /// Tells nginx to open its logs anew.
    pub async fn reopen(&self) {
        let command = self.files().command(&["-s", "reopen"]);
        let ended = tokio::process::Command::new(&command[0]).args(&command[1..]).status().await;
        assert!(ended.unwrap().success());
    }

    /// What a file in the folder holds.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path(name)).unwrap()
    }

    pub fn append(&self, name: &str, text: &str) {
        let file = std::fs::OpenOptions::new().append(true).open(self.folder.path(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// What lies beside the upstream file while a change is under way.
    pub fn before(&self) -> PathBuf {
        self.folder.path("app.conf.before")
    }

    /// What the proxy answers, or nothing if it does not.
    pub fn get(&self, path: &'static str) -> impl Future<Output = String> + Send + 'static {
        let port = self.port;
        async move {
            let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await else {
                return String::new();
            };
            support::get(stream, path).await.unwrap_or_default()
        }
    }

    /// The status of the answer to such a request, with a body.
    pub async fn status(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\n\
             work"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    }
}
