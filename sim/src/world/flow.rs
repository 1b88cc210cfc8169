//! The world in flows: what stands in for arrivals, workers and cores when requests are not
//! followed one by one. Machines, monitoring, the proxy's weights and clocked jobs are as ever.

mod ahead;
mod counted;

use std::sync::Arc;

use tidegate_core::fact::{Fact, FactSink, FailureCause, Flow};
use tidegate_core::{Power, ServerId, Span};

use crate::flow::{
    Answered, Conditions, Cumulative, JobFlows, Means, Offered, Population, ServerFlow, Site,
    Stations, Tables, Workers, station,
};
use crate::model::{Load, Model, Place};
use crate::slab::Task;

use super::server::Server;
use super::{Event, World};
use ahead::{Course, Taken};
use counted::{Counted, Whole};

/// What a server's requests met since it was last told how long they took.
#[derive(Debug, Default)]
struct Met {
    conditions: Conditions,
    /// Requests answered, by kind.
    weights: Vec<f64>,
    /// Where in the sample the next are taken from.
    offset: f64,
}

const GOLDEN: f64 = 0.618_033_988_749_895;

/// One server's side of the flows.
#[derive(Debug)]
struct Side {
    site: Site,
    flow: ServerFlow,
    counted: Counted,
    met: Met,
    /// Work a second that it gives to the stations.
    offered: [f64; 3],
    /// By what the cores were slower in the last step.
    slowdown: f64,
    /// Clocked jobs that are on the cores.
    tasks: u32,
    /// Those that are at the stations.
    visits: [u32; 3],
    course: Course,
    taken: Taken,
}

/// All flows of a group.
#[derive(Debug)]
pub(super) struct Flows {
    /// How far they have come.
    until: u64,
    /// How far it was seen that they go on as before.
    steady_until: u64,
    loads: Vec<(Cumulative, Option<usize>)>,
    people: Vec<Population>,
    means: Vec<Means>,
    weights: Vec<f64>,
    enqueues: Vec<Option<(usize, f64)>>,
    sides: Vec<Side>,
    stations: Stations,
    jobs: JobFlows,
    tables: Arc<Tables>,
    /// Requests that have arrived and are not answered, by kind.
    outstanding: Vec<f64>,
    timeout: f64,
    unrouted: Whole,
    enqueued: u64,
    /// Requests killed since the last step.
    killed: u64,
    step: Step,
}

/// What happens in one step; kept for its memory alone.
#[derive(Debug, Default)]
struct Step {
    length: f64,
    arrivals: Vec<f64>,
    sent: Vec<[f64; 3]>,
    served: f64,
    late: f64,
    /// Of those that arrived.
    refused: f64,
    workers: Vec<Workers>,
}

fn site_of(index: usize, model: &Model, tables: &Tables) -> Site {
    let hardware = &model.servers[index];
    let workers: u32 = hardware.web_workers.iter().sum();
    let places = model.benches.iter().map(|bench| bench.accept_queue);
    let places = f64::from(workers) + places.map(f64::from).sum::<f64>();
    let limit = model.proxy.max_connections.map_or(f64::INFINITY, |most| {
        f64::from(most) + f64::from(model.proxy.backlog) / model.servers.len() as f64
    });
    Site::new(hardware, places.min(limit), tables)
}

impl Flows {
    pub fn new(model: &Model, tables: Arc<Tables>) -> Self {
        let (mut loads, mut people) = (Vec::new(), Vec::new());
        for load in &model.loads {
            match load {
                Load::Open(open) => loads.push((Cumulative::new(open), open.class)),
                Load::Exam(exam) => people.push(Population::new(exam)),
            }
        }
        let all: f64 = model.requests.iter().map(|class| f64::from(class.weight)).sum();
        let job = |job: &crate::model::JobClass| (job.queue, Means::of(model, &job.phases));
        let enqueues = |class: &crate::model::RequestClass| {
            class.enqueues.map(|(job, share)| (job, f64::from(share.ppm()) / 1e6))
        };
        Self {
            until: 0,
            steady_until: 0,
            step: Step { sent: vec![[0.0; 3]; people.len()], ..Step::default() },
            loads,
            people,
            means: model.requests.iter().map(|class| Means::of(model, &class.phases)).collect(),
            weights: model.requests.iter().map(|class| f64::from(class.weight) / all).collect(),
            enqueues: model.requests.iter().map(enqueues).collect(),
            sides: (0..model.servers.len()).map(|index| Side::new(index, model, &tables)).collect(),
            stations: Stations::new(model, &tables),
            jobs: JobFlows::new(model.jobs.iter().map(job), model.servers.len()),
            tables,
            outstanding: vec![0.0; model.requests.len()],
            timeout: model.proxy.timeout.as_secs_f64(),
            unrouted: Whole::default(),
            enqueued: 0,
            killed: 0,
        }
    }

