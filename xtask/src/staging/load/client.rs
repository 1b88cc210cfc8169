//! Requests over connections that are kept, each sent once.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tidegate_core::{ServerId, Timestamp};
use tokio::net::TcpStream;

use super::plan::{Cost, Planned};
use crate::staging::host::{CORE, Host};

const PORT: u16 = 80;
/// Longer than the proxy waits for a server, so that its answer comes first.
const TIMEOUT: Duration = Duration::from_secs(45);
/// Shorter than the proxy keeps an idle connection: one that it closes in the moment in which a
/// request is sent would be a failure of the client's own making.
const KEPT: Duration = Duration::from_secs(5);

/// The wall clock, which never goes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    began: Instant,
    at: i64,
}

impl Clock {
    pub fn start() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { began: Instant::now(), at: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX) }
    }

    pub fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.began.elapsed().as_nanos()).unwrap_or(i64::MAX);
        Timestamp::from_nanos(self.at.saturating_add(passed))
    }
}

/// Why a request failed, as the client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// No connection to the proxy.
    Connect(String),
    /// The connection ended before the answer did.
    Reset(String),
    /// No answer in time.
    TimedOut,
    /// An answer that is an error.
    Status(u16),
}

/// What became of a request.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub planned: Planned,
    pub sent: Timestamp,
    /// When that was known.
    pub answered: Timestamp,
    /// Where the proxy says that it was.
    pub server: Option<ServerId>,
    pub result: Result<(), Broken>,
}

struct Kept {
    sender: SendRequest<Empty<Bytes>>,
    since: Instant,
}

pub(super) struct Client {
    clock: Clock,
    kept: Mutex<Vec<Kept>>,
}

impl Client {
    pub fn new(clock: Clock) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    /// Sends a request and waits for its end.
    pub async fn send(&self, planned: Planned) -> Ended {
        let sent = self.clock.now();
        let answer = tokio::time::timeout(TIMEOUT, self.exchange(&planned)).await;
        let (server, result) = match answer {
            Ok(Ok((server, StatusCode::OK))) => (server, Ok(())),
            Ok(Ok((server, status))) => (server, Err(Broken::Status(status.as_u16()))),
            Ok(Err(why)) => (None, Err(why)),
            Err(_) => (None, Err(Broken::TimedOut)),
        };
        Ended { planned, sent, answered: self.clock.now(), server, result }
    }

    async fn exchange(&self, planned: &Planned) -> Result<(Option<ServerId>, StatusCode), Broken> {
        let reset = |why: hyper::Error| Broken::Reset(why.to_string());
        let (method, path) = line(planned);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", Host::Proxy.address())
            .header("x-request", planned.number)
            .body(Empty::<Bytes>::new())
            .map_err(|why| Broken::Connect(why.to_string()))?;
        let mut sender = match self.take() {
            Some(kept) => kept,
            None => connect().await?,
        };
        let answer = sender.send_request(request).await.map_err(reset)?;
        let status = answer.status();
        let server = answer.headers().get("x-routed-to").and_then(|name| name.to_str().ok());
        let server = server.and_then(Host::server);
        answer.into_body().collect().await.map_err(reset)?;
        let kept = Kept { sender, since: Instant::now() };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        Ok((server, status))
    }

    fn take(&self) -> Option<SendRequest<Empty<Bytes>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.since.elapsed() < KEPT && one.sender.is_ready());
        kept.pop().map(|one| one.sender)
    }
}

async fn connect() -> Result<SendRequest<Empty<Bytes>>, Broken> {
    let stream = TcpStream::connect((Host::Proxy.address(), PORT)).await;
    let stream = stream.map_err(|why| Broken::Connect(why.to_string()))?;
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|why| Broken::Connect(why.to_string()))?;
    // What ends the connection is told to the request that is on it.
    tokio::spawn(connection);
    Ok(sender)
}

/// The method and path of a request.
fn line(planned: &Planned) -> (Method, String) {
    let (cpu, wait) = milliseconds(planned.cost);
    match planned.job {
        None => (Method::GET, format!("/work?cpu={cpu}&wait={wait}")),
        Some((id, job)) => {
            let (job_cpu, job_wait) = milliseconds(job);
            let job = format!("id={id}&jobcpu={job_cpu}&jobwait={job_wait}");
            (Method::POST, format!("/enqueue?{job}&cpu={cpu}&wait={wait}"))
        }
    }
}

/// On a core of this machine, and of waiting.
fn milliseconds(cost: Cost) -> (f64, f64) {
    (cost.cpu.as_secs_f64() * 1e3 * CORE, cost.wait.as_secs_f64() * 1e3)
}
