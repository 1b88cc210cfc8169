//! From the proxy to a server: chosen, offered, refused, tried elsewhere.

use tidegate_core::fact::{Fact, FactSink, FailureCause};
use tidegate_core::{RequestId, ServerId};

use crate::model::Part;
use crate::slab::{Kind, NONE};

use super::World;

impl<S: FactSink> World<S> {
    #[expect(clippy::inline_always, reason = "each request of each scenario comes through here")]
    #[inline(always)]
    pub(super) fn route(&mut self, slot: u32) {
        if let Some(server) = self.choose_for(self.tasks.get(slot).user) {
            self.send(slot, server);
        } else if !self.servers.iter().any(|server| server.receives && server.standing.passes) {
            self.fail(slot, FailureCause::NoServer);
        } else if self.backlog.len() - self.backlog_dead < self.model.proxy.backlog as usize {
            self.backlog.push_back(slot);
        } else {
            self.fail(slot, FailureCause::QueueFull);
        }
    }

    /// The server that `user` is bound to, or else the one whose turn it is.
    fn choose_for(&mut self, user: u32) -> Option<usize> {
        if user != NONE
            && let Some(bound) = self.bound(user)
            && self.balancer.is_open(&self.servers[bound])
        {
            return Some(bound);
        }
        self.balancer.choose(&self.servers)
    }

    #[expect(clippy::inline_always, reason = "each request of each scenario comes through here")]
    #[inline(always)]
    fn send(&mut self, slot: u32, server: usize) {
        if let Err(cause) = self.offer(slot, server) {
            self.try_others(slot, cause);
        }
    }

    /// Hands a request to a server, over a connection that may have to be opened first.
    #[expect(clippy::inline_always, reason = "each request of each scenario comes through here")]
    #[inline(always)]
    fn offer(&mut self, slot: u32, server: usize) -> Result<(), FailureCause> {
        let task = self.tasks.get_mut(slot);
        task.server = server as u16;
        let request = RequestId(task.id);
        self.tell(Fact::RequestRouted { request, server: ServerId(server as u16) });
        if !self.servers[server].ready {
            return Err(FailureCause::Refused);
        }
        if self.impeded && self.is_cut_off(Part::Proxy, ServerId(server as u16)) {
            return Err(FailureCause::Unreachable);
        }
        if self.connections.is_some() && self.must_connect(slot, server) {
            return Ok(());
        }
        self.accept(slot, server)
    }

    /// A server takes a request up, lets it wait or refuses it.
    #[expect(clippy::inline_always, reason = "each request of each scenario comes through here")]
    #[inline(always)]
    pub(super) fn accept(&mut self, slot: u32, server: usize) -> Result<(), FailureCause> {
        let bench = usize::from(self.tasks.get(slot).bench);
        let target = &mut self.servers[server];
        let pool = &mut target.pools[bench];
        if let Some(worker) = pool.idle.pop() {
            target.open += 1;
            self.take_up(slot, worker);
        } else if pool.accept_queue.len() < self.model.benches[bench].accept_queue as usize {
            pool.accept_queue.push_back(slot);
            target.open += 1;
        } else {
            return Err(FailureCause::QueueFull);
        }
        Ok(())
    }

    /// A server has refused a request: the proxy offers it to others, each once, as far as its
    /// retries go. The last refusal is the answer.
    #[cold]
    pub(super) fn try_others(&mut self, slot: u32, mut cause: FailureCause) {
        let task = *self.tasks.get(slot);
        let (request, mut server) = (RequestId(task.id), usize::from(task.server));
        let idempotent = self.model.requests[usize::from(task.class)].idempotent;
        let retries = if idempotent { self.model.proxy.retries } else { 0 };
        let mut tried = 1u128 << server;
        for _ in 0..retries {
            let Some(next) = self.balancer.choose_other(&self.servers, tried) else { break };
            self.tell(Fact::RequestRedispatched { request, server: ServerId(server as u16) });
            match self.offer(slot, next) {
                Ok(()) => return,
                Err(why) => cause = why,
            }
            server = next;
            tried |= 1 << next;
        }
        self.fail(slot, cause);
    }

    /// Sends what waits in the proxy, as far as servers have connections to spare.
    #[inline]
    pub(super) fn serve_backlog(&mut self) {
        if !self.backlog.is_empty() {
            self.send_backlog();
        }
    }

    #[cold]
    fn send_backlog(&mut self) {
        while let Some(&slot) = self.backlog.front() {
            if self.tasks.get(slot).kind == Kind::Abandoned {
                self.backlog.pop_front();
                self.backlog_dead -= 1;
                self.tasks.remove(slot);
                continue;
            }
            let Some(server) = self.balancer.choose(&self.servers) else { return };
            self.backlog.pop_front();
            self.send(slot, server);
        }
    }
}
