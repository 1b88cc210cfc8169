//! What stands behind a proxy: a primary and a standby, on UNIX sockets.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::Folder;

/// Their names, and those of their sockets in the folder.
pub const SERVERS: [&str; 2] = ["app0", "app1"];

/// Both servers.
pub struct Servers {
    state: Arc<State>,
    _serving: JoinSet<()>,
}

struct State {
    released: watch::Sender<bool>,
    healthy: watch::Sender<bool>,
    /// Health checks of the standby, requests that wait or waited, and such as broke off.
    checks: watch::Sender<u32>,
    slow: watch::Sender<u32>,
    broken: watch::Sender<u32>,
}

impl Servers {
    pub fn start(folder: &Folder) -> Self {
        let state = Arc::new(State {
            released: watch::Sender::new(false),
            healthy: watch::Sender::new(true),
            checks: watch::Sender::new(0),
            slow: watch::Sender::new(0),
            broken: watch::Sender::new(0),
        });
        let mut serving = JoinSet::new();
        for name in SERVERS {
            let listener = UnixListener::bind(folder.path(name)).unwrap();
            serving.spawn(serve(Arc::clone(&state), name, listener));
        }
        Self { state, _serving: serving }
    }

    /// Lets requests that wait be answered.
    pub fn release(&self) {
        self.state.released.send_replace(true);
    }

    /// Lets health checks fail.
    pub fn sicken(&self) {
        self.state.healthy.send_replace(false);
    }

    /// Waits until the standby was checked so often.
    pub async fn checked(&self, times: u32) {
        let mut checks = self.state.checks.subscribe();
        checks.wait_for(|checks| *checks >= times).await.unwrap();
    }

    /// Waits until so many requests to `/slow` have come.
    pub async fn has_slow(&self, requests: u32) {
        let mut slow = self.state.slow.subscribe();
        slow.wait_for(|slow| *slow >= requests).await.unwrap();
    }

    /// How often a request to `/broken` was read to its end.
    pub fn broken(&self) -> u32 {
        *self.state.broken.borrow()
    }
}

impl State {
    /// Answers one request. One to `/slow` waits until it is released; one to `/broken` is done and
    /// gets no answer.
    async fn answer(&self, name: &str, stream: UnixStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let length = head.to_ascii_lowercase();
        let length = length.split_once("content-length: ").and_then(|(_, rest)| {
            rest.split_once("\r\n").and_then(|(length, _)| length.parse().ok())
        });
        stream.read_exact(&mut vec![0; length.unwrap_or(0)]).await?;
        let path = head.split(' ').nth(1).unwrap_or_default();
        match path {
            "/health" if name == "app1" => self.checks.send_modify(|checks| *checks += 1),
            "/broken" => {
                self.broken.send_modify(|broken| *broken += 1);
                return Ok(());
            }
            "/slow" => {
                self.slow.send_modify(|slow| *slow += 1);
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

async fn serve(state: Arc<State>, name: &'static str, listener: UnixListener) {
    let mut open = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let state = Arc::clone(&state);
        open.spawn(async move { state.answer(name, stream).await });
        while open.try_join_next().is_some() {}
    }
}
