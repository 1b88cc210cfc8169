//! Servers that are commands on this machine, each in a process group and, if it is given one, a
//! control group of its own. They outlive the controller.
//!
//! When which was started, asked to stop and found ended stands in a file, a line of JSON each,
//! which also keeps the fence. A command begins only once its line is on disk, so that none runs
//! unbilled. One that ends by itself is off from when that is first seen.

mod console;
mod group;
mod log;

use std::path::PathBuf;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::Deserialize;
use tidegate_core::{Dated, Power, ServerId, Span, Timestamp};

use super::lines::{Lines, Open};
use crate::clock::Clock;
use crate::ports::{Accepted, Ask, Order, PortError, PowerChange, PowerState, Provider};

use console::Progress;
use group::Group;
use log::{Event, Line};

/// The servers of a group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessConfig {
    /// The file of what was started and stopped.
    pub log: PathBuf,
    /// The commands, the primary's first.
    pub servers: Vec<ProcessServer>,
    /// How long a server has after SIGTERM until it is killed.
    pub grace: Span,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessServer {
    /// A program and its arguments; no shell reads them.
    pub command: Vec<String>,
    /// A control group of version 2 that is there and has no process: what leaves the process group
    /// is killed with it.
    pub cgroup: Option<PathBuf>,
    /// The management console of a user-mode Linux machine, which the command then is. It is on
    /// once its first process has taken the power button, which is pressed in place of SIGTERM.
    pub console: Option<PathBuf>,
}

struct Inner {
    config: ProcessConfig,
    log: Lines<Line>,
    clock: Arc<dyn Clock>,
    /// Those that this process has to reap.
    children: Mutex<Vec<Child>>,
}

/// Commands of this machine as the machines of one group.
#[derive(Clone)]
pub struct Processes(Arc<Inner>);

impl std::fmt::Debug for Processes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processes").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Processes {
    /// Starts nothing yet.
    pub fn new(config: ProcessConfig, clock: Arc<dyn Clock>) -> Self {
        let log = log::at(config.log.clone());
        Self(Arc::new(Inner { config, log, clock, children: Mutex::default() }))
    }

    /// Works on the file, with no one else at it, on a thread that may wait for that.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.unwrap_or_else(|_| Err(PortError::refused("the work on the processes broke off")))
    }

    /// Kills a server that was asked to stop and has not, once its grace is over.
    fn kill_after(&self, server: ServerId, since: Timestamp) {
        let processes = self.clone();
        let end = self.0.clock.sleep_until(since + self.0.config.grace);
        tokio::spawn(async move {
            end.await;
            // A failure shows in the state: the server goes on, and the core asks again.
            let _ = processes.with(move |inner| inner.kill(server, since)).await;
        });
    }
}

impl Inner {
    fn server(&self, server: ServerId) -> Result<&ProcessServer, PortError> {
        let own = self.config.servers.get(server.index());
        own.ok_or_else(|| PortError::refused(format!("no command is configured for {server}")))
    }

    /// Ends a server by its power button, if it has one. What boots has nothing to lose yet, and
    /// what does not answer is killed after the grace.
    fn end(own: &ProcessServer, group: Group) {
        match own.console.as_deref().map(|console| (console, console::progress(console))) {
            None => group.terminate(),
            // One that freezes just now does not answer either.
            Some((console, Ok(Progress::Up))) => drop(console::shut_down(console)),
            Some((_, Ok(Progress::Boots))) => group.kill(own.cgroup.as_deref()),
            Some((_, Err(_))) => {}
        }
    }

    /// Whether a server whose command runs is not up: it has not booted yet, or is frozen.
    fn boots(&self, server: ServerId) -> bool {
        let own = self.config.servers.get(server.index());
        let console = own.and_then(|own| own.console.as_deref());
        console.is_some_and(|console| !matches!(console::progress(console), Ok(Progress::Up)))
    }

    fn reap(&self) {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }

