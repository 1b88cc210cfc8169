//! The web workers of a bench on one server: idle, at work, or being replaced.

use std::collections::VecDeque;

use tidegate_core::fact::FactSink;

use crate::chance::Uniforms;
use crate::model::{Memory, Model};

use super::{Event, World};

/// A web worker's age.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worker {
    /// Requests that it has answered since it was started.
    pub answered: u32,
    /// Requests after which it is replaced; zero for never.
    pub limit: u32,
}

/// The web workers of one bench on one server.
#[derive(Debug)]
pub(super) struct Pool {
    /// Workers that have nothing to do.
    pub idle: Vec<u32>,
    pub workers: Vec<Worker>,
    /// Connections that wait for a worker.
    pub accept_queue: VecDeque<u32>,
}

impl Pool {
    pub fn new(workers: u32, limits: &mut Limits) -> Self {
        Self {
            idle: (0..workers).rev().collect(),
            workers: (0..workers).map(|_| limits.fresh()).collect(),
            accept_queue: VecDeque::new(),
        }
    }
}

/// After how many requests the workers of one server are replaced.
#[derive(Debug)]
pub(super) struct Limits {
    requests: u32,
    jitter: u32,
    draws: Option<Uniforms>,
}

impl Limits {
    pub fn new(model: &Model, server: usize) -> Self {
        let Memory { max_requests: requests, max_requests_jitter: jitter, .. } = model.memory;
        let stream = || Uniforms::new(model.seed, &format!("worker/limit/{server}"));
        Self { requests, jitter, draws: (jitter > 0).then(stream) }
    }

    /// A worker that has just been started.
    pub fn fresh(&mut self) -> Worker {
        let more = self
            .draws
            .as_mut()
            .map_or(0, |draws| ((1.0 - draws.draw()) * (f64::from(self.jitter) + 1.0)) as u32);
        Worker { answered: 0, limit: self.requests.saturating_add(more) }
    }
}

/// A worker that starts. All take equally long, so they are ready in the order in which they began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Restart {
    server: usize,
    bench: usize,
    worker: u32,
    /// Which processes of the server it belongs to.
    epoch: u32,
}

impl<S: FactSink> World<S> {
    /// A worker has answered: it waits for the next request, or is replaced when its time has come.
    #[expect(clippy::inline_always, reason = "each request of each scenario comes through here")]
    #[inline(always)]
    pub(super) fn release(&mut self, server: usize, bench: usize, worker: u32) {
        let target = &mut self.servers[server];
        target.open -= 1;
        if target.grow(bench, worker) {
            self.replace(server, bench, worker);
        } else {
            target.pools[bench].idle.push(worker);
        }
        if self.servers[server].is_out_of_memory() {
            self.out_of_memory(server);
        }
    }

    /// A fresh worker takes the place of this one.
    pub(super) fn replace(&mut self, server: usize, bench: usize, worker: u32) {
        let target = &mut self.servers[server];
        target.renew(bench, worker);
        let restart = self.model.memory.restart;
        if restart.is_zero() {
            return target.pools[bench].idle.push(worker);
        }
        self.restarts.push_back(Restart { server, bench, worker, epoch: target.epoch });
        self.at(self.now + restart.as_nanos().cast_unsigned(), Event::WorkerStarted, 0);
    }

    pub(super) fn worker_started(&mut self) {
        let Some(Restart { server, bench, worker, epoch }) = self.restarts.pop_front() else {
            return;
        };
        if self.servers[server].epoch == epoch {
            self.servers[server].pools[bench].idle.push(worker);
            self.serve_queue(server, bench);
        }
    }

    /// An idle worker takes up the connection that has waited longest.
    pub(super) fn serve_queue(&mut self, server: usize, bench: usize) {
        let pool = &mut self.servers[server].pools[bench];
        if let Some(&worker) = pool.idle.last()
            && let Some(next) = pool.accept_queue.pop_front()
        {
            pool.idle.pop();
            self.take_up(next, worker);
        }
    }
}
