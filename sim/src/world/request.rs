//! A request's way: proxy, accept queue, worker, phases, answer.

use tidegate_core::fact::{Fact, FactSink, FailureCause};
use tidegate_core::{RequestId, ServerId, Span};

use crate::model::Place;
use crate::slab::{Kind, NONE, Task};

use super::hosted::Service;
use super::{Event, World, pick};

impl<S: FactSink> World<S> {
    /// A request of `class` reaches the proxy; `user` waits for it, if anyone does.
    #[expect(clippy::inline_always, reason = "each request of each scenario comes through here")]
    #[inline(always)]
    pub(super) fn arrive(&mut self, class: u16, user: u32) {
        let id = self.requests;
        self.requests += 1;
        self.in_flight += 1;
        self.tell(Fact::RequestArrived { request: RequestId(id) });
        let mut task = Task::new(Kind::Request, class, id, self.now);
        task.user = user;
        if self.choose.bench_weights.len() > 1 {
            let draw = self.choose.bench.draw();
            task.bench = pick(&self.choose.bench_weights, draw) as u16;
        }
        let slot = self.tasks.insert(task);
        self.draw_demands(slot, class);
        if let Some(files) = &mut self.files {
            let file = files.of_bench(self.tasks.get(slot).bench);
            files.assign(slot, file);
        }
        self.tasks.line_up(slot);
        self.arm_timeout();
        self.route(slot);
    }

    pub(super) fn draw_demands(&mut self, slot: u32, class: u16) {
        let draws = self.classes[usize::from(class)].draws.iter_mut();
        for (demand, draws) in self.tasks.demands_mut(slot).iter_mut().zip(draws) {
            *demand = draws.draw();
        }
    }

    pub(super) fn take_up(&mut self, slot: u32, worker: u32) {
        let now = self.now;
        let task = self.tasks.get_mut(slot);
        task.worker = worker;
        task.started = now;
        let server = usize::from(task.server);
        if let Some(factor) = self.warming.factor(self.servers[server].warmed) {
            self.servers[server].warmed += 1;
            self.slow_down(slot, factor);
        }
        self.begin_phase(slot);
    }

    /// Cold caches: the request needs more of the cores and of the database.
    fn slow_down(&mut self, slot: u32, factor: f64) {
        let phases = &self.classes[usize::from(self.tasks.get(slot).class)].phases;
        for (demand, phase) in self.tasks.demands_mut(slot).iter_mut().zip(phases) {
            if matches!(phase.place.host(), Place::Cpu | Place::Database) {
                *demand = (*demand as f64 * factor) as u64;
            }
        }
    }

    /// Begins the task's phase; a task without one left is finished.
    pub(super) fn begin_phase(&mut self, slot: u32) {
        self.begin(slot, *self.tasks.get(slot));
    }

    pub(super) fn begin(&mut self, slot: u32, task: Task) {
        if self.impeded {
            let phases = &self.classes[usize::from(task.class)].phases;
            let place = phases.get(usize::from(task.phase)).map(|step| step.place);
            if place.is_some_and(|place| self.impede(slot, place)) {
                return;
            }
        }
        self.begin_unimpeded(slot, task);
    }

    #[expect(clippy::inline_always, reason = "each step of each request comes through here")]
    #[inline(always)]
    pub(super) fn begin_unimpeded(&mut self, slot: u32, Task { class, phase, server, .. }: Task) {
        let Some(step) = self.classes[usize::from(class)].phases.get(usize::from(phase)) else {
            return self.finish(slot);
        };
        let demand = self.tasks.demand(slot, phase);
        let station = match step.place {
            Place::Cpu => return self.enter_cpu(usize::from(server), demand, slot),
            Place::Redis => match &mut self.redis {
                Service::Own(station) => station,
                Service::Hosted(_) => return self.visit(Place::Redis, slot),
            },
            Place::Database => &mut self.database,
            Place::Nfs => match &mut self.nfs {
                Service::Own(station) => station,
                Service::Hosted(_) => return self.visit(Place::Nfs, slot),
            },
            Place::Wait => return self.at(self.now + demand, Event::PhaseDone, slot),
            Place::Miss => return self.miss_step(slot),
            Place::Sync => return self.sync_step(slot),
            Place::Open | Place::Fetch | Place::Transfer | Place::Commit | Place::Close => {
                return self.file_step(step.place, slot);
            }
        };
        let visit = station.enter(self.now, demand);
        self.await_answer(slot, visit);
    }

    /// A station answers a visit, or refuses it.
    pub(super) fn await_answer(&mut self, slot: u32, visit: Result<u64, u64>) {
        match visit {
            Ok(done) => self.at(done, Event::PhaseDone, slot),
            Err(refused) => self.at(refused, Event::Overloaded, slot),
        }
    }

    #[inline(never)]
    pub(super) fn enter_cpu(&mut self, server: usize, demand: u64, slot: u32) {
        self.servers[server].cpu.enter(self.now, demand, slot);
        self.cpu_changed(server);
    }

    /// Looks up anew when a server's cores finish something next.
    #[expect(clippy::inline_always, reason = "each visit of each scenario comes through here")]
    #[inline(always)]
    pub(super) fn cpu_changed(&mut self, server: usize) {
        let finish = self.servers[server].cpu.next_finish();
        self.set_clock(server, finish);
    }

    /// Sets one of the clocks. Of those that are due next at the same time, the first is next.
    pub(super) fn set_clock(&mut self, clock: usize, time: u64) {
        self.clocks[clock] = time;
        if (time, clock) <= self.next_clock {
            self.next_clock = (time, clock);
        } else if clock == self.next_clock.1 {
            let mut next = (u64::MAX, 0);
            for (index, &time) in self.clocks.iter().enumerate() {
                if time < next.0 {
                    next = (time, index);
                }
            }
            self.next_clock = next;
        }
    }

