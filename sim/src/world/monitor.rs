//! Monitoring: what a controller gets to see, and how old it is by then.

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::oracle::Work;
use tidegate_core::{Dated, Health, Observation, Power, Ratio, ServerId, ServerView};

use super::server::Sample;
use super::{Event, Notice, World};

impl<S: FactSink> World<S> {
    /// Takes a sample of each machine that is up: CPU as a rate over the range, memory as it is.
    pub(super) fn scrape(&mut self) {
        let scrape = self.model.monitoring.scrape.as_nanos().cast_unsigned();
        self.at(self.now + scrape, Event::Scrape, 0);
        let mut serving = (0u64, 0u64, 0u64);
        for index in 0..self.servers.len() {
            if self.servers[index].power != Power::On {
                continue;
            }
            let sample = self.sample(index);
            if let Some(cpu) = sample.cpu.filter(|_| self.servers[index].receives) {
                serving.0 += u64::from(cpu.ppm());
                serving.1 += u64::from(sample.memory.ppm());
                serving.2 += 1;
            }
            self.servers[index].samples.push_back(sample);
        }
        let (cpu, memory, servers) = serving;
        if servers > 0 {
            let mean = |sum: u64| Ratio::from_ppm((sum / servers) as u32);
            self.tell(Fact::Sampled { cpu: mean(cpu), memory: mean(memory) });
        }
    }

    fn sample(&mut self, index: usize) -> Sample {
        let range = self.model.monitoring.range.as_nanos().cast_unsigned();
        let now = self.now;
        let server = &mut self.servers[index];
        let busy = server.cpu.busy(now);
        server.counters.push_back((now, busy));
        while server.counters.len() > 2 && server.counters[1].0 + range <= now {
            server.counters.pop_front();
        }
        let (since, before) = server.counters[0];
        let cpu = (since < now).then(|| {
            let available = u128::from(now - since) * u128::from(server.cores);
            Ratio::of(u128::from(busy - before), available).min(Ratio::ONE)
        });
        Sample { at: now, cpu, memory: server.memory_used() }
    }

    /// The look that rules are evaluated on.
    pub(super) fn evaluate(&mut self) -> Notice {
        let every = self.model.monitoring.evaluate.as_nanos().cast_unsigned();
        self.at(self.now + every, Event::Evaluate, 0);
        let delay = self.model.monitoring.delay.as_nanos().cast_unsigned();
        for server in &mut self.servers {
            while server.samples.front().is_some_and(|sample| sample.at + delay <= self.now) {
                server.seen = server.samples.pop_front();
            }
        }
        Notice::Observed(self.observe())
    }

    /// While a sequence is under way, health and work in flight are read more often.
    pub(super) fn health(&mut self) -> Option<Notice> {
        let every = self.model.monitoring.health.as_nanos().cast_unsigned();
        self.at(self.now + every, Event::Health, 0);
        self.moving.then(|| Notice::Observed(self.observe()))
    }

    fn observe(&self) -> Observation {
        let view = |index| self.view(index);
        Observation { servers: (0..self.servers.len()).map(view).collect() }
    }

    fn view(&self, index: usize) -> ServerView {
        let server = &self.servers[index];
        let now = self.timestamp(self.now);
        let mut view = ServerView::unknown(ServerId(index as u16));
        view.power = Some(Dated::new(server.power, now));
        if server.power != Power::On {
            return view;
        }
        let health = if server.ready { Health::ALL } else { Health::NONE };
        view.health = Some(Dated::new(health, now));
        view.in_flight = Some(Dated::new(server.open, now));
        view.jobs = Some(Dated::new(server.jobs + server.flow_jobs, now));
        if let Some(sample) = server.seen {
            let at = self.timestamp(sample.at);
            view.cpu = sample.cpu.map(|cpu| Dated::new(cpu, at));
            view.memory = Some(Dated::new(sample.memory, at));
        }
        view
    }

    /// For each server: core-nanoseconds done, cores, and whether it receives traffic.
    pub fn busy(&mut self) -> Vec<(u64, u32, bool)> {
        let now = self.now;
        self.servers
            .iter_mut()
            .map(|server| (server.cpu.busy(now), server.cores, server.receives))
            .collect()
    }

    /// What became of the work of each server's cores.
    pub fn work(&mut self) -> Vec<Work> {
        let now = self.now;
        self.servers.iter_mut().map(|server| server.cpu.work(now)).collect()
    }

    /// For how long the requests between arrival and answer have been there, added up.
    pub fn ages(&self) -> u128 {
        if self.flows.is_some() {
            return 0;
        }
        u128::from(self.in_flight) * u128::from(self.now) - self.tasks.arrivals()
    }

    /// Mean used share of memory of the servers that receive traffic.
    pub fn memory(&self) -> Option<Ratio> {
        let serving = || self.servers.iter().filter(|server| server.receives);
        let total: u64 = serving().map(|server| u64::from(server.memory_used().ppm())).sum();
        let count = serving().count() as u64;
        (count > 0).then(|| Ratio::from_ppm((total / count) as u32))
    }

    /// How many servers receive traffic and how many have power.
    pub fn counts(&self) -> (u16, u16) {
        let serving = self.servers.iter().filter(|server| server.receives).count();
        let powered = self.servers.iter().filter(|server| server.power != Power::Off).count();
        (serving as u16, powered as u16)
    }

    /// Jobs that wait or run.
    pub fn jobs_pending(&self) -> u64 {
        let waiting: usize = self.queues.iter().map(std::collections::VecDeque::len).sum();
        let flowing = self.flows.as_ref().map_or(0, |flows| flows.jobs_pending());
        let running = self.servers.iter().map(|server| u64::from(server.jobs)).sum::<u64>();
        waiting as u64 + running + flowing
    }
}