    /// The longest step that follows the people well, and those who wait for a worker until they
    /// have waited too long, in nanoseconds.
    fn longest_step(&self) -> u64 {
        let now = self.until as f64 / 1e9;
        let waiting = self.sides.iter().any(|side| side.is_crowded() && !side.flow.overflows());
        let patient = if waiting { self.timeout / 8.0 } else { 60.0 };
        let people = self.people.iter().map(|one| one.longest_step(now));
        let longest = people.fold(patient.min(60.0), f64::min);
        (longest * 1e9).max(1e6) as u64
    }

    /// The end of the next step towards `now`. What changed is not spread over the time before.
    fn next_step(&self, now: u64) -> u64 {
        let seen = self.steady_until > self.until && self.arriving(now).is_none();
        let now = if seen { self.steady_until.min(now) } else { now };
        now.min(self.until + self.longest_step())
    }

    /// What arrives until `to`, by kind.
    fn arrive(&mut self, to: u64) {
        let (from, to) = (self.until as f64 / 1e9, to as f64 / 1e9);
        let step = &mut self.step;
        step.length = to - from;
        (step.served, step.refused) = (0.0, 0.0);
        step.late = std::mem::take(&mut self.killed) as f64;
        step.arrivals.clear();
        step.arrivals.resize(self.means.len(), 0.0);
        for (load, class) in &mut self.loads {
            let expected = load.expected(to);
            if let Some(class) = class {
                step.arrivals[*class] += expected;
                continue;
            }
            for (arrivals, weight) in step.arrivals.iter_mut().zip(&self.weights) {
                *arrivals += expected * weight;
            }
        }
        for (people, sent) in self.people.iter_mut().zip(&mut step.sent) {
            *sent = people.send(from, to);
            for (&class, sent) in people.classes.iter().zip(*sent) {
                step.arrivals[class] += sent;
            }
        }
        for (outstanding, arrivals) in self.outstanding.iter_mut().zip(&step.arrivals) {
            *outstanding += arrivals;
        }
    }

    /// Mean demands of those who are here.
    fn mixture(&self) -> Means {
        let all: f64 = self.outstanding.iter().sum();
        let mut mixture = Means::default();
        if all > 0.0 {
            for (means, outstanding) in self.means.iter().zip(&self.outstanding) {
                mixture += means.times(outstanding / all);
            }
        }
        mixture
    }

    /// Who is answered, who failed, and what follows from it.
    fn answer(&mut self) {
        let step = &self.step;
        let here: f64 = self.outstanding.iter().sum();
        let arrived: f64 = step.arrivals.iter().sum();
        for class in 0..self.means.len() {
            let of_all = if here > 0.0 { self.outstanding[class] / here } else { 0.0 };
            let of_new = if arrived > 0.0 { step.arrivals[class] / arrived } else { 0.0 };
            let served = step.served * of_all;
            let failed = step.late * of_all + step.refused * of_new;
            self.outstanding[class] = (self.outstanding[class] - served - failed).max(0.0);
            if let Some((job, share)) = self.enqueues[class] {
                self.jobs.enqueue(job, served * share);
            }
            for (people, sent) in self.people.iter_mut().zip(&step.sent) {
                people.answered(class, sent, step.arrivals[class], served, failed);
            }
        }
        self.people.iter_mut().for_each(Population::hear);
    }

