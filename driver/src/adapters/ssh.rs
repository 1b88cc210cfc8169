//! Servers whose services are units of systemd, reached by OpenSSH.
//!
//! One connection a server is kept open, so that a look is no handshake. The host's key must be
//! known, and nobody is asked for anything: `ssh` reads no configuration but this.

mod examine;
mod units;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use tidegate_core::{ServerId, Span};

use super::program;
use super::rq::RqConfig;
use super::shared::{SharedConfig, StorageWay};
use crate::clock::Clock;
use crate::ports::{Order, PortError, Services};

pub use units::Unit;

use units::State;

/// The longest name of a folder in which `ssh` can make its sockets, in bytes: their names have 58
/// more, and 108 are all that a socket's may have.
const FOLDER_MAX: usize = 48;
/// Between two questions whether a unit has come up or gone down.
const POLL: Span = Span::from_secs(1);

/// How the servers of a group are reached.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SshConfig {
    /// As whom.
    pub user: String,
    /// Whether that user needs `sudo` for `systemctl`.
    #[serde(default)]
    pub sudo: bool,
    /// The file of the private key, which has no password.
    pub identity: PathBuf,
    /// The file of the servers' own keys. One that does not stand there is not spoken to.
    pub known_hosts: PathBuf,
    /// A folder for the sockets of connections that are kept open, which is made.
    pub sockets: PathBuf,
    /// How long one that nobody uses is kept.
    #[serde(default = "default_persist")]
    pub persist: Span,
    /// Until a server that does not answer cannot be reached.
    #[serde(default = "default_connect_timeout")]
    pub connect_timeout: Span,
    /// The servers, the primary first.
    pub servers: Vec<SshServer>,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SshServer {
    /// Its name or address, as `known_hosts` has it.
    pub host: String,
    /// Its port.
    #[serde(default = "default_port")]
    pub port: u16,
    /// The units that are started once its machine is on, and stopped before it goes off.
    #[serde(default)]
    pub units: Vec<Unit>,
    /// The units of its job workers, which are told to stop without waiting.
    #[serde(default)]
    pub workers: Vec<Unit>,
}

const fn default_persist() -> Span {
    Span::from_mins(1)
}

const fn default_connect_timeout() -> Span {
    Span::from_secs(5)
}

const fn default_port() -> u16 {
    22
}

impl SshConfig {
    /// Whether it can be meant so: the key that is wrong, and what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        let is_a_word = |text: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:%".contains(&byte);
            !text.is_empty() && !text.starts_with('-') && text.bytes().all(fits)
        };
        if !is_a_word(&self.user) {
            return Err(("user", format!("`{}` is no name of a user", self.user)));
        }
        if let Some(bad) = self.servers.iter().find(|own| !is_a_word(&own.host)) {
            return Err(("servers", format!("`{}` is no name or address", bad.host)));
        }
        if self.sockets.as_os_str().len() > FOLDER_MAX {
            let why = format!("a socket there would have too long a name: at most {FOLDER_MAX}");
            return Err(("sockets", why));
        }
        let odd = [&self.identity, &self.known_hosts, &self.sockets];
        let odd = odd.into_iter().find(|path| {
            path.as_os_str().as_encoded_bytes().iter().any(|byte| b" \"%$~\\".contains(byte))
        });
        match odd {
            Some(path) => {
                let why = format!("`{}` has letters that `ssh` reads anew", path.display());
                Err(("sockets", why))
            }
            None => Ok(()),
        }
    }

    /// What a command is put after to be run on a server, which a shell there reads.
    pub fn through(&self, own: &SshServer) -> Vec<String> {
        let seconds = |span: Span| span.as_secs_ceil().max(1);
        let option = |text: String| ["-o".to_owned(), text];
        let options = [
            "BatchMode=yes".to_owned(),
            "StrictHostKeyChecking=yes".to_owned(),
            format!("UserKnownHostsFile={}", self.known_hosts.display()),
            "GlobalKnownHostsFile=none".to_owned(),
            "IdentitiesOnly=yes".to_owned(),
            format!("ConnectTimeout={}", seconds(self.connect_timeout)),
            "ServerAliveInterval=5".to_owned(),
            "ServerAliveCountMax=2".to_owned(),
            "ControlMaster=auto".to_owned(),
            format!("ControlPath={}/%C", self.sockets.display()),
            format!("ControlPersist={}", seconds(self.persist)),
            "LogLevel=ERROR".to_owned(),
        ];
        let mut words = ["ssh", "-T", "-F", "none"].map(str::to_owned).to_vec();
        words.extend(options.into_iter().flat_map(option));
        words.extend(["-i".to_owned(), self.identity.display().to_string()]);
        words.extend(["-p".to_owned(), own.port.to_string()]);
        words.extend(["-l".to_owned(), self.user.clone(), own.host.clone(), "--".to_owned()]);
        words
    }

    /// A command to systemd about units of a server.
    fn systemctl(&self, own: &SshServer, what: &[&str], units: &[Unit]) -> Vec<String> {
        let mut words = self.through(own);
        words.extend(self.sudo.then_some(["sudo", "-n"]).into_iter().flatten().map(str::to_owned));
        words.push("systemctl".to_owned());
        words.extend(what.iter().map(|word| (*word).to_owned()));
        words.push("--".to_owned());
        words.extend(units.iter().map(|unit| unit.name().to_owned()));
        words
    }

    /// The same job workers, told to stop and started here where no command of their own is given.
    pub fn workers(&self, mut rq: RqConfig) -> RqConfig {
        for (own, workers) in self.servers.iter().zip(&mut rq.servers) {
            if own.workers.is_empty() {
                continue;
            }
            let stop = || self.systemctl(own, &["stop", "--no-block"], &own.workers);
            workers.stop.get_or_insert_with(stop);
            workers.start.get_or_insert_with(|| self.systemctl(own, &["start"], &own.workers));
        }
        rq
    }

    /// The same storage, reached here where no way of its own is given.
    pub fn storage(&self, mut shared: SharedConfig) -> SharedConfig {
        for (own, ways) in self.servers.iter().zip(&mut shared.servers) {
            if let StorageWay::There(there) = &mut ways.storage
                && there.through.is_empty()
            {
                there.through = self.through(own);
            }
        }
        shared
    }
}

