//! Background jobs that requests enqueue, as flows.

use super::means::Means;
use crate::model::Queue;

/// Job workers of one server that take jobs, by the queue that they prefer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workers {
    /// Their numbers.
    pub counts: [f64; 3],
    /// Whether they take new jobs.
    pub take: bool,
    /// By what their work is slower for the load of the cores.
    pub slowdown: f64,
}

/// One kind of job.
#[derive(Clone, Debug)]
struct Kind {
    queue: usize,
    means: Means,
    /// Waiting in the queue.
    waiting: f64,
    /// Running, by server.
    running: Vec<f64>,
}

/// All kinds of jobs of a group.
#[derive(Clone, Debug)]
pub(crate) struct JobFlows {
    kinds: Vec<Kind>,
    /// Put into a queue so far.
    pub enqueued: f64,
    /// Taken up so far, by server.
    pub started: Vec<f64>,
    offered: [f64; 3],
    /// Workers that a kind may have, by server; kept for its memory alone.
    room: Vec<f64>,
}

impl Kind {
    /// How long one takes where work on the cores is so much slower.
    fn time(&self, slowdown: f64) -> f64 {
        (self.means.alone() + self.means.cpu * (slowdown - 1.0)).max(1e-6)
    }
}

impl JobFlows {
    /// No job yet; a kind is its queue and its mean demands.
    pub fn new(kinds: impl Iterator<Item = (Queue, Means)>, servers: usize) -> Self {
        let kind = |(queue, means): (Queue, Means)| Kind {
            queue: match queue {
                Queue::Short => 0,
                Queue::Default => 1,
                Queue::Long => 2,
            },
            means,
            waiting: 0.0,
            running: vec![0.0; servers],
        };
        Self {
            kinds: kinds.map(kind).collect(),
            enqueued: 0.0,
            started: vec![0.0; servers],
            offered: [0.0; 3],
            room: vec![0.0; servers],
        }
    }

    /// So many jobs of a kind are put into its queue.
    pub fn enqueue(&mut self, kind: usize, jobs: f64) {
        self.kinds[kind].waiting += jobs;
        self.enqueued += jobs;
    }

    /// Jobs that run on a server.
    pub fn running(&self, server: usize) -> f64 {
        self.kinds.iter().map(|kind| kind.running[server]).sum()
    }

    /// Cores of a server that jobs keep busy.
    pub fn cores(&self, server: usize, slowdown: f64) -> f64 {
        let busy = |kind: &Kind| kind.running[server] * kind.means.cpu / kind.time(slowdown);
        self.kinds.iter().map(busy).sum()
    }

    /// Work a second that jobs gave to the shared stations in the last step.
    pub const fn stations(&self) -> [f64; 3] {
        self.offered
    }

    /// All jobs of a server are gone.
    pub fn kill(&mut self, server: usize) {
        self.kinds.iter_mut().for_each(|kind| kind.running[server] = 0.0);
    }

    /// Goes `length` seconds on.
    pub fn step(&mut self, length: f64, servers: &[Workers]) {
        self.offered = [0.0; 3];
        for index in 0..self.kinds.len() {
            if self.kinds[index].waiting <= 0.0
                && self.kinds[index].running.iter().all(|&n| n <= 0.0)
            {
                continue;
            }
            for (server, workers) in servers.iter().enumerate() {
                self.room[server] = self.room_for(index, server, workers);
            }
            self.advance(index, length, servers);
        }
    }

    /// Workers of a server that jobs of a kind may have, those that they have included. Jobs take
    /// the workers that prefer them first.
    fn room_for(&self, kind: usize, server: usize, workers: &Workers) -> f64 {
        if !workers.take {
            return 0.0;
        }
        let mut free = workers.counts;
        for (index, other) in self.kinds.iter().enumerate() {
            let mut left = if index == kind { 0.0 } else { other.running[server] };
            for free in &mut free[other.queue..] {
                let taken = left.min(*free);
                (*free, left) = (*free - taken, left - taken);
            }
        }
        free[self.kinds[kind].queue..].iter().sum()
    }

    /// With w workers, n' = n + h (λ − min(n', w) ÷ T). Servers that take jobs take turns.
    fn advance(&mut self, index: usize, length: f64, servers: &[Workers]) {
        let room = &self.room;
        let kind = &mut self.kinds[index];
        let taking = servers.iter().filter(|server| server.take).count();
        let arriving = kind.waiting;
        for (server, workers) in servers.iter().enumerate() {
            let time = kind.time(workers.slowdown);
            let share = if workers.take { arriving / taking as f64 } else { 0.0 };
            let all = kind.running[server] + share;
            let stays = all / (1.0 + length / time);
            let (running, queued) = if workers.take && stays > room[server] {
                let left = (all - room[server] * length / time).max(room[server]);
                (room[server], left - room[server])
            } else {
                (stays, 0.0)
            };
            let done = (all - running - queued).max(0.0) / length;
            let given = kind.means.stations.map(|work| work * done);
            self.offered = [0, 1, 2].map(|station| self.offered[station] + given[station]);
            self.started[server] += share - queued;
            kind.running[server] = running;
            if workers.take {
                kind.waiting += queued - share;
            }
        }
        kind.waiting = kind.waiting.max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(cpu: f64, wait: f64) -> Means {
        Means { cpu, wait, ..Means::default() }
    }

    fn workers(take: bool) -> Workers {
        Workers { counts: [2.0, 2.0, 2.0], take, slowdown: 1.0 }
    }

    #[test]
    fn few_jobs_run_at_once_as_many_as_their_time_holds() {
        let mut jobs = JobFlows::new([(Queue::Short, means(0.5, 0.5))].into_iter(), 2);
        for _ in 0..600 {
            jobs.enqueue(0, 0.2);
            jobs.step(0.1, &[workers(true), workers(true)]);
        }
        // Two a second, a second each.
        let running = jobs.running(0) + jobs.running(1);
        assert!((running - 2.0).abs() < 0.2 && jobs.kinds[0].waiting < 0.01, "{running}");
        assert!((jobs.cores(0, 1.0) - 0.5).abs() < 0.05);
    }

    #[test]
    fn long_jobs_get_their_own_workers_alone_and_the_rest_waits() {
        let mut jobs = JobFlows::new([(Queue::Long, means(0.0, 10.0))].into_iter(), 1);
        jobs.enqueue(0, 12.0);
        jobs.step(1.0, &[workers(true)]);
        assert!((jobs.running(0) - 2.0).abs() < 1e-9);
        assert!((jobs.kinds[0].waiting - 9.8).abs() < 1e-9, "{}", jobs.kinds[0].waiting);
    }

    #[test]
    fn a_server_that_takes_no_more_jobs_finishes_those_that_it_has() {
        let mut jobs = JobFlows::new([(Queue::Short, means(0.0, 1.0))].into_iter(), 1);
        jobs.enqueue(0, 2.0);
        jobs.step(0.1, &[workers(true)]);
        let started = jobs.started[0];
        for _ in 0..100 {
            jobs.step(0.1, &[workers(false)]);
        }
        assert!(jobs.running(0) < 1e-3 && (jobs.started[0] - started).abs() < 1e-12);
    }
}