    /// A server's cores have finished a task, or another clock is due.
    pub(super) fn clock(&mut self, clock: usize) {
        if clock >= self.servers.len() {
            return self.clock_due(clock);
        }
        let done = self.servers[clock].cpu.finish(self.now);
        self.cpu_changed(clock);
        if let Some(task) = done {
            self.task_done(task);
        }
    }

    /// A visit to a station, or a wait, is over. Its task may have been killed in between.
    pub(super) fn phase_done(&mut self, slot: u32) {
        let server = self.tasks.get(slot).server;
        if server == u16::MAX {
            self.tasks.remove(slot);
        } else if self.impeded
            && let Some(thaws) = self.frozen(ServerId(server))
        {
            self.at(thaws, Event::PhaseDone, slot);
        } else {
            self.next_phase(slot);
        }
    }

    pub(super) fn next_phase(&mut self, slot: u32) {
        let task = self.tasks.get_mut(slot);
        task.phase += 1;
        let task = *task;
        self.begin(slot, task);
    }

    /// Apart from what each phase needs, so that a phase needs little.
    #[inline(never)]
    fn finish(&mut self, slot: u32) {
        let task = *self.tasks.get(slot);
        let server = ServerId(task.server);
        if task.kind == Kind::Job {
            return self.job_finished(slot);
        }
        let job = self.enqueues(slot, task.class);
        let refused = self.store.is_some() && !self.keep(task.class, job)
            || self.faults.is_some() && self.finds_redis_full(task.class, job);
        match task.kind {
            Kind::Request if refused => self.refuse_write(slot),
            Kind::Request => {
                self.tasks.leave_line(slot);
                self.in_flight -= 1;
                let latency = self.since(task.arrived) + self.model.proxy.latency;
                let wait = Span::from_nanos((task.started - task.arrived).cast_signed());
                self.tell(Fact::RequestServed {
                    request: RequestId(task.id),
                    server,
                    latency,
                    wait,
                });
            }
            Kind::Job | Kind::Abandoned | Kind::Free => {
                self.tell(Fact::RequestAbandoned { request: RequestId(task.id), server });
            }
        }
        self.tasks.remove(slot);
        if self.append.is_some() && !refused && self.writes(task.class) {
            self.appended();
        }
        if let Some(job) = job.filter(|_| !refused) {
            self.enqueue_from(server, job, slot);
        }
        self.free_worker(&task);
        if task.kind == Kind::Request && task.user != NONE {
            self.request_over(&task, !refused);
        }
    }

    fn writes(&self, class: u16) -> bool {
        self.model.requests[usize::from(class)].writes.is_some()
    }

    /// Redis refused what the request wrote.
    #[cold]
    fn refuse_write(&mut self, slot: u32) {
        self.answer_with_error(slot, FailureCause::RedisFull);
    }

    /// The person who waited for a request has its answer.
    fn request_over(&mut self, task: &Task, served: bool) {
        if served {
            self.bind(task.user, task.server);
        }
        self.answered(task.user, served);
    }

    fn since(&self, then: u64) -> Span {
        Span::from_nanos((self.now - then).cast_signed())
    }

    /// A worker is free: it takes the next connection, and the proxy may send another.
    #[expect(clippy::inline_always, reason = "each request of each scenario comes through here")]
    #[inline(always)]
    pub(super) fn free_worker(&mut self, task: &Task) {
        let (server, bench) = (usize::from(task.server), usize::from(task.bench));
        if let Some(connections) = &mut self.connections {
            connections.keep(self.now, server);
        }
        self.release(server, bench, task.worker);
        self.serve_queue(server, bench);
        self.serve_backlog();
    }

    /// Answers a request that no worker holds with an error.
    pub(super) fn fail(&mut self, slot: u32, cause: FailureCause) {
        let user = self.answer_with_error(slot, cause);
        self.tasks.remove(slot);
        if user != NONE {
            self.answered(user, false);
        }
    }

    /// The client's side of a failure; returns who waited for it.
    pub(super) fn answer_with_error(&mut self, slot: u32, cause: FailureCause) -> u32 {
        let task = *self.tasks.get(slot);
        self.tasks.leave_line(slot);
        self.in_flight -= 1;
        let server = (task.server != u16::MAX).then_some(ServerId(task.server));
        let after = self.since(task.arrived);
        self.tell(Fact::RequestFailed { request: RequestId(task.id), server, cause, after });
        task.user
    }

    fn arm_timeout(&mut self) {
        if self.timeout_armed || self.tasks.oldest() == NONE {
            return;
        }
        self.timeout_armed = true;
        let deadline = self.deadline_of(self.tasks.oldest());
        self.at(deadline, Event::Timeout, 0);
    }

    fn deadline_of(&self, slot: u32) -> u64 {
        self.tasks.get(slot).arrived + self.model.proxy.timeout.as_nanos().cast_unsigned()
    }

    /// All requests have one time-out, so the oldest one is the first to reach it. The server does
    /// not learn that its client has gone: it works on.
    pub(super) fn timed_out(&mut self) {
        self.timeout_armed = false;
        while self.tasks.oldest() != NONE && self.deadline_of(self.tasks.oldest()) <= self.now {
            let slot = self.tasks.oldest();
            let user = self.answer_with_error(slot, FailureCause::TimedOut);
            let task = self.tasks.get_mut(slot);
            task.kind = Kind::Abandoned;
            self.backlog_dead += usize::from(task.server == u16::MAX);
            if user != NONE {
                self.answered(user, false);
            }
        }
        self.arm_timeout();
    }
}
