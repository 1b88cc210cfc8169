//! Background jobs: three shared queues, workers on every running server.

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::{Defect, JobId, ServerId};

use crate::model::{FaultKind, Queue};
use crate::slab::{Kind, NONE, Task};

use super::{Event, World};

/// The queues that each kind of worker serves, the one that it prefers first.
const SERVES: [&[usize]; 3] = [&[0], &[1, 0], &[2, 1, 0]];

const fn number(queue: Queue) -> usize {
    match queue {
        Queue::Short => 0,
        Queue::Default => 1,
        Queue::Long => 2,
    }
}

impl<S: FactSink> World<S> {
    /// The job that the request at `slot` enqueues, if it does.
    pub(super) fn enqueues(&mut self, slot: u32, class: u16) -> Option<usize> {
        let (job, _) = self.model.requests[usize::from(class)].enqueues?;
        if self.enqueues_after_sync(class) {
            let last = self.classes[usize::from(class)].phases.len() - 1;
            return (self.tasks.demand(slot, last as u8) > 0).then_some(job);
        }
        self.draw_job(class)
    }

    /// Whether a request of `class` enqueues its job, by chance.
    pub(super) fn draw_job(&mut self, class: u16) -> Option<usize> {
        let (job, share) = self.model.requests[usize::from(class)].enqueues?;
        (self.choose.job.draw() * 1e6 <= f64::from(share.ppm())).then_some(job)
    }

    pub(super) fn cron_job(&mut self, index: usize) {
        let job = self.model.cron_jobs[index];
        self.at(self.now + job.every.as_nanos().cast_unsigned(), Event::CronJob, index as u32);
        for _ in 0..job.count {
            if self.admit_job(job.class) && !self.is_on(FaultKind::RedisFull) {
                self.enqueue(job.class, NONE);
            }
        }
    }

    /// Enqueues a job for a request that `server` has answered, in the Redis that this one knows.
    pub(super) fn enqueue_from(&mut self, server: ServerId, job: usize, by: u32) {
        if server.is_primary() || !self.model.group.defects.has(Defect::RedisPerServer) {
            return self.enqueue(job, by);
        }
        let job = JobId(self.jobs);
        self.jobs += 1;
        self.tell(Fact::JobEnqueued { job });
    }

    /// Enqueues a job for the clock, or for the request whose record at `by` is free and not yet
    /// used anew.
    pub(super) fn enqueue(&mut self, job: usize, by: u32) {
        let id = self.jobs;
        self.jobs += 1;
        self.tell(Fact::JobEnqueued { job: JobId(id) });
        let class = (self.model.requests.len() + job) as u16;
        let file = self.file_of_job(by);
        let slot = self.tasks.insert(Task::new(Kind::Job, class, id, self.now));
        if let Some((files, file)) = self.files.as_mut().zip(file) {
            files.assign(slot, file);
        }
        self.job_stored(slot);
        self.appended();
        self.draw_demands(slot, class);
        let queue = number(self.model.jobs[job].queue);
        match self.idle_worker(queue) {
            Some((server, worker)) => self.start_job(slot, server, worker),
            None => self.queues[queue].push_back(slot),
        }
    }

    /// An idle worker that serves `queue`; the servers take turns.
    fn idle_worker(&mut self, queue: usize) -> Option<(usize, usize)> {
        let count = self.servers.len();
        for offset in 0..count {
            let index = (self.next_job_server + offset) % count;
            let server = &self.servers[index];
            if !server.takes_jobs {
                continue;
            }
            let fits =
                |&kind: &usize| server.idle_job_workers[kind] > 0 && SERVES[kind].contains(&queue);
            if let Some(kind) = (0..SERVES.len()).find(fits) {
                self.next_job_server = (index + 1) % count;
                return Some((index, kind));
            }
        }
        None
    }

    fn start_job(&mut self, slot: u32, server: usize, kind: usize) {
        let target = &mut self.servers[server];
        target.idle_job_workers[kind] -= 1;
        target.jobs += 1;
        let now = self.now;
        let task = self.tasks.get_mut(slot);
        (task.server, task.bench, task.started) = (server as u16, kind as u16, now);
        let job = JobId(task.id);
        self.tell(Fact::JobStarted { job, server: ServerId(server as u16) });
        if self.flows.is_some() {
            self.begin_flow_phase(slot);
        } else {
            self.begin_phase(slot);
        }
    }

    pub(super) fn job_finished(&mut self, slot: u32) {
        let Task { id, server, .. } = *self.tasks.get(slot);
        self.job_ended(slot, Fact::JobCompleted { job: JobId(id), server: ServerId(server) });
    }

    /// A job's worker is free for the next one; `how` the job ended.
    pub(super) fn job_ended(&mut self, slot: u32, how: Fact) {
        let Task { class, server, bench: kind, .. } = *self.tasks.get(slot);
        self.tasks.remove(slot);
        self.job_forgotten(class);
        self.appended();
        self.tell(how);
        self.worker_is_free(usize::from(server), usize::from(kind));
    }

    /// A worker whose job ended otherwise takes the next.
    pub(super) fn worker_is_free(&mut self, server: usize, kind: usize) {
        let target = &mut self.servers[server];
        target.jobs -= 1;
        target.idle_job_workers[kind] += 1;
        if target.takes_jobs {
            self.take_job(server, kind);
        }
    }

    fn take_job(&mut self, server: usize, kind: usize) {
        let waiting = SERVES[kind].iter().find_map(|&queue| self.queues[queue].pop_front());
        if let Some(slot) = waiting {
            self.start_job(slot, server, kind);
        }
    }

    /// A server's workers begin to take jobs, unless they were told not to: each idle one takes
    /// what waits.
    pub(super) fn take_jobs(&mut self, server: usize) {
        if self.servers[server].quiesced {
            return;
        }
        self.servers[server].takes_jobs = true;
        for kind in 0..SERVES.len() {
            for _ in 0..self.servers[server].idle_job_workers[kind] {
                self.take_job(server, kind);
            }
        }
    }
}
