//! Real software for one test: nothing of it is left when the test ends, however it ends.

pub mod certificates;
pub mod envoy;
pub mod nginx;
pub mod witness;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tidegate_core::{CommandId, Generation, ServerId, Span};
use tidegate_driver::clock::{Clock, SystemClock};
use tidegate_driver::fakes::{FakeGroup, Times};
use tidegate_driver::ports::{Ask, Order};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How long a test waits for what must come, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder that goes away with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tidegate-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program with all that it started, killed at the end.
pub struct Running(Child);

impl Running {
    /// Starts a program of a Debian package.
    ///
    /// # Panics
    /// If it is not installed.
    pub fn start(program: &str, arguments: &[&str], log: &Path) -> Self {
        Self::command(Command::new(program).args(arguments), log)
    }

    pub fn command(command: &mut Command, log: &Path) -> Self {
        let out = fs::File::create(log).unwrap();
        let errors = out.try_clone().unwrap();
        command.stdin(Stdio::null()).stdout(out).stderr(errors).process_group(0);
        let name = command.get_program().to_string_lossy().into_owned();
        let started = command.spawn();
        let child = started.unwrap_or_else(|why| {
            panic!("failed to start `{name}` ({why}): `cargo xtask test` installs it")
        });
        Self(child)
    }

    /// Sends a signal to the program and all that it started.
    pub fn signal(&self, signal: Signal) {
        kill_process_group(Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    /// The number of the program's own process.
    pub fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }

    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.0.id().cast_signed()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

/// Asks until the answer is one, for as long as a test may wait.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let until_it_comes = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let came = tokio::time::timeout(PATIENCE, until_it_comes).await;
    came.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

pub fn ask() -> Ask {
    let now = SystemClock.now();
    Ask { now, deadline: now + Span::from_secs(10) }
}

/// An order to `server` under this fence.
pub fn order(server: ServerId, generation: u64) -> Order {
    let deadline = SystemClock.now() + Span::from_secs(60);
    let id = CommandId(generation);
    Order { id, server, generation: Generation(generation), deadline }
}

/// A fake group with one standby, in which nothing takes long.
pub fn fake() -> Arc<FakeGroup> {
    let at_once = Span::ZERO;
    let times = Times {
        boot: at_once,
        services: at_once,
        requests: at_once,
        jobs: at_once,
        stop: at_once,
        answer: at_once,
    };
    Arc::new(FakeGroup::new(clock(), 1, times))
}

/// Writes the file of a `HAProxy` whose API is at `api` in the folder, in front of a primary and of
/// a standby that is disabled.
pub fn haproxy_file(folder: &Folder, bind: &str, check: &str, servers: [&str; 2]) -> PathBuf {
    let (api, [primary, standby]) = (folder.path("api"), servers);
    folder.write(
        "haproxy.cfg",
        &format!(
            "global\n  stats socket {} mode 600 level admin\n\
             defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  \
             timeout server 60s\n\
             frontend front\n  bind {bind}\n  default_backend app\n\
             backend app\n  option httpchk GET {check}\n  \
             default-server check inter 100ms fall 3 rise 2 weight 100\n  \
             server app0 {primary}\n  server app1 {standby}\n",
            api.display()
        ),
    )
}

/// The body of an answer with status 200, or what came in its place.
pub async fn get(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    path: &str,
) -> Result<String, String> {
    let asked = async {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = asked.await.map_err(|why| why.to_string())?;
    let good = answer.split_once(' ').filter(|(_, rest)| rest.starts_with("200 "));
    let body = good.and_then(|(_, rest)| rest.split_once("\r\n\r\n"));
    body.map(|(_, body)| body.to_owned()).ok_or(answer)
}

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