    /// How long the requests of a server took that were answered since this was last told.
    fn settle(&mut self, server: usize, mut tell: impl FnMut(Flow)) {
        let side = &mut self.sides[server];
        let all: f64 = side.met.weights.iter().sum();
        if all <= 0.0 {
            return;
        }
        let answered = side.counted.take_untold();
        // Systematic sampling: where fewer were answered than stand in the sample, each time others
        // are taken, by steps of the golden section.
        side.met.offset = (side.met.offset + GOLDEN).fract();
        let (mut sum, mut told) = (side.met.offset, 0);
        for (class, &weight) in side.met.weights.iter().enumerate() {
            let took = self.tables.latencies.of(class, &side.met.conditions);
            let each = answered as f64 * weight / all / took.len().max(1) as f64;
            for (latency, wait) in took {
                sum += each;
                let count = (sum as u64).saturating_sub(told);
                if count > 0 {
                    told += count;
                    tell(Flow::Took { count, latency: span(latency), wait: span(wait) });
                }
            }
        }
        side.met.weights.fill(0.0);
    }

    /// Requests between arrival and answer.
    pub fn in_flight(&self) -> u64 {
        self.sides.iter().map(|side| side.counted.in_flight()).sum()
    }

    /// Jobs in queues and running, without those by the clock.
    pub fn jobs_pending(&self) -> u64 {
        let ended: u64 = self.sides.iter().map(|side| side.counted.jobs_ended()).sum();
        self.enqueued - ended
    }

    /// A server has got fresh processes, on what may be other hardware.
    pub fn equip(&mut self, server: usize, model: &Model) {
        self.sides[server].site = site_of(server, model, &self.tables);
    }
}

fn span(seconds: f64) -> Span {
    Span::from_nanos((seconds * 1e9) as i64)
}

impl<S: FactSink> World<S> {
    /// Whether what happens depends on a step of the flows. A scrape of what stands still or goes
    /// on as before does not, nor does a look at the group while nobody waits for work in flight.
    pub(super) fn reads_flows(&mut self, event: Event, index: usize) -> bool {
        if event == Event::Scrape {
            return self.servers[index].power != Power::Off && !self.look_ahead(index);
        }
        !matches!(event, Event::Health | Event::Evaluate) || self.moving && self.releases_work()
    }

    /// Whether a server finishes what it has and gets nothing new.
    fn releases_work(&self) -> bool {
        self.servers.iter().any(|server| server.ready && !(server.receives && server.takes_jobs))
    }

    /// The moment up to which work in flight is known.
    pub(super) fn counted_at(&self) -> u64 {
        self.flows.as_ref().map_or(self.now, |flows| flows.until)
    }

    /// Brings the flows to the present.
    pub(super) fn flow_on(&mut self) {
        let Some(mut flows) = self.flows.take() else { return };
        while flows.until < self.now {
            let to = flows.next_step(self.now);
            self.flow_step(&mut flows, to);
            flows.until = to;
        }
        self.in_flight = flows.in_flight();
        self.flows = Some(flows);
    }

    fn flow_step(&mut self, flows: &mut Flows, to: u64) {
        flows.arrive(to);
        let mut mixture = flows.mixture();
        flows.stations.slow(&mut mixture, flows.sides[0].slowdown);
        let arrived: f64 = flows.step.arrivals.iter().sum();
        let receiving = |server: &&Server| server.receives;
        let shares: f64 = self.servers.iter().filter(receiving).map(|s| f64::from(s.share)).sum();
        if shares <= 0.0 {
            flows.step.refused += arrived;
            let count = flows.unrouted.add(arrived);
            self.tell_flow(count, Flow::Arrived { count });
            let cause = FailureCause::NoServer;
            self.tell_flow(count, Flow::Failed { count, server: None, cause });
        }
        let mut offered = [0.0; 3];
        for index in 0..self.servers.len() {
            let server = &self.servers[index];
            let share = if server.receives { f64::from(server.share) / shares } else { 0.0 };
            self.serve(flows, index, share, mixture);
            let Side { offered: given, visits, .. } = flows.sides[index];
            let all = |station: usize| given[station] + f64::from(visits[station]);
            offered = [0, 1, 2].map(|station| offered[station] + all(station));
        }
        let jobs = flows.jobs.stations();
        flows.stations.set_offered([0, 1, 2].map(|station| offered[station] + jobs[station]));
        flows.answer();
        self.flow_jobs(flows);
    }

