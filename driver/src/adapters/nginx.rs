//! nginx, by a file of `server` lines that is this adapter's own, and by its reload.
//!
//! A server's line says its `weight` and whether it is `down`, as a standby's is. The file is
//! replaced as a whole, nginx checks it (`nginx -t`), and only then it is reloaded; what it does
//! not take is put back. nginx reads the file when it starts, so a restart forgets nothing.
//!
//! - A reload returns before it has an effect. An order is done once other workers serve and none
//!   from before takes anything new, which the kernel's list of processes tells. Until then what
//!   was in force lies beside the file, so that a host that was killed meanwhile, or another one,
//!   knows what is not certain; the order that comes again makes it so.
//! - nginx does not say how many requests a server has. A drained one has none once no worker of a
//!   former configuration is left, and until then that is unknown. Such workers stay for as long as
//!   any request that they have, to whichever server: a `WebSocket` too.
//! - It has no checks of its own that could be asked, and no slow start.
//! - Requests are counted from an access log of their own, where there is one.
//! - The fence of the last order about a server stands behind its line.

mod change;
mod conf;
mod examine;
mod files;
mod traffic;
mod upstream;
mod workers;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::Deserialize;
use tidegate_core::{Dated, ServerId, Span};

use crate::clock::Clock;
use crate::fence::Fence;
use crate::ports::{Ask, Order, PortError, Proxy, Routing};

use files::{Before, Files};
use traffic::AccessLog;
use upstream::{Line, Upstream};
use workers::Workers;

/// Which servers of which nginx.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NginxConfig {
    /// The file of the upstream's `server` lines. Nobody else may change it while a host is at
    /// work.
    pub file: PathBuf,
    /// The upstream that includes it.
    pub upstream: String,
    /// The servers' addresses as they stand in the file, the primary's first.
    pub servers: Vec<String>,
    /// Where nginx writes the number of its master process.
    #[serde(default = "pid")]
    pub pid: PathBuf,
    /// The command that checks nginx's configuration.
    #[serde(default = "test")]
    pub test: Vec<String>,
    /// The command that reloads it.
    #[serde(default = "reload")]
    pub reload: Vec<String>,
    /// The command that prints all of nginx's configuration, for the doctor alone.
    #[serde(default = "dump")]
    pub dump: Vec<String>,
    /// The access log that requests are counted from. Without it they are not.
    pub access_log: Option<PathBuf>,
}

fn pid() -> PathBuf {
    "/run/nginx.pid".into()
}

fn command(argument: &[&str]) -> Vec<String> {
    ["nginx"].iter().chain(argument).copied().map(str::to_owned).collect()
}

fn test() -> Vec<String> {
    command(&["-t"])
}

fn reload() -> Vec<String> {
    command(&["-s", "reload"])
}

fn dump() -> Vec<String> {
    command(&["-T"])
}

/// An address that cannot stand on a line of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one server's address in nginx: it is one word, without `;{{}}#` or quotes")]
pub struct BadAddress(String);

/// nginx, for one group.
pub struct Nginx {
    config: NginxConfig,
    files: Files,
    clock: Arc<dyn Clock>,
    fence: Fence,
    /// One change at a time: a reload that overtakes another says nothing of when it is in force.
    turn: tokio::sync::Mutex<()>,
    access_log: Option<Mutex<AccessLog>>,
}

impl std::fmt::Debug for Nginx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nginx").field("config", &self.config).finish_non_exhaustive()
    }
}

/// What is known to be in force.
enum InForce {
    Known(Upstream),
    /// A change was begun, and nobody saw its end.
    Uncertain,
}

impl Nginx {
    /// Looks at nothing yet.
    ///
    /// # Errors
    /// An address that is none, or stands there twice.
    pub fn new(config: NginxConfig, clock: Arc<dyn Clock>) -> Result<Self, BadAddress> {
        let fits = |letter: char| !letter.is_whitespace() && !";{}#\"'\\".contains(letter);
        for (index, address) in config.servers.iter().enumerate() {
            let is_word = !address.is_empty() && address.chars().all(fits);
            if !is_word || config.servers[..index].contains(address) {
                return Err(BadAddress(address.clone()));
            }
        }
        let files = Files::new(config.file.clone());
        let log = config.access_log.clone();
        let log = log.map(|path| Mutex::new(AccessLog::new(path, &config.servers)));
        let (fence, turn) = (Fence::default(), tokio::sync::Mutex::default());
        Ok(Self { config, files, clock, fence, turn, access_log: log })
    }

    /// What nginx works by, by what lies on disk and who works.
    fn in_force(file: Upstream, before: Option<Before>, workers: &Workers) -> InForce {
        match before {
            None => InForce::Known(file),
            // A worker that began later may have either.
            Some(Before { workers: had, upstream })
                if !workers.serving.is_empty() && workers.serving.is_subset(&had) =>
            {
                InForce::Known(upstream)
            }
            Some(_) => InForce::Uncertain,
        }
    }
}

#[async_trait]
impl Proxy for Nginx {
    async fn state(&self, ask: Ask) -> Result<Vec<Routing>, PortError> {
        // In this order, so that a change which begins meanwhile is not taken to be in force.
        let (file, before) = (self.files.read()?, self.files.before()?);
        let workers = Workers::look(&self.config.pid)?;
        let mut log =
            self.access_log.as_ref().map(|log| log.lock().unwrap_or_else(PoisonError::into_inner));
        let counted = log.as_mut().and_then(|log| log.look().ok());
        let in_force = Self::in_force(file, before, &workers);
        let state = |(server, address): (u16, &String)| {
            let server = ServerId(server);
            let routed = match &in_force {
                // One without a line of its own is not known to nginx.
                InForce::Known(upstream) => Some(!upstream.line(address).ok()?.down),
                InForce::Uncertain => None,
            };
            let is_idle = routed == Some(false) && !workers.some_leave;
            Some(Routing {
                server,
                routed: routed.map(|routed| Dated::new(routed, ask.now)),
                in_flight: is_idle.then(|| Dated::new(0, ask.now)),
                counted: counted.as_ref().and_then(|counted| counted(server)),
            })
        };
        Ok((0..).zip(&self.config.servers).filter_map(state).collect())
    }

    async fn join(&self, order: Order, weight: u16, slow_start: Span) -> Result<(), PortError> {
        if weight == 0 {
            return Err(PortError::refused("the weight is 0; nginx takes 1 or more"));
        }
        if !slow_start.is_zero() {
            return Err(PortError::refused(format!(
                "the slow start is {slow_start}, and nginx has none: let the policy's be 0s"
            )));
        }
        let weight = u32::from(weight);
        self.change(&order, |line| Line { weight, down: false, ..line }).await
    }

    async fn drain(&self, order: Order) -> Result<(), PortError> {
        self.change(&order, |line| Line { down: true, ..line }).await
    }
}
