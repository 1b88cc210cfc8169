//! A web server whose answers are as bad as their paths say.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub struct Web {
    address: std::net::SocketAddr,
    _serving: JoinSet<()>,
}

async fn answer(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let is_for_the_site = head.to_ascii_lowercase().contains("\r\nhost: site.test\r\n");
    let (status, body) = match head.split(' ').nth(1) {
        Some("/ping") if is_for_the_site => ("200 OK", "{\"message\": \"pong\"}"),
        Some("/silent") => return std::future::pending().await,
        Some("/other") => ("200 OK", "It works!"),
        Some("/elsewhere") => ("302 Found\r\nLocation: /ping", "pong"),
        _ => ("500 Internal Server Error", "pong"),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).await
}

impl Web {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(answer(stream));
            }
        });
        Self { address, _serving: serving }
    }

    pub fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}
