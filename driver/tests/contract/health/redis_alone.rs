//! A Redis on a UNIX socket.

use rustix::process::Signal;
use tidegate_driver::adapters::RedisConfig;

use crate::support::{Folder, Running, eventually};

pub struct RedisAlone {
    folder: Folder,
    running: Running,
}

impl RedisAlone {
    pub async fn start() -> Self {
        let folder = Folder::new();
        let socket = folder.path("socket");
        let place = ["--port", "0", "--save", "", "--unixsocket", socket.to_str().unwrap()];
        let running = Running::start("redis-server", &place, &folder.path("log"));
        eventually("Redis listens", async || {
            tokio::net::UnixStream::connect(&socket).await.ok().map(|_| ())
        })
        .await;
        Self { folder, running }
    }

    pub fn config(&self) -> RedisConfig {
        let url = format!("redis+unix://{}", self.folder.path("socket").display());
        RedisConfig { url, ca: None, user: None, password: None }
    }

    pub fn signal(&self, signal: Signal) {
        self.running.signal(signal);
    }
}
