//! Connections from the proxy to the servers: opened, used, kept and closed.

use std::collections::VecDeque;

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{RequestId, ServerId};

use crate::model::{Connections as Config, Model};
use crate::slab::{Kind, NONE};

use super::{Event, World};

/// In place of a worker: the proxy opens a connection for the request.
pub(super) const CONNECTING: u32 = NONE - 1;

/// Idle connections to each server, with the time since which they are, the oldest first.
#[derive(Debug)]
pub(super) struct Connections {
    config: Config,
    idle: Vec<VecDeque<u64>>,
}

impl Connections {
    pub fn new(model: &Model) -> Option<Self> {
        let config = model.proxy.connections?;
        Some(Self { config, idle: vec![VecDeque::new(); model.servers.len()] })
    }

    /// Takes the connection that was used last, if one is open.
    fn take(&mut self, now: u64, server: usize) -> bool {
        let timeout = self.config.timeout.as_nanos().cast_unsigned();
        let idle = &mut self.idle[server];
        while idle.front().is_some_and(|since| since.saturating_add(timeout) <= now) {
            idle.pop_front();
        }
        idle.pop_back().is_some()
    }

    /// A connection has nothing to do. Of too many, the one that was used longest ago is closed.
    #[inline(never)]
    pub fn keep(&mut self, now: u64, server: usize) {
        self.idle[server].push_back(now);
        if self.idle[server].len() > self.config.keep_alive as usize {
            self.idle[server].pop_front();
        }
    }

    /// A server's processes end, and its connections with them.
    pub fn close_all(&mut self, server: ServerId) {
        self.idle[server.index()].clear();
    }
}

impl<S: FactSink> World<S> {
    /// Whether a connection has to be opened for a request first. If so, it goes on when that is.
    #[inline(never)]
    pub(super) fn must_connect(&mut self, slot: u32, server: usize) -> bool {
        let now = self.now;
        let Some(connections) = &mut self.connections else { return false };
        if connections.take(now, server) {
            return false;
        }
        let open = now + connections.config.connect.as_nanos().cast_unsigned();
        self.tasks.get_mut(slot).worker = CONNECTING;
        self.servers[server].open += 1;
        self.at(open, Event::Connected, slot);
        true
    }

    /// A connection is open: its request goes on, unless its client or the server has gone.
    #[inline(never)]
    pub(super) fn connected(&mut self, slot: u32) {
        let task = *self.tasks.get(slot);
        if task.server == u16::MAX {
            return self.tasks.remove(slot);
        }
        let server = usize::from(task.server);
        self.servers[server].open -= 1;
        self.tasks.get_mut(slot).worker = NONE;
        if task.kind == Kind::Abandoned {
            let (request, server) = (RequestId(task.id), ServerId(task.server));
            self.tell(Fact::RequestAbandoned { request, server });
            self.tasks.remove(slot);
            self.serve_backlog();
        } else if let Err(cause) = self.accept(slot, server) {
            self.try_others(slot, cause);
            self.serve_backlog();
        }
    }
}