    /// One server's part of a step.
    fn serve(&mut self, flows: &mut Flows, index: usize, share: f64, mut means: Means) {
        let Flows { sides, stations, jobs, step, timeout, .. } = &mut *flows;
        let arrivals = share * step.arrivals.iter().sum::<f64>();
        let side = &mut sides[index];
        let server = &mut self.servers[index];
        if !server.ready || arrivals <= 0.0 && side.flow.is_empty() && side.tasks == 0 {
            step.refused += arrivals;
            side.offered = [0.0; 3];
            let jobs = jobs.cores(index, 1.0);
            side.credit(server, jobs * step.length);
            let cores = f64::from(server.cores);
            let course = Course { steady: true, others: jobs, cores, ..Course::default() };
            side.follow(course, arrivals, step.length, &Answered::default());
            return self.count(side, index, arrivals, [arrivals, 0.0, 0.0], FailureCause::Refused);
        }
        let factor = self.warming.factor(server.warmed).unwrap_or(1.0);
        means.warm(factor);
        server.warmed = server.warmed.saturating_add(arrivals as u32);
        let cores = f64::from(server.cores);
        let clocked = f64::from(side.tasks);
        let hosted = if index == 0 { stations.on_primary() } else { 0.0 };
        let background = jobs.cores(index, side.slowdown) + hosted / side.slowdown;
        let tasks = background * side.slowdown + clocked;
        let all = stations.offered();
        let offered = Offered {
            length: step.length,
            rate: arrivals / step.length,
            means: &means,
            background,
            tasks,
            lasting: clocked,
            share,
            others: [0, 1, 2].map(|one| (all[one] - side.offered[one]).max(0.0)),
            timeout: *timeout,
        };
        let (answered, mut conditions) = side.flow.step(&side.site, stations, &offered);
        conditions.factor = factor;
        let Answered { served, refused, timed_out, throughput } = answered;
        let used = (throughput * means.cpu + background + clocked).min(cores);
        side.credit(server, used * step.length);
        side.offered = means.stations.map(|work| work * throughput);
        side.slowdown = side.flow.slowdown(&conditions, &side.site, tasks);
        side.wear(server, throughput * step.length);
        let course = Course {
            steady: factor <= 1.0,
            share,
            each: means.cpu,
            others: background + clocked,
            cores,
        };
        side.follow(course, arrivals, step.length, &answered);
        step.served += served;
        step.late += timed_out;
        step.refused += refused;
        let lost = [refused, timed_out, side.flow.live()];
        if !side.met.conditions.is_like(&conditions) {
            self.settle_server(flows, index);
        }
        let side = &mut flows.sides[index];
        side.meet(&conditions, served, &flows.outstanding);
        self.count(side, index, arrivals, lost, FailureCause::QueueFull);
    }

    /// Tells in whole numbers what became of a server's requests.
    fn count(
        &mut self,
        side: &mut Side,
        index: usize,
        arrivals: f64,
        [refused, timed_out, live]: [f64; 3],
        cause: FailureCause,
    ) {
        let server = ServerId(index as u16);
        let told = side.counted.requests(arrivals, refused, timed_out, live);
        let (count, late) = (told.routed, FailureCause::TimedOut);
        self.tell_flow(count, Flow::Arrived { count });
        self.tell_flow(count, Flow::Routed { count, server });
        let server_of = Some(server);
        let count = told.refused;
        self.tell_flow(count, Flow::Failed { count, server: server_of, cause });
        let count = told.timed_out;
        self.tell_flow(count, Flow::Failed { count, server: server_of, cause: late });
        let count = told.served;
        self.tell_flow(count, Flow::Served { count, server });
        self.servers[index].open = (side.flow.present + 0.5) as u32;
    }

    fn flow_jobs(&mut self, flows: &mut Flows) {
        let Flows { jobs, sides, step, enqueued, .. } = flows;
        step.workers.clear();
        for (server, side) in self.servers.iter().zip(sides.iter()) {
            step.workers.push(Workers {
                counts: server.idle_job_workers.map(f64::from),
                take: server.takes_jobs,
                slowdown: side.slowdown,
            });
        }
        jobs.step(step.length, &step.workers);
        let started: u64 = jobs.started.iter().map(|started| *started as u64).sum();
        let count = (jobs.enqueued as u64).max(started).saturating_sub(*enqueued);
        *enqueued += count;
        self.tell_flow(count, Flow::JobsEnqueued { count });
        for (index, side) in sides.iter_mut().enumerate() {
            let server = ServerId(index as u16);
            let (started, done) = side.counted.jobs(jobs.started[index], jobs.running(index));
            self.tell_flow(started, Flow::JobsStarted { count: started, server });
            self.tell_flow(done, Flow::JobsCompleted { count: done, server });
            self.servers[index].flow_jobs = side.counted.jobs_running() as u32;
        }
    }