    /// Those that ended by themselves get their line in the file.
    fn note_ended(&self, log: &mut Open<Line>) -> Result<(), PortError> {
        self.reap();
        for id in 0..self.config.servers.len() {
            let server = ServerId(id as u16);
            let Some(last) = log.last(server) else { continue };
            if last.event != Event::Off && !last.group.is_running() {
                let at = self.clock.now();
                log.append(Line { event: Event::Off, at, ..last })?;
            }
        }
        Ok(())
    }

    fn on(&self, order: &Order) -> Result<(), PortError> {
        let own = self.server(order.server)?;
        let mut log = self.log.open()?;
        self.note_ended(&mut log)?;
        log.enter(order)?;
        if log.last(order.server).is_some_and(|last| last.event != Event::Off) {
            return Ok(());
        }
        let mut held = group::hold(own)
            .map_err(|why| PortError::refused(format!("run `{}`: {why}", own.command.join(" "))))?;
        let at = self.clock.now();
        let group = Group::of(&held);
        let generation = order.generation;
        log.append(Line { server: order.server, event: Event::On, at, generation, group })?;
        let begun = group::begin(&mut held);
        self.children.lock().unwrap_or_else(PoisonError::into_inner).push(held);
        begun.map_err(|why| PortError::refused(format!("it ended at once: {why}")))
    }

    /// Since when it is to stop, if it has not.
    fn off(&self, order: &Order) -> Result<Option<Timestamp>, PortError> {
        let own = self.server(order.server)?;
        let mut log = self.log.open()?;
        self.note_ended(&mut log)?;
        log.enter(order)?;
        let Some(last) = log.last(order.server) else { return Ok(None) };
        match last.event {
            Event::Off => Ok(None),
            Event::Stopping => Ok(Some(last.at)),
            Event::On => {
                let (at, generation) = (self.clock.now(), order.generation);
                log.append(Line { event: Event::Stopping, at, generation, ..last })?;
                Self::end(own, last.group);
                Ok(Some(at))
            }
        }
    }

    fn kill(&self, server: ServerId, since: Timestamp) -> Result<(), PortError> {
        let mut log = self.log.open()?;
        self.note_ended(&mut log)?;
        let Some(last) = log.last(server) else { return Ok(()) };
        if last.event == Event::Stopping && last.at == since {
            last.group.kill(self.server(server)?.cgroup.as_deref());
        }
        Ok(())
    }
}

#[async_trait]
impl Provider for Processes {
    async fn power(&self, ask: Ask) -> Result<Vec<PowerState>, PortError> {
        self.with(move |inner| {
            let mut log = inner.log.open()?;
            inner.note_ended(&mut log)?;
            let state = |id: usize| {
                let server = ServerId(id as u16);
                let power = match log.last(server).map(|last| last.event) {
                    Some(Event::On) if inner.boots(server) => Power::Booting,
                    Some(Event::On) => Power::On,
                    Some(Event::Stopping) => Power::Stopping,
                    Some(Event::Off) | None => Power::Off,
                };
                PowerState { server, power: Dated::new(power, ask.now) }
            };
            Ok((0..inner.config.servers.len()).map(state).collect())
        })
        .await
    }

    async fn power_on(&self, order: Order) -> Result<Accepted, PortError> {
        self.with(move |inner| {
            inner.on(&order)?;
            Ok(if inner.boots(order.server) { Accepted::Underway } else { Accepted::Done })
        })
        .await
    }

    async fn power_off(&self, order: Order) -> Result<Accepted, PortError> {
        match self.with(move |inner| inner.off(&order)).await? {
            None => Ok(Accepted::Done),
            Some(since) => {
                self.kill_after(order.server, since);
                Ok(Accepted::Underway)
            }
        }
    }

    async fn changes(&self, since: Timestamp, _: Ask) -> Result<Vec<PowerChange>, PortError> {
        self.with(move |inner| {
            let mut log = inner.log.open()?;
            inner.note_ended(&mut log)?;
            let lines = log.lines().iter().copied();
            let lines = lines.filter(|line| line.at >= since && line.event != Event::Stopping);
            let change = |Line { server, event, at, .. }: Line| PowerChange {
                server,
                on: event == Event::On,
                at,
            };
            Ok(lines.map(change).collect())
        })
        .await
    }
}