/// The units of one group's servers.
pub struct Ssh {
    config: SshConfig,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Ssh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ssh").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Why no server can be reached as configured.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// The folder of the sockets.
    #[error("make `{}`, which `ssh.sockets` names: {why}", .path.display())]
    Sockets {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
}

impl Ssh {
    /// Connects to nothing yet; makes the folder of the sockets.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(config: SshConfig, clock: Arc<dyn Clock>) -> Result<Self, SshError> {
        let path = &config.sockets;
        let own = PermissionsExt::from_mode(0o700);
        let made = std::fs::create_dir_all(path);
        let made = made.and_then(|()| std::fs::set_permissions(path, own));
        made.map_err(|why| SshError::Sockets { path: path.clone(), why })?;
        Ok(Self { config, clock })
    }

    fn server(&self, server: ServerId) -> Result<&SshServer, PortError> {
        let own = self.config.servers.get(server.index());
        own.ok_or_else(|| PortError::refused(format!("no way to {server} is configured")))
    }

    /// What systemd says of a server's units.
    async fn states(&self, own: &SshServer) -> Result<Vec<State>, PortError> {
        let mut words = self.config.systemctl(own, &["is-active"], &own.units);
        // It ends badly if one of them is not active, which is no failure here.
        words.extend(["||", "true"].map(str::to_owned));
        units::states(&program::answer(&words, "").await?, &own.units)
    }

    /// Asks until no unit is on its way any more.
    async fn settled(
        &self,
        own: &SshServer,
        order: &Order,
        is_wanted: impl Fn(State) -> bool + Send,
    ) -> Result<(), PortError> {
        loop {
            let states = self.states(own).await?;
            let mut units = own.units.iter().zip(&states);
            let Some((unit, state)) = units.find(|(_, state)| !is_wanted(**state)) else {
                return Ok(());
            };
            let what = format!("`{}` on {} is {}", unit.name(), own.host, state.word());
            if !state.moves() {
                return Err(PortError::refused(what));
            }
            let next = self.clock.now() + POLL;
            if next > order.deadline {
                return Err(PortError::timed_out(what));
            }
            self.clock.sleep_until(next).await;
        }
    }
}

#[async_trait]
impl Services for Ssh {
    async fn start(&self, order: Order) -> Result<(), PortError> {
        let own = self.server(order.server)?;
        if own.units.is_empty() {
            return Ok(());
        }
        program::run(&self.config.systemctl(own, &["start"], &own.units)).await?;
        self.settled(own, &order, State::is_up).await
    }

    async fn stop(&self, order: Order) -> Result<(), PortError> {
        let own = self.server(order.server)?;
        if own.units.is_empty() {
            return Ok(());
        }
        program::run(&self.config.systemctl(own, &["stop"], &own.units)).await?;
        self.settled(own, &order, State::is_down).await
    }
}
