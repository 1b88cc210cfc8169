//! Monitoring: what a controller gets to see, and how old it is by then.

use tidegate_core::fact::{Fact, FactSink};
use tidegate_core::oracle::Work;
use tidegate_core::policy::EvidenceFrom;
use tidegate_core::{
    Dated, Defect, Health, Observation, Power, Ratio, ServerId, ServerView, Span, Timestamp,
};

use super::server::{Seen, Server};
use super::{Event, Notice, World};
use crate::model::{FaultKind, MonitoredFrom, Monitoring, Part};
use crate::prometheus::{Query, Rate};

/// Part of an interval by which the scrapes of each further server are shifted: the golden ratio's,
/// in fractions of 2⁶⁴, which spreads any number of servers evenly. Whole seconds of it count.
const SHIFT: u64 = 0x9E37_79B9_7F4A_7C15;
const SECOND: u64 = 1_000_000_000;

/// Mean CPU and memory, and the nanosecond of the oldest sample that they rest on.
type Means = (Ratio, Ratio, i64);

impl<S: FactSink> World<S> {
    /// Each target is scraped in a rhythm of its own. The primary was up and idle before the run.
    pub(super) fn open_monitoring(&mut self) {
        let Monitoring { scrape, range, .. } = self.model.monitoring;
        let (scrape, range) = (scrape.as_nanos(), range.as_nanos());
        for index in 0..self.servers.len() {
            let part = u128::from(SHIFT.wrapping_mul(index as u64));
            let shift = ((part * u128::from(scrape.cast_unsigned())) >> 64) as u64;
            self.at(shift - shift % SECOND, Event::Scrape, index as u32);
        }
        for back in (1..=range / scrape).rev() {
            self.sample(0, -back * scrape, 0);
        }
    }

    /// Takes a sample of a machine that is up and monitored, or finds that it is not.
    pub(super) fn scrape(&mut self, index: usize) {
        let every = self.model.monitoring.scrape.as_nanos().cast_unsigned();
        self.at(self.now + every, Event::Scrape, index as u32);
        let server = &self.servers[index];
        let from_boot = self.model.monitoring.from == MonitoredFrom::Boot;
        let up = server.power == Power::On && (from_boot || server.receives);
        if up && !self.is_unmeasured(ServerId(index as u16)) {
            let skew = self.skew(ServerId(index as u16));
            self.sample(index, self.now.cast_signed(), skew);
        } else {
            self.targets[index].miss(self.now.cast_signed());
        }
    }

    /// Whether faults keep a server from being measured.
    fn is_unmeasured(&mut self, server: ServerId) -> bool {
        self.befalls_server(FaultKind::ScrapesMissing, server)
            || self.is_on(FaultKind::MonitoringDown)
            || self.frozen(server).is_some()
            || self.is_cut_off(Part::Monitoring, server)
    }

    /// Takes a sample by a clock that is behind by `skew`.
    fn sample(&mut self, index: usize, at: i64, skew: i64) {
        let server = &mut self.servers[index];
        let busy = server.cpu.busy(self.now);
        self.targets[index].scrape(at - skew, server.idle(at, busy), server.memory_used());
    }

    /// The look that rules are evaluated on.
    pub(super) fn evaluate(&mut self) -> Notice {
        let every = self.model.monitoring.evaluate.as_nanos().cast_unsigned();
        self.at(self.now + every, Event::Evaluate, 0);
        if self.is_on(FaultKind::MonitoringDown) {
            self.servers.iter_mut().for_each(|server| server.seen = Seen::default());
            return self.look();
        }
        for index in 0..self.servers.len() {
            let seen = self.query(index);
            let server = &mut self.servers[index];
            server.lately.cpu = seen.cpu.or(server.lately.cpu);
            server.lately.memory = seen.memory.or(server.lately.memory);
            server.seen = seen;
        }
        self.tell_sampled();
        self.look()
    }

    fn look(&mut self) -> Notice {
        let observation = self.observe();
        self.notify(Notice::Observed(observation))
    }