    /// Begins a clocked job's step, which takes as long as the load of the cores makes it.
    pub(super) fn begin_flow_phase(&mut self, slot: u32) {
        let Task { class, phase, server, .. } = *self.tasks.get(slot);
        let Some(step) = self.classes[usize::from(class)].phases.get(usize::from(phase)) else {
            return self.job_finished(slot);
        };
        let demand = self.tasks.demand(slot, phase);
        let Some(flows) = &mut self.flows else { return };
        let side = &mut flows.sides[usize::from(server)];
        let length = match station(step.place) {
            Some(index) => {
                side.visits[index] += 1;
                demand + flows.stations.network(step.place)
            }
            None if step.place == Place::Cpu => {
                side.tasks += 1;
                (demand as f64 * side.slowdown) as u64
            }
            None => demand,
        };
        self.at(self.now.saturating_add(length), Event::FlowPhaseDone, slot);
    }

    /// A clocked job has done its step, unless it was killed in between.
    pub(super) fn flow_phase_done(&mut self, slot: u32) {
        let Task { class, phase, server, .. } = *self.tasks.get(slot);
        if server == u16::MAX {
            return self.tasks.remove(slot);
        }
        let place = self.classes[usize::from(class)].phases[usize::from(phase)].place;
        let Some(flows) = &mut self.flows else { return };
        let side = &mut flows.sides[usize::from(server)];
        match station(place) {
            Some(index) => side.visits[index] -= 1,
            None => side.tasks -= u32::from(place == Place::Cpu),
        }
        self.tasks.get_mut(slot).phase += 1;
        self.begin_flow_phase(slot);
    }

    fn tell_flow(&mut self, count: u64, flow: Flow) {
        if count > 0 {
            self.tell(Fact::Flow(flow));
        }
    }

    fn settle_server(&mut self, flows: &mut Flows, index: usize) {
        let (at, sink) = (self.timestamp(self.now), &mut self.sink);
        flows.settle(index, |flow| sink.fact(at, Fact::Flow(flow)));
    }

    /// Brings the flows to the present and tells how long the requests so far took.
    pub fn settle(&mut self) {
        self.flow_on();
        let Some(mut flows) = self.flows.take() else { return };
        for index in 0..self.servers.len() {
            self.settle_server(&mut flows, index);
        }
        self.flows = Some(flows);
    }

    /// All that flows on a server is killed.
    pub(super) fn kill_flows(&mut self, server: ServerId) {
        let Some(mut flows) = self.flows.take() else { return };
        let index = server.index();
        let side = &mut flows.sides[index];
        (side.flow, side.tasks, side.visits) = (ServerFlow::default(), 0, [0; 3]);
        flows.jobs.kill(index);
        let (count, killed) = side.counted.kill();
        let cause = FailureCause::Killed;
        self.tell_flow(count, Flow::Failed { count, server: Some(server), cause });
        self.tell_flow(killed, Flow::JobsKilled { count: killed, server });
        self.servers[index].flow_jobs = 0;
        flows.killed += count;
        self.in_flight = flows.in_flight();
        self.flows = Some(flows);
    }
}

impl Side {
    fn new(index: usize, model: &Model, tables: &Tables) -> Self {
        Self {
            site: site_of(index, model, tables),
            flow: ServerFlow::default(),
            counted: Counted::default(),
            met: Met::default(),
            offered: [0.0; 3],
            slowdown: 1.0,
            tasks: 0,
            visits: [0; 3],
            course: Course::default(),
            taken: Taken::default(),
        }
    }

    /// So many requests were answered under these conditions.
    fn meet(&mut self, conditions: &Conditions, served: f64, kinds: &[f64]) {
        let all: f64 = kinds.iter().sum();
        if self.met.weights.iter().all(|&weight| weight <= 0.0) {
            self.met.conditions = *conditions;
            self.met.weights.resize(kinds.len(), 0.0);
        }
        if all > 0.0 {
            let weights = self.met.weights.iter_mut().zip(kinds);
            weights.for_each(|(weight, kind)| *weight += served * kind / all);
        }
    }
}
