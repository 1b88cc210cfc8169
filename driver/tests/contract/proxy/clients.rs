//! Clients that keep their connections for as long as they are let, and try nothing again.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a client waits between an answer and its next request.
const THINK: Duration = Duration::from_millis(1);

/// What became of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that were answered with status 200.
    pub answered: u64,
    /// Why each of the others was not.
    pub failed: Vec<String>,
}

/// Requests that go on until they are told to stop.
pub struct Clients {
    stop: watch::Sender<bool>,
    tasks: JoinSet<Tally>,
}

impl Clients {
    /// Starts so many.
    pub fn start(port: u16, count: usize) -> Self {
        let stop = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            tasks.spawn(asks(port, stop.subscribe()));
        }
        Self { stop, tasks }
    }

    /// Ends them once each has its last answer.
    pub async fn stop(self) -> Tally {
        self.stop.send_replace(true);
        let mut all = Tally::default();
        for Tally { answered, failed } in self.tasks.join_all().await {
            all.answered += answered;
            all.failed.extend(failed);
        }
        all
    }
}

async fn asks(port: u16, stopped: watch::Receiver<bool>) -> Tally {
    let mut tally = Tally::default();
    let mut kept = None;
    while !*stopped.borrow() {
        match ask(port, kept.take()).await {
            Ok(connection) => {
                tally.answered += 1;
                kept = connection;
            }
            Err(why) => tally.failed.push(why.to_string()),
        }
        tokio::time::sleep(THINK).await;
    }
    tally
}

/// One request; the connection comes back if the answer lets it be kept.
async fn ask(
    port: u16,
    kept: Option<BufReader<TcpStream>>,
) -> std::io::Result<Option<BufReader<TcpStream>>> {
    let mut connection = match kept {
        Some(connection) => connection,
        None => BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?),
    };
    connection.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if connection.read_line(&mut head).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head
        .split_once("content-length: ")
        .and_then(|(_, rest)| rest.split_once("\r\n").and_then(|(length, _)| length.parse().ok()));
    connection.read_exact(&mut vec![0; length.unwrap_or(0)]).await?;
    if !head.starts_with("http/1.1 200 ") {
        return Err(std::io::Error::other(head));
    }
    Ok((!head.contains("connection: close")).then_some(connection))
}