    /// What Prometheus answers for one server.
    fn query(&mut self, index: usize) -> Seen {
        let Monitoring { range, look_back, delay, .. } = self.model.monitoring;
        let (now, delay) = (self.now.cast_signed(), delay.as_nanos() + self.further_delay());
        let over = |back: Span| Query { now, delay, back: back.as_nanos() };
        let target = &self.targets[index];
        let cores = u128::from(self.servers[index].cores);
        let busy = |rate: Rate| {
            let whole = rate.whole * cores;
            (rate.at, Ratio::of(whole.saturating_sub(rate.part), whole))
        };
        Seen { cpu: target.rate(over(range)).map(busy), memory: target.memory(over(look_back)) }
    }

    /// Who listens to alerts gets what Prometheus makes of one query. Who reads metrics knows of a
    /// server that is missing from it what it last had, for as long as that is evidence.
    fn tell_sampled(&mut self) {
        let evidence = self.model.group.policy.evidence;
        let since = self.now.cast_signed() - evidence.stale_after.as_nanos();
        let fresh = |value: Option<(i64, Ratio)>| value.filter(|(at, _)| *at >= since);
        let known = |seen: Seen| Seen { cpu: fresh(seen.cpu), memory: fresh(seen.memory) };
        let means = match evidence.from {
            EvidenceFrom::Alerts => self.means(|server| server.seen),
            EvidenceFrom::Metrics => self.means(|server| known(server.lately)),
        };
        if let Some((cpu, memory, oldest)) = means {
            self.tell(Fact::Sampled { cpu, memory, taken: self.moment(oldest) });
        }
        // There are none, unless they are listened to.
        self.evaluate_alerts(means.map(|(cpu, memory, _)| (cpu, memory)));
    }

    /// The means of CPU and memory over the servers that receive traffic and of which both are
    /// known, and the time of the oldest sample of CPU.
    fn means(&self, known: impl Fn(&Server) -> Seen) -> Option<Means> {
        let (mut cpu, mut memory, mut count, mut oldest) = (0u64, 0u64, 0u64, i64::MAX);
        for server in self.servers.iter().filter(|server| server.receives) {
            let Seen { cpu: Some((at, busy)), memory: Some((_, used)) } = known(server) else {
                continue;
            };
            cpu += u64::from(busy.ppm());
            memory += u64::from(used.ppm());
            count += 1;
            oldest = oldest.min(at);
        }
        let mean = |sum: u64| sum.checked_div(count).map(|mean| Ratio::from_ppm(mean as u32));
        Some((mean(cpu)?, mean(memory)?, oldest))
    }

    /// The moment that is `at` nanoseconds into the run, or before it.
    fn moment(&self, at: i64) -> Timestamp {
        self.model.start + Span::from_nanos(at)
    }

    /// While a sequence is under way, health and work in flight are read more often.
    pub(super) fn health(&mut self) -> Option<Notice> {
        let every = self.model.monitoring.health.as_nanos().cast_unsigned();
        self.at(self.now + every, Event::Health, 0);
        self.moving.then(|| self.look())
    }

    fn observe(&mut self) -> Observation {
        let mut servers = Vec::with_capacity(self.servers.len());
        for index in 0..self.servers.len() {
            servers.push(self.view(index));
        }
        if self.faults.is_some() {
            for view in &mut servers {
                self.distort(view);
            }
        }
        Observation { servers, ..Observation::default() }
    }

    fn view(&self, index: usize) -> ServerView {
        let server = &self.servers[index];
        let now = self.timestamp(self.now);
        let mut view = ServerView::unknown(ServerId(index as u16));
        let dated = |(at, value)| Dated::new(value, self.moment(at));
        view.power = Some(Dated::new(server.power, now));
        view.routed = Some(Dated::new(server.receives, now));
        view.cpu = server.seen.cpu.map(dated);
        view.memory = server.seen.memory.map(dated);
        if server.power != Power::On {
            return view;
        }
        let healthy = server.ready || self.is_launched(view.server);
        let health = if healthy { Health::ALL } else { Health::NONE };
        view.health = Some(Dated::new(health, now));
        let counted = self.timestamp(self.counted_at());
        view.in_flight = Some(Dated::new(server.open, counted));
        view.jobs = Some(Dated::new(server.jobs + server.flow_jobs, counted));
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
        let loses = self.model.group.defects.has(Defect::LoseWork);
        let work = |server: &mut Server| {
            let work = server.cpu.work(now);
            let done = if loses { work.done - work.done / 100 } else { work.done };
            // One that stands still has its cores all the same.
            Work { done, cores: u64::from(server.cores), ..work }
        };
        self.servers.iter_mut().map(work).collect()
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
