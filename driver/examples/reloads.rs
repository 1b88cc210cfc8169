//! Counts the requests that fail while nginx is reloaded for joins and drains, where clients keep
//! their connections and where they are not let: `cargo run -p tidegate-driver --example reloads --
//! [CHANGES] [CLIENTS]`. It needs nginx.
#![expect(clippy::print_stdout, reason = "figures are for whoever started it")]

#[path = "../tests/contract/proxy/clients.rs"]
mod clients;

use std::error::Error;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tidegate_core::{CommandId, Generation, ServerId, Span};
use tidegate_driver::adapters::nginx::{Nginx, NginxConfig};
use tidegate_driver::clock::{Clock, SystemClock};
use tidegate_driver::ports::{Order, Proxy};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use clients::Clients;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// Between two changes.
const REST: Duration = Duration::from_millis(500);

type Failure = Box<dyn Error>;

/// All processes of an nginx, which end with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.0.id().cast_signed()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let changes = arguments.next().transpose()?.unwrap_or(20);
    let clients = arguments.next().transpose()?.unwrap_or(16) as usize;
    let folder = std::env::temp_dir().join(format!("tidegate-reloads-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = compare(&folder, changes, clients).await;
    std::fs::remove_dir_all(&folder)?;
    result
}

async fn compare(folder: &Path, changes: u64, clients: usize) -> Result<(), Failure> {
    println!("{changes} changes, {clients} clients, {} s between changes", REST.as_secs_f64());
    for kept in ["keepalive_timeout 75s", "keepalive_timeout 0"] {
        measure(folder, kept, changes, clients).await?;
    }
    Ok(())
}

async fn measure(folder: &Path, kept: &str, changes: u64, clients: usize) -> Result<(), Failure> {
    let servers = [serve().await?, serve().await?];
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let (_nginx, config) = started(folder, kept, port, servers).await?;
    let proxy = Nginx::new(config, Arc::new(SystemClock))?;
    let (clients, begun) = (Clients::start(port, clients), SystemClock.now());
    for number in 1..=changes {
        tokio::time::sleep(REST).await;
        let deadline = SystemClock.now() + Span::from_secs(60);
        let (id, generation) = (CommandId(number), Generation(number));
        let order = Order { id, server: ServerId(1), generation, deadline };
        if number % 2 == 1 {
            proxy.join(order, 100, Span::ZERO).await?;
        } else {
            proxy.drain(order).await?;
        }
    }
    tokio::time::sleep(REST).await;
    let (tally, seconds) = (clients.stop().await, SystemClock.now().since(begun).as_secs_f64());
    let (failed, all) = (tally.failed.len(), tally.answered + tally.failed.len() as u64);
    println!("{kept}: {failed} of {all} requests failed, in {seconds:.1} s");
    let mut whys = tally.failed;
    whys.sort();
    for same in whys.chunk_by(|one, other| one == other) {
        println!("  {} times: {}", same.len(), same[0]);
    }
    Ok(())
}

/// A server that answers at once; its port.
async fn serve() -> Result<u16, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    Ok(port)
}

async fn answer(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
    }
    stream.write_all(ANSWER).await
}

async fn answers(port: u16) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await
    };
    asked.await.is_ok_and(|length| length > 0)
}

/// An nginx in the folder, and how it is reached.
async fn started(
    folder: &Path,
    kept: &str,
    port: u16,
    servers: [u16; 2],
) -> Result<(Running, NginxConfig), Failure> {
    let at = folder.display();
    let [primary, standby] = servers.map(|port| format!("127.0.0.1:{port}"));
    let (file, conf) = (folder.join("app.conf"), folder.join("nginx.conf"));
    std::fs::write(&file, format!("server {primary} weight=100;\nserver {standby} down;\n"))?;
    let text = format!(
        "user root;\npid {at}/nginx.pid;\nerror_log {at}/nginx.log;\nworker_processes 2;\n\
         events {{ worker_connections 512; }}\n\
         http {{ access_log off; {kept}; keepalive_requests 1000000;\n\
         upstream app {{ include {at}/app.conf; }}\n\
         server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://app; }} }} }}\n"
    );
    std::fs::write(&conf, text)?;
    let (conf, log) = (conf.display().to_string(), format!("{at}/nginx.log"));
    let command = |arguments: &[&str]| {
        let own = ["nginx", "-c", &conf, "-e", &log];
        own.iter().chain(arguments).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let run = command(&["-g", "daemon off;"]);
    let nginx = Running(Command::new(&run[0]).args(&run[1..]).process_group(0).spawn()?);
    while !answers(port).await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let config = NginxConfig {
        file,
        upstream: "app".to_owned(),
        servers: vec![primary, standby],
        pid: folder.join("nginx.pid"),
        test: command(&["-t"]),
        reload: command(&["-s", "reload"]),
        dump: command(&["-T"]),
        access_log: None,
    };
    Ok((nginx, config))
}
